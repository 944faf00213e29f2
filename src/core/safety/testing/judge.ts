/**
 * Judges commands by its own arithmetic: plain differences, and the kinematics of `core/robots` instead of the ones the
 * gate uses. Imports no rule. Throws at the first promise broken; keeps the worst values it saw.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { RobotDescription, Vector3 } from '#contracts/robot.ts';
import type { SafetyBox } from '#contracts/safety.ts';
import { linkPoses } from '#core/robots/kinematics.ts';
import { transform } from '#core/robots/transforms.ts';

export interface Promises {
  readonly joints: readonly { readonly least: number; readonly most: number; readonly maxSpeedRadPerS: number; readonly maxAccelerationRadPerS2: number; readonly maxJerkRadPerS3?: number }[];
  readonly linkSpeedMPerS: number;
  readonly floorM: number;
  readonly workspace: SafetyBox | null;
  readonly keepOut: readonly SafetyBox[];
}

export interface Worst {
  /** Shares of the limit: 1 is at the limit. */
  speed: number;
  acceleration: number;
  jerk: number;
  linkSpeed: number;
  /** Metres. */
  lowest: number;
}

export const noWorst = (): Worst => ({ speed: 0, acceleration: 0, jerk: 0, linkSpeed: 0, lowest: Number.POSITIVE_INFINITY });

/** Rounding: 1e-6 of a limit. */
const SHARE = 1 + 1e-6;

/** Corners of the moving links, in their own frames. */
export function cornersOf(robot: RobotDescription): readonly (readonly Vector3[])[] {
  return robot.links.map((link) =>
    link.collision.flatMap((shape): readonly Vector3[] => {
      if (shape.kind === 'hull') return shape.points;
      if (shape.kind === 'capsule') return [shape.from, shape.to];
      const [x, y, z] = shape.halfExtents;
      return [-x, x].flatMap((i) => [-y, y].flatMap((j) => [-z, z].map((k) => transform(shape.pose, [i, j, k]))));
    }),
  );
}

/** Give it every command in order, the start twice first. `body` says whether the body's promises are looked at in this round. */
export function judge(robot: RobotDescription, promises: Promises, tickSeconds: number, worst: Worst, where: string, body: 'looked-at' | 'left-out') {
  const corners = cornersOf(robot);
  const place = (q: ArrayLike<number>): Vector3[] => linkPoses(robot, q).slice(1).flatMap((pose, i) => (corners[i] as readonly Vector3[]).map((corner) => transform(pose, corner)));
  let last: readonly number[] | null = null;
  let lastPoints: readonly Vector3[] = [];
  let speeds = new Float64Array(JOINT_COUNT);
  let changes = new Float64Array(JOINT_COUNT);
  let tick = 0;
  const fail = (what: string): never => {
    throw new Error(`${where} tick ${tick}: ${what}`);
  };
  return (command: readonly number[]): void => {
    const points = body === 'looked-at' ? place(command) : [];
    const previous = last;
    if (previous === null) {
      last = command;
      lastPoints = points;
      return;
    }
    tick++;
    const nextSpeeds = new Float64Array(JOINT_COUNT);
    const nextChanges = new Float64Array(JOINT_COUNT);
    promises.joints.forEach((limit, i) => {
      const p = command[i] as number;
      if (!(p >= limit.least && p <= limit.most)) fail(`joint ${i} at ${p}, outside ${limit.least} to ${limit.most}`);
      const v = (p - (previous[i] as number)) / tickSeconds;
      const c = v - (speeds[i] as number);
      const speed = Math.abs(v) / limit.maxSpeedRadPerS;
      const acceleration = Math.abs(c) / (limit.maxAccelerationRadPerS2 * tickSeconds);
      // A jerk so high that it cannot bind within a tick is none; 4 is the gate's own bound for that.
      const jerk = limit.maxJerkRadPerS3 === undefined ? 0 : Math.abs(c - (changes[i] as number)) / Math.min(limit.maxJerkRadPerS3 * tickSeconds ** 2, 4 * limit.maxAccelerationRadPerS2 * tickSeconds);
      if (speed > SHARE) fail(`joint ${i} speed ${speed} of the limit`);
      if (acceleration > SHARE) fail(`joint ${i} acceleration ${acceleration} of the limit`);
      if (jerk > SHARE) fail(`joint ${i} jerk ${jerk} of the limit`);
      worst.speed = Math.max(worst.speed, speed);
      worst.acceleration = Math.max(worst.acceleration, acceleration);
      worst.jerk = Math.max(worst.jerk, jerk);
      nextSpeeds[i] = v;
      nextChanges[i] = c;
    });
    points.forEach((point, k) => {
      const before = lastPoints[k] as Vector3;
      const speed = Math.hypot(point[0] - before[0], point[1] - before[1], point[2] - before[2]) / tickSeconds / promises.linkSpeedMPerS;
      if (speed > SHARE) fail(`a point of the arm at ${speed} of the link speed`);
      worst.linkSpeed = Math.max(worst.linkSpeed, speed);
      if (point[2] < promises.floorM - 1e-7) fail(`a point of the arm at ${point[2]} m, below ${promises.floorM}`);
      worst.lowest = Math.min(worst.lowest, point[2]);
      if (promises.workspace !== null && !inside(point, promises.workspace, 1e-7)) fail(`a point of the arm outside the workspace`);
      for (const box of promises.keepOut) if (inside(point, box, -1e-7)) fail(`a point of the arm in a keep-out box`);
    });
    last = command;
    lastPoints = points;
    speeds = nextSpeeds;
    changes = nextChanges;
  };
}

function inside(point: Vector3, box: SafetyBox, slack: number): boolean {
  return point.every((x, i) => x >= (box.least[i] as number) - slack && x <= (box.most[i] as number) + slack);
}
