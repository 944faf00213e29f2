/**
 * The whole worker in Chromium: started as the page starts it, the shipped policy loaded from the model store, chunks
 * computed by each engine and sent to control. The world and control are played by the test; the rest is real.
 */
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { Outcome } from '#contracts/failure.ts';
import type { ChunkRecord } from '#contracts/inference.ts';
import { RACE_TOLERANCE } from './choose.ts';
import { startInference, storePocket, type WorkerHouse } from './testing/worker-house.ts';

const STORED = 'inference-test-pocket';
const SENTENCE = 'pick up the red cube';
const JOINTS = [0.1, -0.2, 0.3, 0.2, -0.1, 0.4];

let house: WorkerHouse;
beforeAll(() => storePocket(STORED));
afterEach(() => house.terminate());

function value<T>(result: Outcome<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

async function probe(sentence = SENTENCE, noiseSeed = 11): Promise<ChunkRecord> {
  house.setJoints(JOINTS);
  return value(await house.api.probe({ sentence, noiseSeed }));
}

// A software GPU on two busy cores needs up to 15 s a chunk and 30 s for the first.
test('a software GPU is not raced and says so; forced, it computes the same chunks from pixels, and their replay', { timeout: 600_000 }, async () => {
  house = await startInference();
  expect(house.booted).toEqual({ kind: 'booted' });
  const { policy, engine } = value(await house.api.load(STORED, null));
  expect(policy).toMatchObject({ family: 'smolvla', stateSize: 6, actionSize: 6 });
  expect(engine.adapter?.architecture).toMatch(/swiftshader/i);
  expect(engine).toMatchObject({ provider: 'wasm', build: 'wasm', attempts: [], reason: { kind: 'only', failure: { code: 'engine/software-gpu' } } });
  expect(engine.race.map(({ provider }) => provider)).toEqual(['wasm']);
  expect(house.progress.filter(({ phase }) => phase === 'fetch').length).toBeGreaterThan(1);
  expect(house.progress.filter(({ phase }) => phase !== 'fetch')).toEqual([
    { phase: 'engine', what: 'sessions-wasm' },
    { phase: 'warm-up', provider: 'wasm' },
    { phase: 'ready' },
  ]);

  // On the winner: the same in, the same out; noise, sentence and pixels each change the chunk.
  const first = await probe();
  expect(first.provider).toBe('wasm');
  expect(first.pictures.map(({ camera }) => camera)).toEqual(policy.cameras.map(({ robotKey }) => robotKey));
  expect((await probe()).actions).toEqual(first.actions);
  expect(value(await house.api.recompute(SENTENCE, first)).actions).toEqual(first.actions);
  expect((await probe(SENTENCE, 12)).actions).not.toEqual(first.actions);
  expect((await probe('touch the blue cube')).actions).not.toEqual(first.actions);
  house.setWorld(20);
  expect((await probe()).actions).not.toEqual(first.actions);

  // Forced onto the GPU: the device that passed, no race, and the same chunk to float32 rounding.
  const forced = value(await house.api.load(STORED, 'webgpu')).engine;
  expect(forced).toMatchObject({ provider: 'webgpu', build: 'jspi', race: [], reason: { kind: 'forced' } });
  expect(forced.attempts.map(({ trusted }) => trusted)).toEqual([false, true]);
  const onGpu = value(await house.api.recompute(SENTENCE, first));
  expect(onGpu.provider).toBe('webgpu');
  const gap = first.x0.reduce((most, one, i) => Math.max(most, Math.abs(one - (onGpu.x0[i] ?? Number.NaN))), 0);
  expect(gap).toBeLessThan(RACE_TOLERANCE / 10);

  value(await house.api.beginRun({ runId: 5, sentence: SENTENCE, seed: 3 }));
  for (const requestId of [1, 2]) {
    house.setJoints(JOINTS);
    house.ask({ kind: 'want-chunk', runId: 5, requestId, tick: 10 * requestId });
    const answer = await house.answer(requestId);
    if (answer.kind !== 'chunk') throw new Error(JSON.stringify(answer));
    expect(answer).toMatchObject({ requestId, chunk: { index: requestId - 1, runId: 5, observedTick: 10 * requestId, rows: policy.chunkRows, columns: 6 } });
    expect(answer.chunk.actions).toHaveLength(policy.chunkRows * 6);
    expect(answer.chunk.actions.every(Number.isFinite)).toBe(true);
    expect(answer.chunk.computedAtMs).toBeGreaterThan(answer.chunk.observedAtMs);
  }
  const records = value(await house.api.endRun());
  expect(records.map(({ provider, index }) => [provider, index])).toEqual([['webgpu', 0], ['webgpu', 1]]);
  expect(records[0]?.actions).not.toEqual(records[1]?.actions);

  house.setWorld(200);
  house.setJoints([0, 0, 0, 0, 0, 0]);
  value(await house.api.beginReplay({ runId: 6, sentence: SENTENCE, records }));
  for (const requestId of [3, 4]) {
    house.ask({ kind: 'want-chunk', runId: 6, requestId, tick: 10 * (requestId - 2) });
    await house.answer(requestId);
  }
  const again = value(await house.api.endRun());
  expect(again.map(({ actions }) => actions)).toEqual(records.map(({ actions }) => actions));
  expect(house.strays).toEqual([]);
});

test('forced WASM fetches the CPU build alone, uses threads, and none of them starts a second worker', async () => {
  house = await startInference();
  const { engine } = value(await house.api.load(STORED, 'wasm'));
  expect(engine).toMatchObject({ provider: 'wasm', build: 'wasm', adapter: null, attempts: [], race: [], reason: { kind: 'forced' } });
  expect(engine.threads).toBe(Math.min(navigator.hardwareConcurrency, 8));
  expect(engine.threads).toBeGreaterThan(1);
  expect((await probe()).actions.every(Number.isFinite)).toBe(true);
  expect(house.strays).toEqual([]);
});

test('what is missing is told by name, and the worker goes on', async () => {
  house = await startInference();
  expect(await house.api.probe({ sentence: SENTENCE, noiseSeed: 1 })).toEqual({ ok: false, failure: { code: 'policy/none-loaded', facts: {} } });
  expect(await house.api.load('no such policy', 'wasm')).toEqual({ ok: false, failure: { code: 'store/not-found', facts: { name: 'no such policy' } } });
  value(await house.api.load(STORED, 'wasm'));
  // No joint has been published yet.
  expect(await house.api.probe({ sentence: SENTENCE, noiseSeed: 1 })).toMatchObject({ ok: false, failure: { code: 'arm/not-connected' } });
  house.setJoints(JOINTS);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(await house.api.probe({ sentence: SENTENCE, noiseSeed: 1 })).toMatchObject({ ok: false, failure: { code: 'observation/state-stale' } });
  house.setJoints(JOINTS);
  expect(await house.api.probe({ sentence: '  ', noiseSeed: 1 })).toMatchObject({ ok: false, failure: { code: 'observation/sentence-missing' } });
  house.setWorld('silent');
  value(await house.api.beginRun({ runId: 1, sentence: SENTENCE, seed: 1 }));
  house.ask({ kind: 'want-chunk', runId: 1, requestId: 1, tick: 0 });
  expect(await house.answer(1)).toMatchObject({ kind: 'chunk-failed', requestId: 1, failure: { code: 'observation/camera-failed' } });
  house.setWorld(90);
  house.setJoints(JOINTS);
  house.ask({ kind: 'want-chunk', runId: 1, requestId: 2, tick: 1 });
  expect(await house.answer(2)).toMatchObject({ kind: 'chunk', requestId: 2, chunk: { index: 0 } });
});
