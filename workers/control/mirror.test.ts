/** A real arm and its drawing on one gate: the limits are the real arm's, and what stops one stops both. */
import { expect, it } from 'vitest';
import { virtualArm, virtualPlant, type VirtualArm } from '#core/arm/virtual/virtual-arm.ts';
import { virtualPorts } from '#core/arm/virtual/virtual-port.ts';
import { unwrap } from '#core/lib/failure.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';
import { ownPorts } from './serial-port.ts';
import { servoRig } from './testing/servo-rig.ts';

const START = [0.2, -0.6, 0.5, 0.3, 0, 0.4];
const off = (positions: ArrayLike<number>, goal: ArrayLike<number>): number => Math.max(...Array.from(positions, (p, i) => Math.abs(p - (goal[i] as number))));

/** Servos on a port of their own stand for a real arm: the simulated one is another. */
function mirrorRig() {
  const plant = virtualPlant(START);
  let servos: VirtualArm | null = null;
  const rig = servoRig(30, (clock) => {
    servos = virtualArm({ clock, plant, state: 'calibrated' });
    servos.run(5);
    return ownPorts(virtualPorts(servos));
  });
  if (servos === null) throw new Error('no servos');
  return { rig, plant, servos: servos as VirtualArm };
}

it('moves both with the limits of the real one, stops both, and a reset of the table moves nothing real', async () => {
  const { rig, plant } = mirrorRig();
  const connected = unwrap(await rig.settle(rig.service.connectServos({ place: { kind: 'serial', adapter: null }, calibration: 'in-servos', mirror: 'on' })));
  expect(connected.mirror).toBe('on');
  await rig.run(1500);
  // The drawing came to where the real arm stands; the real one did not move.
  expect(off(plant.angles, START)).toBeLessThan(0.01);
  expect(off(rig.world.positions, START)).toBeLessThan(0.02);
  const goal = [0.9, -0.5, 0.4, 0.5, 0.4, 0.8];
  unwrap(await rig.service.setManualTargets(radiansVectorToUnits(Float64Array.from(goal))));
  let apart = 0;
  for (let n = 0; n < 60; n++) {
    await rig.run(50);
    apart = Math.max(apart, off(plant.angles, rig.world.positions));
  }
  await rig.run(5000);
  expect(off(plant.angles, goal)).toBeLessThan(0.03);
  expect(off(rig.world.positions, goal)).toBeLessThan(0.03);
  // On the way the two differ by what a wire and a tick cost.
  expect(apart).toBeLessThan(0.1);
  expect(rig.loop.profile.real.holdToRun).toBe('on');

  unwrap(await rig.service.setManualTargets(radiansVectorToUnits(Float64Array.from([-0.9, -0.5, 0.4, 0.5, 0.4, 0.8]))));
  await rig.run(400);
  rig.pressStop();
  await rig.run(700);
  expect(rig.loop.mode).toBe('stopped');
  const stood = plant.angles;
  await rig.run(500);
  expect(off(plant.angles, stood)).toBeLessThan(0.004);
  unwrap(await rig.settle(rig.service.resume()));

  rig.world.reset([0, 0, 0, 0, 0, 0], rig.clock.nowMs());
  await rig.run(2000);
  expect(rig.loop.mode).toBe('idle');
  expect(off(plant.angles, stood)).toBeLessThan(0.01);
  expect(off(rig.world.positions, plant.angles)).toBeLessThan(0.03);
});

it('a motor that fails holds the drawing too', async () => {
  const { rig, plant, servos } = mirrorRig();
  unwrap(await rig.settle(rig.service.connectServos({ place: { kind: 'serial', adapter: null }, calibration: 'in-servos', mirror: 'on' })));
  unwrap(await rig.service.setManualTargets(radiansVectorToUnits(Float64Array.from([1.2, -0.5, 0.4, 0.5, 0.4, 0.8]))));
  await rig.run(400);
  servos.unplug();
  await rig.run(1500);
  expect(rig.loop.mode).toBe('stopped');
  const drawn = [...rig.world.positions];
  const real = plant.angles;
  await rig.run(1000);
  expect(off(rig.world.positions, drawn)).toBeLessThan(0.002);
  expect(off(plant.angles, real)).toBeLessThan(0.002);
});

it('is off unless asked for', async () => {
  const { rig } = mirrorRig();
  const connected = unwrap(await rig.settle(rig.service.connectServos({ place: { kind: 'serial', adapter: null }, calibration: 'in-servos' })));
  expect(connected.mirror).toBe('off');
});
