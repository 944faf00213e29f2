/**
 * The service's order of things: who is answered, with what, and what a failure leaves behind. The policy here is a few
 * lines of arithmetic with the real contract, so that every number can be said beforehand; the real one runs in
 * `entry.browser.test.ts`.
 */
import { beforeEach, expect, test } from 'vitest';
import type { InferenceToControl } from '#contracts/control.ts';
import type { Engine } from '#contracts/engine.ts';
import type { Outcome } from '#contracts/failure.ts';
import type { ChunkRecord, LoadProgress } from '#contracts/inference.ts';
import type { OpenPack } from '#contracts/pack.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { FailureError } from '#core/lib/failure.ts';
import { manualClock, type ManualClock } from '#core/lib/manual-clock.ts';
import { normalNoise } from '#core/lib/random.ts';
import type { Policy } from '#core/policy/policy.ts';
import { chunkNoiseSeed, InferenceService, type InferenceParts } from './service.ts';
import { ARITHMETIC, FRONT } from './testing/arithmetic.ts';

/** Each action = first pixel + first joint + number of tokens + its noise. */
function arithmeticPolicy(engine: Engine, { events, clock, chunkMs, denoisingSteps }: Pick<House, 'events' | 'clock' | 'chunkMs' | 'denoisingSteps'>): Policy {
  let busy = false;
  return {
    info: { ...ARITHMETIC, denoisingSteps },
    provider: engine.provider,
    eyes: null,
    text: { ending: '', maxTokens: 48, padding: 'longest', truncation: 'on' },
    noiseColumns: 6,
    async predictChunk({ pictures, state, tokens, noise, guide, steps }) {
      if (busy) throw new Error('two chunks at once');
      busy = true;
      events.push(`predict${guide === undefined ? '' : ' guided'}${steps === undefined ? '' : ` in ${steps} steps`}`);
      await new Promise((resolve) => setTimeout(resolve, 15));
      busy = false;
      clock.jumpTo(clock.nowMs() + chunkMs());
      const base = (pictures.get(FRONT)?.data[0] ?? Number.NaN) + (state[0] ?? Number.NaN) + tokens.length;
      return { actions: noise.map((value) => value + base), x0: noise.slice(), timings: { preprocessMs: 1, visionMs: 2, prefixMs: 3, denoiseMs: 4, totalMs: 10 }, mids: new Map() };
    },
    forget: () => undefined,
    dispose: async () => void events.push('dispose'),
  };
}

interface House {
  readonly service: InferenceService;
  readonly clock: ManualClock;
  readonly sent: InferenceToControl[];
  readonly events: string[];
  readonly progress: LoadProgress[];
  pixel: number;
  gpuLost: FailureError | null;
  cameraFailure: FailureError | null;
  /** How long the policy takes on the manual clock. */
  chunkMs: () => number;
  denoisingSteps: number;
  weights: string;
}

function house(): House {
  const clock = manualClock(10_000);
  const engineOf = (provider: 'webgpu' | 'wasm'): Engine => ({ provider, createSession: () => Promise.reject(new Error('not here')), dispose: async () => undefined });
  const made: Omit<House, 'service'> = { clock, sent: [], events: [], progress: [], pixel: 5, gpuLost: null, cameraFailure: null, weights: 'a', chunkMs: () => 0, denoisingSteps: 1 };
  const parts: InferenceParts = {
    clock,
    engines: {
      webgpuWorthRacing() {
        return this.webgpu();
      },
      webgpu: async () => {
        if (made.gpuLost !== null) throw made.gpuLost;
        return engineOf('webgpu');
      },
      wasm: async () => engineOf('wasm'),
      againstGpu: async () => made.gpuLost,
      closeGpu: async () => undefined,
      facts: () => ({ build: 'jspi', threads: 2, adapter: null, attempts: [] }),
    },
    openPack: async (name) => {
      if (name !== 'pocket') throw new FailureError('store/not-found', { name });
      return { manifest: { info: ARITHMETIC, tokenizer: null, files: [{ file: 'f', bytes: 1, sha256: made.weights }] } } as unknown as OpenPack;
    },
    loadPolicy: async (_pack, engine) => arithmeticPolicy(engine, { ...made, chunkMs: () => made.chunkMs() }),
    openTokenizer: async () => (sentence) => {
      const ids = Int32Array.from(sentence.split(' '), (word) => word.length);
      return { ids, mask: new Uint8Array(ids.length).fill(1) };
    },
    letterbox: () => new Float32Array(),
    cameras: {
      pictures: async (wanted) => {
        if (made.cameraFailure !== null) throw made.cameraFailure;
        return wanted.map(({ key, width, height }) => ({ camera: key, picture: { width, height, channels: 4 as const, data: new Uint8Array(width * height * 4).fill(made.pixel) }, capturedAtMs: clock.nowMs() - 20, sequence: 1 }));
      },
    },
    firstViews: new Map(),
    readArm: () => ({ kind: 'fresh', value: Float64Array.from([1, 2, 3, 4, 5, 6]) as JointUnitsVector, atMs: clock.nowMs() - 50 }),
    send: (message) => made.sent.push(message),
    onProgress: (step) => made.progress.push(step),
  };
  return Object.assign(made, { service: new InferenceService(parts) });
}

function value<T>(result: Outcome<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(condition()).toBe(true);
}

const want = (runId: number, requestId: number) => ({ kind: 'want-chunk', runId, requestId, tick: 10 * requestId }) as const;

let home: House;
beforeEach(() => {
  home = house();
});

test('nothing runs before a policy is loaded; a name that is not in the store says so', async () => {
  const { service } = home;
  for (const call of [service.probe({ sentence: 'x', noiseSeed: 1 }), service.beginRun({ runId: 1, sentence: 'x', seed: 1 }), service.beginReplay({ runId: 1, sentence: 'x', records: [] })]) {
    expect(await call).toEqual({ ok: false, failure: { code: 'policy/none-loaded', facts: {} } });
  }
  expect(await service.load('other', null)).toEqual({ ok: false, failure: { code: 'store/not-found', facts: { name: 'other' } } });
  expect(value(await service.load('pocket', 'wasm'))).toMatchObject({ policy: { name: 'arithmetic' }, engine: { provider: 'wasm', reason: { kind: 'forced' } } });
  expect(home.progress.at(-1)).toEqual({ phase: 'ready' });
});

test('the same policy is not loaded twice; new weights, another choice or a lost GPU load it again', async () => {
  const { service, events } = home;
  await service.load('pocket', 'webgpu');
  await service.load('pocket', 'webgpu');
  expect(events).toEqual(['predict']);
  home.weights = 'b';
  await service.load('pocket', 'webgpu');
  expect(events).toEqual(['predict', 'dispose', 'predict']);
  home.gpuLost = new FailureError('engine/device-lost', { reason: 'unknown', message: '' });
  expect(await service.load('pocket', 'webgpu')).toMatchObject({ ok: false, failure: { code: 'engine/device-lost' } });
  expect(value(await service.load('pocket', null)).engine).toMatchObject({ provider: 'wasm', reason: { kind: 'only', failure: { code: 'engine/device-lost' } } });
});

test('a probe says all it was computed from, and the same again gives the same', async () => {
  const { service } = home;
  await service.load('pocket', 'wasm');
  const record = value(await service.probe({ sentence: 'pick up', noiseSeed: 42 }));
  const noise = normalNoise(42, 12);
  expect(record.actions).toEqual(noise.map((one) => one + 5 + 1 + 2));
  expect(record).toMatchObject({ index: 0, noiseSeed: 42, provider: 'wasm', timings: { visionMs: 2, observeMs: 0 } });
  expect([...record.state]).toEqual([1, 2, 3, 4, 5, 6]);
  const again = value(await service.recompute('pick up', record));
  expect([...again.actions]).toEqual([...record.actions]);
  expect(value(await service.recompute('pick', record)).actions).toEqual(noise.map((one) => one + 5 + 1 + 1));
  home.pixel = 9;
  expect(value(await service.probe({ sentence: 'pick up', noiseSeed: 42 })).actions).toEqual(noise.map((one) => one + 9 + 1 + 2));
});

test.each(['on', 'off'] as const)('a machine too slow for its own plans, with the ladder %s', async (ladder) => {
  home.denoisingSteps = 10;
  // A chunk of 2 rows at 30 a second lasts 66.7 ms; half of that is 33.3 ms.
  home.chunkMs = () => 40;
  const { service, sent, events } = home;
  await service.load('pocket', 'wasm');
  value(await service.beginRun({ runId: 1, sentence: 'pick up', seed: 7, ladder }));
  for (let i = 1; i <= 5; i++) {
    service.question(want(1, i));
    await until(() => sent.length === i);
  }
  const [first, second, third, , fifth] = value(await service.endRun());
  const told = sent.map((message) => (message.kind === 'chunk' ? message.chunk.reduction?.steps : null));
  if (ladder === 'off') {
    expect(told).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(events.slice(1)).toEqual(['predict', 'predict', 'predict', 'predict', 'predict']);
    return;
  }
  expect(told).toEqual([undefined, undefined, 5, 5, 3]);
  expect(events.slice(1)).toEqual(['predict', 'predict', 'predict in 5 steps', 'predict in 5 steps', 'predict in 3 steps']);
  expect([first, second].map((record) => record?.reduction)).toEqual([undefined, undefined]);
  expect(third?.reduction).toEqual({ rung: 1, steps: 5, cameras: [FRONT] });
  // The record says it, so the same can be had again.
  if (fifth === undefined) throw new Error('no fifth chunk');
  await service.recompute('pick up', fifth);
  expect(events.at(-1)).toBe('predict in 3 steps');
});

test('a run answers control with chunks of its own noise, ages included, and gives its records at the end', async () => {
  const { service, sent } = home;
  await service.load('pocket', 'wasm');
  value(await service.beginRun({ runId: 3, sentence: 'pick up', seed: 7 }));
  expect(await service.beginRun({ runId: 4, sentence: 'x', seed: 1 })).toMatchObject({ ok: false, failure: { code: 'run/already-running' } });
  expect(await service.load('pocket', 'webgpu')).toMatchObject({ ok: false, failure: { code: 'run/already-running' } });
  service.question(want(3, 1));
  await until(() => sent.length === 1);
  service.question(want(3, 2));
  await until(() => sent.length === 2);
  const [first, second] = sent;
  expect(first).toMatchObject({ kind: 'chunk', requestId: 1, chunk: { index: 0, runId: 3, observedTick: 10, rows: 2, columns: 6, observedAtMs: 9950, computedAtMs: 10_000 } });
  expect(second).toMatchObject({ kind: 'chunk', requestId: 2, chunk: { index: 1, observedTick: 20 } });
  if (first?.kind !== 'chunk') throw new Error('no chunk');
  expect(first.chunk.actions).toEqual(normalNoise(chunkNoiseSeed(7, 0), 12).map((one) => one + 8));

  const records = value(await service.endRun());
  expect(records.map(({ index, noiseSeed }) => [index, noiseSeed])).toEqual([
    [0, chunkNoiseSeed(7, 0)],
    [1, chunkNoiseSeed(7, 1)],
  ]);
  expect(records[0]?.actions).not.toBe(first.chunk.actions);
  expect(value(await service.endRun())).toEqual([]);
});

test('a question that came before its run is answered when the run begins, one of another run never', async () => {
  const { service, sent } = home;
  await service.load('pocket', 'wasm');
  service.question(want(9, 1));
  value(await service.beginRun({ runId: 9, sentence: 'x', seed: 1 }));
  await until(() => sent.length === 1);
  service.question(want(8, 2));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(sent).toHaveLength(1);
});

test('a chunk that is being computed when its run ends is neither sent nor kept', async () => {
  const { service, sent, events } = home;
  await service.load('pocket', 'wasm');
  events.length = 0;
  value(await service.beginRun({ runId: 1, sentence: 'x', seed: 1 }));
  service.question(want(1, 1));
  await until(() => events.includes('predict'));
  expect(value(await service.endRun())).toEqual([]);
  value(await service.beginRun({ runId: 2, sentence: 'x', seed: 1 }));
  service.question(want(2, 2));
  await until(() => sent.length === 1);
  expect(sent[0]).toMatchObject({ requestId: 2 });
  expect(value(await service.endRun())).toHaveLength(1);
});

test('a failed camera is told to control with its code; the next question is answered', async () => {
  const { service, sent } = home;
  await service.load('pocket', 'wasm');
  value(await service.beginRun({ runId: 1, sentence: 'x', seed: 1 }));
  home.cameraFailure = new FailureError('world/context-lost', { camera: FRONT });
  service.question(want(1, 1));
  await until(() => sent.length === 1);
  expect(sent[0]).toEqual({ kind: 'chunk-failed', requestId: 1, runId: 1, failure: { code: 'world/context-lost', facts: { camera: FRONT } } });
  home.cameraFailure = null;
  service.question(want(1, 2));
  await until(() => sent.length === 2);
  expect(sent[1]).toMatchObject({ kind: 'chunk', chunk: { index: 0 } });
});

test('a replay answers the k-th question with the k-th record computed again, then falls silent', async () => {
  const { service, sent } = home;
  await service.load('pocket', 'wasm');
  value(await service.beginRun({ runId: 1, sentence: 'pick up', seed: 7 }));
  for (const id of [1, 2]) {
    service.question(want(1, id));
    await until(() => sent.length === id);
  }
  const records: readonly ChunkRecord[] = structuredClone(value(await service.endRun()));
  home.pixel = 200; // The world has changed; the replay looks at the old pictures.
  sent.length = 0;
  home.clock.jumpTo(99_000);
  value(await service.beginReplay({ runId: 2, sentence: 'pick up', records }));
  for (const id of [1, 2]) {
    service.question(want(2, id));
    await until(() => sent.length === id);
  }
  service.question(want(2, 3));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(sent).toHaveLength(2);
  expect(sent[0]).toMatchObject({ chunk: { observedAtMs: 99_000 } });
  const again = value(await service.endRun());
  expect(again.map(({ actions }) => [...actions])).toEqual(records.map(({ actions }) => [...actions]));
});

test('noise seeds of neighbouring runs and chunks do not meet', () => {
  const seeds = new Set<number>();
  for (let run = 0; run < 200; run++) for (let index = 0; index < 200; index++) seeds.add(chunkNoiseSeed(run, index));
  expect(seeds.size).toBe(40_000);
});

test('real-time chunking: the second chunk is guided by what the first still holds, and can be computed again', async () => {
  const { service, sent, events } = home;
  value(await service.load('pocket', 'wasm'));
  const realTimeChunking = { horizon: 10, schedule: 'LINEAR', maxWeight: 10 } as const;
  value(await service.beginRun({ runId: 1, sentence: 'x', seed: 1, realTimeChunking }));
  for (const [requestId, tick] of [[1, 0], [2, 1], [3, 9]] as const) {
    service.question({ kind: 'want-chunk', runId: 1, requestId, tick });
    await until(() => sent.length === requestId);
  }
  const [first, second, third] = value(await service.endRun());
  expect(first?.guidance).toBeUndefined();
  // One row of two is left at tick 1. By this clock a chunk takes no time, so no row passes meanwhile.
  expect(second?.guidance).toMatchObject({ ...realTimeChunking, delay: 0, columns: 6 });
  expect(second?.guidance?.leftover).toEqual(first?.x0.slice(6, 12));
  // At tick 9 nothing of the second is left.
  expect(third?.guidance).toBeUndefined();
  expect(events.filter((event) => event === 'predict guided').length).toBe(1);
  if (second === undefined) throw new Error('no second chunk');
  value(await service.recompute('x', second));
  expect(events.at(-1)).toBe('predict guided');
});

test('a recording is played by control, a row a tick, without any policy', async () => {
  const actions = Float32Array.from({ length: 130 * 6 }, (_, i) => i);
  value(await home.service.beginTrace({ runId: 9, actions }));
  expect(value(await home.service.probe({ sentence: 'wave', noiseSeed: 1 }).catch(() => ({ ok: true, value: null }) as never).then((result) => ({ ok: true, value: result.ok }) as const))).toBe(false);
  home.service.question(want(9, 0));
  await until(() => home.sent.length === 1);
  home.service.question({ ...want(9, 1), tick: 55 });
  await until(() => home.sent.length === 2);
  home.service.question({ ...want(9, 2), tick: 130 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const chunks = home.sent.flatMap((message) => (message.kind === 'chunk' ? [message.chunk] : []));
  expect(chunks.map(({ index, observedTick, rows, actions: [first] }) => [index, observedTick, rows, first])).toEqual([[0, 0, 100, 0], [1, 55, 75, 330]]);
  expect(value(await home.service.endRun())).toEqual([]);
});
