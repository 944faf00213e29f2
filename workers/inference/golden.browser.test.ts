/**
 * Every golden set in Chromium, on both engines, through the real converter and runner: LeRobot's own numbers to 2e-4.
 * And that each engine really was what it says: on WebGPU all heavy operators ran as kernels on the device that the
 * self-test trusted, and nothing was read back that was not asked for; on WASM no kernel ran at all.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
