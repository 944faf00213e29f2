/**
 * `npm run policy -- chunk`: one action chunk from a checkpoint folder and a file of inputs, with no browser and no
 * simulation. Composes what the page's workers compose: conversion, tokenizer, letterbox, policy.
 */
import { writeFileSync } from 'node:fs';
import type { OpenPack } from '#contracts/pack.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { type TensorToWrite, writeSafetensors } from '#core/conversion/safetensors.ts';
import { memoryStore } from '#core/conversion/store.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { anyFamilyRecipe, loadPolicy } from '#core/policy/family.ts';
import type { MidTensor, Policy } from '#core/policy/policy.ts';
import { createNodeEngine } from '../engine-ort-node.ts';
import type { Command } from './arguments.ts';
import { folderFiles } from './folder.ts';
import { type ChunkInput, InputError, readChunkInput } from './input.ts';

/** Returns the lines to print. Rejects with an InputError (input, output, sentence) or a FailureError (checkpoint, policy). */
export async function computeChunk(command: Extract<Command, { kind: 'chunk' }>): Promise<string[]> {
  const input = readChunkInput(command.input);
  const store = memoryStore();
  const { storedName } = await convertIntoStore({ files: folderFiles(command.checkpoint), recipe: anyFamilyRecipe, precision: command.precision, store, name: 'checkpoint' });
  const pack = await store.open(storedName);
  const engine = await createNodeEngine();
  try {
    const clock = { nowMs: () => performance.now() };
    const cameras = [...input.pictures.keys()];
    const policy = await loadPolicy(pack, engine, { letterbox, clock, mids: command.dump === null ? 'none' : 'all', ...(cameras.length > 0 ? { cameras } : {}) });
    const { tokens, tokenMask } = await tokensOf(input, command.task, policy, pack);
    const { chunkRows, actionSize, denoisingSteps } = policy.info;
    const { pictures, state } = input;
    const chunk = await policy.predictChunk({ pictures, state, tokens, tokenMask, noise: noiseOf(input, [chunkRows, policy.noiseColumns]) });
    write(command.output, writeSafetensors({ action: matrix(chunk.actions, [chunkRows, actionSize]), x0: matrix(chunk.x0, [chunkRows, policy.noiseColumns]) }));
    if (command.dump !== null) write(command.dump, writeSafetensors(dumped(chunk.mids)));
    const { visionMs, prefixMs, denoiseMs, totalMs } = chunk.timings;
    const ms = (value: number): string => `${value.toFixed(0)} ms`;
    const realTokens = tokenMask.reduce((count, real) => count + real, 0);
    return [
      `${chunkRows} steps of ${actionSize} joints from ${pictures.size === 1 ? '1 picture' : `${pictures.size} pictures`} and ${realTokens} tokens`,
      `${ms(totalMs)} on ${policy.provider} (pictures ${ms(visionMs)}, prefix ${ms(prefixMs)}, ${denoisingSteps} denoising steps ${ms(denoiseMs)})`,
      `written: ${command.output}${command.dump === null ? '' : `, ${command.dump}`}`,
    ];
  } finally {
    await engine.dispose();
  }
}

/** `tokens` and `token_mask` of the input win; else the sentence goes through the checkpoint's tokenizer. */
async function tokensOf(input: ChunkInput, task: string | null, policy: Policy, pack: OpenPack): Promise<{ readonly tokens: ArrayLike<number>; readonly tokenMask: Uint8Array }> {
  if (input.tokens !== null) return { tokens: input.tokens.ids, tokenMask: input.tokens.mask };
  if (task === null || task.trim() === '') throw new InputError('There is no sentence: the input has no tokens and --task is not given.', 'Give --task "...", or tokens and token_mask in the input.');
  if (pack.manifest.tokenizer === null) throw new InputError('The checkpoint folder has no tokenizer, so --task cannot be read.', 'Put the tokenizer.json of its language model into a folder tokenizer/, or give tokens and token_mask in the input.');
  const { ids, mask } = (await openTokenizer(pack.manifest.tokenizer))(task, policy.text);
  return { tokens: ids, tokenMask: mask };
}

function noiseOf({ noise }: ChunkInput, shape: readonly number[]): Float32Array {
  if (noise.shape.join() !== shape.join()) throw new InputError(`noise in the input is [${noise.shape.join(', ')}].`, `This checkpoint needs [${shape.join(', ')}]: chunk_size x max_action_dim.`);
  return noise.values;
}

function write(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (thrown) {
    throw new InputError(`${path} cannot be written: ${String(thrown)}.`, 'Give a path in a folder that exists and may be written to.');
  }
}

function matrix(data: Float32Array, shape: readonly number[]): TensorToWrite {
  return { dtype: 'F32', shape, data };
}

function dumped(mids: ReadonlyMap<string, MidTensor>): Record<string, TensorToWrite> {
  return Object.fromEntries([...mids].map(([name, { dims, data }]) => [name, matrix(data, dims)]));
}
