/**
 * Rule 3. A target stays inside the joint's range less its margin. A joint that already sits outside (pushed there by
 * hand, or started inside the margin) is not thrown back: the bound is where it is, and only lets it come inward.
 */
import type { JointLimit } from '../limits.ts';

export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** Where a joint at `position` may be told to go, radians. */
export function boundsAt(position: number, limit: JointLimit): Bounds {
  return { least: Math.min(limit.least + limit.marginRad, position), most: Math.max(limit.most - limit.marginRad, position) };
}

export function clampToBounds(target: number, bounds: Bounds): number {
  return Math.min(bounds.most, Math.max(bounds.least, target));
}
