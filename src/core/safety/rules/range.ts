/**
 * Rule: a target stays inside the joint's range less its margin. A joint that already sits outside (pushed there by
 * hand, or started inside the margin) is not thrown back: the bound is where it is, and only lets it come inward.
 *
 *   ... refused | clamped | passed | clamped | refused ...
 *      one turn^          ^ range ^          ^one turn
 *
 * The third band: a wish a whole turn or more outside the range is a mistake of units or of calibration, not an
 * ambition, and nothing else in that target can be believed.
 */
import type { JointLimit } from '../limits.ts';

export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** Radians outside the range from which a target is refused. */
export const ABSURD_RAD = 2 * Math.PI;

/** The joint's range less its margin, radians. */
export function rangeOf(limit: JointLimit): Bounds {
  return { least: limit.least + limit.marginRad, most: limit.most - limit.marginRad };
}

/** Where a joint at `position` may be told to go, radians. */
export function boundsAt(position: number, limit: JointLimit): Bounds {
  const { least, most } = rangeOf(limit);
  return { least: Math.min(least, position), most: Math.max(most, position) };
}

export function clampToBounds(target: number, bounds: Bounds): number {
  return Math.min(bounds.most, Math.max(bounds.least, target));
}

export function isAbsurd(target: number, limit: JointLimit): boolean {
  return target > limit.most + ABSURD_RAD || target < limit.least - ABSURD_RAD;
}
