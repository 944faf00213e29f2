/**
 * The golden `base` checkpoint with the action heads that LeRobot has not got, and what `training/action_heads.py` gives for them
 * (`golden/heads`, made by `training/make_head_golden.py`). For Node and the browser alike, as `golden-suite.ts`.
 */
import { parseSafetensors, writeSafetensors, type TensorToWrite } from '#core/conversion/safetensors.ts';
import { GOLDEN_CASES, type GoldenCase } from './golden-sets.ts';
import { openGolden, type GoldenReader, type OpenGolden } from './golden-suite.ts';

export interface HeadCase {
  readonly name: 'diffusion' | 'bins';
  readonly steps: number;
  /** `x0` by the number of steps it is asked in. */
  readonly expected: Readonly<Record<number, string>>;
  /** Of joint values in standard deviations; bins are bins. */
  readonly tolerance: number;
}

export const HEAD_CASES: readonly HeadCase[] = [
  { name: 'diffusion', steps: 10, expected: { 10: 'x0.diffusion.10', 3: 'x0.diffusion.3' }, tolerance: 2e-4 },
  { name: 'bins', steps: 1, expected: { 1: 'x0.bins' }, tolerance: 1e-6 },
];

const BASE = GOLDEN_CASES.find((golden) => golden.name === 'base')!;

/** The checkpoint with that head, and its expected chunks [chunk, columns] by steps. */
export async function openHead(head: HeadCase, read: GoldenReader): Promise<OpenGolden & { readonly chunks: ReadonlyMap<number, Float32Array> }> {
  const expected = parseSafetensors(await read('heads', 'expected.safetensors'), 'expected.safetensors');
  const said = head.name === 'diffusion' ? { kind: 'diffusion' } : { kind: 'bins', count: 16, low: [...expected.float32('bins.low')], high: [...expected.float32('bins.high')] };
  const changed: GoldenReader = async (folder, file) => {
    if (file === 'action_head.json') return new TextEncoder().encode(JSON.stringify(said));
    const bytes = await read(folder, file);
    if (file !== 'model.safetensors') return bytes;
    const model = parseSafetensors(bytes, file);
    const all: Record<string, TensorToWrite> = {};
    for (const name of model.header.tensors.keys()) all[name] = { dtype: 'F32', shape: model.raw(name).shape, data: model.float32(name) };
    for (const part of ['weight', 'bias'] as const) all[`model.action_bins_proj.${part}`] = { dtype: 'F32', shape: expected.raw(`bins.${part}`).shape, data: expected.float32(`bins.${part}`) };
    return writeSafetensors(all);
  };
  const golden: GoldenCase = { ...BASE, files: [...BASE.files, 'action_head.json'], config: { num_steps: head.steps } };
  return { ...(await openGolden(golden, changed)), chunks: new Map(Object.entries(head.expected).map(([steps, name]) => [Number(steps), expected.float32(name)])) };
}
