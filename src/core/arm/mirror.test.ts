/** A mirrored arm is an arm like any other, and its readings are the real one's. */
import { expect, it } from 'vitest';
import { SO100 } from '#core/robots/so100.ts';
import type { Arm } from './arm.ts';
import { mirrored } from './mirror.ts';
import { armRig, holdAt } from './serial/testing/rig.ts';
import { simulatedArm } from './simulated.ts';
import { describeArmContract } from './testing/contract-suite.ts';
import { simulatedWorld } from './testing/simulated-world.ts';

async function mirrorRig() {
  const rig = await armRig();
  const world = simulatedWorld([0, 0, 0, 0, 0, 0], rig.clock.nowMs());
  const arm = mirrored(rig.arm, simulatedArm(world.memory, SO100));
  const driven: Arm = { ...arm, engage: (at, one) => rig.drive(arm.engage(at, one)), release: (one) => rig.drive(arm.release(one)), close: () => rig.drive(arm.close()) };
  const advance = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 10) {
      arm.read(rig.clock.nowMs());
      await rig.clock.advanceBy(Math.min(10, left));
      world.advance(Math.min(10, left), rig.clock.nowMs());
    }
  };
  return { rig, world, arm: driven, advance };
}

describeArmContract('mirror', async () => {
  const { rig, arm, advance } = await mirrorRig();
  return {
    arm,
    nowMs: () => rig.clock.nowMs(),
    advance,
    async goBlind(ms) {
      rig.servos.faults.add({ fault: { kind: 'drop' }, id: null, times: Number.POSITIVE_INFINITY });
      await rig.clock.advanceBy(ms);
    },
    holding: () => rig.servos.servos.some((servo) => servo.holding),
  };
});

it('moves both by one command, reads the real one, and tells when the simulated world is another', async () => {
  const { rig, world, arm, advance } = await mirrorRig();
  const start = rig.plant.angles;
  await advance(40);
  await arm.engage(holdAt(start), { tick: 1, atMs: rig.clock.nowMs() });
  const goal = start.map((angle) => angle + 0.2);
  arm.send(holdAt(goal), { tick: 2, atMs: rig.clock.nowMs() });
  await advance(1000);
  for (const angles of [rig.plant.angles, world.positions]) expect(Math.max(...angles.map((angle, i) => Math.abs(angle - (goal[i] ?? 0))))).toBeLessThan(0.02);
  const before = arm.read(rig.clock.nowMs());
  rig.plant.block(0, (goal[0] ?? 0) + 0.05);
  world.reset([0, 0, 0, 0, 0, 0], rig.clock.nowMs());
  await advance(40);
  const after = arm.read(rig.clock.nowMs());
  if (before.kind === 'failed' || after.kind === 'failed') throw new Error('no reading');
  expect(after.value.epoch).toBe(before.value.epoch + 1);
  // The world's reset moved nothing real.
  expect(Math.abs((after.value.position[0] ?? 0) - (goal[0] ?? 0))).toBeLessThan(0.02);
});
