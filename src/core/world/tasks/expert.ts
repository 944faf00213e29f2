/**
 * The teacher: solves each task from where things really are, by inverse kinematics and phases, at a person's pace. It
 * looks at the world and not at pictures, so it is a baseline and a maker of demonstrations; it never poses as a policy.
 *
 * Once a tick it is shown the world and says where it wants the joints next. It goes by where the arm is, not by a clock:
 * pushed aside, it goes back; a cube that has moved or slipped is approached again. That is what makes its recoveries
 * worth showing to a learner.
 *
 *   phases of a grasp    over ─► beside ─► close ─► lift ─► (carry ─► release)
 *                          ▲        │         │        │
 *                          └────────┴─────────┴────────┘   cube moved, or not between the fingers
 */
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import type { RobotDescription, Vector3 } from '#contracts/robot.ts';
import type { CubeColour } from '#contracts/scene.ts';
import type { CubeState, PhysicsView, TaskGoal } from '#contracts/task.ts';
import type { JointRadians } from '#contracts/units.ts';
import { reachDown } from '#core/robots/inverse-kinematics.ts';
import { unreachable } from '#core/lib/never.ts';
import { LEFT_IN_WORLD } from './judge.ts';

export interface Expert {
  /** `current`: the targets the motors have now, radians. Returns the next ones. */
  next(view: PhysicsView, current: ArrayLike<number>): JointRadians;
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Jaw angles. */
const OPEN = radians(40);
const CLOSED = radians(-10);
/** Fingers together, for touching and pushing. */
const SHUT = radians(-4);
/**
 * Room between the fixed finger and the cube on the way down; without it the finger lands on the cube. As much as leaves room for
 * the jaw on the other side: a learner copies this, and sees worse. An expert that sees the cubes 6 mm and 10 degrees off (standard
 * deviations) picks up 46 of 60 with 8 mm and a jaw open by 32 degrees, 78 of 80 with 14 mm and 40 degrees, 4 of 60 with 16 mm and 55.
 */
const CLEARANCE_M = 0.014;
/** How high the grip point passes over a cube, above its centre. */
const OVER_M = 0.055;
/** Fastest joint, rad/s, and the share of what is left that is covered in a second: quick, then gently in. */
const PACE = { fastest: 1.3, perSecond: 4.5, slowest: 0.12 };
/** The jaw closes slower: the cube should not be hit. */
const JAW_RAD_PER_S = 1.3;
/**
 * A jaw whose target is this far ahead of it is stopped by what it holds (moving freely it lags by less than 5 degrees), and the lift begins.
 * What decides must be seen in the joints: by a clock that ran 0.9 s from the first closing on, a learner that looks twice a second at a jaw
 * held open could not tell how long it had been so, began to close again, with a target nearer the jaw, and never came to lift.
 */
const BLOCKED_RAD = radians(15);
/** A jaw that has had this long has closed on nothing: wide open to shut is 0.87 rad. */
const CLOSING_S = 0.9;
/** A joint within this of its goal has arrived: 0.7 degrees of pan are 3 mm at the fingers. The jaw is left out: a cube may be in its way. */
const ARRIVED_RAD = radians(0.7);
/** This near the way down counts as on it: 2 degrees of pan are 8 mm at the fingers, half of the room they have. */
const ON_THE_WAY_RAD = radians(2);
const ROLL_INDEX = 4;
/** A roll this near the end of its range counts as run out. */
const RANGE_END_RAD = radians(1.5);
/** A cube that has moved this far since its grasp was planned is approached again. */
const MOVED_M = 0.008;
/** A jaw kept open by more than this has something between the fingers, and this near it is the cube: half its diagonal. */
const PRESSED_RAD = radians(8);
const PRESSED_M = 0.022;
/** A touched cube this far above the table is being carried. */
const LIFTED_M = 0.012;
/** Above the table: carried. */
const LIFT_M = 0.09;

/** Ticks are `tickSeconds` apart. Throws a RangeError when the sentence's cube is not on the table. */
export function createExpert(goal: TaskGoal, robot: RobotDescription, first: PhysicsView, tickSeconds: number): Expert {
  const hands = createHands(robot, tickSeconds);
  switch (goal.kind) {
    case 'touch':
      return touching(goal.colour, hands);
    case 'pick-up':
      return carrying(goal.colour, hands, () => null);
    case 'put-in-bowl':
      return carrying(goal.colour, hands, (view) => overBowl(view));
    case 'stack':
      return carrying(goal.colour, hands, (view) => onCube(view, goal.onto, goal.colour));
    case 'push-left':
      return pushing(goal.colour, hands, LEFT_IN_WORLD, first);
    case 'push-right':
      return pushing(goal.colour, hands, [-LEFT_IN_WORLD[0], 0, 0], first);
    case 'wave':
      return waving(hands);
    default:
      return unreachable(goal);
  }
}

// -- moving ---------------------------------------------------------------------------------------------------------

interface Hands {
  readonly robot: RobotDescription;
  /** One tick towards a pose: all arm joints together, slower as they come near. */
  towards(goal: ArrayLike<number>, current: ArrayLike<number>): JointRadians;
  /** Fingers at a point, closing along `yaw`, jaw as given; null when out of reach or the roll has run out. */
  at(position: Vector3, yaw: number, jaw: number, from: ArrayLike<number>): JointRadians | null;
  /** How far the fingers would lean outwards there, radians. */
  lean(position: Vector3, yaw: number, from: ArrayLike<number>): number;
}

function createHands(robot: RobotDescription, tickSeconds: number): Hands {
  return {
    robot,
    towards(goal, current) {
      const gaps = Array.from(goal, (value, i) => value - current[i]);
      const furthest = Math.max(...gaps.slice(0, GRIPPER_INDEX).map(Math.abs));
      const speed = Math.min(PACE.fastest, Math.max(PACE.slowest, furthest * PACE.perSecond));
      const share = furthest === 0 ? 1 : Math.min(1, (speed * tickSeconds) / furthest);
      return Float64Array.from(gaps, (gap, i) => {
        if (i !== GRIPPER_INDEX) return current[i] + gap * share;
        return current[i] + Math.sign(gap) * Math.min(Math.abs(gap), JAW_RAD_PER_S * tickSeconds);
      }) as JointRadians;
    },
    at(position, yaw, jaw, from) {
      const reach = reachDown(robot, position, yaw, from);
      return reach === null || rollAtEnd(robot, reach.angles) ? null : withJaw(reach.angles, jaw);
    },
    lean: (position, yaw, from) => reachDown(robot, position, yaw, from)?.tilt ?? Math.PI / 2,
  };
}

/** The wrist's roll has run out: leaning far to make up for it is no way to take a cube. */
function rollAtEnd(robot: RobotDescription, angles: ArrayLike<number>): boolean {
  const { least, most } = robot.joints[ROLL_INDEX];
  return angles[ROLL_INDEX] < least + RANGE_END_RAD || angles[ROLL_INDEX] > most - RANGE_END_RAD;
}

function withJaw(angles: ArrayLike<number>, jaw: number): JointRadians {
  return Float64Array.from(angles, (value, i) => (i === GRIPPER_INDEX ? jaw : value)) as JointRadians;
}

function arrived(goal: ArrayLike<number>, joints: ArrayLike<number>): boolean {
  for (let i = 0; i < GRIPPER_INDEX; i++) if (Math.abs(goal[i] - joints[i]) > ARRIVED_RAD) return false;
  return true;
}

/** Whether the arm's joints are on the straight way (in joint space) between two poses. */
function onTheWay(from: ArrayLike<number>, to: ArrayLike<number>, joints: ArrayLike<number>): boolean {
  let [travel, done] = [0, 0];
  for (let i = 0; i < GRIPPER_INDEX; i++) {
    travel += (to[i] - from[i]) ** 2;
    done += (to[i] - from[i]) * (joints[i] - from[i]);
  }
  const share = travel === 0 ? 0 : Math.min(1, Math.max(0, done / travel));
  for (let i = 0; i < GRIPPER_INDEX; i++) if (Math.abs(from[i] + share * (to[i] - from[i]) - joints[i]) > ON_THE_WAY_RAD) return false;
  return true;
}

// -- grasping -------------------------------------------------------------------------------------------------------

/** How a cube is taken: where its planner saw it, from where, and the poses of the fingers. */
interface Grasp {
  readonly seen: Vector3;
  readonly yaw: number;
  /** Which of the four ways: quarter turns from the cube's own yaw. */
  readonly quarter: number;
  readonly over: JointRadians;
  readonly beside: JointRadians;
}

/**
 * The best of the four ways to take a cube: reachable, no neighbour where the fingers go, the wrist turned little.
 * Null when there is none.
 */
function planGrasp(hands: Hands, view: PhysicsView, cube: CubeState, failures: readonly number[], current: ArrayLike<number>): Grasp | null {
  const [x, y, z] = cube.position;
  const outwards = Math.atan2(y, x);
  let best: { readonly grasp: Grasp; readonly cost: number } | null = null;
  for (let quarter = 0; quarter < 4; quarter++) {
    const closing = cube.yawRad + (quarter * Math.PI) / 2;
    const beside = (height: number): Vector3 => [x + CLEARANCE_M * Math.cos(closing), y + CLEARANCE_M * Math.sin(closing), height];
    const over = hands.at(beside(z + OVER_M), closing, OPEN, current);
    if (over === null) continue;
    const down = hands.at(beside(z), closing, OPEN, over);
    if (down === null) continue;
    const turn = Math.abs(over[ROLL_INDEX] - current[ROLL_INDEX]);
    const crowding = view.cubes.reduce((sum, other) => sum + (other.colour === cube.colour ? 0 : crowds(other.position, cube.position, closing)), 0);
    // Fingers that lean in the direction they close in come down on the cube instead of beside it.
    const leaning = Math.sin(hands.lean(beside(z), closing, over)) * Math.abs(Math.cos(closing - outwards));
    const cost = turn + 20 * crowding + 6 * leaning + 3 * failures[quarter];
    if (best === null || cost < best.cost) best = { grasp: { seen: cube.position, yaw: closing, quarter, over, beside: down }, cost };
  }
  return best?.grasp ?? null;
}

/** 0 where a neighbour is out of the way of fingers that close along `closing`, up to 1 where a finger would land on it. */
function crowds(neighbour: Vector3, cube: Vector3, closing: number): number {
  const dx = neighbour[0] - cube[0];
  const dy = neighbour[1] - cube[1];
  const along = dx * Math.cos(closing) + dy * Math.sin(closing);
  const across = Math.abs(-dx * Math.sin(closing) + dy * Math.cos(closing));
  // The open jaw (at -along) swings out about 5 cm, the fixed finger about 3.5 cm; both are about 3 cm wide with the cube's own half.
  const reach = along < 0 ? 0.075 : 0.055;
  return Math.max(0, 1 - Math.abs(along) / reach) * Math.max(0, 1 - across / 0.045);
}

/** The jaw has been told to shut and the cube keeps it open: held, however crooked, and lifted as it is. */
function pressed(view: PhysicsView, cube: CubeState, current: ArrayLike<number>): boolean {
  return cube.touchedByGripper && current[GRIPPER_INDEX] < SHUT && view.joints[GRIPPER_INDEX] > current[GRIPPER_INDEX] + PRESSED_RAD && apart(cube.position, view.gripPoint) < PRESSED_M;
}

type CarryPhase =
  | { readonly kind: 'over' | 'beside'; readonly grasp: Grasp }
  | { readonly kind: 'close'; readonly grasp: Grasp; readonly since: number }
  | { readonly kind: 'lift'; readonly grasp: Grasp; readonly up: JointRadians }
  | { readonly kind: 'carry'; readonly place: Place; readonly pose: JointRadians }
  | { readonly kind: 'lower'; readonly place: Place; readonly pose: JointRadians }
  | { readonly kind: 'release'; readonly place: Place; readonly since: number; readonly pose: JointRadians }
  | { readonly kind: 'retreat'; readonly pose: JointRadians };

/** Where a carried cube goes: first above, then down to where it is let go. */
interface Place {
  readonly above: Vector3;
  readonly down: Vector3;
}

/** Pick up, and where `placeOf` says so, put down. */
function carrying(colour: CubeColour, hands: Hands, placeOf: (view: PhysicsView) => Place | null): Expert {
  let phase: CarryPhase | null = null;
  let begun: 'yes' | 'no' = 'no';
  const failures = [0, 0, 0, 0];

  const restart = (view: PhysicsView, current: ArrayLike<number>): CarryPhase | null => {
    const grasp = planGrasp(hands, view, cubeOf(view, colour), failures, current);
    return grasp === null ? null : { kind: 'over', grasp };
  };

  /** The phase that somebody else's work so far is in: a good grasp is not let go, and a hand on its way down is not sent up again. */
  const takenOver = (view: PhysicsView, current: ArrayLike<number>): CarryPhase | null => {
    const cube = cubeOf(view, colour);
    const grasp = planGrasp(hands, view, cube, failures, current);
    if (grasp === null) return null;
    const [x, y, z] = cube.position;
    if (cube.touchedByGripper && z > cube.sizeM / 2 + LIFTED_M) {
      const up = hands.at([x, y, cube.sizeM / 2 + LIFT_M], grasp.yaw, CLOSED, current);
      return up === null ? null : { kind: 'lift', grasp, up };
    }
    if (pressed(view, cube, current)) {
      const up = hands.at([x, y, z + LIFT_M], grasp.yaw, CLOSED, current);
      return up === null ? null : { kind: 'lift', grasp, up: up.map((value, i) => (i === ROLL_INDEX ? current[ROLL_INDEX] : value)) as JointRadians };
    }
    if (!onTheWay(grasp.over, grasp.beside, view.joints)) return null;
    if (cube.touchedByGripper && onTheWay(grasp.beside, grasp.beside, view.joints)) return { kind: 'close', grasp, since: view.simSeconds };
    return view.joints[GRIPPER_INDEX] > OPEN - radians(6) ? { kind: 'beside', grasp } : null;
  };

  const advance = (now: CarryPhase, view: PhysicsView, current: ArrayLike<number>): CarryPhase | null => {
    const cube = cubeOf(view, colour);
    switch (now.kind) {
      case 'over':
        if (apart(cube.position, now.grasp.seen) > MOVED_M) return restart(view, current);
        return arrived(now.grasp.over, view.joints) && view.joints[GRIPPER_INDEX] > OPEN - radians(6) ? { kind: 'beside', grasp: now.grasp } : now;
      case 'beside':
        if (apart(cube.position, now.grasp.seen) > MOVED_M) {
          failures[now.grasp.quarter]++;
          return restart(view, current);
        }
        return arrived(now.grasp.beside, view.joints) ? { kind: 'close', grasp: now.grasp, since: view.simSeconds } : now;
      case 'close': {
        const blocked = cube.touchedByGripper && view.joints[GRIPPER_INDEX] > current[GRIPPER_INDEX] + BLOCKED_RAD;
        if (!blocked && view.simSeconds - now.since < CLOSING_S) return now;
        if (!cube.touchedByGripper) {
          failures[now.grasp.quarter]++;
          return restart(view, current);
        }
        const [x, y, z] = cube.position;
        const up = hands.at([x, y, z + LIFT_M], now.grasp.yaw, CLOSED, current);
        return up === null ? now : { kind: 'lift', grasp: now.grasp, up };
      }
      case 'lift': {
        if (!cube.touchedByGripper) {
          failures[now.grasp.quarter]++;
          return restart(view, current);
        }
        const place = arrived(now.up, view.joints) ? placeOf(view) : null;
        const pose = place === null ? null : above(place.above, view);
        return place === null || pose === null ? now : { kind: 'carry', place, pose };
      }
      case 'carry': {
        if (!cube.touchedByGripper) return restart(view, current);
        if (!arrived(now.pose, view.joints)) return now;
        const place = placeOf(view) ?? now.place;
        const pose = above(place.down, view);
        return pose === null ? now : { kind: 'lower', place, pose };
      }
      case 'lower':
        if (!cube.touchedByGripper) return restart(view, current);
        return arrived(now.pose, view.joints) ? { kind: 'release', place: now.place, since: view.simSeconds, pose: withJaw(now.pose, OPEN) } : now;
      case 'release': {
        if (view.simSeconds - now.since < 0.45) return now;
        const pose = above([now.place.above[0], now.place.above[1], now.place.above[2] + 0.02], view);
        return pose === null ? now : { kind: 'retreat', pose: withJaw(pose, OPEN) };
      }
      case 'retreat':
        return now;
      default:
        return unreachable(now);
    }
  };

  /** Fingers over a point, closing across the line of sight from the base: turned whichever way the wrist is nearest. */
  const above = (point: Vector3, view: PhysicsView): JointRadians | null => {
    const outwards = Math.atan2(point[1], point[0]);
    const options = [outwards + Math.PI / 2, outwards - Math.PI / 2, outwards, outwards + Math.PI].flatMap((yaw) => {
      const pose = hands.at(point, yaw, CLOSED, view.joints);
      return pose === null ? [] : [{ pose, turn: Math.abs(pose[ROLL_INDEX] - view.joints[ROLL_INDEX]) }];
    });
    return options.sort((a, b) => a.turn - b.turn)[0]?.pose ?? null;
  };

  const goalOf = (now: CarryPhase): ArrayLike<number> => {
    switch (now.kind) {
      case 'over':
        return now.grasp.over;
      case 'beside':
        return now.grasp.beside;
      case 'close':
        return withJaw(now.grasp.beside, CLOSED);
      case 'lift':
        return now.up;
      case 'carry':
      case 'lower':
      case 'release':
      case 'retreat':
        return now.pose;
      default:
        return unreachable(now);
    }
  };

  return {
    next(view, current) {
      phase ??= (begun === 'no' ? takenOver(view, current) : null) ?? restart(view, current);
      begun = 'yes';
      if (phase !== null) phase = advance(phase, view, current);
      // Nothing reachable: stay. The judge's clock runs on.
      return hands.towards(phase === null ? current : goalOf(phase), current);
    },
  };
}

function overBowl(view: PhysicsView): Place | null {
  if (view.bowl === null) return null;
  const [x, y, z] = view.bowl.position;
  const rim = z + view.bowl.heightM;
  return { above: [x, y, rim + 0.07], down: [x, y, rim + 0.025] };
}

function onCube(view: PhysicsView, onto: CubeColour, carried: CubeColour): Place {
  const lower = cubeOf(view, onto);
  const size = (lower.sizeM + cubeOf(view, carried).sizeM) / 2;
  const [x, y, z] = lower.position;
  return { above: [x, y, z + size + 0.045], down: [x, y, z + size + 0.002] };
}

// -- touching and pushing ---------------------------------------------------------------------------------------------

function touching(colour: CubeColour, hands: Hands): Expert {
  let plan: { readonly seen: Vector3; readonly over: JointRadians; readonly down: JointRadians } | null = null;
  let descending: 'yes' | 'no' = 'no';
  return {
    next(view, current) {
      const cube = cubeOf(view, colour);
      if (plan === null || apart(cube.position, plan.seen) > MOVED_M) {
        plan = planTouch(hands, cube, current);
        descending = 'no';
      }
      if (plan === null) return hands.towards(current, current);
      if (arrived(plan.over, view.joints)) descending = 'yes';
      return hands.towards(descending === 'yes' ? plan.down : plan.over, current);
    },
  };
}

function planTouch(hands: Hands, cube: CubeState, current: ArrayLike<number>): { seen: Vector3; over: JointRadians; down: JointRadians } | null {
  const [x, y, z] = cube.position;
  const outwards = Math.atan2(y, x);
  let best: { readonly plan: { seen: Vector3; over: JointRadians; down: JointRadians }; readonly turn: number } | null = null;
  for (const yaw of [outwards, outwards + Math.PI / 2, outwards + Math.PI, outwards - Math.PI / 2]) {
    const over = hands.at([x, y, z + OVER_M], yaw, SHUT, current);
    // Fingertips reach 11 mm beyond the grip point, so this presses 6 mm into the top: contact for certain.
    const down = over === null ? null : hands.at([x, y, z + cube.sizeM / 2 + 0.005], yaw, SHUT, over);
    if (over === null || down === null) continue;
    const turn = Math.abs(over[ROLL_INDEX] - current[ROLL_INDEX]);
    if (best === null || turn < best.turn) best = { plan: { seen: cube.position, over, down }, turn };
  }
  return best?.plan ?? null;
}

/** Beside the cube at this distance from its centre: half a cube, half the fingers' width, and 12 mm. */
const PUSH_FROM_M = 0.042;
/** Further away than that by so much, where a neighbour leaves no room for the fingers. */
const PUSH_ROOM_M = [0, 0.012, 0.024] as const;
/** The fingers end up this far beyond where the cube began: a little more than the 5 cm asked for. */
const PUSH_TO_M = 0.062;
/** Something holds the fingers up when their joints stay this far behind for this long: half of what the watch calls a stall. */
const HELD_UP = { rad: radians(4), seconds: 0.25 };

type PushStage = 'over' | 'down' | 'push';

interface PushWay {
  /** Which of the ways to come down beside the cube this is. */
  readonly way: number;
  readonly poses: Readonly<Record<PushStage, JointRadians>>;
  readonly seen: Vector3;
}

interface PushPhase {
  readonly kind: PushStage;
  readonly plan: PushWay;
  /** Since when the joints have been far behind, or null. */
  readonly behindSince: number | null;
}

function pushing(colour: CubeColour, hands: Hands, direction: Vector3, first: PhysicsView): Expert {
  const began = cubeOf(first, colour).position;
  const failures = new Map<number, number>();
  let phase: PushPhase | null = null;

  const plan = (view: PhysicsView, current: ArrayLike<number>): PushPhase | null => {
    const cube = cubeOf(view, colour);
    const [x, y, z] = cube.position;
    const along = (by: number, height: number): Vector3 => [x + direction[0] * by, y + direction[1] * by, height];
    // What is still missing of the whole way, from where the cube is now.
    const done = (x - began[0]) * direction[0] + (y - began[1]) * direction[1];
    const options = PUSH_ROOM_M.flatMap((room, r) =>
      [Math.PI / 2, -Math.PI / 2].flatMap((yaw, side) => {
        const from = -PUSH_FROM_M - room;
        const over = hands.at(along(from, z + OVER_M), yaw, SHUT, current);
        const down = over && hands.at(along(from, z + 0.004), yaw, SHUT, over);
        const push = down && hands.at(along(PUSH_TO_M - done - 0.024, z + 0.004), yaw, SHUT, down);
        if (!over || !down || !push) return [];
        const way = 2 * r + side;
        const landing = along(from, z);
        const crowding = Math.max(0, ...view.cubes.map((other) => (other.colour === colour ? 0 : landsOn(other.position, landing))));
        const turn = Math.abs(over[ROLL_INDEX] - current[ROLL_INDEX]);
        return [{ plan: { way, poses: { over, down, push }, seen: cube.position }, cost: turn + 20 * crowding + 20 * room + 3 * (failures.get(way) ?? 0) }];
      }),
    );
    const best = options.sort((a, b) => a.cost - b.cost)[0];
    return best === undefined ? null : { kind: 'over', plan: best.plan, behindSince: null };
  };

  /** Held up on the way down or along: this way counts as failed, and another one starts from above. */
  const heldUp = (now: PushPhase, view: PhysicsView, current: ArrayLike<number>): PushPhase => {
    const behind = Array.from(view.joints).some((joint, i) => i < GRIPPER_INDEX && Math.abs(current[i] - joint) > HELD_UP.rad);
    if (!behind || now.kind === 'over') return now.behindSince === null ? now : { ...now, behindSince: null };
    const since = now.behindSince ?? view.simSeconds;
    if (view.simSeconds - since < HELD_UP.seconds) return { ...now, behindSince: since };
    failures.set(now.plan.way, (failures.get(now.plan.way) ?? 0) + 1);
    return plan(view, current) ?? now;
  };

  return {
    next(view, current) {
      phase ??= plan(view, current);
      if (phase === null) return hands.towards(current, current);
      const cube = cubeOf(view, colour);
      phase = heldUp(phase, view, current);
      if (phase.kind !== 'push' && apart(cube.position, phase.plan.seen) > MOVED_M) phase = plan(view, current) ?? phase;
      if (phase.kind === 'over' && arrived(phase.plan.poses.over, view.joints)) phase = { ...phase, kind: 'down' };
      else if (phase.kind === 'down' && arrived(phase.plan.poses.down, view.joints)) phase = { ...phase, kind: 'push' };
      else if (phase.kind === 'push' && arrived(phase.plan.poses.push, view.joints)) phase = plan(view, current) ?? phase;
      return hands.towards(phase.plan.poses[phase.kind], current);
    },
  };
}

/** 0 where shut fingers come down clear of a neighbour, up to 1 where they land on its middle. Fingers and cube are each about 3 cm wide. */
function landsOn(neighbour: Vector3, landing: Vector3): number {
  return Math.max(0, 1 - Math.abs(neighbour[0] - landing[0]) / 0.036) * Math.max(0, 1 - Math.abs(neighbour[1] - landing[1]) / 0.045);
}

// -- waving -----------------------------------------------------------------------------------------------------------

/** Hand up, fingers to the sky, as a person waves. LeRobot degrees. */
const RAISED = [0, -25, -35, -35, 0, 20].map(radians);
const WAVE_RAD = radians(24);
const WAVE_HZ = 0.8;

function waving(hands: Hands): Expert {
  let since: number | null = null;
  return {
    next(view, current) {
      if (since === null && arrived(RAISED, view.joints)) since = view.simSeconds;
      if (since === null) return hands.towards(RAISED, current);
      const swing = WAVE_RAD * Math.sin(2 * Math.PI * WAVE_HZ * (view.simSeconds - since));
      return Float64Array.from(RAISED, (value, i) => (i === 4 ? value + swing : value)) as JointRadians;
    },
  };
}

// -- small things -------------------------------------------------------------------------------------------------------

function cubeOf(view: PhysicsView, colour: CubeColour): CubeState {
  const cube = view.cubes.find((c) => c.colour === colour);
  if (cube === undefined) throw new RangeError(`no ${colour} cube on the table`);
  return cube;
}

function apart(a: Vector3, b: Vector3): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
