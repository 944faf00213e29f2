/**
 * Rule: links that are not neighbours keep a clearance, capsule from capsule, and at least what their corners stick out of
 * the capsules. Neighbours share a hinge and always touch; the joint's range is what keeps them apart.
 *
 * The arm rests folded, nearer to itself than that. In the pose which the description calls rest a pair needs no more than it has
 * there, and the more the further the arm is from it:
 *
 *   needed(angles) = at rest + (whole - at rest) * min(1, length of ((angles - rest) / FOLDING_RAD))
 *
 * (No more all around rest let shoulder and gripper touch in 3 of 100 poses there.) Wrist and jaw have two joints between them that turn through
 * their whole ranges in every grasp: that pair needs no more than those ranges always leave it (13 mm on an SO-100, 7 mm on an SO-101,
 * whose wrist is more compact).
 */
import { GRIPPER_INDEX, JOINT_COUNT } from '#contracts/joints.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { Body, Placement } from '../shape/body.ts';
import { segmentDistance } from '../shape/segments.ts';

export interface LinkPairs {
  readonly count: number;
  /** Least distance of each pair, metres, that the rule asks for at these joint angles. The same array every time: copy to keep. */
  neededAt(angles: ArrayLike<number>): Float64Array;
  /** The most of it: away from rest. */
  readonly needed: Float64Array;
  /**
   * The distance of each pair, metres, negative where capsules overlap. Exact below `NEAR_M`, `NEAR_M` above. Pairs that were
   * `known` to be so far apart that they still are, after points have `moved`, are left as they are. Far is `above` this,
   * the needed distance where absent. Places the capsules of the links it looks at.
   */
  distances(placed: Placement, into: Float64Array, far?: { readonly known: Float64Array; readonly moved: number; readonly above?: Float64Array }): void;
}

/** Farther than this is far. Braking from the default speeds moves no two links towards each other by so much. */
export const NEAR_M = 0.06;
/**
 * Two corners meet where their capsules are still this share of their sum apart: 0.73 was the most in 60,000 random poses and 30,000
 * about rest that MuJoCo called a contact (`upper_arm` and `gripper`, 17.4 mm), and none of links with one link between them was nearer
 * than the default clearance: the ranges of two joints keep their corners apart. Two millimetres for the arm's own
 * weight: with one, shoulder and gripper once touched with 0.7 N where the arm stood 0.1 degrees below its target.
 */
const CORNER_SHARE = 0.74;
const SAG_M = 0.002;
/** Links, counted from the base; the wrist's number is also that of the joint that turns the gripper on it. */
const WRIST = 4;
const JAW = JOINT_COUNT;
/**
 * Radians from rest at which the whole is needed, JOINT_NAMES order. Shoulder's turn and jaw fold nothing. Of 60,000 poses about rest
 * MuJoCo lets none touch where the rule is content (0.6 mm to go, SO-101); with the roll at 0.8 and the furthest joint counted alone some did.
 */
const FOLDING_RAD = [Number.POSITIVE_INFINITY, 1.2, 1.2, 1.2, 0.6, Number.POSITIVE_INFINITY] as const;
/** A little less than at rest, so that an arm that only nearly stands there may too. */
const REST_PLAY_M = 0.002;

export function linkPairs(body: Body, robot: RobotDescription, clearanceM: number): LinkPairs {
  const links = robot.links.length + 1;
  const capsulesBy = Array.from({ length: links }, (_, link) => body.capsules.flatMap((capsule, i) => (capsule.link === link ? [i] : [])));
  const pairs = Array.from({ length: links }, (_, a) => a).flatMap((a) => Array.from({ length: links }, (_, b) => b).filter((b) => b > a + 1).map((b) => ({ a, b })));
  const spheres = boundingSpheres(body, capsulesBy);
  const radius = Float64Array.from(body.capsules, (capsule) => capsule.radius);
  const reach = new Float64Array(body.capsules.length);
  const middle = new Float64Array(3 * body.capsules.length);
  const sticksOut = capsulesBy.map((list) => list.reduce((most, c) => Math.max(most, (body.capsules[c] as { readonly cover: number }).cover - (radius[c] as number)), 0));
  const needed = Float64Array.from(pairs, ({ a, b }) => (b === a + 2 ? clearanceM : Math.max(clearanceM, CORNER_SHARE * ((sticksOut[a] as number) + (sticksOut[b] as number)) + SAG_M)));

  const nearest = (axes: Float64Array, a: readonly number[], b: readonly number[]): number => {
    let least = NEAR_M;
    for (const i of a) {
      for (const j of b) {
        const dx = (middle[3 * i] as number) - (middle[3 * j] as number);
        const dy = (middle[3 * i + 1] as number) - (middle[3 * j + 1] as number);
        const dz = (middle[3 * i + 2] as number) - (middle[3 * j + 2] as number);
        const worth = least + (reach[i] as number) + (reach[j] as number);
        if (dx * dx + dy * dy + dz * dz > worth * worth) continue;
        const d = segmentDistance(axes, 6 * i, axes, 6 * j) - (radius[i] as number) - (radius[j] as number);
        if (d < least) least = d;
      }
    }
    return least;
  };

  /** Links whose capsules have been placed for the question being answered. */
  const ready = new Uint8Array(links);
  const follow = (link: number, placed: Placement): void => {
    if (ready[link] === 1) return;
    ready[link] = 1;
    body.placeCapsules(link, placed);
    const { axes } = placed;
    spheres.follow(link, axes);
    for (const c of capsulesBy[link] as readonly number[]) for (let i = 0; i < 3; i++) middle[3 * c + i] = ((axes[6 * c + i] as number) + (axes[6 * c + 3 + i] as number)) / 2;
  };
  const distances: LinkPairs['distances'] = (placed, into, far) => {
    ready.fill(0);
    for (let p = 0; p < pairs.length; p++) {
      if (far !== undefined && (far.known[p] as number) - 2 * far.moved > ((far.above ?? needed)[p] as number)) continue;
      const { a, b } = pairs[p] as { readonly a: number; readonly b: number };
      follow(a, placed);
      follow(b, placed);
      into[p] = spheres.gap(a, b) > NEAR_M ? NEAR_M : nearest(placed.axes, capsulesBy[a] as number[], capsulesBy[b] as number[]);
    }
  };

  const found = new Float64Array(pairs.length);
  const placed = placedAt(body, robot.homePose);
  for (let c = 0; c < reach.length; c++) {
    reach[c] = (radius[c] as number) + Math.hypot(...[0, 1, 2].map((i) => (placed.axes[6 * c + 3 + i] as number) - (placed.axes[6 * c + i] as number))) / 2;
  }
  const swing = pairs.findIndex(({ a, b }) => a === WRIST && b === JAW);
  needed[swing] = Math.min(needed[swing] as number, leastSwing(body, robot, (placed) => {
    distances(placed, found);
    return found[swing] as number;
  }) - SAG_M);
  distances(placedAt(body, robot.restPose), found);
  const spared = needed.map((most, p) => Math.max(0, most - ((found[p] as number) - REST_PLAY_M)));
  const asked = new Float64Array(pairs.length);
  const neededAt = (angles: ArrayLike<number>): Float64Array => {
    const folded = Math.max(0, 1 - shareFromRest(angles, robot.restPose));
    if (folded === 0) return needed;
    for (let p = 0; p < asked.length; p++) asked[p] = (needed[p] as number) - folded * (spared[p] as number);
    return asked;
  };
  return { count: pairs.length, needed, neededAt, distances };
}

const leastSwings = new WeakMap<Body, number>();

/** The least that `distance` is with roll and jaw anywhere in their ranges, metres. Found once a body, on a grid of 8 and 9 degrees: 10 ms. */
function leastSwing(body: Body, robot: RobotDescription, distance: (placed: Placement) => number): number {
  const known = leastSwings.get(body);
  if (known !== undefined) return known;
  const placed = body.placement();
  const pose = Float64Array.from(robot.homePose);
  const across = (joint: number, steps: number): number[] => {
    const { least, most } = robot.joints[joint] as RobotDescription['joints'][number];
    return Array.from({ length: steps + 1 }, (_, i) => least + ((most - least) * i) / steps);
  };
  let least = Number.POSITIVE_INFINITY;
  for (const roll of across(WRIST, 40)) {
    for (const jaw of across(GRIPPER_INDEX, 12)) {
      pose[WRIST] = roll;
      pose[GRIPPER_INDEX] = jaw;
      body.place(pose, placed);
      least = Math.min(least, distance(placed));
    }
  }
  leastSwings.set(body, least);
  return least;
}

/** 0 at rest, 1 and more where nothing is spared. */
function shareFromRest(angles: ArrayLike<number>, rest: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < FOLDING_RAD.length; i++) sum += (((angles[i] as number) - (rest[i] as number)) / (FOLDING_RAD[i] as number)) ** 2;
  return Math.sqrt(sum);
}

/** One sphere a link around its capsules, to tell far links apart at the cost of one distance. Links are rigid: radii are found once. */
function boundingSpheres(body: Body, capsulesBy: readonly (readonly number[])[]) {
  const centres = new Float64Array(3 * capsulesBy.length);
  const follow = (link: number, axes: Float64Array): void => {
    const capsules = capsulesBy[link] as readonly number[];
    for (let i = 0; i < 3; i++) {
      let sum = 0;
      for (const c of capsules) sum += (axes[6 * c + i] as number) + (axes[6 * c + 3 + i] as number);
      centres[3 * link + i] = sum / (2 * capsules.length);
    }
  };
  const { axes } = placedAt(body, new Float64Array(6));
  for (let link = 0; link < capsulesBy.length; link++) follow(link, axes);
  const radii = capsulesBy.map((capsules, link) =>
    capsules.reduce((most, c) => {
      const ends = [6 * c, 6 * c + 3].map((at) => Math.hypot(...[0, 1, 2].map((i) => (axes[at + i] as number) - (centres[3 * link + i] as number))));
      return Math.max(most, ...ends.map((d) => d + (body.capsules[c] as { readonly radius: number }).radius));
    }, 0),
  );
  return {
    follow,
    gap(a: number, b: number): number {
      const dx = (centres[3 * a] as number) - (centres[3 * b] as number);
      const dy = (centres[3 * a + 1] as number) - (centres[3 * b + 1] as number);
      const dz = (centres[3 * a + 2] as number) - (centres[3 * b + 2] as number);
      return Math.sqrt(dx * dx + dy * dy + dz * dz) - (radii[a] as number) - (radii[b] as number);
    },
  };
}

function placedAt(body: Body, angles: ArrayLike<number>): Placement {
  const placed = body.placement();
  body.place(angles, placed);
  return placed;
}
