/** The real worker: its door, its clock, its ports, in a thread of its own. */
import { wrap, type Remote } from 'comlink';
import { afterEach, expect, it } from 'vitest';
import type { ControlApi, ControlReport, ControlToInference, InferenceToControl, JitterSummary } from '#contracts/control.ts';
import { ARM_SLOT_LENGTH, JOINTS_SLOT_LENGTH, POSES_SLOT_LENGTH, STOP_CONFIRM_MS, STOP_FLAG, STOP_FLAG_LENGTH, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import type { SharedMemory, WorkerBoot, WorkerBooted } from '#contracts/worker.ts';
import { simulatedWorld } from '#core/arm/testing/simulated-world.ts';
import { systemClock } from '#core/lib/clock.ts';
import { createSlotMemory } from '#core/lib/shared-slot.ts';
import { SO100 } from '#core/robots/so100.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';
import type { IdleLoopRequest } from './testing/idle-loop-worker.ts';

const clock = systemClock();
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

interface House {
  readonly api: Remote<ControlApi>;
  readonly worker: Worker;
  readonly memory: SharedMemory;
  readonly inference: MessagePort;
  readonly reports: ControlReport[];
}

async function startHouse(): Promise<House> {
  const world = simulatedWorld(SO100.homePose, clock.nowMs());
  const memory: SharedMemory = {
    ...world.memory,
    poses: createSlotMemory(POSES_SLOT_LENGTH),
    arm: createSlotMemory(ARM_SLOT_LENGTH),
    stop: new SharedArrayBuffer(4 * STOP_FLAG_LENGTH),
  };
  expect([memory.targets, memory.joints].map((each) => each.byteLength)).toEqual([createSlotMemory(TARGETS_SLOT_LENGTH), createSlotMemory(JOINTS_SLOT_LENGTH)].map((each) => each.byteLength));
  const api = new MessageChannel();
  const inference = new MessageChannel();
  const told = new MessageChannel();
  const reports: ControlReport[] = [];
  told.port1.onmessage = (event: MessageEvent<ControlReport>) => void reports.push(event.data);
  const worker = new Worker(new URL('./entry.ts', import.meta.url), { type: 'module', name: 'control' });
  let before = clock.nowMs();
  const timer = setInterval(() => {
    const now = clock.nowMs();
    world.advance(now - before, now);
    before = now;
  }, 8);
  undo.push(() => {
    clearInterval(timer);
    worker.terminate();
  });
  const booted = new Promise<WorkerBooted>((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<WorkerBooted>) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  const boot: WorkerBoot = { kind: 'boot', memory, api: api.port2, ports: { inference: inference.port2, reports: told.port2 }, aliveLock: `alive-${Math.random()}`, baseUrl: '/' };
  worker.postMessage(boot, [api.port2, inference.port2, told.port2]);
  expect(await booted).toEqual({ kind: 'booted' });
  return { api: wrap<ControlApi>(api.port1), worker, memory, inference: inference.port1, reports };
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('boots, connects, moves, and answers Stop well within the confirmation time', async () => {
  const { api, memory, reports } = await startHouse();
  expect(await api.setManualTargets(radiansVectorToUnits(SO100.homePose))).toMatchObject({ ok: false, failure: { code: 'arm/not-connected' } });
  expect(await api.connect('simulated')).toEqual({ ok: true, value: null });
  const goal = radiansVectorToUnits(SO100.homePose) as JointUnitsVector;
  goal[0] = 60;
  expect(await api.setManualTargets(goal)).toEqual({ ok: true, value: null });
  await wait(400);
  const flag = new Int32Array(memory.stop);
  Atomics.add(flag, STOP_FLAG.requested, 1);
  const pressed = performance.now();
  while (Atomics.load(flag, STOP_FLAG.acknowledged) === 0 && performance.now() - pressed < 1000) await wait(1);
  const confirmedMs = performance.now() - pressed;
  expect(confirmedMs).toBeLessThan(STOP_CONFIRM_MS);
  await wait(1600);
  const report = await api.lastStop();
  expect(report.ok && report.value?.driftRad).toBeLessThan(0.01);
  const moved = reports.flatMap((each) => [...each.ticks]).filter((tick) => tick.mode === 'manual');
  expect(moved.at(-1)?.target[0]).toBeGreaterThan(0.2);
  const frozen = reports.flatMap((each) => [...each.ticks]).filter((tick) => tick.mode === 'stopped');
  expect(frozen.length).toBeGreaterThan(20);
  for (const tick of frozen) expect(tick.target).toEqual(frozen[0]?.target);
  console.log(`stop acknowledged after ${confirmedMs.toFixed(1)} ms`);
});

it('asks inference for chunks, plays them, holds when nobody answers, and goes on with a new port', async () => {
  const { api, inference, reports, worker } = await startHouse();
  await api.connect('simulated');
  const home = radiansVectorToUnits(SO100.homePose);
  let index = 0;
  const play = (port: MessagePort): void => {
    port.onmessage = (event: MessageEvent<ControlToInference>) => {
      const actions = Float32Array.from({ length: 30 * 6 }, (_, k) => (home[k % 6] ?? 0) + (k % 6 === 0 ? Math.floor(k / 6) * 0.3 : 0));
      const chunk = { index: index++, runId: 1, observedTick: event.data.tick, rows: 30, columns: 6, actions, observedAtMs: clock.nowMs(), computedAtMs: clock.nowMs() };
      const answer: InferenceToControl = { kind: 'chunk', requestId: event.data.requestId, chunk };
      port.postMessage(answer, [actions.buffer]);
    };
  };
  play(inference);
  expect(await api.beginRun({ runId: 1, askAtShare: 0.5, chunkExpiryMs: 1000 })).toEqual({ ok: true, value: null });
  await wait(1500);
  expect(index).toBeGreaterThanOrEqual(3);
  expect(reports.at(-1)).toMatchObject({ mode: 'policy', failure: null });
  inference.close();
  await wait(2200);
  expect(reports.at(-1)).toMatchObject({ mode: 'policy', failure: { code: 'policy/timeout' } });
  const still = reports.at(-1)?.ticks.map((tick) => tick.target);
  for (const target of still ?? []) expect(target).toEqual(still?.[0]);
  // The page starts inference again and hands over a new port.
  const again = new MessageChannel();
  play(again.port1);
  const before = index;
  worker.postMessage({ kind: 'new-port', name: 'inference', port: again.port2 }, [again.port2]);
  await wait(1500);
  expect(index).toBeGreaterThan(before);
  expect(reports.at(-1)).toMatchObject({ mode: 'policy', failure: null });
  const report = await api.endRun();
  if (!report.ok) throw new Error('endRun');
  expect(report.value.faults.map((fault) => fault.code)).toContain('policy/timeout');
});

it('keeps its schedule: 30 Hz for three seconds', async () => {
  const { api, reports } = await startHouse();
  await api.connect('simulated');
  const bare = new Worker(new URL('./testing/idle-loop-worker.ts', import.meta.url), { type: 'module' });
  undo.push(() => bare.terminate());
  const request: IdleLoopRequest = { rateHz: 30, seconds: 3 };
  const summary = new Promise<JitterSummary>((resolve) => (bare.onmessage = (event: MessageEvent<JitterSummary>) => resolve(event.data)));
  bare.postMessage(request);
  const ofBare = await summary;
  await wait(150);
  const { jitter } = reports.at(-1) ?? { jitter: null };
  console.log(`lateness of the control loop ${JSON.stringify(jitter)}, of a loop that does nothing ${JSON.stringify(ofBare)}`);
  expect(ofBare.count + ofBare.skipped).toBeGreaterThan(85);
  // Half of the ticks are punctual however busy the machine; the tail belongs to its other programs.
  expect(jitter?.p50Ms).toBeLessThan(5);
  expect((jitter?.count ?? 0) + (jitter?.skipped ?? 0)).toBeGreaterThan(85);
});
