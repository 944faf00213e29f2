/** What every arm promises (`../arm.ts`), run against a rig: the arm, and hands on the thing it moves. */
import { describe, expect, it } from 'vitest';
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { SafeCommand } from '#core/safety/safe-command.ts';
import { createGate, type Gate } from '#core/safety/gate.ts';
import type { Arm } from '../arm.ts';

export interface ArmRig {
  readonly arm: Arm;
  nowMs(): number;
  /** Lets time pass; the arm moves if it will. */
  advance(ms: number): Promise<void>;
  /** Lets time pass in which nothing is measured: the cable is out, the world is paused. */
  goBlind(ms: number): Promise<void>;
  /** True when the motors hold. */
  holding(): boolean;
}

export function describeArmContract(name: string, makeRig: () => Promise<ArmRig>): void {
  const limits = Array.from({ length: JOINT_COUNT }, () => ({ least: -3.2, most: 3.2, marginRad: 0, maxSpeedRadPerS: 2, maxAccelerationRadPerS2: 12 }));
  const gateAt = (start: ArrayLike<number>): Gate => createGate({ limits, tickSeconds: 1 / 30, staleAfterMs: 200 }, start);
  const hold = (gate: Gate): SafeCommand => gate.pass(null, { stateAgeMs: 0 }).command;
  const positionsOf = (rig: ArmRig): Float64Array => {
    const reading = rig.arm.read(rig.nowMs());
    if (reading.kind === 'failed') throw new Error(JSON.stringify(reading.failure));
    return reading.value.position;
  };

  describe(`${name}: the arm contract`, () => {
    it('is read fresh, in radians, with the time of measuring', async () => {
      const rig = await makeRig();
      await rig.advance(40);
      const reading = rig.arm.read(rig.nowMs());
      expect(reading.kind).toBe('fresh');
      if (reading.kind !== 'fresh') return;
      expect(reading.atMs).toBeLessThanOrEqual(rig.nowMs());
      expect(rig.nowMs() - reading.atMs).toBeLessThan(100);
      for (const values of [reading.value.position, reading.value.velocity, reading.value.torque]) {
        expect(values.length).toBe(JOINT_COUNT);
        expect(values.every(Number.isFinite)).toBe(true);
      }
    });

    it('says since when a reading is stale, and keeps its value', async () => {
      const rig = await makeRig();
      await rig.advance(40);
      const before = rig.arm.read(rig.nowMs());
      await rig.goBlind(700);
      const after = rig.arm.read(rig.nowMs());
      expect(after.kind).toBe('stale');
      if (after.kind !== 'stale' || before.kind !== 'fresh') throw new Error('kinds');
      expect(after.atMs).toBe(before.atMs);
      expect(after.ageMs).toBe(rig.nowMs() - before.atMs);
      expect([...after.value.position]).toEqual([...before.value.position]);
    });

    it('is limp at first, and does not jump when engaged where it is', async () => {
      const rig = await makeRig();
      expect(rig.holding()).toBe(false);
      const start = positionsOf(rig);
      await rig.arm.engage(hold(gateAt(start)), { tick: 0, atMs: rig.nowMs() });
      await rig.advance(500);
      expect(rig.holding()).toBe(true);
      positionsOf(rig).forEach((p, i) => expect(Math.abs(p - (start[i] ?? 0))).toBeLessThan(0.02));
    });

    it('goes where it is sent, every joint its own way', async () => {
      const rig = await makeRig();
      const start = positionsOf(rig);
      const gate = gateAt(start);
      await rig.arm.engage(hold(gate), { tick: 0, atMs: rig.nowMs() });
      const goal = Float64Array.from(start, (p, i) => p + (i % 2 === 0 ? 0.1 : -0.1) * (1 + i / 10));
      for (let tick = 1; tick <= 60; tick++) {
        rig.arm.send(gate.pass({ positions: goal, velocities: null }, { stateAgeMs: 0 }).command, { tick, atMs: rig.nowMs() });
        await rig.advance(1000 / 30);
      }
      positionsOf(rig).forEach((p, i) => expect(Math.abs(p - (goal[i] ?? 0))).toBeLessThan(0.03));
    });

    it('takes no command while limp, and none when closed', async () => {
      const rig = await makeRig();
      const gate = gateAt(positionsOf(rig));
      const stamp = { tick: 1, atMs: rig.nowMs() };
      expect(() => rig.arm.send(hold(gate), stamp)).toThrow('arm/not-connected');
      expect(rig.holding()).toBe(false);
      await rig.arm.engage(hold(gate), stamp);
      await rig.advance(40);
      await rig.arm.release(stamp);
      await rig.advance(40);
      expect(rig.holding()).toBe(false);
      expect(() => rig.arm.send(hold(gate), stamp)).toThrow('arm/not-connected');
      await rig.arm.close();
      await rig.arm.close();
      expect(() => rig.arm.send(hold(gate), stamp)).toThrow('arm/not-connected');
      await expect(rig.arm.engage(hold(gate), stamp)).rejects.toThrow('arm/not-connected');
      expect(rig.arm.read(rig.nowMs())).toMatchObject({ kind: 'failed', failure: { code: 'arm/not-connected' } });
      expect(rig.holding()).toBe(false);
    });
  });
}
