/** The rule against the physics: where MuJoCo lets two links touch, the rule has long asked for more room, for either arm. */
import { expect, it } from 'vitest';
import type { RobotDescription } from '#contracts/robot.ts';
import { seededRandom, type Random } from '#core/lib/random.ts';
import { SO100 } from '#core/robots/so100.ts';
import { SO101 } from '#core/robots/so101.ts';
import { World } from '#core/world/world.ts';
import { PROFILES } from '../profile.ts';
import { createBody } from '../shape/body.ts';
import { linkPairs } from './self-collision.ts';

const POSES = 4000;
/** Where the rule asks for less, and a little beyond: radians about rest, JOINT_NAMES order. */
const ABOUT_REST = [Number.POSITIVE_INFINITY, 1.2, 1.2, 1.2, 0.9, Number.POSITIVE_INFINITY];

const everywhere = (robot: RobotDescription, random: Random) => robot.joints.map(({ least, most }) => random.between(least, most));
const nearRest = (robot: RobotDescription, random: Random) =>
  robot.joints.map(({ least, most }, i) => {
    const [rest, width] = [robot.restPose[i] as number, ABOUT_REST[i] as number];
    return random.between(Math.max(least, rest - width), Math.min(most, rest + width));
  });

it.each([SO100, SO101].flatMap((robot) => [
  { robot, name: robot.name, where: 'anywhere', draw: everywhere },
  { robot, name: robot.name, where: 'folded about rest', draw: nearRest },
]))('of the $name: no two links that are not neighbours touch in MuJoCo while the rule is content, $where', async ({ robot, where, draw }) => {
  const world = await World.open();
  const scene = world.reset({ task: '', seed: 1, cubes: ['red'], robot: robot.name });
  // The arm alone: what it does to the table is another rule's.
  world.load({ ...scene, objects: [], table: { ...scene.table, centre: [0, 0, -2] } });
  const body = createBody(robot);
  const placed = body.placement();
  const pairs = linkPairs(body, robot, PROFILES['first-motion'].selfClearanceM);
  const found = new Float64Array(pairs.count);
  const names = [robot.base.name, ...robot.links.map(({ name }) => name)];
  const named = names.flatMap((one, a) => names.slice(a + 2).map((other) => [one, other].toSorted().join(' ')));
  const random = seededRandom(5);
  let touching = 0;
  let nearest = Number.POSITIVE_INFINITY;
  for (let k = 0; k < POSES; k++) {
    const pose = draw(robot, random);
    world.placeArm(pose);
    const hit = new Set(world.contacts().map(({ bodyA, bodyB }) => named.indexOf([bodyA, bodyB].toSorted().join(' '))).filter((p) => p >= 0));
    if (hit.size === 0) continue;
    touching++;
    body.place(pose, placed);
    pairs.distances(placed, found);
    const needed = pairs.neededAt(pose);
    for (const p of hit) nearest = Math.min(nearest, (needed[p] as number) - (found[p] as number));
  }
  world.dispose();
  console.log(`${robot.name}, ${where}: ${touching} of ${POSES} poses touch, the rule asks for ${(1000 * nearest).toFixed(1)} mm more than there is, or more`);
  expect(touching).toBeGreaterThan(POSES / 20);
  expect(nearest).toBeGreaterThan(0);
});
