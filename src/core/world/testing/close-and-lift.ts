/**
 * A scripted grasp for tests of the physics: over the cube, down beside it, close, lift, hold. It knows where the cube is
 * and asks nobody; it is no policy and no demonstration.
 */
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import type { Vector3 } from '#contracts/robot.ts';
import { reachDown } from '#core/robots/inverse-kinematics.ts';
import { gripPose } from '#core/robots/kinematics.ts';
import { SO100_FIXED_FACE_M } from '#core/robots/so100.ts';
import { SO101_FIXED_FACE_M } from '#core/robots/so101.ts';
import { inverse, norm, rotate, subtract } from '#core/robots/transforms.ts';
import { CUBE_SIZE_M } from '#core/scene/description.ts';
import { STEP_SECONDS, type World } from '../world.ts';

const FIXED_FACE_M = { so100: SO100_FIXED_FACE_M, so101: SO101_FIXED_FACE_M };
const OPEN = (40 * Math.PI) / 180;
const CLOSED = (-10 * Math.PI) / 180;
/** Room between fixed finger and cube on the way down; without it the finger lands on the cube. */
const CLEARANCE_M = 0.006;
/** Targets change as often as the control loop changes them. */
const STEPS_PER_TICK = 17;

export interface GraspFigures {
  /** How far the cube's centre rose, metres: when the lift ended, and at the end of the hold. */
  readonly liftedM: number;
  readonly heldM: number;
  /** How far the cube moved in the gripper's frame during the hold, metres. */
  readonly slipM: number;
  readonly touchedAtEnd: boolean;
}

/** Throws when the cube cannot be reached. */
export function closeAndLift(world: World, cubeName: string, options: { readonly liftM: number; readonly holdSeconds: number }): GraspFigures {
  const { robot } = world.scene;
  const start = world.pose(cubeName);
  const [x, y, z] = start.position;
  const { yaw, above } = bestYaw(world, start.position, yawOf(start.rotation));
  // With the cube against the fixed finger the grip point is not at its centre: the finger stands off the roll axis.
  const besideM = CUBE_SIZE_M / 2 - FIXED_FACE_M[robot.name] + CLEARANCE_M;
  const beside = (height: number): Vector3 => [x + besideM * Math.cos(yaw), y + besideM * Math.sin(yaw), height];
  const solve = (position: Vector3, from: ArrayLike<number>): Float64Array => {
    const reach = reachDown(robot, position, yaw, from);
    if (reach === null) throw new Error(`out of reach: ${position.join()}`);
    return reach.angles;
  };
  const opened = (angles: Float64Array, jaw: number): Float64Array => angles.map((value, i) => (i === GRIPPER_INDEX ? jaw : value));

  const over = opened(solve(beside(z + 0.05), above), OPEN);
  const down = opened(solve(beside(z), over), OPEN);
  const lifted = opened(solve([x, y, z + options.liftM + 0.008], down), CLOSED);
  move(world, over, 1.5);
  move(world, down, 0.8);
  move(world, opened(down, CLOSED), 0.8);
  wait(world, 0.2);
  move(world, lifted, 1.5);
  wait(world, 0.3);
  const liftedM = world.pose(cubeName).position[2] - z;
  const before = inGripper(world, cubeName);
  wait(world, options.holdSeconds);
  return {
    liftedM,
    heldM: world.pose(cubeName).position[2] - z,
    slipM: norm(subtract(inGripper(world, cubeName), before)),
    touchedAtEnd: world.touching(cubeName).has('jaw') && world.touching(cubeName).has('gripper'),
  };
}

/** Of the four ways to take a cube, the one that turns the wrist least from where it is. */
function bestYaw(world: World, position: Vector3, cubeYaw: number): { readonly yaw: number; readonly above: Float64Array } {
  const now = world.positions();
  const choices = [0, 1, 2, 3].flatMap((quarter) => {
    const yaw = cubeYaw + (quarter * Math.PI) / 2;
    const reach = reachDown(world.scene.robot, [position[0], position[1], position[2] + 0.05], yaw, now);
    return reach === null ? [] : [{ yaw, above: reach.angles, turn: Math.abs((reach.angles[4] ?? 0) - (now[4] ?? 0)) }];
  });
  const best = choices.sort((a, b) => a.turn - b.turn)[0];
  if (best === undefined) throw new Error(`out of reach: ${position.join()}`);
  return best;
}

function move(world: World, to: Float64Array, seconds: number): void {
  const from = world.targets();
  const ticks = Math.round(seconds / STEP_SECONDS / STEPS_PER_TICK);
  for (let tick = 1; tick <= ticks; tick++) {
    const s = tick / ticks;
    const eased = s * s * (3 - 2 * s);
    world.setTargets(to.map((value, i) => (from[i] ?? 0) + (value - (from[i] ?? 0)) * eased));
    world.step(STEPS_PER_TICK);
  }
}

function wait(world: World, seconds: number): void {
  world.step(Math.round(seconds / STEP_SECONDS));
}

function inGripper(world: World, cubeName: string): Vector3 {
  const grip = gripPose(world.scene.robot, world.positions());
  return rotate(inverse(grip.rotation), subtract(world.pose(cubeName).position, grip.position));
}

function yawOf([w, x, y, z]: readonly [number, number, number, number]): number {
  return Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
}
