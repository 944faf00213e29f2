/** What a visitor's machine may lack or lose: no WebGPU, a GPU that cannot be trusted, a GPU process that dies. */
import { cdp } from 'vitest/browser';
import { afterEach, expect, test } from 'vitest';
import type { Engine } from '#contracts/engine.ts';
import type { LoadProgress } from '#contracts/inference.ts';
import { availableThreads, gpuBuild, loadOrt, type OrtRuntime } from './engine-ort-web.ts';
import { openEngines } from './engines.ts';
import { SELF_TEST_TOLERANCE, SelfTestFailure, trustedGpu } from './self-test.ts';
import { startInference, storePocket } from './testing/worker-house.ts';

afterEach(() => void Reflect.deleteProperty(navigator, 'gpu'));

test('without WebGPU the reason is told, no GPU build is fetched, and the CPU build works', async () => {
  Object.defineProperty(navigator, 'gpu', { value: undefined, configurable: true });
  const progress: LoadProgress[] = [];
  const engines = openEngines((step) => progress.push(step));
  await expect(engines.webgpu()).rejects.toMatchObject({ failure: { code: 'engine/no-webgpu', facts: { reason: 'navigator.gpu is missing' } } });
  expect(progress).toEqual([]);
  expect((await engines.wasm()).provider).toBe('wasm');
  expect(engines.facts()).toMatchObject({ build: 'wasm', adapter: null, attempts: [] });
});

test('WebGPU without an adapter says so', async () => {
  Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: async () => null }, configurable: true });
  await expect(openEngines(() => undefined).webgpu()).rejects.toMatchObject({ failure: { code: 'engine/no-webgpu', facts: { reason: 'no adapter' } } });
});

/** The real runtime on the real device, with one number in each answer a little off. */
function faulty(ort: OrtRuntime): OrtRuntime {
  const spoil = (engine: Engine): Engine => ({
    ...engine,
    createSession: async (graph) => {
      const session = await engine.createSession(graph);
      return {
        ...session,
        run: async (feeds, fetches) => {
          const outputs = await session.run(feeds, fetches);
          for (const tensor of Object.values(outputs)) if ('data' in tensor && tensor.data instanceof Float32Array) tensor.data[7] = (tensor.data[7] ?? 0) + 0.01;
          return outputs;
        },
      };
    },
  });
  return { ...ort, webgpuEngine: (gpu) => spoil(ort.webgpuEngine(gpu)) };
}

test('a device that miscounts without subgroups too is refused, and both attempts are kept for the report', async () => {
  const ort = await loadOrt({ build: gpuBuild(), threads: availableThreads() });
  const thrown: unknown = await trustedGpu(faulty(ort)).catch((reason: unknown) => reason);
  expect(thrown).toBeInstanceOf(SelfTestFailure);
  const { failure, attempts, adapter } = thrown as SelfTestFailure;
  expect(failure).toMatchObject({ code: 'engine/self-test-failed', facts: { test: 'attention', expected: SELF_TEST_TOLERANCE } });
  expect(failure.facts['found']).toBeGreaterThan(1e-3);
  expect(attempts.map(({ trusted, tests }) => [trusted, tests.at(-1)?.test])).toEqual([
    [false, 'wgsl-loop-variable'],
    [false, 'attention'],
  ]);
  expect(adapter?.architecture).toMatch(/swiftshader/i);
});

// Last in this file: the browser's GPU process dies here (and comes back).
test('a GPU that is lost ends the chunk with its code; the worker lives, and loads the policy on the CPU instead', { timeout: 600_000 }, async () => {
  await storePocket('inference-test-lost');
  const house = await startInference();
  const loaded = await house.api.load('inference-test-lost', 'webgpu');
  expect(loaded).toMatchObject({ ok: true, value: { engine: { provider: 'webgpu' } } });
  house.setJoints([0, 0, 0, 0, 0, 0]);
  const computing = house.api.probe({ sentence: 'wave hello', noiseSeed: 1 });
  await crashGpuProcess();
  expect(await computing).toMatchObject({ ok: false, failure: { code: 'engine/device-lost' } });
  house.setJoints([0, 0, 0, 0, 0, 0]);
  expect(await house.api.probe({ sentence: 'wave hello', noiseSeed: 1 })).toMatchObject({ ok: false, failure: { code: 'engine/device-lost' } });
  expect(await house.api.load('inference-test-lost', 'webgpu')).toMatchObject({ ok: false, failure: { code: 'engine/device-lost' } });

  const again = await house.api.load('inference-test-lost', null);
  expect(again).toMatchObject({ ok: true, value: { engine: { provider: 'wasm', build: 'jspi', reason: { kind: 'only', failure: { code: 'engine/device-lost' } } } } });
  house.setJoints([0, 0, 0, 0, 0, 0]);
  expect(await house.api.probe({ sentence: 'wave hello', noiseSeed: 1 })).toMatchObject({ ok: true, value: { provider: 'wasm' } });
  house.terminate();
});

async function crashGpuProcess(): Promise<void> {
  const session = cdp() as unknown as { send(method: string): Promise<unknown> };
  await session.send('Browser.crashGpuProcess');
}
