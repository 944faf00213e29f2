/** The control loop on the virtual arm: the whole serial path, and the simulated arm behind it. */
import { describe, expect, it } from 'vitest';
import { JOINTS_SLOT_LENGTH, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import { unwrap } from '#core/lib/failure.ts';
import { createSlotMemory } from '#core/lib/shared-slot.ts';
import { SO100 } from '#core/robots/so100.ts';
import { radiansVectorToUnits, unitsVectorToRadians } from '#core/robots/units.ts';
import { Bench } from './bench.ts';
import { openArm } from './open-arm.ts';
import { noPorts } from './testing/rig.ts';
import { servoRig } from './testing/servo-rig.ts';
import { virtualBench } from './virtual-bench.ts';

const off = (positions: readonly number[], goal: ArrayLike<number>): number => Math.max(...positions.map((p, i) => Math.abs(p - (goal[i] as number))));

describe('the virtual arm in the control worker', () => {
  it('connects without dropping the arm, follows a slider, stops, lowers and lets go', async () => {
    const rig = servoRig();
    unwrap(await rig.settle(rig.service.connect('simulated')));
    await rig.run(100);
    unwrap(await rig.settle(rig.service.connect('virtual')));
    expect(rig.loop.kind).toBe('virtual');
    expect(off(rig.world.positions, SO100.homePose)).toBeLessThan(0.01);
    await rig.run(300);
    expect(off(rig.world.positions, SO100.homePose)).toBeLessThan(0.01);

    const goal = radiansVectorToUnits(SO100.homePose);
    goal.set([30, -20, 20, 60, -60, 60]);
    unwrap(await rig.service.setManualTargets(goal));
    await rig.run(3000);
    expect(off(rig.world.positions, unitsVectorToRadians(goal))).toBeLessThan(0.02);

    goal[0] = -60;
    unwrap(await rig.service.setManualTargets(goal));
    await rig.run(300);
    rig.pressStop();
    await rig.run(600);
    expect(rig.loop.mode).toBe('stopped');
    const stoodAt = [...rig.world.positions];
    await rig.run(500);
    expect(off(rig.world.positions, stoodAt)).toBeLessThan(0.002);

    unwrap(await rig.settle(rig.service.lowerAndRelease()));
    for (let n = 0; n < 40 && rig.loop.mode !== 'released'; n++) await rig.run(500);
    expect(rig.loop.mode).toBe('released');
    await rig.run(300);
    expect(rig.world.torque).toBe('off');
    expect(rig.failures).toEqual([]);
  });

  it('holds where a reset of the world puts the arm', async () => {
    const rig = servoRig();
    unwrap(await rig.settle(rig.service.connect('virtual')));
    const goal = radiansVectorToUnits(SO100.homePose);
    goal[0] = 60;
    unwrap(await rig.service.setManualTargets(goal));
    await rig.run(2500);
    expect(off(rig.world.positions, SO100.homePose)).toBeGreaterThan(0.8);
    rig.world.reset(SO100.homePose, rig.clock.nowMs());
    await rig.run(1000);
    // A goal that was on its way at the reset still moves a servo for a tick: 4.7 rad/s for 33 ms at most.
    expect(off(rig.world.positions, SO100.homePose)).toBeLessThan(0.16);
    const stoodAt = [...rig.world.positions];
    await rig.run(500);
    expect(off(rig.world.positions, stoodAt)).toBeLessThan(0.01);
  });

  it('goes back to the simulated arm, and says what it cannot open', async () => {
    const rig = servoRig();
    unwrap(await rig.settle(rig.service.connect('virtual')));
    unwrap(await rig.settle(rig.service.connect('simulated')));
    await rig.run(300);
    expect(rig.loop.kind).toBe('simulated');
    expect(off(rig.world.positions, SO100.homePose)).toBeLessThan(0.01);
    await expect(rig.settle(rig.service.connect('replay'))).rejects.toThrow('arm/unsupported');
    expect(rig.loop.kind).toBe('simulated');
    const empty = { targets: createSlotMemory(TARGETS_SLOT_LENGTH), joints: createSlotMemory(JOINTS_SLOT_LENGTH) };
    await expect(rig.settle(Promise.resolve(openArm('virtual', 'so100', { memory: empty, bench: new Bench({ clock: rig.clock, serial: noPorts, virtual: virtualBench(empty, rig.clock) }) })))).rejects.toThrow('arm/reading-failed');
  });
});
