/** Which arm is in the hand, and what a leader tells: on a manual clock, with virtual servos. */
import { describe, expect, it } from 'vitest';
import { createBus } from './feetech/bus.ts';
import { INSTRUCTION } from './feetech/packet.ts';
import { openLeader } from './leader.ts';
import { busRig, servoRig } from './testing/rig.ts';
import { createWiggle, MOVED_STEPS, STILL_STEPS } from './wiggle.ts';

describe('which arm is in the hand', () => {
  const still = [2000, 2000, 2000, 2000, 2000, 2000];
  const turned = (joint: number, by: number): number[] => still.map((step, i) => (i === joint ? (((step + by) % 4096) + 4096) % 4096 : step));

  it('is the one that moved while no other did', () => {
    const wiggle = createWiggle(2);
    wiggle.add(0, still);
    wiggle.add(1, still);
    for (let by = 0; by < MOVED_STEPS; by += 10) wiggle.add(1, turned(2, by));
    expect(wiggle.verdict()).toEqual({ kind: 'waiting' });
    wiggle.add(1, turned(2, MOVED_STEPS));
    expect(wiggle.verdict()).toEqual({ kind: 'moved', port: 1, joint: 2 });
  });

  it('is nobody while two move, and jitter is no movement', () => {
    const wiggle = createWiggle(2);
    wiggle.add(0, still);
    wiggle.add(1, still);
    wiggle.add(0, turned(1, STILL_STEPS));
    wiggle.add(1, turned(4, -MOVED_STEPS));
    expect(wiggle.verdict()).toMatchObject({ kind: 'moved', port: 1 });
    wiggle.add(0, turned(1, STILL_STEPS + 1));
    expect(wiggle.verdict()).toEqual({ kind: 'both' });
  });

  it('counts a joint across the seam by its way, and a silent servo not at all', () => {
    const wiggle = createWiggle(1);
    wiggle.add(0, [4090, null, 0, 0, 0, 0]);
    wiggle.add(0, [5, null, 4094, 0, 0, 0]);
    expect(wiggle.travel(0)).toBe(11);
    wiggle.add(0, [5, 2000, 4094, 0, 0, 0]);
    expect(wiggle.travel(0)).toBe(11);
  });
});

describe('a leader', () => {
  it('tells where its joints stand by its own calibration, and is never driven', async () => {
    const pose = [0.4, -0.6, 0.5, 0.3, -1, 0.8];
    const { servos, clock, drive, plant } = busRig({ start: pose, state: 'calibrated' });
    const leader = await drive(openLeader(createBus(servos.link, { clock }), clock, 1_000_000));
    await drive(leader.sample());
    const reading = leader.read(clock.nowMs());
    // Half a step of rounding each way, and a truncated one.
    expect(reading.kind === 'fresh' && Math.max(...reading.value.map((angle, i) => Math.abs(angle - (pose[i] ?? 0))))).toBeLessThan(0.004);
    plant.put(0, -0.7);
    await clock.advanceBy(20);
    await drive(leader.sample());
    const moved = leader.read(clock.nowMs());
    expect(moved.kind === 'fresh' && moved.value[0]).toBeCloseTo(-0.7, 2);
    // Limp as it was found: nothing was written at all.
    const writes = servos.heard.filter(({ third }) => third === INSTRUCTION.write || third === INSTRUCTION.syncWrite || third === INSTRUCTION.regWrite);
    expect(writes).toEqual([]);
  });

  it('is made limp where it held, by torque off and nothing else', async () => {
    const { servos, clock, drive } = servoRig({ state: 'held' });
    await drive(openLeader(createBus(servos.link, { clock }), clock, 1_000_000));
    expect(servos.servos.map((servo) => servo.peek('torqueEnable'))).toEqual([0, 0, 0, 0, 0, 0]);
    const writes = servos.heard.filter(({ third }) => third === INSTRUCTION.write || third === INSTRUCTION.syncWrite);
    for (const { body } of writes) expect([...body]).toEqual([40, 0]);
  });

  it('ages when it falls silent, is half a pose to nobody, and is refused uncalibrated', async () => {
    const { servos, clock, drive } = servoRig({ state: 'calibrated' });
    const leader = await drive(openLeader(createBus(servos.link, { clock }), clock, 1_000_000));
    expect(leader.read(clock.nowMs()).kind).toBe('failed');
    await drive(leader.sample());
    servos.breakChainAfter(4);
    await drive(leader.sample());
    expect(leader.read(clock.nowMs()).kind).toBe('fresh');
    await clock.advanceBy(300);
    await drive(leader.sample());
    expect(leader.read(clock.nowMs())).toMatchObject({ kind: 'stale' });
    const bare = servoRig({ state: 'new' });
    await expect(bare.drive(openLeader(createBus(bare.servos.link, { clock: bare.clock }), bare.clock, 1_000_000))).rejects.toThrow('arm/refused');
  });
});
