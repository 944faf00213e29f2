/**
 * Other people's datasets on the simulated arm, through the safety gate, in lockstep on the real physics: one that LeRobot's own
 * recorder wrote (v3.0, degrees), one laid out as LeRobot 2.1 did (-100..100), and a recording of our own played again.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TickReport } from '#contracts/control.ts';
import { ARM_SLOT_LENGTH, JOINTS_SLOT_LENGTH, POSES_SLOT_LENGTH, STOP_FLAG_LENGTH, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { simulatedArm } from '#core/arm/simulated.ts';
import { manualClock } from '#core/lib/manual-clock.ts';
import { createSlotMemory } from '#core/lib/shared-slot.ts';
import { folderTree } from '#core/recording/files.ts';
import { openDataset } from '#core/recording/read.ts';
import { SO100 } from '#core/robots/so100.ts';
import { radiansVectorToUnits, unitsVectorToRadians } from '#core/robots/units.ts';
import { silentLog } from '#core/telemetry/log.ts';
import { STEP_SECONDS, World } from '#core/world/world.ts';
import { actionsOfToday, eraOf } from '#page/session/record-verbs.ts';
import { compareTrace } from '#page/session/run-verbs.ts';
import { InferenceService, type InferenceParts } from '#workers/inference/service.ts';
import { createRoom } from '#workers/world/room.ts';
import { ControlLoop } from './loop.ts';

const RATE_HZ = 30;
const FIXTURES = join(import.meta.dirname, '../../src/core/recording/testing');
const [LEAST, MOST] = [radiansVectorToUnits(SO100.joints.map(({ least }) => least)), radiansVectorToUnits(SO100.joints.map(({ most }) => most))];
const LIMITS = Array.from(LEAST, (least, joint) => ({ least, most: MOST[joint] as number }));

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.dispose());

/** Control, physics and the part of inference that hands out recorded rows; no policy is ever loaded. */
async function house() {
  const clock = manualClock(1_700_000_000_000);
  const memory = { targets: createSlotMemory(TARGETS_SLOT_LENGTH), joints: createSlotMemory(JOINTS_SLOT_LENGTH), poses: createSlotMemory(POSES_SLOT_LENGTH) };
  const room = createRoom(world, memory, clock);
  room.reset({ task: '', seed: 7 });
  const never = (): never => {
    throw new Error('a replay needs no policy');
  };
  const parts: InferenceParts = { clock, engines: { webgpu: never, wasm: never, webgpuWorthRacing: never, againstGpu: never, closeGpu: never, facts: never }, openPack: never, loadPolicy: never, openTokenizer: never, letterbox: never, cameras: { pictures: never }, firstViews: new Map(), readArm: never, send: (message) => loop.receive(message, clock.nowMs()), onProgress: never };
  const inference = new InferenceService(parts);
  const loop: ControlLoop = new ControlLoop({ rateHz: RATE_HZ, armSlot: createSlotMemory(ARM_SLOT_LENGTH), stopFlag: new SharedArrayBuffer(4 * STOP_FLAG_LENGTH), ask: (request) => inference.question(request), report: () => undefined, log: silentLog });
  await loop.connect(simulatedArm(memory, SO100), clock.nowMs());
  const tick = async (): Promise<TickReport> => {
    const report = loop.tick({ nowMs: clock.nowMs(), lateMs: 0, skipped: 0 });
    clock.jumpTo(clock.nowMs() + 1000 / RATE_HZ);
    room.advance(Math.round(1 / RATE_HZ / STEP_SECONDS));
    // Inference answers between two ticks.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (report === null) throw new Error('no arm');
    return report;
  };
  return {
    loop,
    tick,
    /** As the page does: by hand to the first row, then a row a tick. */
    async replay(actions: Float32Array) {
      const rows = actions.length / 6;
      loop.setManualTargets(unitsVectorToRadians(Float64Array.from(actions.subarray(0, 6)) as JointUnitsVector));
      for (let k = 0; k < 150; k++) await tick();
      await inference.beginTrace({ runId: 1, actions });
      loop.beginRun({ runId: 1, askAtShare: 0.5, chunkExpiryMs: 30_000, fps: RATE_HZ });
      for (let k = 0; k < rows + 60; k++) await tick();
      const report = loop.endRun();
      await inference.endRun();
      return { report, ...compareTrace(actions, report.trace) };
    },
  };
}

async function open(folder: string) {
  const root = join(FIXTURES, folder);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return openDataset(folderTree(folder, new Map(files.map((entry) => [relative(root, join(entry.parentPath, entry.name)), new Blob([readFileSync(join(entry.parentPath, entry.name))])]))));
}

/** Largest distance of a joint from where it was told to be, over all ticks, degrees. */
const lag = (trace: readonly TickReport[]): number =>
  Math.max(
    ...trace.flatMap(({ target, measured }) => {
      const there = measured === null ? [] : [...radiansVectorToUnits(measured)].slice(0, 5);
      return there.map((value, joint) => Math.abs(value - (radiansVectorToUnits(target)[joint] as number)));
    }),
  );

test('a dataset of version 3.0 moves the arm where it says', async () => {
  const { replay } = await house();
  const episode = await (await open('lerobot')).episode(1);
  expect(eraOf(episode.state)).toBe('degrees');
  const { report, ...played } = await replay(actionsOfToday(episode.action, 'degrees', LIMITS));
  expect(played).toEqual({ rowsPlayed: 45, maxAbsDifference: expect.closeTo(0, 9) as number, limitedRows: 0 });
  // 0.84 degrees were seen: the arm is a weight on springs.
  expect(lag(report.trace)).toBeLessThan(1.5);
});

test('one of version 2.1 does so too, once somebody has said that its values are -100 to 100; the gate slows what is too fast', async () => {
  const { replay } = await house();
  const dataset = await open('v21');
  expect(dataset.episodes.map(({ task }) => task)).toEqual(['Wave to the left.', 'Wave to the right.']);
  const episode = await dataset.episode(1);
  expect(eraOf(episode.state)).toBe('unknown');
  const actions = actionsOfToday(episode.action, 'range', LIMITS);
  // The first joint: 15 sin(1) of 100 at 1 s, over a range of 220 degrees around 0.
  expect(actions[180]).toBeCloseTo(0.15 * Math.sin(1) * 110, 4);
  expect(actions[185]).toBe(50);
  const { report, ...played } = await replay(actions);
  expect(played.rowsPlayed).toBe(45);
  expect(Object.keys(report.clamps)).toEqual(['link-speed']);
  expect(played.maxAbsDifference).toBeLessThan(0.2);
  expect(lag(report.trace)).toBeLessThan(1.5);
});

/** What comes out of the gate while a key is held and let go: each row what a tick of a recording keeps. */
async function jogged(rowsAtRest: number, rowsAfter: number): Promise<Float32Array> {
  const { loop, tick } = await house();
  const goal = radiansVectorToUnits(SO100.homePose);
  const rows: number[] = [];
  const row = async (): Promise<void> => void rows.push(...radiansVectorToUnits((await tick()).target));
  for (let k = 0; k < rowsAtRest; k++) await row();
  for (let k = 0; k < 15; k++) {
    goal[0] = (goal[0] as number) + 2;
    loop.setManualTargets(unitsVectorToRadians(goal));
    await row();
  }
  for (let k = 0; k < rowsAfter; k++) await row();
  return Float32Array.from(rows);
}

test('what the gate allowed once it allows again: exactly from rest to rest, and eased where a recording begins or ends in motion', async () => {
  const whole = await jogged(3, 30);
  // Rounding to float32 puts a row 1e-7 degrees beyond what the gate had just allowed.
  expect((await (await house()).replay(whole)).maxAbsDifference).toBeLessThan(1e-5);
  const part = await jogged(0, 0);
  const cut = await (await house()).replay(part);
  const rows = cut.report.trace.filter(({ wanted }) => wanted !== null);
  expect(rows).toHaveLength(15);
  const off = rows.map(({ wanted, target }) => {
    const [asked, allowed] = [radiansVectorToUnits(wanted ?? []), radiansVectorToUnits(target)];
    return asked.reduce((most, value, joint) => Math.max(most, Math.abs(value - (allowed[joint] as number))), 0);
  });
  // The arm stands on the first row, which goes on at once; behind the last comes nothing, so that there it already brakes.
  expect([off[0], off[14]]).toEqual([expect.closeTo(0.057, 3), expect.closeTo(0.574, 3)]);
  expect(Math.max(...off.slice(1, 14))).toBeLessThan(1e-5);
});
