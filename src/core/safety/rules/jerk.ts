/**
 * Rule: the change of speed itself changes by at most `dj` a tick, so that gears are loaded and unloaded softly. With it
 * braking is no longer one subtraction, so this file also says how a joint brakes and how it approaches a goal.
 *
 *   speed      ____                    change       0 ___        ____
 *                  \__                                   \      /
 *                     \                                   \____/      each corner takes dv / dj ticks
 *                      \____
 *
 * Speeds are radians per second, changes are of speed per tick.
 */
import { fastestThatStops } from './acceleration.ts';

export interface Motion {
  /** Seconds a tick. */
  readonly dt: number;
  /** Most change of speed in a tick, rad/s. */
  readonly dv: number;
  /** Most change of that change from one tick to the next, rad/s. */
  readonly dj: number;
}

/** Where a joint without a jerk limit stands: a change may go from -dv to dv at once, and 4 dv never binds. */
export const NO_JERK_LIMIT_DV = 4;

/** No joint at these limits brakes for so many ticks; a loop that does is a defect. */
const MOST_TICKS = 20_000;

/**
 * The speed after one tick of braking from `speed`, whose last change was `change`. Speed is the room in which the
 * change must come back to zero, so the sum of `acceleration.ts` finds the hardest braking that ends softly.
 */
export function brakeStep(speed: number, change: number, motion: Motion): number {
  const hardest = Math.min(motion.dv, fastestThatStops(Math.abs(speed), motion.dj, 1));
  const wanted = speed > 0 ? -hardest : hardest;
  return speed + Math.min(change + motion.dj, Math.max(change - motion.dj, wanted));
}

/** How far a joint still goes when it brakes from here, radians, with sign. */
export function brakingDistance(speed: number, change: number, motion: Motion): number {
  let v = speed;
  let c = change;
  let distance = 0;
  for (let k = 0; k < MOST_TICKS && (v !== 0 || c !== 0); k++) {
    const next = brakeStep(v, c, motion);
    c = next - v;
    v = next;
    distance += v * motion.dt;
  }
  return distance;
}

interface Room {
  readonly least: number;
  readonly most: number;
}

/**
 * Whether a joint that brakes from `position` stays between the bounds, and never goes faster than `maxSpeed` on the way.
 *
 * `range`: where the bounds themselves go. A joint that begins outside it is bounded by where it is, and each tick inward takes that bound
 * along; braking that swings back by a hair, because its change cannot end sooner, would then be cut short by more than a jerk.
 */
export function brakesWithin(position: number, speed: number, change: number, motion: Motion, bounds: Room, maxSpeed: number, range: Room = bounds): boolean {
  let p = position;
  let v = speed;
  let c = change;
  let { least, most } = bounds;
  for (let k = 0; k < MOST_TICKS; k++) {
    if (p < least - SLACK || p > most + SLACK || Math.abs(v) > maxSpeed * (1 + SPEED_SLACK)) return false;
    if (v === 0 && c === 0) return true;
    least = Math.min(range.least, Math.max(least, p));
    most = Math.max(range.most, Math.min(most, p));
    const next = brakeStep(v, c, motion);
    c = next - v;
    v = next;
    p += v * motion.dt;
  }
  return false;
}

/** Radians, for the rounding of a sum of some ten steps. A command is clamped to its bounds afterwards, which must not show as a jump of speed. */
const SLACK = 1e-12;
const SPEED_SLACK = 1e-9;

/** The speeds one tick may lead to. Never empty while |change| <= dv: going on as before is always among them. */
export function reachable(speed: number, change: number, motion: Motion): { readonly least: number; readonly most: number } {
  return { least: Math.max(speed - motion.dv, speed + change - motion.dj), most: Math.min(speed + motion.dv, speed + change + motion.dj) };
}

/**
 * The speed with which to follow a goal that is `gap` radians away at the end of this tick and moves on with
 * `goalSpeed`: as fast as can still be given up before passing it. Seen from the moving goal this is braking to rest, so a
 * path that keeps the limits is followed exactly, and a step is approached without overshoot.
 */
export function followStep(gap: number, goalSpeed: number, speed: number, change: number, motion: Motion, maxSpeed: number): number {
  const { dt } = motion;
  const range = reachable(speed, change, motion);
  const clamped = (v: number): number => Math.min(range.most, Math.max(range.least, Math.min(maxSpeed, Math.max(-maxSpeed, v))));
  const landing = gap / dt;
  if (landing >= range.least && landing <= range.most && Math.abs(landing) <= maxSpeed && settlesAtOnce(landing - goalSpeed, landing - speed, motion)) return landing;
  // How far past the goal the joint would come to rest beside it, were this tick's speed v. Grows with v.
  const past = (v: number): number => (v - goalSpeed) * dt + brakingDistance(v - goalSpeed, v - speed, motion) - (gap - goalSpeed * dt);
  let low = range.least;
  let high = range.most;
  let pastLow = past(low);
  let pastHigh = past(high);
  if (pastLow >= 0) return clamped(low);
  if (pastHigh <= 0) return clamped(high);
  // The Illinois rule: a secant that halves the end it keeps. Piecewise linear, so a few rounds are enough.
  for (let k = 0; k < 24; k++) {
    const v = low - (pastLow * (high - low)) / (pastHigh - pastLow);
    const p = past(v);
    if (p > 0) {
      high = v;
      pastHigh = p;
      pastLow /= 2;
    } else {
      low = v;
      pastLow = p;
      pastHigh /= 2;
      if (p > -PRECISE_RAD) break;
    }
  }
  return clamped(low);
}

const PRECISE_RAD = 1e-11;

/** After landing, the rest of the relative speed can be taken away in the next tick, and that change in the one after. */
function settlesAtOnce(relative: number, change: number, { dv, dj }: Motion): boolean {
  return Math.abs(relative) <= Math.min(dv, dj) && Math.abs(-relative - change) <= dj;
}
