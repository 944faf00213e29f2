/**
 * Inverse kinematics: joint angles that put the grip point somewhere, by damped least squares inside the joint limits.
 *
 * One step solves (J^T J + lambda^2 I) dq = J^T e. The damping lambda keeps the step finite where the arm is stretched
 * out and J loses rank. It adapts (Levenberg and Marquardt): a step that makes the error smaller is kept and lambda
 * shrinks, one that does not is thrown away and lambda grows. A five-joint arm cannot take every orientation, so the
 * caller says which directions matter and gets back how far the answer is off; nothing is refused here.
 *
 * Pure and repeatable: the same goal from the same start gives the same answer. Knows no obstacles and no time.
 */
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import type { Pose, RobotDescription, Vector3 } from '#contracts/robot.ts';
import type { JointRadians } from '#contracts/units.ts';
import { gripPose, jointAxes, linkPoses } from './kinematics.ts';
import { add, cross, dot, norm, rotate, scale, subtract, unit } from './transforms.ts';

export interface GripGoal {
  /** Where the grip point should be, metres, base frame. */
  readonly position: Vector3;
  /** Unit vector the fingers should point along; straight down is [0, 0, -1]. Free when absent. */
  readonly approach?: Vector3;
  /** Unit vector from the jaw to the fixed finger. Free when absent. */
  readonly closing?: Vector3;
}

export interface GripSolution {
  /** JOINT_NAMES order; the gripper's angle is the start's. */
  readonly angles: JointRadians;
  readonly positionErrorM: number;
  /** Largest angle between a wanted direction and the reached one, radians; 0 when no direction was asked for. */
  readonly directionErrorRad: number;
}

const STEPS = 200;
const LAMBDA = { first: 0.005, least: 1e-4, most: 10 };
/** Metres a radian of direction error counts for: about the distance from wrist to fingertip. */
const DIRECTION_WEIGHT = 0.1;
/** No joint turns further than this in one step: the Jacobian is only true nearby. */
const LARGEST_STEP_RAD = 0.3;
const GOOD_ENOUGH = { positionM: 1e-6, directionRad: 1e-5 };
export function solveGrip(robot: RobotDescription, goal: GripGoal, start: ArrayLike<number>): GripSolution {
  let angles = Float64Array.from(start) as JointRadians;
  let lambda = LAMBDA.first;
  let cost = costOf(goal, gripPose(robot, angles));
  for (let step = 0; step < STEPS && lambda < LAMBDA.most; step++) {
    const { positionErrorM, directionErrorRad } = errors(goal, gripPose(robot, angles));
    if (positionErrorM < GOOD_ENOUGH.positionM && directionErrorRad < GOOD_ENOUGH.directionRad) break;
    const tried = stepped(robot, goal, angles, lambda);
    const triedCost = costOf(goal, gripPose(robot, tried));
    if (triedCost < cost) {
      angles = tried;
      cost = triedCost;
      lambda = Math.max(lambda / 3, LAMBDA.least);
    } else {
      lambda *= 4;
    }
  }
  return { angles, ...errors(goal, gripPose(robot, angles)) };
}

/** A reach counts as reached within these. */
const REACHED = { positionM: 0.0005, directionRad: (0.5 * Math.PI) / 180 };
const TILT_STEP_RAD = (5 * Math.PI) / 180;
const TILT_MOST_RAD = (75 * Math.PI) / 180;

export interface Reach extends GripSolution {
  /** How far the fingers lean outwards from straight down, radians. */
  readonly tilt: number;
}

/**
 * Fingers at `position`, as nearly straight down as the wrist allows: the wrist bends 95 degrees, so high or far points are
 * only reached with the fingers leaning outwards. `closingYaw` is the direction from jaw to fixed finger seen from above,
 * radians from +x. Null when no lean up to 75 degrees reaches it.
 */
export function reachDown(robot: RobotDescription, position: Vector3, closingYaw: number, start: ArrayLike<number>): Reach | null {
  const pan = robot.joints[0]?.origin.position ?? [0, 0, 0];
  const outwards = unit([position[0] - pan[0], position[1] - pan[1], 0]);
  const level: Vector3 = [Math.cos(closingYaw), Math.sin(closingYaw), 0];
  for (let tilt = 0; tilt <= TILT_MOST_RAD; tilt += TILT_STEP_RAD) {
    const approach = add(scale([0, 0, -1], Math.cos(tilt)), scale(outwards, Math.sin(tilt)));
    // The level direction, laid into the plane across the fingers.
    const closing = unit(subtract(level, scale(approach, dot(level, approach))));
    const solution = solveGrip(robot, { position, approach, closing }, start);
    if (solution.positionErrorM < REACHED.positionM && solution.directionErrorRad < REACHED.directionRad) return { ...solution, tilt };
  }
  return null;
}

/** The angles after one damped step, inside the limits. */
function stepped(robot: RobotDescription, goal: GripGoal, angles: JointRadians, lambda: number): JointRadians {
  const grip = gripPose(robot, angles);
  const arm = jointAxes(robot, linkPoses(robot, angles)).slice(0, GRIPPER_INDEX);
  const rows: { readonly error: number; readonly gradient: readonly number[] }[] = [];
  const addRows = (error: Vector3, columns: readonly Vector3[]): void => {
    for (const k of [0, 1, 2] as const) rows.push({ error: error[k], gradient: columns.map((column) => column[k]) });
  };
  addRows(
    subtract(goal.position, grip.position),
    arm.map(({ axis, point }) => cross(axis, subtract(grip.position, point))),
  );
  for (const { have, want } of directions(goal, grip)) {
    addRows(
      scale(subtract(want, have), DIRECTION_WEIGHT),
      arm.map(({ axis }) => scale(cross(axis, have), DIRECTION_WEIGHT)),
    );
  }
  const change = dampedLeastSquares(rows, GRIPPER_INDEX, lambda);
  const largest = Math.max(...change.map(Math.abs));
  const shrink = largest > LARGEST_STEP_RAD ? LARGEST_STEP_RAD / largest : 1;
  return angles.map((before, i) => {
    const joint = robot.joints[i];
    if (joint === undefined || i >= GRIPPER_INDEX) return before;
    return Math.min(joint.most, Math.max(joint.least, before + shrink * (change[i] ?? 0)));
  }) as JointRadians;
}

/** What a step must make smaller: squared metres, directions weighted. */
function costOf(goal: GripGoal, grip: Pose): number {
  const off = subtract(goal.position, grip.position);
  return directions(goal, grip).reduce((sum, { have, want }) => {
    const turn = scale(subtract(want, have), DIRECTION_WEIGHT);
    return sum + dot(turn, turn);
  }, dot(off, off));
}

function directions(goal: GripGoal, grip: Pose): readonly { readonly have: Vector3; readonly want: Vector3 }[] {
  const wanted: { have: Vector3; want: Vector3 }[] = [];
  if (goal.approach !== undefined) wanted.push({ have: rotate(grip.rotation, [0, 0, 1]), want: unit(goal.approach) });
  if (goal.closing !== undefined) wanted.push({ have: rotate(grip.rotation, [1, 0, 0]), want: unit(goal.closing) });
  return wanted;
}

function errors(goal: GripGoal, grip: Pose): { readonly positionErrorM: number; readonly directionErrorRad: number } {
  const turns = directions(goal, grip).map(({ have, want }) => Math.atan2(norm(cross(have, want)), dot(have, want)));
  return { positionErrorM: norm(subtract(goal.position, grip.position)), directionErrorRad: Math.max(0, ...turns) };
}

/** Solves (J^T J + lambda^2 I) x = J^T e by Gaussian elimination; the matrix is small and positive definite. */
function dampedLeastSquares(rows: readonly { readonly error: number; readonly gradient: readonly number[] }[], count: number, lambda: number): number[] {
  const at = (matrix: readonly number[][], r: number, c: number): number => matrix[r]?.[c] ?? 0;
  const system = Array.from({ length: count }, (_, r) =>
    Array.from({ length: count + 1 }, (_unused, c) => {
      const sum = rows.reduce((s, row) => s + (row.gradient[r] ?? 0) * (c === count ? row.error : (row.gradient[c] ?? 0)), 0);
      return r === c ? sum + lambda ** 2 : sum;
    }),
  );
  for (let pivot = 0; pivot < count; pivot++) {
    for (let r = pivot + 1; r < count; r++) {
      const factor = at(system, r, pivot) / at(system, pivot, pivot);
      system[r] = (system[r] ?? []).map((value, c) => value - factor * at(system, pivot, c));
    }
  }
  const x = Array.from({ length: count }, () => 0);
  for (let r = count - 1; r >= 0; r--) {
    const known = x.reduce((s, value, c) => (c > r ? s + at(system, r, c) * value : s), 0);
    x[r] = (at(system, r, count) - known) / at(system, r, r);
  }
  return x;
}
