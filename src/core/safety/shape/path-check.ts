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
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { SafetyRule } from '#contracts/control.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import { brakeStep, type Motion } from '../rules/jerk.ts';
import { distanceFromBox, distanceInside, type Box } from '../rules/keep-out.ts';
import { furthestMoved } from '../rules/link-speed.ts';
import { linkPairs } from '../rules/self-collision.ts';
import { lowest } from '../rules/table.ts';
import type { Body, Placement } from './body.ts';

export interface ShapeLimits {
  readonly body: Body;
  readonly robot: RobotDescription;
  /** Metres per second, every point of every link; null: not limited. */
  readonly linkSpeedMPerS: number | null;
  /** Nothing of the arm goes below this, metres; null: no table. */
  readonly floorM: number | null;
  readonly keepOut: readonly Box[];
  readonly workspace: Box | null;
  /** Between links that are not neighbours, metres; null: not looked at. */
  readonly selfClearanceM: number | null;
}

export interface PathCheck {
  /** The arm stands or passes here now. */
  begin(position: ArrayLike<number>): void;
  /** Whether the step alone, without what follows, moves some point faster than allowed: a tenth of the price of the whole question. */
  tooFast(position: ArrayLike<number>, stepSpeed: ArrayLike<number>, motions: readonly Motion[], share: number): boolean;
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

export function pathCheck(limits: ShapeLimits): PathCheck {
  const { body, linkSpeedMPerS, floorM, keepOut, workspace } = limits;
  const pairs = limits.selfClearanceM === null ? null : linkPairs(body, limits.robot, limits.selfClearanceM);
  const now = body.placement();
  let before = body.placement();
  let after = body.placement();
  const position = new Float64Array(JOINT_COUNT);
  const speed = new Float64Array(JOINT_COUNT);
  const change = new Float64Array(JOINT_COUNT);
  const found = new Float64Array(pairs?.count ?? 0);
  /** Distances of the pairs where the arm is now: what is far and moves little stays far, without looking again. */
  const known = new Float64Array(pairs?.count ?? 0);
  const looked = new Float64Array(pairs?.count ?? 0);
  const lastPoints = new Float64Array(now.points.length);
  let passed = false;
  // What is asked for from here: the limit, or where the arm is now if that is worse.
  const allowed = { floor: 0, inside: 0, boxes: new Float64Array(keepOut.length), pairs: new Float64Array(pairs?.count ?? 0) };

  const judge = (placed: Placement, moved: number): SafetyRule | null => {
    if (floorM !== null && lowest(placed.points) < allowed.floor - SLACK_M) return 'table';
    if (workspace !== null && distanceInside(placed.points, workspace) < allowed.inside - SLACK_M) return 'workspace';
    for (let b = 0; b < keepOut.length; b++) if (distanceFromBox(body, placed, keepOut[b] as Box) < (allowed.boxes[b] as number) - SLACK_M) return 'keep-out';
    if (pairs !== null) {
      found.set(known);
      pairs.distances(placed, found, { known, moved });
      for (let p = 0; p < found.length; p++) if ((found[p] as number) < (allowed.pairs[p] as number) - SLACK_M) return 'self-collision';
    }
    return null;
  };

  return {
    begin(at) {
      body.place(at, now);
      if (floorM !== null) allowed.floor = Math.min(floorM, lowest(now.points));
      if (workspace !== null) allowed.inside = Math.min(0, distanceInside(now.points, workspace));
      keepOut.forEach((box, b) => (allowed.boxes[b] = Math.min(0, distanceFromBox(body, now, box))));
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
      for (let p = 0; p < known.length; p++) allowed.pairs[p] = Math.min(needed[p] as number, known[p] as number);
    },
    tooFast(at, stepSpeed, motions, share) {
      if (linkSpeedMPerS === null) return false;
      for (let i = 0; i < JOINT_COUNT; i++) position[i] = (at[i] as number) + (stepSpeed[i] as number) * (motions[i] as Motion).dt;
      body.place(position, after);
      return furthestMoved(now.points, after.points) > linkSpeedMPerS * (motions[0] as Motion).dt * share;
    },
    broken(at, speedBefore, stepSpeed, motions, share) {
      before.points.set(now.points);
      for (let i = 0; i < JOINT_COUNT; i++) {
        const v = stepSpeed[i] as number;
        position[i] = (at[i] as number) + v * (motions[i] as Motion).dt;
        change[i] = v - (speedBefore[i] as number);
        speed[i] = v;
      }
      const farthest = linkSpeedMPerS === null ? Number.POSITIVE_INFINITY : linkSpeedMPerS * (motions[0] as Motion).dt;
      let far = farthest * share;
      let gone = 0;
      for (let k = 0; k < MOST_TICKS; k++) {
        body.place(position, after);
        const moved = furthestMoved(before.points, after.points);
        if (moved > far * (1 + SLACK_SHARE) + SLACK_SHARE * SLACK_M) return 'link-speed';
        gone += moved;
        const rule = judge(after, gone);
        if (rule !== null) return rule;
        let moving = false;
        for (let i = 0; i < JOINT_COUNT; i++) {
          const motion = motions[i] as Motion;
          const next = brakeStep(speed[i] as number, change[i] as number, motion);
          change[i] = next - (speed[i] as number);
          speed[i] = next;
          if (next !== 0) moving = true;
          position[i] = (position[i] as number) + next * motion.dt;
        }
        // Nothing moves any more: a change that is left over only goes back to zero.
        if (!moving) return null;
        const free = before;
        before = after;
        after = free;
        far = farthest;
      }
      return 'acceleration';
    },
  };
}
