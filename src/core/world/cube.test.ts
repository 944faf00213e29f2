/** The physics can hold a cube: close, lift 10 cm, hold 5 s, at 20 seeds. Nothing here is a policy. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROBOT_NAMES } from '#contracts/robot.ts';
import { closeAndLift, type GraspFigures } from './testing/close-and-lift.ts';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.dispose());

const COLOURS = ['red', 'green', 'blue'] as const;

it.each(ROBOT_NAMES)('the %s raises a 3 cm cube 10 cm and holds it 5 s, 20 of 20 seeds', (robot) => {
  const held: number[] = [];
  const figures: GraspFigures[] = [];
  for (let seed = 1; seed <= 20; seed++) {
    world.reset({ task: '', seed, robot });
    const found = closeAndLift(world, `${COLOURS[seed % 3]}_cube`, { liftM: 0.1, holdSeconds: 5 });
    figures.push(found);
    if (found.liftedM >= 0.1 && found.heldM >= 0.1 && found.touchedAtEnd) held.push(seed);
  }
  const mm = (values: readonly number[], pick: (...v: number[]) => number): string => (1000 * pick(...values)).toFixed(3);
  const slips = figures.map((f) => f.slipM);
  const heights = figures.map((f) => f.heldM);
  console.log(`${robot}, cube: held ${held.length} of 20; slip in 5 s at most ${mm(slips, Math.max)} mm; height ${mm(heights, Math.min)} to ${mm(heights, Math.max)} mm`);
  expect(held.length).toBe(20);
  expect(Math.max(...slips)).toBeLessThan(0.0005);
});
