/**
 * `npm run policy -- parity`: one seeded observation through a checkpoint twice, weights in float32 and in a smaller precision,
 * and what that costs, joint by joint, in the units the arm moves in. One policy is in memory at a time; packs lie on disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PolicyInfo, Precision, PredictedChunk } from '#contracts/policy.ts';
import type { Picture } from '#contracts/picture.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import type { CheckpointFiles } from '#core/conversion/checkpoint-files.ts';
import type { PackStore } from '#core/conversion/store.ts';
import { normalNoise, seededRandom } from '#core/lib/random.ts';
import { anyFamilyRecipe, loadPolicy } from '#core/policy/family.ts';
import { compareChunks } from '#core/evaluation/parity.ts';
import { createNodeEngine } from '../engine-ort-node.ts';
import type { Command } from './arguments.ts';
import { folderFiles } from './folder.ts';
import { folderStore } from './folder-store.ts';

const SEED = 20_260;

export async function compareParity({ checkpoint, precision, store }: Extract<Command, { kind: 'parity' }>): Promise<string[]> {
  const scratch = store ?? mkdtempSync(join(tmpdir(), 'parity-'));
  try {
    return await parityLines(folderFiles(checkpoint), folderStore(scratch), precision);
  } finally {
    if (store === null) rmSync(scratch, { recursive: true, force: true });
  }
}

interface Computed extends Pick<PredictedChunk, 'actions' | 'x0'> {
  readonly info: PolicyInfo;
  readonly packBytes: number;
  readonly totalMs: number;
}

/** Lines to print. Rejects with a FailureError. */
export async function parityLines(files: CheckpointFiles, store: PackStore, precision: Precision): Promise<string[]> {
  const reference = await compute(files, store, 'f32');
  const ours = await compute(files, store, precision);
  const { joints, x0: whole } = compareChunks(ours, reference, ours.info.actionSize);
  const rows = joints.map(
    ({ largest, mean, cosine }, joint) => `joint ${joint + 1}   largest ${largest.toFixed(4).padStart(9)}   mean ${mean.toFixed(4).padStart(9)}   cosine ${cosine.toFixed(6)}`,
  );
  return [
    `${precision} against float32, the same picture, state, words and noise; joint units`,
    ...rows,
    `x0        largest ${whole.largest.toExponential(2).padStart(9)}   mean ${whole.mean.toExponential(2).padStart(9)}   cosine ${whole.cosine.toFixed(6)}   (normalised)`,
    `pack      ${megabytes(ours.packBytes)} against ${megabytes(reference.packBytes)}; chunk ${ours.totalMs.toFixed(0)} ms against ${reference.totalMs.toFixed(0)} ms on this CPU`,
  ];
}

async function compute(files: CheckpointFiles, store: PackStore, precision: Precision): Promise<Computed> {
  const { storedName, bytes } = await convertIntoStore({ files, recipe: anyFamilyRecipe, precision, store, name: `parity:${precision}` });
  const engine = await createNodeEngine();
  try {
    const policy = await loadPolicy(await store.open(storedName), engine, { letterbox, clock: { nowMs: () => performance.now() } });
    const { info } = policy;
    const random = seededRandom(SEED);
    const pictures = info.cameras.map(({ robotKey, width, height }): [string, Picture] => [robotKey, { width, height, channels: 3, data: Uint8Array.from({ length: width * height * 3 }, () => random.index(256)) }]);
    // Where the joints were in training, or near 0 where it does not say.
    const state = Float32Array.from({ length: info.stateSize }, (_, i) => (info.statistics?.state?.mean[i] ?? 0) + 0.5 * (info.statistics?.state?.std[i] ?? 1));
    const tokens = Int32Array.from({ length: 8 }, (_, i) => 100 + i);
    const { actions, x0, timings } = await policy.predictChunk({ pictures: new Map(pictures), state, tokens, tokenMask: tokens.map(() => 1), noise: normalNoise(SEED, info.chunkRows * policy.noiseColumns) });
    return { info, actions, x0, packBytes: bytes, totalMs: timings.totalMs };
  } finally {
    await engine.dispose();
  }
}

function megabytes(count: number): string {
  return `${(count / 1e6).toFixed(1)} MB`;
}
