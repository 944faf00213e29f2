/**
 * Every golden set in Chromium, on both engines, through the real converter and runner: LeRobot's own numbers to 2e-4.
 * And that each engine really was what it says: on WebGPU all heavy operators ran as kernels on the device that the
 * self-test trusted, and nothing was read back that was not asked for; on WASM no kernel ran at all.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '#core/conversion/encode.ts';
import { normalNoise } from '#core/lib/random.ts';
import { GraphBuilder } from '#core/onnx/graph.ts';
import { gatedBlocks, matMulBlocks, mul, silu, type BlockMatrix } from '#core/onnx/ops.ts';
import { GOLDEN_CASES } from '#core/policy/testing/golden-sets.ts';
import { precisionError, runGolden, type GoldenReader } from '#core/policy/testing/golden-suite.ts';
import { availableThreads, gpuBuild, loadOrt, type OrtRuntime } from './engine-ort-web.ts';
import { trustedGpu, type TrustedGpu } from './self-test.ts';
import { countDispatches, type DispatchCount } from './testing/count-dispatches.ts';
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
