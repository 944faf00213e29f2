/** Slots, lockstep and faults of the world worker with real physics on a manual clock. Pictures are tested in the browser. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JOINTS_SLOT, JOINTS_SLOT_LENGTH, POSES_SLOT_HEADER, POSES_SLOT_HEADER_LENGTH, POSES_SLOT_LENGTH, TARGETS_SLOT, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import { FailureError, unwrap } from '#core/lib/failure.ts';
import { manualClock, type ManualClock } from '#core/lib/manual-clock.ts';
import { createSlotMemory, slotReader, slotWriter } from '#core/lib/shared-slot.ts';
import { SO100 } from '#core/robots/so100.ts';
import { World } from '#core/world/world.ts';
import { createPictures } from './pictures.ts';
import { createRoom } from './room.ts';
import { WorldService } from './service.ts';

let world: World;
let clock: ManualClock;
let service: WorldService;
let memory: { targets: SharedArrayBuffer; joints: SharedArrayBuffer; poses: SharedArrayBuffer };

beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.dispose());
beforeEach(() => {
  clock = manualClock(1_700_000_000_000);
  memory = { targets: createSlotMemory(TARGETS_SLOT_LENGTH), joints: createSlotMemory(JOINTS_SLOT_LENGTH), poses: createSlotMemory(POSES_SLOT_LENGTH) };
  const room = createRoom(world, memory, clock);
  // Node has no WebGL, which is one of the ways a visitor's browser fails too.
  const pictures = createPictures(clock, () => room.poses(), () => {
    throw new FailureError('world/no-webgl', { reason: 'Node' });
  });
  service = new WorldService({ room, pictures, clock });
});

function joints(): Float64Array {
  const record = new Float64Array(JOINTS_SLOT_LENGTH);
  expect(slotReader(memory.joints).read(record)).toBe(true);
  return record;
}

function sendTargets(radians: readonly number[], options: { readonly epoch: number; readonly torque?: 0 | 1 }): void {
  const record = new Float64Array(TARGETS_SLOT_LENGTH);
  record.set(radians, TARGETS_SLOT.targets.at);
  record[TARGETS_SLOT.torque.at] = options.torque ?? 1;
  record[TARGETS_SLOT.epoch.at] = options.epoch;
  record[TARGETS_SLOT.writtenAtMs.at] = clock.nowMs();
  slotWriter(memory.targets).write(record);
}

const elsewhere = [0.6, 0.2, 0.2, 0.8, 0, 0.9];

describe('slots', () => {
  it('publishes joints and poses at reset, before any step', async () => {
    const info = unwrap(await service.reset({ task: '', seed: 1 }));
    const record = joints();
    expect(Array.from(record.subarray(0, 6))).toEqual(SO100.homePose);
    expect(record[JOINTS_SLOT.measuredAtMs.at]).toBe(1_700_000_000_000);
    expect(record[JOINTS_SLOT.epoch.at]).toBe(world.epoch);
    const poses = new Float64Array(POSES_SLOT_LENGTH);
    expect(slotReader(memory.poses).read(poses)).toBe(true);
    expect(poses[POSES_SLOT_HEADER.bodyCount.at]).toBe(info.bodies.names.length);
    const red = POSES_SLOT_HEADER_LENGTH + 7 * info.bodies.names.indexOf('red_cube');
    const described = info.description.objects.find((o) => o.name === 'red_cube');
    expect(Array.from(poses.subarray(red, red + 3))).toEqual(described?.pose.position);
  });

  it('can be read while it is paused: the time of the reading moves on, its numbers do not', async () => {
    await service.reset({ task: '', seed: 1 });
    await service.setPace('paused');
    const before = joints();
    await clock.advanceTo(clock.nowMs() + 1000);
    const after = joints();
    expect(clock.nowMs() - (after[JOINTS_SLOT.measuredAtMs.at] ?? Number.NaN)).toBeLessThanOrEqual(50);
    expect((after[JOINTS_SLOT.measuredAtMs.at] ?? Number.NaN) - (before[JOINTS_SLOT.measuredAtMs.at] ?? Number.NaN)).toBeGreaterThanOrEqual(950);
    for (const field of [JOINTS_SLOT.position, JOINTS_SLOT.simSeconds]) expect(after.subarray(field.at, field.at + field.count)).toEqual(before.subarray(field.at, field.at + field.count));
  });

  it('follows targets of its own epoch and ignores those from before a reset', async () => {
    await service.reset({ task: '', seed: 1 });
    sendTargets(elsewhere, { epoch: world.epoch });
    await service.step(1000);
    const [pan = 0] = joints();
    expect(pan).toBeCloseTo(0.6, 2);
    // The same slot content, now of an old epoch: the arm must stand still at home.
    await service.reset({ task: '', seed: 1 });
    await service.step(1000);
    const record = joints();
    SO100.homePose.forEach((angle, i) => expect(Math.abs((record[i] ?? NaN) - angle)).toBeLessThan(0.01));
  });

  it('frees the motors when the slot says so', async () => {
    await service.reset({ task: '', seed: 1 });
    sendTargets(SO100.homePose, { epoch: world.epoch, torque: 0 });
    await service.step(500);
    expect(Array.from(joints().subarray(JOINTS_SLOT.torque.at, JOINTS_SLOT.torque.at + 6))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('on boot nothing moves by itself for ten seconds', async () => {
    await service.reset({ task: '', seed: 1 });
    await service.step(5000);
    const record = joints();
    SO100.homePose.forEach((angle, i) => expect(Math.abs((record[i] ?? NaN) - angle)).toBeLessThan(0.01));
  });
});

describe('pace', () => {
  it('keeps simulated time beside the clock, and steps only while paused', async () => {
    await service.reset({ task: '', seed: 1 });
    unwrap(await service.setPace('real-time'));
    await clock.advanceBy(500);
    expect(unwrap(await service.status()).simSeconds).toBeCloseTo(0.5, 2);
    expect(await service.step(10)).toEqual({ ok: false, failure: { code: 'control/busy', facts: { mode: 'real-time' } } });
    unwrap(await service.setPace('paused'));
    const { simSeconds } = unwrap(await service.status());
    await clock.advanceBy(500);
    const stepped = unwrap(await service.step(250));
    expect(stepped.simSeconds).toBeCloseTo(simSeconds + 0.5, 9);
    expect(stepped.positions.length).toBe(6);
  });

  it('repeats a lockstep run bit for bit, and refuses step counts that are none', async () => {
    const run = async (): Promise<unknown[]> => {
      await service.reset({ task: '', seed: 5 });
      const trace: unknown[] = [];
      for (let i = 0; i < 30; i++) {
        sendTargets(elsewhere.map((value) => value * Math.sin(i / 5)), { epoch: world.epoch });
        trace.push(unwrap(await service.step(17)), Array.from(joints().subarray(0, 18)));
      }
      return trace;
    };
    expect(await run()).toEqual(await run());
    for (const steps of [0, -1, 1.5, NaN, 1e9]) expect(await service.step(steps)).toMatchObject({ ok: false, failure: { code: 'control/out-of-range' } });
  });

  it('a reset keeps the pace', async () => {
    await service.reset({ task: '', seed: 1 });
    await service.setPace('real-time');
    await clock.advanceBy(100);
    await service.reset({ task: '', seed: 2 });
    await clock.advanceBy(300);
    const status = unwrap(await service.status());
    expect(status.pace).toBe('real-time');
    expect(status.simSeconds).toBeGreaterThan(0.28);
  });
});

describe('scene, light and faults', () => {
  it('light changes the hash and the request, not what stands where', async () => {
    const before = unwrap(await service.reset({ task: 'x', seed: 1 }));
    const dark = unwrap(await service.setLightLevel(0));
    expect(dark.hash).not.toBe(before.hash);
    expect(dark.request).toEqual({ task: 'x', seed: 1, lightLevel: 0 });
    expect(dark.description.objects).toEqual(before.description.objects);
    expect(unwrap(await service.reset({ task: 'x', seed: 1, lightLevel: 0 })).hash).toBe(dark.hash);
    expect(await service.setLightLevel(3)).toMatchObject({ ok: false, failure: { code: 'control/out-of-range' } });
  });

  it('a bad reset request is refused and the world goes on', async () => {
    await service.reset({ task: '', seed: 1 });
    await service.setPace('real-time');
    expect(await service.reset({ task: '', seed: NaN })).toMatchObject({ ok: false, failure: { code: 'control/out-of-range' } });
    await clock.advanceBy(200);
    expect(unwrap(await service.status()).simSeconds).toBeGreaterThan(0.15);
  });

  it('a target that is no number stops the simulation with a failure, and a reset mends it', async () => {
    await service.reset({ task: '', seed: 1 });
    await service.setPace('real-time');
    sendTargets([NaN, 0, 0, 0, 0, 0], { epoch: world.epoch });
    await clock.advanceBy(100);
    expect(unwrap(await service.status()).failure).toEqual({ code: 'control/not-finite', facts: { joint: 'shoulder_pan' } });
    expect(await service.setPace('real-time')).toMatchObject({ ok: false });
    await service.reset({ task: '', seed: 1 });
    await clock.advanceBy(200);
    const status = unwrap(await service.status());
    expect(status.simSeconds).toBeGreaterThan(0.15);
    // What is left is the missing camera, which was there all along.
    expect(status.failure?.code).toBe('world/no-webgl');
  });
});
