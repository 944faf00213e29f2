/**
 * The way to rest: all arm joints start and arrive together on a minimum-jerk curve, slow enough to watch. The gripper
 * is left alone, so that what it holds comes down with the arm and is let go only when torque is cut. Pure.
 */
import { GRIPPER_INDEX } from '#contracts/joints.ts';

/** The fastest joint peaks at this, about 34 degrees a second. */
export const LOWERING_SPEED_RAD_PER_S = 0.6;
/** A minimum-jerk curve peaks at 1.875 times its mean speed. */
const PEAK_TO_MEAN = 1.875;

/** Poses from `start` (excluded) to `rest` (the last one), one a tick, radians. At least one. */
export function loweringPath(start: ArrayLike<number>, rest: ArrayLike<number>, tickSeconds: number): Float64Array[] {
  const goal = Float64Array.from(start, (from, i) => (i === GRIPPER_INDEX ? from : (rest[i] as number)));
  const furthest = goal.reduce((most, to, i) => Math.max(most, Math.abs(to - (start[i] as number))), 0);
  const ticks = Math.max(1, Math.ceil((furthest * PEAK_TO_MEAN) / LOWERING_SPEED_RAD_PER_S / tickSeconds));
  return Array.from({ length: ticks }, (_, k) => {
    const t = (k + 1) / ticks;
    const share = t * t * t * (10 + t * (-15 + 6 * t));
    return k === ticks - 1 ? goal : Float64Array.from(goal, (to, i) => (start[i] as number) + (to - (start[i] as number)) * share);
  });
}
