/**
 * The promises about where the arm's body is: its speed, the table, boxes, itself. They couple all joints, so they are
 * checked for a whole step, and not for the step alone: also for every tick of the braking that could follow it. A step is
 * good when the arm, braking from then on, keeps every promise until it stands.
 *
 *   now ──► step? ──► brake ──► brake ──► stands        all of it good: the step may be taken
 *     └──► brake ──► brake ──► stands                   known to be good, because the last step was checked so
 *
 * That is why there is always something good to do: braking. An arm that is already too near something (it began there,
 * or a limit was moved) may go on as long as it comes no nearer.
 */
import { GRIPPER_INDEX, JOINT_COUNT } from '#contracts/joints.ts';
import type { SafetyRule } from '#contracts/control.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import { FailureError } from '#core/lib/failure.ts';
import { brakeStep, type Motion } from '../rules/jerk.ts';
import { distanceFromBox, distanceInside, type Box } from '../rules/keep-out.ts';
import type { Servo } from '../rules/lead.ts';
import { furthestMoved } from '../rules/link-speed.ts';
import { linkPairs } from '../rules/self-collision.ts';
import { lowest } from '../rules/table.ts';
import type { Body, Placement } from './body.ts';

export interface ShapeLimits {
  readonly body: Body;
  readonly robot: RobotDescription;
  /** Metres per second, every point of every link; null: not limited. */
  readonly linkSpeedMPerS: number | null;
  /** How far behind its target this arm is in free air; null: the target does not wait for the arm. Needs a link speed. */
  readonly servo: Servo | null;
  /** Nothing of the arm goes below this, metres; null: no table. */
  readonly floorM: number | null;
  readonly keepOut: readonly Box[];
  readonly workspace: Box | null;
  /** Between links that are not neighbours, metres; null: not looked at. */
  readonly selfClearanceM: number | null;
}

export interface PathCheck {
  /** The arm is told to be here now. `arm` is where it was measured, and how far its corners may be led, metres; null: not known. */
  begin(position: ArrayLike<number>, arm: { readonly measured: ArrayLike<number>; readonly leadM: number } | null): void;
  /** Whether the step alone, without what follows, moves some point faster than allowed or leads the arm too far: a tenth of the price of the whole question. */
  stepTooFar(position: ArrayLike<number>, stepSpeed: ArrayLike<number>, motions: readonly Motion[], share: number): boolean;
  /**
   * The first promise that a step with these speeds, and the braking after it, would break; null when none. `share` of the
   * link speed is allowed for the step itself.
   */
  broken(position: ArrayLike<number>, speed: ArrayLike<number>, stepSpeed: ArrayLike<number>, motions: readonly Motion[], share: number): SafetyRule | null;
}

/** Metres: forgives rounding only. */
const SLACK_M = 1e-9;
const SLACK_SHARE = 1e-8;
/** A pair is measured anew when it may be this near to what the rule asks for: about what a stop from full speed moves. */
const LOOK_AGAIN_M = 0.03;
/** Braking takes some ten ticks; more than this never ends. */
const MOST_TICKS = 2_000;

/** Throws FailureError `arm/other-body` where body and description are not of one arm: what keeps one off the table lets another into it. */
export function pathCheck(limits: ShapeLimits): PathCheck {
  if (limits.body.robot !== limits.robot.name) throw new FailureError('arm/other-body', { wanted: limits.robot.name, found: limits.body.robot });
  const { body, linkSpeedMPerS, floorM, keepOut, workspace } = limits;
  const pairs = limits.selfClearanceM === null ? null : linkPairs(body, limits.robot, limits.selfClearanceM);
  const now = body.placement();
  let before = body.placement();
  let after = body.placement();
  const position = new Float64Array(JOINT_COUNT);
  const last = new Float64Array(JOINT_COUNT);
  const speed = new Float64Array(JOINT_COUNT);
  const change = new Float64Array(JOINT_COUNT);
  const found = new Float64Array(pairs?.count ?? 0);
  /** Distances of the pairs where the arm is now: what is far and moves little stays far, without looking again. */
  const known = new Float64Array(pairs?.count ?? 0);
  const looked = new Float64Array(pairs?.count ?? 0);
  const lastPoints = new Float64Array(now.points.length);
  const reached = body.placement();
  /** Points of all links but the jaw, which hangs on the last joint. */
  const armEnd = 3 * body.pointLink.filter((link) => link < GRIPPER_INDEX).length;
  let passed = false;
  // What is asked for from here: the limit, or where the arm is now if that is worse. Of pairs only the latter: their limit is the pose's.
  const allowed = { lead: Number.POSITIVE_INFINITY, floor: 0, inside: 0, boxes: new Float64Array(keepOut.length), pairs: new Float64Array(pairs?.count ?? 0) };

  /** Metres that points may move from where table, workspace and boxes were last looked at, before one of them can be broken; and from `now`, the links. */
  let room = 0;
  let roomBetween = 0;
  let roomNow = 0;

  const judge = (placed: Placement, gone: number): SafetyRule | null => {
    room = Number.POSITIVE_INFINITY;
    if (floorM !== null) {
      const left = lowest(placed.points) - allowed.floor;
      if (left < -SLACK_M) return 'table';
      room = left;
    }
    if (workspace !== null) {
      const left = distanceInside(placed.points, workspace) - allowed.inside;
      if (left < -SLACK_M) return 'workspace';
      room = Math.min(room, left);
    }
    if (keepOut.length > 0) for (let link = 0; link <= JOINT_COUNT; link++) body.placeCapsules(link, placed);
    for (let b = 0; b < keepOut.length; b++) {
      const left = distanceFromBox(body, placed, keepOut[b] as Box) - (allowed.boxes[b] as number);
      if (left < -SLACK_M) return 'keep-out';
      room = Math.min(room, left);
    }
    if (pairs !== null && gone > roomBetween) {
      found.set(known);
      pairs.distances(placed, found, { known, moved: gone });
      const needed = pairs.neededAt(position);
      for (let p = 0; p < found.length; p++) if ((found[p] as number) < Math.min(needed[p] as number, allowed.pairs[p] as number) - SLACK_M) return 'self-collision';
    }
    return null;
  };

  const leadsTooFar = (placed: Placement): boolean => allowed.lead < Number.POSITIVE_INFINITY && furthestMoved(reached.points, placed.points, armEnd) > allowed.lead + SLACK_M;

  return {
    begin(at, arm) {
      body.placePoints(at, now);
      allowed.lead = Number.POSITIVE_INFINITY;
      if (arm !== null) {
        body.placePoints(arm.measured, reached);
        allowed.lead = Math.max(arm.leadM, furthestMoved(reached.points, now.points, armEnd));
      }
      roomNow = Number.POSITIVE_INFINITY;
      if (floorM !== null) {
        const height = lowest(now.points);
        allowed.floor = Math.min(floorM, height);
        roomNow = height - allowed.floor;
      }
      if (workspace !== null) {
        const inside = distanceInside(now.points, workspace);
        allowed.inside = Math.min(0, inside);
        roomNow = Math.min(roomNow, inside - allowed.inside);
      }
      if (keepOut.length > 0) for (let link = 0; link <= JOINT_COUNT; link++) body.placeCapsules(link, now);
      for (let b = 0; b < keepOut.length; b++) {
        const distance = distanceFromBox(body, now, keepOut[b] as Box);
        allowed.boxes[b] = Math.min(0, distance);
        roomNow = Math.min(roomNow, distance - (allowed.boxes[b] as number));
      }
      roomBetween = Number.POSITIVE_INFINITY;
      if (pairs === null) return;
      // No two links come nearer by more than twice what the farthest point moved, so what was far is looked at again only
      // when it might not be far any more.
      const moved = passed ? furthestMoved(lastPoints, now.points) : Number.POSITIVE_INFINITY;
      passed = true;
      lastPoints.set(now.points);
      for (let p = 0; p < known.length; p++) {
        known[p] = (known[p] as number) - 2 * moved;
        looked[p] = (pairs.needed[p] as number) + LOOK_AGAIN_M;
      }
      pairs.distances(now, known, { known, moved: 0, above: looked });
      const needed = pairs.neededAt(at);
      for (let p = 0; p < known.length; p++) {
        allowed.pairs[p] = (known[p] as number) < (needed[p] as number) ? (known[p] as number) : Number.POSITIVE_INFINITY;
        // The most that any pose asks for: the next may ask more than this one.
        roomBetween = Math.min(roomBetween, ((known[p] as number) - (pairs.needed[p] as number)) / 2);
      }
    },
    stepTooFar(at, stepSpeed, motions, share) {
      for (let i = 0; i < JOINT_COUNT; i++) position[i] = (at[i] as number) + (stepSpeed[i] as number) * (motions[i] as Motion).dt;
      body.placePoints(position, after);
      return leadsTooFar(after) || (linkSpeedMPerS !== null && furthestMoved(now.points, after.points) > linkSpeedMPerS * (motions[0] as Motion).dt * share);
    },
    broken(at, speedBefore, stepSpeed, motions, share) {
      for (let i = 0; i < JOINT_COUNT; i++) {
        const v = stepSpeed[i] as number;
        last[i] = at[i] as number;
        change[i] = v - (speedBefore[i] as number);
        speed[i] = v;
      }
      const farthest = linkSpeedMPerS === null ? Number.POSITIVE_INFINITY : linkSpeedMPerS * (motions[0] as Motion).dt;
      let far = farthest * share;
      let gone = 0;
      room = roomNow;
      /** The points at `last`; null while nobody has had to know them. */
      let from: Placement | null = now;
      for (let k = 0; k < MOST_TICKS; k++) {
        // No point moves further than this: each joint's turn times how far from its axis anything can be.
        let atMost = 0;
        for (let i = 0; i < JOINT_COUNT; i++) {
          const turn = (speed[i] as number) * (motions[i] as Motion).dt;
          position[i] = (last[i] as number) + turn;
          atMost += Math.abs(turn) * (body.reach[i] as number);
        }
        if (atMost > far || atMost > room || gone + atMost > roomBetween || (k === 0 && allowed.lead < Number.POSITIVE_INFINITY)) {
          if (from === null) body.placePoints(last, (from = before));
          body.placePoints(position, after);
          // Of the step alone: by the end of the braking the arm will have come after.
          if (k === 0 && leadsTooFar(after)) return 'lead';
          const moved = furthestMoved(from.points, after.points);
          if (moved > far * (1 + SLACK_SHARE) + SLACK_SHARE * SLACK_M) return 'link-speed';
          gone += moved;
          const rule = judge(after, gone);
          if (rule !== null) return rule;
          from = after;
          after = before;
          before = from;
        } else {
          gone += atMost;
          room -= atMost;
          from = null;
        }
        let moving = false;
        for (let i = 0; i < JOINT_COUNT; i++) {
          const next = brakeStep(speed[i] as number, change[i] as number, motions[i] as Motion);
          change[i] = next - (speed[i] as number);
          speed[i] = next;
          last[i] = position[i] as number;
          if (next !== 0) moving = true;
        }
        // Nothing moves any more: a change that is left over only goes back to zero.
        if (!moving) return null;
        far = farthest;
      }
      return 'acceleration';
    },
  };
}
