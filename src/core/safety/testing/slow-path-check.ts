/**
 * What `shape/path-check.ts` decides, told as plainly as it can be: every tick of the braking, every corner of every part by the
 * kinematics of `core/robots`, every pair of links, nothing left out because it must be far. The reference for the fast one.
 */
import type { SafetyRule } from '#contracts/control.ts';
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import type { Vector3 } from '#contracts/robot.ts';
import { linkPoses } from '#core/robots/kinematics.ts';
import { transform } from '#core/robots/transforms.ts';
import { brakeStep, type Motion } from '../rules/jerk.ts';
import { distanceFromBox } from '../rules/keep-out.ts';
import { linkPairs } from '../rules/self-collision.ts';
import type { ShapeLimits } from '../shape/path-check.ts';
import { cornersOf } from './judge.ts';

export interface Step {
  readonly at: readonly number[];
  readonly speed: readonly number[];
  readonly stepSpeed: readonly number[];
  readonly arm: { readonly measured: readonly number[]; readonly leadM: number } | null;
  readonly share: number;
}

/** Metres and a share: forgives rounding only. */
const SLACK_M = 1e-9;
const SLACK_SHARE = 1e-8;

export function slowPathCheck(limits: ShapeLimits): (step: Step, motions: readonly Motion[]) => SafetyRule | null {
  const { body, robot, floorM, workspace, keepOut } = limits;
  const parts = cornersOf(robot);
  const pairs = limits.selfClearanceM === null ? null : linkPairs(body, robot, limits.selfClearanceM);
  const corners = (q: readonly number[], links = parts.length): Vector3[] => linkPoses(robot, q).slice(1, 1 + links).flatMap((pose, i) => (parts[i] ?? []).map((corner) => transform(pose, corner)));
  const furthest = (a: readonly Vector3[], b: readonly Vector3[]): number =>
    Math.max(...a.map((p, k) => Math.hypot(p[0] - (b[k]?.[0] ?? 0), p[1] - (b[k]?.[1] ?? 0), p[2] - (b[k]?.[2] ?? 0))));
  const look = (q: readonly number[]) => {
    const points = corners(q);
    const placed = body.placement();
    body.place(q, placed);
    const between = new Float64Array(pairs?.count ?? 0);
    pairs?.distances(placed, between);
    return {
      points,
      floor: Math.min(...points.map((p) => p[2])),
      inside: workspace === null ? Infinity : Math.min(...points.flatMap((p) => p.flatMap((x, i) => [x - (workspace.least[i] as number), (workspace.most[i] as number) - x]))),
      boxes: keepOut.map((box) => distanceFromBox(body, placed, box)),
      between,
    };
  };
  return ({ at, speed, stepSpeed, arm, share }, motions) => {
    const dt = motions[0]?.dt ?? Number.NaN;
    const now = look(at);
    const begun = Array.from(pairs?.neededAt(at) ?? [], (least, p) => ((now.between[p] as number) < least ? (now.between[p] as number) : Number.POSITIVE_INFINITY));
    const lead = (q: readonly number[]): number => (arm === null ? 0 : furthest(corners(arm.measured, GRIPPER_INDEX), corners(q, GRIPPER_INDEX)));
    const leadAllowed = arm === null ? Infinity : Math.max(arm.leadM, lead(at));
    let from = now;
    let q = [...at];
    let v = [...stepSpeed];
    let change = v.map((x, i) => x - (speed[i] as number));
    for (let tick = 0; ; tick++) {
      q = q.map((p, i) => p + (v[i] as number) * dt);
      const to = look(q);
      if (tick === 0 && lead(q) > leadAllowed + SLACK_M) return 'lead';
      if (limits.linkSpeedMPerS !== null && furthest(from.points, to.points) > limits.linkSpeedMPerS * dt * (tick === 0 ? share : 1) * (1 + SLACK_SHARE) + SLACK_SHARE * SLACK_M) return 'link-speed';
      if (floorM !== null && to.floor < Math.min(floorM, now.floor) - SLACK_M) return 'table';
      if (to.inside < Math.min(0, now.inside) - SLACK_M) return 'workspace';
      if (to.boxes.some((distance, b) => distance < Math.min(0, now.boxes[b] as number) - SLACK_M)) return 'keep-out';
      const needed = pairs?.neededAt(q) ?? [];
      if (to.between.some((distance, p) => distance < Math.min(needed[p] as number, begun[p] as number) - SLACK_M)) return 'self-collision';
      const next = v.map((x, i) => brakeStep(x, change[i] as number, motions[i] as Motion));
      change = next.map((x, i) => x - (v[i] as number));
      v = next;
      from = to;
      if (v.every((x) => x === 0)) return null;
    }
  };
}
