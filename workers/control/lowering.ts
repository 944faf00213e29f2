/**
 * The way to rest, slow enough to watch: first to a pose just above rest, less folded, then down into it. On each leg all arm joints
 * start and arrive together on a minimum-jerk curve. The gripper is left alone, so that what it holds comes down with the arm and is
 * let go only when torque is cut. Pure.
 *
 *   start ──────────► above ───► rest
 *
 * Why not straight: links come near each other on the way to the fold long before the fold allows it, and the gate stops them there
 * (an SO-101 hung 16 degrees above rest and fell when it was let go). By way of `above` 80 of 80 random poses of either arm came down;
 * where one does not, it is not let go.
 */
import { GRIPPER_INDEX } from '#contracts/joints.ts';

/** The fastest joint peaks at this, about 34 degrees a second. */
export const LOWERING_SPEED_RAD_PER_S = 0.6;
/** A minimum-jerk curve peaks at 1.875 times its mean speed. */
const PEAK_TO_MEAN = 1.875;

/** From rest, JOINT_NAMES order, radians: a little lifted, elbow and wrist a little open. */
const ABOVE_REST_RAD = [0, 0.2, -0.35, -0.3, 0, 0] as const;
/** An arm no further from rest than this goes straight. */
const NEAR_REST_RAD = 0.2;

/** Poses from `start` (excluded) to `rest` (the last one), one a tick, radians. At least one. */
export function loweringPath(start: ArrayLike<number>, rest: ArrayLike<number>, tickSeconds: number): Float64Array[] {
  const goal = Float64Array.from(start, (from, i) => (i === GRIPPER_INDEX ? from : (rest[i] as number)));
  if (furthest(start, goal) <= NEAR_REST_RAD) return leg(start, goal, tickSeconds);
  const above = goal.map((angle, i) => angle + (ABOVE_REST_RAD[i] as number));
  return [...leg(start, above, tickSeconds), ...leg(above, goal, tickSeconds)];
}

function leg(start: ArrayLike<number>, goal: Float64Array, tickSeconds: number): Float64Array[] {
  const ticks = Math.max(1, Math.ceil((furthest(start, goal) * PEAK_TO_MEAN) / LOWERING_SPEED_RAD_PER_S / tickSeconds));
  return Array.from({ length: ticks }, (_, k) => {
    const t = (k + 1) / ticks;
    const share = t * t * t * (10 + t * (-15 + 6 * t));
    return k === ticks - 1 ? goal : Float64Array.from(goal, (to, i) => (start[i] as number) + (to - (start[i] as number)) * share);
  });
}

function furthest(from: ArrayLike<number>, to: Float64Array): number {
  return to.reduce((most, angle, i) => Math.max(most, Math.abs(angle - (from[i] as number))), 0);
}
