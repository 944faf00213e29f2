/**
 * Whether a task was done, judged on physics once a control tick. Pure: a judge is handed views of the world and keeps
 * only what its rule needs to remember (where the cubes began, since when a condition holds). Knows no policy, no
 * pictures and no sentence.
 *
 *   touch        the gripper or jaw touches the cube
 *   pick up      the cube's centre is 5 cm above where it began, for 1 s without a break
 *   put in bowl  the cube lies inside the bowl, let go, slower than 5 cm/s, for 0.5 s
 *   push         the cube's centre has moved 5 cm to the side asked for while it stays on the table
 *   stack        the cube stands on the other one (12 mm, 8 mm), let go and still, for 0.5 s
 *   wave         the grip point is 15 cm up while pan, wrist or roll swings 15 degrees, four times (two waves)
 */
import type { CubeColour } from '#contracts/scene.ts';
import type { CubeState, PhysicsView, TaskFailureReason, TaskGoal, TaskVerdict } from '#contracts/task.ts';
import type { Vector3 } from '#contracts/robot.ts';
import { unreachable } from '#core/lib/never.ts';

/** The picture's left in world coordinates: the front camera looks along +y at an arm that looks along -y. */
export const LEFT_IN_WORLD: Vector3 = [-1, 0, 0];

export const LIFT_M = 0.05;
export const LIFT_HOLD_S = 1;
export const STILL_M_PER_S = 0.05;
export const STILL_HOLD_S = 0.5;
export const PUSH_M = 0.05;
export const STACK_OFF_CENTRE_M = 0.012;
export const STACK_HEIGHT_M = 0.008;
export const WAVE_HEIGHT_M = 0.15;
export const WAVE_SWING_RAD = (15 * Math.PI) / 180;
export const WAVE_SWINGS = 4;
/** Another cube moved this far counts as taken for the right one. */
export const WRONG_CUBE_M = 0.05;
/** A cube whose centre is this far below the table top has left it. */
const OFF_TABLE_M = -0.02;

export const TIME_LIMIT_S: Readonly<Record<TaskGoal['kind'], number>> = {
  touch: 10,
  'pick-up': 12,
  'put-in-bowl': 16,
  'push-left': 12,
  'push-right': 12,
  stack: 20,
  wave: 10,
};

export interface Judge {
  /** Call once a control tick, in order. After a verdict other than `running` it never changes. */
  step(view: PhysicsView): TaskVerdict;
}

/** `first` is the world as it was reset, before anything moved. */
export function createJudge(goal: TaskGoal, first: PhysicsView): Judge {
  const started = first.simSeconds;
  const rule = createRule(goal, first);
  let verdict: TaskVerdict = { kind: 'running' };
  let everTouched = false;
  return {
    step(view) {
      if (verdict.kind !== 'running') return verdict;
      const elapsed = view.simSeconds - started;
      everTouched ||= goal.kind !== 'wave' && cube(view, goal.colour).touchedByGripper;
      const found = rule(view);
      if (found === 'success') verdict = { kind: 'success', atSeconds: elapsed };
      else if (found !== 'running') verdict = { kind: 'failure', reason: found, atSeconds: elapsed };
      else if (elapsed >= TIME_LIMIT_S[goal.kind]) {
        const reason = goal.kind !== 'wave' && !everTouched ? 'never-touched' : 'time-out';
        verdict = { kind: 'failure', reason, atSeconds: elapsed };
      }
      return verdict;
    },
  };
}

type Rule = (view: PhysicsView) => 'running' | 'success' | TaskFailureReason;

function createRule(goal: TaskGoal, first: PhysicsView): Rule {
  switch (goal.kind) {
    case 'touch':
      return touchRule(goal.colour);
    case 'pick-up':
      return pickUpRule(goal.colour, first);
    case 'put-in-bowl':
      return bowlRule(goal.colour, first);
    case 'push-left':
      return pushRule(goal.colour, first, LEFT_IN_WORLD);
    case 'push-right':
      return pushRule(goal.colour, first, [-LEFT_IN_WORLD[0], -LEFT_IN_WORLD[1], -LEFT_IN_WORLD[2]]);
    case 'stack':
      return stackRule(goal.colour, goal.onto, first);
    case 'wave':
      return waveRule(first);
    default:
      return unreachable(goal);
  }
}

function touchRule(colour: CubeColour): Rule {
  return (view) => {
    if (cube(view, colour).touchedByGripper) return 'success';
    return view.cubes.some((other) => other.touchedByGripper) ? 'wrong-cube' : 'running';
  };
}

function pickUpRule(colour: CubeColour, first: PhysicsView): Rule {
  const floor = cube(first, colour).position[2];
  const held = holds(LIFT_HOLD_S);
  let wasUp = false;
  return (view) => {
    const own = cube(view, colour);
    if (own.position[2] < OFF_TABLE_M) return 'knocked-off';
    const up = own.position[2] - floor >= LIFT_M;
    if (held(up, view.simSeconds)) return 'success';
    if (wasUp && !own.touchedByGripper && own.position[2] - floor < LIFT_M / 5) return 'dropped';
    wasUp ||= up;
    return othersLifted(view, first, colour) ? 'wrong-cube' : 'running';
  };
}

function bowlRule(colour: CubeColour, first: PhysicsView): Rule {
  const held = holds(STILL_HOLD_S);
  return (view) => {
    const own = cube(view, colour);
    if (own.position[2] < OFF_TABLE_M) return 'knocked-off';
    const inside = insideBowl(own, view) && !own.touchedByGripper && own.speedMPerS < STILL_M_PER_S;
    if (held(inside, view.simSeconds)) return 'success';
    const other = view.cubes.some((c) => c.colour !== colour && insideBowl(c, view) && !insideBowl(cube(first, c.colour), first));
    return other ? 'wrong-cube' : 'running';
  };
}

function pushRule(colour: CubeColour, first: PhysicsView, direction: Vector3): Rule {
  const from = cube(first, colour).position;
  return (view) => {
    const own = cube(view, colour);
    if (own.position[2] < OFF_TABLE_M) return 'knocked-off';
    const onTable = own.position[2] < from[2] + own.sizeM / 2;
    const along = dot(minus(own.position, from), direction);
    if (onTable && along >= PUSH_M) return 'success';
    if (onTable && along <= -PUSH_M) return 'wrong-way';
    const otherMoved = view.cubes.some((c) => c.colour !== colour && distance(c.position, cube(first, c.colour).position) >= WRONG_CUBE_M);
    return otherMoved ? 'wrong-cube' : 'running';
  };
}

function stackRule(colour: CubeColour, onto: CubeColour, first: PhysicsView): Rule {
  const held = holds(STILL_HOLD_S);
  return (view) => {
    const upper = cube(view, colour);
    const lower = cube(view, onto);
    if (upper.position[2] < OFF_TABLE_M || lower.position[2] < OFF_TABLE_M) return 'knocked-off';
    const offCentre = Math.hypot(upper.position[0] - lower.position[0], upper.position[1] - lower.position[1]);
    const above = upper.position[2] - lower.position[2];
    const wanted = (upper.sizeM + lower.sizeM) / 2;
    const stands =
      offCentre <= STACK_OFF_CENTRE_M &&
      Math.abs(above - wanted) <= STACK_HEIGHT_M &&
      !upper.touchedByGripper &&
      upper.speedMPerS < STILL_M_PER_S;
    if (held(stands, view.simSeconds)) return 'success';
    const third = view.cubes.some(
      (c) => c.colour !== colour && c.colour !== onto && c.position[2] - cube(first, c.colour).position[2] >= LIFT_M,
    );
    return third ? 'wrong-cube' : 'running';
  };
}

/** Waving is done with shoulder_pan (0), wrist_flex (3) or wrist_roll (4). */
function waveRule(first: PhysicsView): Rule {
  const counters = [0, 3, 4].map((joint) => ({ joint, count: swingCounter(first.joints[joint]) }));
  return (view) => {
    const raised = view.gripPoint[2] >= WAVE_HEIGHT_M;
    let done = false;
    for (const { joint, count } of counters) done = count(view.joints[joint], raised) >= WAVE_SWINGS || done;
    return done ? 'success' : 'running';
  };
}

/** Counts swings of at least WAVE_SWING_RAD to alternate sides; starts again whenever the arm is not raised. */
function swingCounter(start: number): (angle: number, raised: boolean) => number {
  // `furthest` is the last turning point while heading somewhere, before that the range seen so far.
  let state: { heading: 'none'; low: number; high: number } | { heading: 'up' | 'down'; furthest: number; swings: number } = {
    heading: 'none',
    low: start,
    high: start,
  };
  return (angle, raised) => {
    if (!raised) {
      state = { heading: 'none', low: angle, high: angle };
    } else if (state.heading === 'none') {
      const low = Math.min(state.low, angle);
      const high = Math.max(state.high, angle);
      if (angle - low >= WAVE_SWING_RAD) state = { heading: 'up', furthest: angle, swings: 1 };
      else if (high - angle >= WAVE_SWING_RAD) state = { heading: 'down', furthest: angle, swings: 1 };
      else state = { heading: 'none', low, high };
    } else {
      const sign = state.heading === 'up' ? 1 : -1;
      const furthest = sign * Math.max(sign * state.furthest, sign * angle);
      const turned = sign * (furthest - angle) >= WAVE_SWING_RAD;
      state = turned
        ? { heading: state.heading === 'up' ? 'down' : 'up', furthest: angle, swings: state.swings + 1 }
        : { ...state, furthest };
    }
    return state.heading === 'none' ? 0 : state.swings;
  };
}

/** True once `condition` has held for `seconds` without a break. */
function holds(seconds: number): (condition: boolean, now: number) => boolean {
  let since: number | null = null;
  return (condition, now) => {
    if (!condition) since = null;
    else since ??= now;
    // Simulated time is a sum of 2 ms steps: a nanosecond forgives its rounding.
    return since !== null && now - since >= seconds - 1e-9;
  };
}

function insideBowl(c: CubeState, view: PhysicsView): boolean {
  if (view.bowl === null) return false;
  const [x, y, z] = view.bowl.position;
  const aside = Math.hypot(c.position[0] - x, c.position[1] - y);
  return aside < view.bowl.radiusM && c.position[2] > z && c.position[2] < z + view.bowl.heightM + c.sizeM / 2;
}

function othersLifted(view: PhysicsView, first: PhysicsView, colour: CubeColour): boolean {
  return view.cubes.some((c) => c.colour !== colour && c.position[2] - cube(first, c.colour).position[2] >= LIFT_M);
}

function cube(view: PhysicsView, colour: CubeColour): CubeState {
  const found = view.cubes.find((c) => c.colour === colour);
  if (!found) throw new Error(`no ${colour} cube in this scene`);
  return found;
}

function minus(a: Vector3, b: Vector3): Vector3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function distance(a: Vector3, b: Vector3): number {
  return Math.hypot(...minus(a, b));
}
