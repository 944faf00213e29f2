/**
 * Inverse kinematics: joint angles that put the grip point somewhere, by damped least squares inside the joint limits.
 *
 * One step solves (J^T J + lambda^2 I) dq = J^T e. The damping lambda keeps the step finite where the arm is stretched
 * out and J loses rank. It adapts (Levenberg and Marquardt): a step that makes the error smaller is kept and lambda
 * shrinks, one that does not is thrown away and lambda grows. A five-joint arm cannot take every orientation, so the
 * caller says which directions matter and gets back how far the answer is off; nothing is refused here.
 *
 * Pure and repeatable: the same goal from the same start gives the same answer. Knows no obstacles and no time.
 *
 * Written with loops over kept arrays and not with the small algebra of `transforms.ts`: a plan of the scripted expert
 * tries up to 4 x 16 leans of which most are out of reach and take every step there is, and fresh vectors for each made
 * half of an episode's time. `kinematics.ts` is the clear version; a test holds the two against each other.
 */
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import type { Quaternion, RobotDescription, Vector3 } from '#contracts/robot.ts';
import type { JointRadians } from '#contracts/units.ts';
import { add, dot, scale, subtract, unit } from './transforms.ts';

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
/**
 * Out of reach shows early: steps that are kept and gain less than this share of what is left. Eight of them in a row end
 * the search; going on to step 200 at that pace would take less than a thousandth off the error.
 */
const STALLED = { share: 1e-7, steps: 10 };

export function solveGrip(robot: RobotDescription, goal: GripGoal, start: ArrayLike<number>): GripSolution {
  const arm = chainOf(robot);
  const angles = Float64Array.from(start) as JointRadians;
  const tried = Float64Array.from(start);
  const aim = aimOf(goal);
  let lambda = LAMBDA.first;
  let stalled = 0;
  place(arm, angles);
  let cost = measure(arm, aim);
  for (let step = 0; step < STEPS && lambda < LAMBDA.most && stalled < STALLED.steps; step++) {
    if (aim.positionErrorM < GOOD_ENOUGH.positionM && aim.directionErrorRad < GOOD_ENOUGH.directionRad) break;
    if (step === 0 || arm.placedAt === 'kept') normalEquations(arm, aim);
    dampedStep(arm, lambda, angles, tried);
    place(arm, tried);
    const triedCost = costOf(arm, aim);
    if (triedCost < cost) {
      stalled = cost - triedCost < cost * STALLED.share ? stalled + 1 : 0;
      angles.set(tried);
      arm.placedAt = 'kept';
      cost = measure(arm, aim);
      lambda = Math.max(lambda / 3, LAMBDA.least);
    } else {
      arm.placedAt = 'elsewhere';
      lambda *= 4;
    }
  }
  return { angles, positionErrorM: aim.positionErrorM, directionErrorRad: aim.directionErrorRad };
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

// -- the arm in kept arrays -------------------------------------------------------------------------------------------

/** Joints that move the grip point: all but the gripper's own. */
const N = GRIPPER_INDEX;

/** One robot's chain: what never changes, and room for one pose of it. Rotations are 3 x 3, row by row. */
interface Chain {
  readonly originPositions: Float64Array;
  readonly originRotations: Float64Array;
  readonly jointAxes: Float64Array;
  readonly least: Float64Array;
  readonly most: Float64Array;
  readonly gripPosition: Float64Array;
  readonly gripRotation: Float64Array;
  /** World axis and a point on it, joint by joint. */
  readonly axes: Float64Array;
  readonly points: Float64Array;
  /** Grip point, then where its z and x axes point: the fingers, and from jaw to fixed finger. */
  readonly grip: Float64Array;
  readonly pointing: Float64Array;
  readonly across: Float64Array;
  /** J^T J and J^T e of the last kept pose, and room to solve them in. */
  readonly matrix: Float64Array;
  readonly side: Float64Array;
  readonly system: Float64Array;
  placedAt: 'kept' | 'elsewhere';
}

const chains = new WeakMap<RobotDescription, Chain>();

function chainOf(robot: RobotDescription): Chain {
  const known = chains.get(robot);
  if (known !== undefined) return known;
  const joints = robot.joints.slice(0, N);
  const chain: Chain = {
    originPositions: Float64Array.from(joints.flatMap((joint) => joint.origin.position)),
    originRotations: Float64Array.from(joints.flatMap((joint) => matrixOf(joint.origin.rotation))),
    jointAxes: Float64Array.from(joints.flatMap((joint) => joint.axis)),
    least: Float64Array.from(joints, (joint) => joint.least),
    most: Float64Array.from(joints, (joint) => joint.most),
    gripPosition: Float64Array.from(robot.gripPoint.position),
    gripRotation: Float64Array.from(matrixOf(robot.gripPoint.rotation)),
    axes: new Float64Array(3 * N),
    points: new Float64Array(3 * N),
    grip: new Float64Array(3),
    pointing: new Float64Array(3),
    across: new Float64Array(3),
    matrix: new Float64Array(N * N),
    side: new Float64Array(N),
    system: new Float64Array(N * (N + 1)),
    placedAt: 'elsewhere',
  };
  chains.set(robot, chain);
  return chain;
}

function matrixOf([w, x, y, z]: Quaternion): number[] {
  return [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x), 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)];
}

const turned = new Float64Array(9);
const rotation = new Float64Array(9);
const product = new Float64Array(9);

/** Poses of the chain at these angles: axes, points, grip. */
function place(chain: Chain, angles: ArrayLike<number>): void {
  const { originPositions: o, originRotations, jointAxes: a, axes, points, gripPosition: g } = chain;
  rotation.fill(0);
  rotation[0] = rotation[4] = rotation[8] = 1;
  let px = 0;
  let py = 0;
  let pz = 0;
  for (let j = 0; j < N; j++) {
    const k = 3 * j;
    px += rotation[0] * o[k] + rotation[1] * o[k + 1] + rotation[2] * o[k + 2];
    py += rotation[3] * o[k] + rotation[4] * o[k + 1] + rotation[5] * o[k + 2];
    pz += rotation[6] * o[k] + rotation[7] * o[k + 1] + rotation[8] * o[k + 2];
    multiply(rotation, originRotations, 9 * j, product);
    // Rodrigues: a turn about a unit axis.
    const c = Math.cos(angles[j]);
    const s = Math.sin(angles[j]);
    const x = a[k];
    const y = a[k + 1];
    const z = a[k + 2];
    const t = 1 - c;
    turned[0] = c + x * x * t;
    turned[1] = x * y * t - z * s;
    turned[2] = x * z * t + y * s;
    turned[3] = x * y * t + z * s;
    turned[4] = c + y * y * t;
    turned[5] = y * z * t - x * s;
    turned[6] = x * z * t - y * s;
    turned[7] = y * z * t + x * s;
    turned[8] = c + z * z * t;
    multiply(product, turned, 0, rotation);
    axes[k] = rotation[0] * x + rotation[1] * y + rotation[2] * z;
    axes[k + 1] = rotation[3] * x + rotation[4] * y + rotation[5] * z;
    axes[k + 2] = rotation[6] * x + rotation[7] * y + rotation[8] * z;
    points[k] = px;
    points[k + 1] = py;
    points[k + 2] = pz;
  }
  chain.grip[0] = px + rotation[0] * g[0] + rotation[1] * g[1] + rotation[2] * g[2];
  chain.grip[1] = py + rotation[3] * g[0] + rotation[4] * g[1] + rotation[5] * g[2];
  chain.grip[2] = pz + rotation[6] * g[0] + rotation[7] * g[1] + rotation[8] * g[2];
  multiply(rotation, chain.gripRotation, 0, product);
  for (let k = 0; k < 3; k++) {
    chain.pointing[k] = product[3 * k + 2];
    chain.across[k] = product[3 * k];
  }
}

function multiply(a: Float64Array, b: Float64Array, at: number, into: Float64Array): void {
  for (let r = 0; r < 9; r += 3) {
    for (let c = 0; c < 3; c++) into[r + c] = a[r] * b[at + c] + a[r + 1] * b[at + 3 + c] + a[r + 2] * b[at + 6 + c];
  }
}

/** A goal, and how far the last measured pose is from it. */
interface Aim {
  readonly position: Vector3;
  readonly approach: Vector3 | null;
  readonly closing: Vector3 | null;
  positionErrorM: number;
  directionErrorRad: number;
}

function aimOf(goal: GripGoal): Aim {
  return {
    position: goal.position,
    approach: goal.approach === undefined ? null : unit(goal.approach),
    closing: goal.closing === undefined ? null : unit(goal.closing),
    positionErrorM: Number.POSITIVE_INFINITY,
    directionErrorRad: Number.POSITIVE_INFINITY,
  };
}

/** What a step must make smaller: squared metres, directions weighted. */
function costOf(chain: Chain, aim: Aim): number {
  return offBy(chain.grip, aim.position) + DIRECTION_WEIGHT ** 2 * ((aim.approach === null ? 0 : offBy(chain.pointing, aim.approach)) + (aim.closing === null ? 0 : offBy(chain.across, aim.closing)));
}

function offBy(have: ArrayLike<number>, want: Vector3): number {
  return (want[0] - have[0]) ** 2 + (want[1] - have[1]) ** 2 + (want[2] - have[2]) ** 2;
}

/** The cost, and both errors written into the aim. */
function measure(chain: Chain, aim: Aim): number {
  aim.positionErrorM = Math.sqrt(offBy(chain.grip, aim.position));
  aim.directionErrorRad = Math.max(aim.approach === null ? 0 : angleTo(chain.pointing, aim.approach), aim.closing === null ? 0 : angleTo(chain.across, aim.closing));
  return costOf(chain, aim);
}

function angleTo(have: Float64Array, want: Vector3): number {
  const x = have[1] * want[2] - have[2] * want[1];
  const y = have[2] * want[0] - have[0] * want[2];
  const z = have[0] * want[1] - have[1] * want[0];
  return Math.atan2(Math.sqrt(x * x + y * y + z * z), have[0] * want[0] + have[1] * want[1] + have[2] * want[2]);
}

const columns = new Float64Array(3 * N);

/** J^T J and J^T e at the pose the chain is placed at. */
function normalEquations(chain: Chain, aim: Aim): void {
  chain.matrix.fill(0);
  chain.side.fill(0);
  const { axes, points, grip } = chain;
  for (let j = 0; j < 3 * N; j += 3) crossInto(j, axes, grip[0] - points[j], grip[1] - points[j + 1], grip[2] - points[j + 2]);
  addRows(chain, grip, aim.position, 1);
  for (const [have, want] of [[chain.pointing, aim.approach], [chain.across, aim.closing]] as const) {
    if (want === null) continue;
    for (let j = 0; j < 3 * N; j += 3) crossInto(j, axes, have[0], have[1], have[2]);
    addRows(chain, have, want, DIRECTION_WEIGHT ** 2);
  }
}

/** Column `j` of the Jacobian: how a vector (x, y, z) held by that joint moves when it turns. */
function crossInto(j: number, axes: Float64Array, x: number, y: number, z: number): void {
  columns[j] = axes[j + 1] * z - axes[j + 2] * y;
  columns[j + 1] = axes[j + 2] * x - axes[j] * z;
  columns[j + 2] = axes[j] * y - axes[j + 1] * x;
}

function addRows({ matrix, side }: Chain, have: Float64Array, want: Vector3, weight: number): void {
  const ex = want[0] - have[0];
  const ey = want[1] - have[1];
  const ez = want[2] - have[2];
  for (let r = 0; r < N; r++) {
    const x = weight * columns[3 * r];
    const y = weight * columns[3 * r + 1];
    const z = weight * columns[3 * r + 2];
    side[r] += x * ex + y * ey + z * ez;
    for (let c = 0; c < N; c++) matrix[r * N + c] += x * columns[3 * c] + y * columns[3 * c + 1] + z * columns[3 * c + 2];
  }
}

/** `into` = `from` after one damped step, inside the limits. */
function dampedStep(chain: Chain, lambda: number, from: ArrayLike<number>, into: Float64Array): void {
  const change = solved(chain, lambda);
  let largest = 0;
  for (let j = 0; j < N; j++) largest = Math.max(largest, Math.abs(change[j]));
  const shrink = largest > LARGEST_STEP_RAD ? LARGEST_STEP_RAD / largest : 1;
  for (let j = 0; j < N; j++) into[j] = Math.min(chain.most[j], Math.max(chain.least[j], from[j] + shrink * change[j]));
}

const solution = new Float64Array(N);

/** Solves (J^T J + lambda^2 I) x = J^T e by Gaussian elimination; the matrix is small and positive definite. */
function solved({ matrix, side, system }: Chain, lambda: number): Float64Array {
  const W = N + 1;
  for (let r = 0; r < N; r++) {
    for (let c = 0; c < N; c++) system[r * W + c] = matrix[r * N + c] + (r === c ? lambda ** 2 : 0);
    system[r * W + N] = side[r];
  }
  for (let pivot = 0; pivot < N; pivot++) {
    for (let r = pivot + 1; r < N; r++) {
      const factor = system[r * W + pivot] / system[pivot * W + pivot];
      for (let c = pivot; c <= N; c++) system[r * W + c] -= factor * system[pivot * W + c];
    }
  }
  for (let r = N - 1; r >= 0; r--) {
    let known = 0;
    for (let c = r + 1; c < N; c++) known += system[r * W + c] * solution[c];
    solution[r] = (system[r * W + N] - known) / system[r * W + r];
  }
  return solution;
}
