/** The rules of the race, on a manual clock with engines of known speed and honesty. The real race runs in Chromium. */
import { expect, test } from 'vitest';
import type { Engine, EngineDevice, Provider } from '#contracts/engine.ts';
import type { EngineChoice, LoadProgress } from '#contracts/inference.ts';
import type { Precision } from '#contracts/policy.ts';
import { FailureError } from '#core/lib/failure.ts';
import { manualClock } from '#core/lib/manual-clock.ts';
import { chooseEngine, likelyProvider, RACE_TOLERANCE, type Runner } from './choose.ts';
import type { Engines } from './engines.ts';

interface Lane {
  readonly chunkMs: number;
  readonly x0: readonly number[];
  readonly gpu?: EngineDevice['kind'];
  readonly opens?: FailureError;
  readonly builds?: FailureError;
}

function track(lanes: Readonly<Record<'webgpu' | 'wasm', Lane>>) {
  const clock = manualClock(1000);
  const disposed: Provider[] = [];
  const chunks: Provider[] = [];
  const recorded: Provider[] = [];
  /** How many runners had been disposed of when the device was closed. */
  const closed: number[] = [];
  const progress: LoadProgress[] = [];
  const open = async (provider: 'webgpu' | 'wasm'): Promise<Engine> => {
    const failure = lanes[provider].opens;
    if (failure !== undefined) throw failure;
    const { gpu } = lanes[provider];
    return { provider, createSession: () => Promise.reject(new Error('not here')), dispose: async () => undefined, ...(gpu === undefined ? {} : { device: { kind: gpu } as EngineDevice }) };
  };
  const build = async (engine: Engine): Promise<Runner> => {
    const lane = lanes[engine.provider === 'webgpu' ? 'webgpu' : 'wasm'];
    if (lane.builds !== undefined) throw lane.builds;
    let first = true;
    return {
      eyes: null,
      sampleChunk: async () => {
        chunks.push(engine.provider);
        clock.jumpTo(clock.nowMs() + lane.chunkMs + (first ? 5000 : 0));
        first = false;
        const timings = { observeMs: 0, preprocessMs: 0, visionMs: 0, prefixMs: 0, denoiseMs: 0, totalMs: lane.chunkMs };
        return { actions: new Float32Array(1), x0: new Float32Array(lane.x0), timings, provider: engine.provider };
      },
      record: async (renew) => {
        recorded.push((await renew()).provider);
        return { kind: 'recorded' };
      },
      dispose: async () => void disposed.push(engine.provider),
    };
  };
  const facts = { build: 'jspi', threads: 2, adapter: null, attempts: [] } as const;
  const engines: Engines = { webgpu: () => open('webgpu'), webgpuWorthRacing: () => open('webgpu'), againstGpu: async () => lanes.webgpu.opens ?? null, wasm: () => open('wasm'), closeGpu: async () => void closed.push(disposed.length), facts: () => facts };
  const run = (choice: EngineChoice, precision: Precision = 'f32') =>
    chooseEngine({ choice, engines, precision, build, clock, onProgress: (step) => progress.push(step) });
  return { run, engines, disposed, chunks, recorded, closed, progress };
}

test.each([
  { gpuMs: 100, cpuMs: 400, winner: 'webgpu', loser: 'wasm' },
  { gpuMs: 400, cpuMs: 100, winner: 'wasm', loser: 'webgpu' },
])('the quicker of two that agree stays: $winner', async ({ gpuMs, cpuMs, winner, loser }) => {
  const lanes = track({ webgpu: { chunkMs: gpuMs, x0: [1, 2] }, wasm: { chunkMs: cpuMs, x0: [1, 2 + RACE_TOLERANCE / 2] } });
  const { engine } = await lanes.run(null);
  expect(engine.provider).toBe(winner);
  expect(engine.reason).toEqual({ kind: 'faster', ratio: 4 });
  // The warm-up's extra five seconds are in no measurement.
  expect(engine.race).toEqual([
    { provider: 'webgpu', chunkMs: gpuMs },
    { provider: 'wasm', chunkMs: cpuMs },
  ]);
  expect(lanes.disposed).toEqual([loser]);
  // Once before anything is opened; a GPU that lost leaves nothing in its memory.
  expect(lanes.closed).toEqual(loser === 'webgpu' ? [0, 1] : [0]);
  expect(lanes.progress).toEqual([
    { phase: 'engine', what: 'sessions-webgpu' },
    { phase: 'warm-up', provider: 'webgpu' },
    { phase: 'engine', what: 'sessions-wasm' },
    { phase: 'warm-up', provider: 'wasm' },
  ]);
});

test.each([[[1, 2 + 2 * RACE_TOLERANCE]], [[1, Number.NaN]], [[1]]])('a GPU that says something else is out, however quick: %j', async (x0) => {
  const lanes = track({ webgpu: { chunkMs: 1, x0 }, wasm: { chunkMs: 900, x0: [1, 2] } });
  const { engine } = await lanes.run(null);
  expect(engine.provider).toBe('wasm');
  expect(engine.reason).toMatchObject({ kind: 'only', failure: { code: 'engine/self-test-failed', facts: { test: 'chunk' } } });
  expect(lanes.disposed).toEqual(['webgpu']);
});

test('where only one opens, it stays and the report carries why', async () => {
  const noGpu = new FailureError('engine/no-webgpu', { reason: 'no adapter' });
  const one = await track({ webgpu: { chunkMs: 1, x0: [], opens: noGpu }, wasm: { chunkMs: 70, x0: [1] } }).run(null);
  expect(one.engine).toMatchObject({ provider: 'wasm', race: [{ provider: 'wasm', chunkMs: 70 }], reason: { kind: 'only', failure: noGpu.failure } });
  const noWasm = new FailureError('engine/session-failed', { graph: 'vision', message: 'out of memory' });
  const other = await track({ webgpu: { chunkMs: 30, x0: [1] }, wasm: { chunkMs: 1, x0: [], builds: noWasm } }).run(null);
  expect(other.engine).toMatchObject({ provider: 'webgpu', reason: { kind: 'only', failure: noWasm.failure } });
});

test('where none opens, the last resort\'s failure is told; a fault of the policy is told at once', async () => {
  const noGpu = new FailureError('engine/no-webgpu', { reason: 'no adapter' });
  const noCpu = new FailureError('engine/unavailable', { engine: 'wasm', reason: '404' });
  await expect(track({ webgpu: { chunkMs: 1, x0: [], opens: noGpu }, wasm: { chunkMs: 1, x0: [], opens: noCpu } }).run(null)).rejects.toThrow('engine/unavailable');
  const bad = track({ webgpu: { chunkMs: 1, x0: [1], builds: new FailureError('checkpoint/not-finite', { tensor: 'w', index: 3 }) }, wasm: { chunkMs: 1, x0: [1] } });
  await expect(bad.run(null)).rejects.toThrow('checkpoint/not-finite');
  expect(bad.chunks).toEqual([]);
});

test('a forced engine does not race, and does not give way to the other', async () => {
  const lanes = track({ webgpu: { chunkMs: 900, x0: [1] }, wasm: { chunkMs: 1, x0: [1] } });
  expect((await lanes.run('webgpu')).engine).toMatchObject({ provider: 'webgpu', race: [], reason: { kind: 'forced' } });
  expect(lanes.chunks).toEqual(['webgpu']);
  const broken = track({ webgpu: { chunkMs: 1, x0: [1], opens: new FailureError('engine/self-test-failed', { test: 'attention' }) }, wasm: { chunkMs: 1, x0: [1] } });
  await expect(broken.run('webgpu')).rejects.toThrow('engine/self-test-failed');
  expect(broken.chunks).toEqual([]);
});

test('an engine that is very slow races one lap', async () => {
  const lanes = track({ webgpu: { chunkMs: 2000, x0: [1] }, wasm: { chunkMs: 10, x0: [1] } });
  await lanes.run(null);
  expect(lanes.chunks).toEqual(['webgpu', 'wasm', 'webgpu', 'wasm', 'wasm', 'wasm']);
});

test('weights made for the CPU never reach a GPU, and the report says whether there was a better one', async () => {
  const quick = { webgpu: { chunkMs: 1, x0: [1] }, wasm: { chunkMs: 70, x0: [1] } };
  const lanes = track(quick);
  const { engine } = await lanes.run(null, 'int8');
  expect(engine).toMatchObject({ provider: 'wasm', race: [{ provider: 'wasm', chunkMs: 70 }], reason: { kind: 'only', failure: { code: 'engine/cpu-weights' } } });
  expect(lanes.chunks).not.toContain('webgpu');
  await expect(track(quick).run('webgpu', 'int8')).rejects.toThrow('engine/cpu-weights');
  const noGpu = new FailureError('engine/no-webgpu', { reason: 'no adapter' });
  const none = await track({ ...quick, webgpu: { ...quick.webgpu, opens: noGpu } }).run(null, 'int8');
  expect(none.engine.reason).toEqual({ kind: 'only', failure: noGpu.failure });
});

test('the likely engine is the forced one, else a GPU where its adapter is worth a race', async () => {
  const quick = { webgpu: { chunkMs: 1, x0: [1] }, wasm: { chunkMs: 70, x0: [1] } };
  expect(await likelyProvider(null, track(quick).engines)).toBe('webgpu');
  expect(await likelyProvider('wasm', track(quick).engines)).toBe('wasm');
  const software = track({ ...quick, webgpu: { ...quick.webgpu, opens: new FailureError('engine/software-gpu', {}) } });
  expect(await likelyProvider(null, software.engines)).toBe('wasm');
  expect(await likelyProvider('webgpu', software.engines)).toBe('webgpu');
  expect(software.chunks).toEqual([]);
});

test.each([
  { gpu: 'hardware', recorded: ['webgpu'], says: { kind: 'recorded' } },
  { gpu: 'software', recorded: [], says: { kind: 'plain', reason: 'software-gpu' } },
] as const)('commands are recorded where telling them costs something: $gpu', async ({ gpu, recorded, says }) => {
  const lanes = track({ webgpu: { chunkMs: 10, x0: [1], gpu }, wasm: { chunkMs: 20, x0: [1] } });
  for (const choice of ['webgpu', null] as const) {
    lanes.recorded.length = 0;
    const { engine } = await lanes.run(choice);
    expect(engine.recording).toEqual(says);
    expect(lanes.recorded).toEqual(recorded);
  }
  expect((await lanes.run('wasm')).engine.recording).toBeNull();
});
