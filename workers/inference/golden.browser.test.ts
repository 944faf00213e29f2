/**
 * Every golden set in Chromium, on both engines, through the real converter and runner: LeRobot's own numbers to 2e-4.
 * And that each engine really was what it says: on WebGPU all heavy operators ran as kernels on the device that the
 * self-test trusted, and nothing was read back that was not asked for; on WASM no kernel ran at all.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunManner } from '#contracts/engine.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { encode } from '#core/conversion/encode.ts';
import { normalNoise } from '#core/lib/random.ts';
import { GraphBuilder } from '#core/onnx/graph.ts';
import { gatedBlocks, matMulBlocks, mul, silu, type BlockMatrix } from '#core/onnx/ops.ts';
import { loadPolicy } from '#core/policy/family.ts';
import { HEAD_CASES, openHead } from '#core/policy/testing/golden-heads.ts';
import { GOLDEN_CASES } from '#core/policy/testing/golden-sets.ts';
import { openGolden, precisionError, runGolden, type GoldenReader } from '#core/policy/testing/golden-suite.ts';
import { availableThreads, gpuBuild, loadOrt, type OrtRuntime } from './engine-ort-web.ts';
import { trustedGpu, type TrustedGpu } from './self-test.ts';
import { countDispatches, type DispatchCount } from './testing/count-dispatches.ts';
import { countMemory } from './testing/count-memory.ts';
import { watchedEngine } from './testing/watched-engine.ts';

const readGolden: GoldenReader = async (folder, file) => {
  const response = await fetch(`/src/core/policy/testing/golden/${folder}/${file}`);
  if (!response.ok || response.headers.get('content-type')?.startsWith('text/html') === true) throw new Error(`no golden file ${folder}/${file}`);
  return new Uint8Array(await response.arrayBuffer());
};

let ort: OrtRuntime;
let trusted: TrustedGpu;
let count: DispatchCount;
beforeAll(async () => {
  expect(crossOriginIsolated).toBe(true);
  ort = await loadOrt({ build: gpuBuild(), threads: availableThreads() });
  trusted = await trustedGpu(ort);
  count = countDispatches(trusted.gpu.device);
});
afterAll(() => count.stop());

test('the GPU is on, and the self-test\'s answer is honoured', () => {
  expect(ort.build).toBe('jspi');
  expect(ort.threads).toBeGreaterThan(1);
  expect(trusted.attempts.map((attempt) => attempt.trusted)).toEqual([false, true]);
  expect(trusted.gpu.device.features.has('subgroups')).toBe(false);
  expect(trusted.engine.provider).toBe('webgpu');
});

test.each([
  [8, 16],
  [4, 32],
] as const)('a gated pair of products in one operator of WebGPU equals the single ones, %s bits in blocks of %s', async (bits, block) => {
  const [m, k, n] = [50, 96, 80];
  const form = { bits, block } as const;
  const kept = [1, 2].map((seed) => encode({ kind: 'blocks', ...form }, normalNoise(seed, n * k)));
  const parts = kept.flatMap(({ bytes, scales }) => [bytes, new Uint8Array(scales.buffer)]);
  const data = new Uint8Array(await new Blob(parts.map((part) => Uint8Array.from(part))).arrayBuffer());
  const g = new GraphBuilder('gated');
  let offset = 0;
  const matrix = (name: string): BlockMatrix => {
    const codes = g.external({ name, type: 'uint8', shape: [n, k / block, (block * bits) / 8], file: 'gated', offset, length: (n * k * bits) / 8 });
    offset += (n * k * bits) / 8;
    const scales = g.external({ name: `${name}.scales`, shape: [(n * k) / block], file: 'gated', offset, length: (4 * n * k) / block });
    offset += (4 * n * k) / block;
    return { codes, scales };
  };
  const x = g.input('x', 'float32', [1, m, k]);
  const [gate, up] = [matrix('gate'), matrix('up')];
  const product = (of: BlockMatrix) => matMulBlocks(g, x, of.codes, of.scales, form);
  g.output('one', gatedBlocks(g, x, gate, up, form));
  g.output('single', mul(g, silu(g, product(gate)), product(up)));
  const session = await trusted.engine.createSession({ name: 'gated', model: g.build(), weights: [{ path: 'gated', data }] });
  const before = count.dispatches();
  const { one, single } = await session.run({ x: { type: 'float32', dims: [1, m, k], data: normalNoise(3, m * k).map((value) => value / 10) } }, { one: 'host', single: 'host' });
  await session.dispose();
  expect(count.dispatches() - before).toBe(7);
  const expected = single.data as Float32Array;
  const difference = (one.data as Float32Array).reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!) / Math.max(1, Math.abs(expected[i]!))), 0);
  // The gates are of size 1, where WGSL lets an exponential be off by 11 units in the last place, 7e-7.
  expect(difference).toBeLessThan(3e-6);
  expect(expected.some((value) => Math.abs(value) > 1)).toBe(true);
});

/** Weights in blocks on the real engines: the same rounding as in Node, where every set is measured. Blocks of 16 and of 32. */
describe.each(['wasm', 'webgpu'] as const)('%s, weights in blocks', (provider) => {
  test.each([
    ['q4', 'self-attention', 0.99],
    ['q8', 'base', 0.9995],
  ] as const)('%s of %s', async (precision, name, least) => {
    const golden = GOLDEN_CASES.find((one) => one.name === name)!;
    const { cosine, largest } = await precisionError(golden, provider === 'wasm' ? ort.wasmEngine() : trusted.engine, readGolden, precision);
    console.log(`${provider} ${precision} ${name}: largest ${largest.toExponential(2)}, cosine ${cosine.toFixed(6)}`);
    expect(cosine).toBeGreaterThan(least);
  });
});

test.each(['base', 'self-attention'])('played from a recording %s gives the same bits, also of a chunk that was not recorded', async (name) => {
  const { pack, request } = await openGolden(GOLDEN_CASES.find((one) => one.name === name)!, readGolden);
  const options = { letterbox, clock: { nowMs: () => performance.now() } };
  // Other pictures, state, words and noise, one camera less, fewer steps: all that a recording must not have frozen.
  const [front, ...others] = [...request.pictures];
  const inverted = new Map([front!].map(([camera, picture]) => [camera, { ...picture, data: picture.data.map((value) => 255 - value) }]));
  const other = { ...request, pictures: inverted, state: request.state.map((value) => -value), tokens: Array.from(request.tokens).toReversed(), noise: request.noise.map((value) => -value), steps: 3 };
  const chunks = [request, other, request, { ...request, steps: 2 }];
  expect(others.length).toBeGreaterThan(0);
  const results: Record<RunManner, readonly Float32Array[]> = { plain: [], recorded: [] };
  for (const manner of ['plain', 'recorded'] as const) {
    const policy = await loadPolicy(pack, trusted.engine, { ...options, manner });
    const found: Float32Array[] = [];
    for (const chunk of chunks) found.push((await policy.predictChunk(chunk)).x0);
    results[manner] = found;
    await policy.dispose();
  }
  expect(results.recorded).toEqual(results.plain);
  expect(results.plain[2]).toEqual(results.plain[0]);
  expect(results.plain[1]).not.toEqual(results.plain[0]);
});

/** On the GPU with fixed places, told and recorded; the other way of keeping tensors on WASM. */
test.each(HEAD_CASES.flatMap((head) => (['wasm', 'plain', 'recorded'] as const).map((how) => ({ ...head, head, how }))))('the $name head, $how', async ({ head, how }) => {
  const { pack, request, chunks } = await openHead(head, readGolden);
  const policy = await loadPolicy(pack, how === 'wasm' ? ort.wasmEngine() : trusted.engine, { letterbox, clock: { nowMs: () => performance.now() }, ...(how === 'wasm' ? {} : { manner: how }) });
  const off = async (steps: number, chunk: Float32Array): Promise<number> => (await policy.predictChunk({ ...request, steps })).x0.reduce((most, value, i) => Math.max(most, Math.abs(value - chunk[i]!)), 0);
  // Twice round: the second time the factors of other steps lie in the places.
  for (let round = 0; round < 2; round++) for (const [steps, chunk] of chunks) expect(await off(steps, chunk), `${steps} steps`).toBeLessThan(head.tolerance);
  await policy.dispose();
});

/** A policy on the GPU that passed, with an engine that counts its runs. */
async function opened(golden: string, manner: RunManner) {
  const { pack, request } = await openGolden(GOLDEN_CASES.find(({ name }) => name === golden)!, readGolden);
  const engine = watchedEngine(trusted.engine);
  const policy = await loadPolicy(pack, engine, { letterbox, clock: { nowMs: () => performance.now() }, manner });
  return { policy, request, seen: (): number => engine.runs()['vision'] ?? 0 };
}

// The set with the fewest tokens: what is counted is bytes, and a software GPU takes seconds a chunk of the others.
test.each(['plain', 'recorded'] as const)('%s: GPU memory after 20 chunks is what it was after 3, and all of them are the same chunk', async (manner) => {
  const { policy, request } = await opened('special-tokens', manner);
  const memory = countMemory(trusted.gpu.device);
  const x0: Float32Array[] = [];
  const live: number[] = [];
  for (let i = 1; i <= 20; i++) {
    x0.push((await policy.predictChunk({ ...request, steps: 2 })).x0);
    live.push(memory.liveBytes());
  }
  expect(live[19]).toBe(live[2]);
  for (const one of x0) expect(one).toEqual(x0[0]);
  await policy.dispose();
  memory.stop();
});

test.each(['plain', 'recorded'] as const)('%s: an unchanged picture is not seen again', async (manner) => {
  const { policy, request, seen } = await opened('base', manner);
  const ask = async (pictures = request.pictures): Promise<Float32Array> => (await policy.predictChunk({ ...request, pictures, steps: 2 })).x0;
  const first = await ask();
  expect(await ask()).toEqual(first);
  // Once each; then one of them alone, because one number of it is another; then both, because they were forgotten.
  const cameras = request.pictures.size;
  expect(seen()).toBe(cameras);
  const [changed, ...rest] = [...request.pictures];
  const touched = changed![1].data.slice();
  touched[touched.length - 1]! ^= 1;
  expect(await ask(new Map([[changed![0], { ...changed![1], data: touched }], ...rest]))).not.toEqual(first);
  expect(seen()).toBe(cameras + 1);
  policy.forget();
  expect(await ask()).toEqual(first);
  expect(seen()).toBe(2 * cameras + 1);
  await policy.dispose();
});

/** Whole numbers have one sum: the browser's kernels differ from Node's in no product, only in what stands between. */
test.each(GOLDEN_CASES)('8-bit products on wasm: $name', async (golden) => {
  // These towers are too small to be worth threads of their own, and large enough to show what the kernels would do.
  const found = { graph: await precisionError(golden, ort.wasmEngine(), readGolden, 'int8'), kernels: await precisionError(golden, ort.wasmEngine(1), readGolden, 'int8') };
  for (const [what, { cosine, largest }] of Object.entries(found)) {
    console.log(`wasm int8 ${golden.name}, ${what}: largest ${largest.toExponential(1)}, cosine ${cosine.toFixed(6)}`);
    expect(cosine, what).toBeGreaterThan(0.999);
    expect(largest, what).toBeGreaterThan(1e-3);
  }
  expect(found.graph.eyes?.kind).toBe('graph');
  // 36 patches are no whole tiles.
  expect(found.kernels.eyes?.kind).toBe(golden.name === 'self-attention' ? 'graph' : 'kernels');
});

describe.each(['wasm', 'webgpu'] as const)('%s', (provider) => {
  test.each(GOLDEN_CASES)('$name', async (golden) => {
    const engine = watchedEngine(provider === 'wasm' ? ort.wasmEngine() : trusted.engine);
    const before = { dispatches: count.dispatches(), readBacks: count.readBacks() };
    const result = await runGolden(golden, engine, readGolden);
    expect(result.provider).toBe(provider);
    expect(result.comparisons.length).toBeGreaterThanOrEqual(2);
    for (const { name, difference, tolerance } of result.comparisons) expect(difference, name).toBeLessThanOrEqual(tolerance);

    const dispatches = count.dispatches() - before.dispatches;
    const readBacks = count.readBacks() - before.readBacks;
    expect(engine.heavyOperators()).toBeGreaterThan(100);
    if (provider === 'webgpu') {
      expect(dispatches).toBeGreaterThanOrEqual(engine.heavyOperators());
      expect(readBacks).toBe(engine.hostOutputs());
    } else {
      expect(dispatches).toBe(0);
      expect(readBacks).toBe(0);
    }
  });
});
