/**
 * `num_expert_layers` below the text layers, for which there is no golden set. LeRobot passes the expert's rows through
 * untouched at text layers without an expert layer. So a checkpoint with expert layers on text layers 0 and 2 must give
 * what one with expert layers on 0, 1, 2 and 3 gives, where those on 1 and 3 add nothing (o_proj and down_proj of zeros).
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Engine } from '#contracts/engine.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { parseSafetensors, writeSafetensors, type TensorToWrite } from '#core/conversion/safetensors.ts';
import { loadPolicy } from '../family.ts';
import { createNodeEngine } from '../testing/engine-ort-node.ts';
import { readGolden } from '../testing/golden-files.ts';
import { GOLDEN_CASES, type GoldenCase } from '../testing/golden-sets.ts';
import { openGolden } from '../testing/golden-suite.ts';

const EXPERT = 'model.vlm_with_expert.lm_expert.layers.';
/** Four layers; those of its expert on 1 and 3 are cross layers, whose shapes fit a checkpoint of cross layers only. */
const GOLDEN = GOLDEN_CASES.find((golden) => golden.name === 'rename-map')!;

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine();
});
afterAll(() => engine.dispose());

/** The golden checkpoint with other expert layers: golden layer `from`, as it is or adding nothing. */
async function chunkWith(layers: readonly { readonly from: number; readonly adds: 'all' | 'nothing' }[]): Promise<Float32Array> {
  const read = async (folder: string, file: string): Promise<Uint8Array> => {
    const bytes = await readGolden(folder, file);
    if (file !== 'model.safetensors') return bytes;
    const model = parseSafetensors(bytes, file);
    const changed: Record<string, TensorToWrite> = {};
    const put = (from: string, to: string, adds: 'all' | 'nothing'): void => {
      const data = model.float32(from);
      changed[to] = { dtype: 'F32', shape: model.raw(from).shape, data: adds === 'all' ? data : data.fill(0) };
    };
    for (const name of model.header.tensors.keys()) {
      if (!name.startsWith(EXPERT)) put(name, name, 'all');
      for (const [to, { from, adds }] of layers.entries()) {
        if (!name.startsWith(`${EXPERT}${from}.`)) continue;
        const residual = name.includes('.o_proj.') || name.includes('.down_proj.');
        put(name, name.replace(`${EXPERT}${from}.`, `${EXPERT}${to}.`), residual ? adds : 'all');
      }
    }
    return writeSafetensors(changed);
  };
  const golden: GoldenCase = { ...GOLDEN, config: { num_expert_layers: layers.length, self_attn_every_n_layers: 0 } };
  const { pack, request } = await openGolden(golden, read);
  const policy = await loadPolicy(pack, engine, { letterbox, clock: { nowMs: () => 0 } });
  const { x0 } = await policy.predictChunk(request);
  await policy.dispose();
  return x0;
}

it('two expert layers over four text layers equal four of which two add nothing', async () => {
  const two = await chunkWith([
    { from: 1, adds: 'all' },
    { from: 3, adds: 'all' },
  ]);
  const four = await chunkWith([
    { from: 1, adds: 'all' },
    { from: 1, adds: 'nothing' },
    { from: 3, adds: 'all' },
    { from: 3, adds: 'nothing' },
  ]);
  const elsewhere = await chunkWith([
    { from: 1, adds: 'all' },
    { from: 3, adds: 'all' },
    { from: 1, adds: 'nothing' },
    { from: 3, adds: 'nothing' },
  ]);
  const difference = (other: Float32Array): number => two.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0);
  expect(difference(four)).toBeLessThan(1e-5);
  // On text layer 1 instead of 2 the second expert layer sees other keys.
  expect(difference(elsewhere)).toBeGreaterThan(1e-3);
});
