/** The room under real MuJoCo: agreement with the official kinematics, repeatability, motors, failures. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { FailureError } from '#core/lib/failure.ts';
import { linkPoses } from '#core/robots/kinematics.ts';
import { SO100 } from '#core/robots/so100.ts';
import { SO101, SO101_OFFICIAL_BASE } from '#core/robots/so101.ts';
import { officialPoses } from '#core/robots/testing/pose-table.ts';
import { angleBetween, IDENTITY, norm, placed, subtract } from '#core/robots/transforms.ts';
import { sceneFor } from '#core/scene/description.ts';
import { physicsView } from './view.ts';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.dispose());

const request = { task: '', seed: 3 };
/** Where the base of each official file lies in ours. */
const ARMS = [
  { robot: SO100, base: IDENTITY },
  { robot: SO101, base: SO101_OFFICIAL_BASE },
];

/** A wild but repeatable drive: new random targets every 17 steps. Returns all positions and poses, every number of them. */
function drive(steps: number, seed: number): number[] {
  const random = seededRandom(seed);
  const trace: number[] = [];
  const poses = new Float64Array(7 * world.bodies.names.length);
  for (let done = 0; done < steps; done += 17) {
    world.setTargets(SO100.joints.map((joint) => random.between(joint.least, joint.most)));
    world.step(17);
    world.readPoses(poses);
    trace.push(...world.positions(), ...world.velocities(), ...world.torques(), ...poses);
  }
  return trace;
}

function code(work: () => unknown): string {
  try {
    work();
    return 'no failure';
  } catch (thrown) {
    return thrown instanceof FailureError ? thrown.failure.code : String(thrown);
  }
}

describe('kinematics', () => {
  it.each(ARMS)('MuJoCo puts every link of the $robot.name where the official URDF does, at random poses within 0.1 mm and 0.1 degree', ({ robot, base }) => {
    world.reset({ ...request, robot: robot.name });
    const names = robot.links.map((link) => link.name);
    let worstMm = 0;
    let worstDegrees = 0;
    for (const { angles, links } of officialPoses(robot.name)) {
      world.placeArm(angles);
      names.forEach((name, i) => {
        const official = links[i];
        if (official === undefined) throw new Error(`no official pose of ${name}`);
        const theirs = placed(base, official);
        const ours = world.pose(name);
        worstMm = Math.max(worstMm, 1000 * norm(subtract(ours.position, theirs.position)));
        worstDegrees = Math.max(worstDegrees, (angleBetween(ours.rotation, theirs.rotation) * 180) / Math.PI);
      });
    }
    console.log(`MuJoCo against the URDF: at most ${worstMm.toFixed(4)} mm, ${worstDegrees.toFixed(4)} degrees`);
    expect(worstMm).toBeLessThan(0.1);
    expect(worstDegrees).toBeLessThan(0.1);
  });

  it('gives poses in body-table order that belong to the joint positions of the same moment, also in motion', () => {
    world.reset(request);
    expect(world.bodies.names).toEqual(['base', 'shoulder', 'upper_arm', 'lower_arm', 'wrist', 'gripper', 'jaw', 'red_cube', 'green_cube', 'blue_cube', 'bowl']);
    world.setTargets([0.5, -0.5, 0.5, 0.5, 0, 1]);
    world.step(60);
    const poses = new Float64Array(2 + 7 * 11);
    world.readPoses(poses, 2);
    linkPoses(SO100, world.positions()).forEach((pose, i) => {
      const read = Array.from(poses.subarray(2 + 7 * i, 5 + 7 * i));
      pose.position.forEach((value, k) => expect(read[k]).toBeCloseTo(value, 9));
    });
    expect(() => world.readPoses(new Float64Array(7))).toThrow(RangeError);
  });
});

describe('repeatability', () => {
  it('same seed, same targets: bit for bit the same trajectory, also after other runs in between', () => {
    world.reset(request);
    const first = drive(2000, 9);
    world.reset({ task: '', seed: 8 });
    const other = drive(500, 2);
    world.reset(request);
    const again = drive(2000, 9);
    expect(first.length).toBeGreaterThan(10_000);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first.slice(0, other.length));
  });

  it('does not depend on how steps are batched', () => {
    world.reset(request);
    world.setTargets([1, 0, 0, 0, 0, 1]);
    world.step(300);
    const whole = Array.from(world.positions());
    world.reset(request);
    world.setTargets([1, 0, 0, 0, 0, 1]);
    for (let i = 0; i < 300; i++) world.step(1);
    expect(Array.from(world.positions())).toEqual(whole);
  });

  it('goes on from a snapshot bit for bit, and refuses one from before a reset', () => {
    world.reset(request);
    drive(340, 4);
    const snapshot = world.snapshot();
    const after = drive(680, 5);
    world.restore(snapshot);
    expect(drive(680, 5)).toEqual(after);
    world.reset(request);
    expect(code(() => world.restore(snapshot))).toBe('world/physics');
  });
});

describe.each(ARMS)('the $robot.name', ({ robot }) => {
  it('stands still at home: under 0.5 degrees of sag, and no cube moves', () => {
    world.reset({ ...request, robot: robot.name });
    const before = physicsView(world).cubes.map((cube) => cube.position);
    world.step(1500);
    world.positions().forEach((angle, i) => expect(Math.abs(angle - (robot.homePose[i] ?? NaN))).toBeLessThan((0.5 * Math.PI) / 180));
    physicsView(world).cubes.forEach((cube, i) => expect(norm(subtract(cube.position, before[i] ?? [9, 9, 9]))).toBeLessThan(0.0005));
  });

  it('moves no faster than its servos: 4.7 rad/s, half of it for the jaw, and with no more than their torque', () => {
    world.reset({ ...request, robot: robot.name });
    world.setTargets([1.9, -1.7, 1.5, 1.6, 2.7, 1.7]);
    const fastest = new Float64Array(6);
    const strongest = new Float64Array(6);
    for (let i = 0; i < 1000; i++) {
      world.step(1);
      world.velocities().forEach((v, j) => (fastest[j] = Math.max(fastest[j] ?? 0, Math.abs(v))));
      world.torques().forEach((t, j) => (strongest[j] = Math.max(strongest[j] ?? 0, Math.abs(t))));
    }
    robot.joints.forEach((joint, j) => {
      // Gravity and the other joints help a little beyond the no-load speed.
      expect(fastest[j]).toBeLessThan(joint.maxSpeedRadPerS * 1.15);
      expect(strongest[j]).toBeLessThanOrEqual(joint.maxTorqueNm + 1e-9);
    });
    expect(fastest[0]).toBeGreaterThan(3);
  });

  it('sinks when the torque is off, and its motors exert nothing', () => {
    world.reset({ ...request, robot: robot.name });
    world.setTorque('off');
    world.step(1500);
    expect(Array.from(world.torques())).toEqual([0, 0, 0, 0, 0, 0]);
    expect(Math.abs((world.positions()[1] ?? 0) - (robot.homePose[1] ?? 0))).toBeGreaterThan(0.2);
    world.reset({ ...request, robot: robot.name });
    expect(world.torque).toBe('on');
  });

  it('rests folded without leaning on the table or squeezing itself apart', () => {
    world.reset({ ...request, robot: robot.name });
    world.placeArm(robot.restPose);
    expect(world.contacts().filter((c) => robot.links.some((l) => l.name === c.bodyA || l.name === c.bodyB))).toEqual([]);
    world.step(500);
    world.setTorque('off');
    world.step(2000);
    expect(world.pose('gripper').position[2]).toBeGreaterThan(0.05);
  });
});

describe('the bowl', () => {
  it('catches a cube let go above it, for every colour of seed', () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const scene = sceneFor({ task: '', seed });
      const bowl = scene.objects.find((o) => o.kind === 'bowl');
      if (bowl === undefined) throw new Error('no bowl');
      const [x, y] = bowl.pose.position;
      const offset = 0.015 * Math.cos(seed);
      const objects = scene.objects.map((o) => (o.name === 'red_cube' ? { ...o, pose: { ...o.pose, position: [x + offset, y - offset, 0.09] as const } } : o));
      world.load({ ...scene, objects });
      world.step(1500);
      const view = physicsView(world);
      const red = view.cubes.find((c) => c.colour === 'red');
      if (red === undefined || view.bowl === null) throw new Error('no cube or no bowl');
      const aside = Math.hypot(red.position[0] - view.bowl.position[0], red.position[1] - view.bowl.position[1]);
      expect(aside, `seed ${seed}`).toBeLessThan(0.035);
      expect(red.position[2], `seed ${seed}`).toBeLessThan(0.035);
      expect(red.position[2], `seed ${seed}`).toBeGreaterThan(0.015);
      expect(red.speedMPerS).toBeLessThan(0.01);
      expect(Math.abs(view.bowl.position[2])).toBeLessThan(0.001);
    }
  });
});

describe('failures', () => {
  it('names them: empty world, foreign body, numbers that are none, a simulation that blows up', async () => {
    const empty = await World.open();
    expect(code(() => empty.step(1))).toBe('world/physics');
    world.reset(request);
    expect(code(() => world.pose('lamp'))).toBe('world/physics');
    expect(code(() => world.setTargets([0, 0, NaN, 0, 0, 0]))).toBe('control/not-finite');
    expect(() => world.setTargets([0, 0])).toThrow(RangeError);
    const scene = sceneFor(request);
    // Nothing in a sound room moves at 100 m/s: a cube that falls for a kilometre does after 10.2 s.
    const objects = scene.objects.map((o) => (o.name === 'red_cube' ? { ...o, pose: { ...o.pose, position: [0, -0.2, 1000] as const } } : o));
    world.load({ ...scene, objects });
    world.step(5000);
    expect(code(() => world.step(200))).toBe('world/physics');
    // And a reset mends it.
    world.reset(request);
    world.step(10);
    expect(world.simSeconds).toBeCloseTo(0.02, 9);
  });

  it('says MuJoCo\'s own words for a model that cannot be built', () => {
    const scene = sceneFor(request);
    const objects = scene.objects.map((o) => (o.kind === 'cube' ? { ...o, sizeM: -1 } : o));
    try {
      world.load({ ...scene, objects });
      expect.unreachable('a cube of negative size was accepted');
    } catch (thrown) {
      if (!(thrown instanceof FailureError)) throw thrown;
      expect(thrown.failure.code).toBe('world/physics');
      expect(String(thrown.failure.facts.message)).toMatch(/size/);
    }
  });

  it('frees what it reads: a hundred thousand contacts do not grow the memory by 32 MB', () => {
    world.reset(request);
    world.step(100);
    world.contacts();
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    for (let i = 0; i < 5000; i++) world.contacts();
    const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().external - before;
    expect(world.contacts().length).toBeGreaterThan(15);
    expect(grown).toBeLessThan(32e6);
  });
});
