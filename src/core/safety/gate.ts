/**
 * The gate: wanted targets in, safe commands out, once a tick. It knows the joints' limits, the arm's shape, where it last
 * told each joint to go and how fast that was; it refuses to know who wants the motion. Its own last command, not the
 * sensor, is what the next one is measured against: a sensor that jumps must not make the target jump. Where the arm is only says
 * how far the target may lead it, and then the target waits.
 *
 *   wanted ─► refused? ─► each joint: range, speed, acceleration, jerk ─► the whole arm: link speed, table, boxes, itself
 *               │ brake               a speed for this tick                    a share of it, the rest of the way to braking
 *
 * Why all promises hold at once. Each joint has two speeds for this tick: the one of braking and the one that was asked for
 * and clamped. Limits of one joint allow an interval of speeds and both are in it, so everything between the two is too. The
 * promises of the whole arm are checked for speeds between them and all the braking after (`shape/path-check.ts`); nothing
 * but braking is always good, because it was checked with the last step. So a clamp never breaks another promise.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import { SAFETY_RULES, type SafetyRule } from '#contracts/control.ts';
import type { JointLimit } from './limits.ts';
import { firstNotFinite } from './rules/finite.ts';
import { brakeStep, brakesWithin, followStep, NO_JERK_LIMIT_DV, type Motion } from './rules/jerk.ts';
import { leadAllowed } from './rules/lead.ts';
import { rampShare } from './rules/ramp.ts';
import { boundsAt, clampToBounds, isAbsurd, rangeOf } from './rules/range.ts';
import { limitSpeed } from './rules/speed.ts';
import { stateIsStale } from './rules/stale-state.ts';
import { sealCommand, type SafeCommand } from './safe-command.ts';
import { pathCheck, type PathCheck, type ShapeLimits } from './shape/path-check.ts';

export interface GateSettings {
  /** JOINT_NAMES order. */
  readonly limits: readonly JointLimit[];
  /** Seconds between two commands. Speed and acceleration are counted in these. */
  readonly tickSeconds: number;
  /** The arm's state may be this old before nothing new is passed. */
  readonly staleAfterMs: number;
  /** Out of rest, full speed is allowed only after this long; absent: at once. */
  readonly rampSeconds?: number;
  /** Absent: joints are limited one by one and nothing is promised of the arm's body. */
  readonly shape?: ShapeLimits;
}

/** Where the joints are wanted at the end of this tick, and how fast that goal itself moves on. */
export interface Wanted {
  /** Radians, JOINT_NAMES order. Untrusted: anything may be in it. */
  readonly positions: ArrayLike<number>;
  /** Radians per second; null for a goal that stands still, such as a slider. */
  readonly velocities: ArrayLike<number> | null;
}

export interface PassContext {
  /** Null when the arm's state is unknown. */
  readonly stateAgeMs: number | null;
  /** Radians, JOINT_NAMES order, `stateAgeMs` old; absent or null: where the arm is does not limit how far it may be led. */
  readonly measured?: ArrayLike<number> | null;
  /** Rules of others (`watch.ts`) that forbid any new target now: brake, then hold. */
  readonly refusedBy?: readonly SafetyRule[];
  /** 0..1: this share of every speed limit. Absent: the whole. */
  readonly slow?: { readonly share: number; readonly by: SafetyRule };
}

export interface Passed {
  readonly command: SafeCommand;
  /** The rules that changed or refused the target, in order, each once. */
  readonly rules: readonly SafetyRule[];
  /** Joints whose command differs from what was wanted. */
  readonly limitedJoints: readonly number[];
}

export interface Gate {
  /** One tick. `null` wants nothing: brake, then hold. */
  pass(wanted: Wanted | null, context: PassContext): Passed;
  /** True when every joint's speed is zero and stays so: without a new target the next command is bit for bit the last one. */
  readonly still: boolean;
  /** The last command's positions, a copy, radians. */
  positions(): Float64Array;
  /** The pose nearest to this one that the joints' ranges allow from here, radians. */
  within(pose: ArrayLike<number>): Float64Array;
  /** What `pass` would make of a coming path, one pose a tick, without doing it. */
  preview(path: readonly Wanted[]): Preview[];
  /** The same gate with ticks of another length. Only while still: throws otherwise. */
  withTick(tickSeconds: number): Gate;
}

export interface Preview {
  readonly positions: number[];
  readonly rules: readonly SafetyRule[];
}

/**
 * A gate whose first command holds `start` (radians, as measured: finite, or a RangeError). A start a little outside the range, as a soft
 * stop or a calibration leaves it, becomes the nearest end of the range, which is the only command ever made without
 * the speed limit.
 */
export function createGate(settings: GateSettings, start: ArrayLike<number>): Gate {
  const { limits, tickSeconds } = settings;
  if (limits.length !== JOINT_COUNT) throw new RangeError(`${limits.length} joint limits`);
  if (!(tickSeconds > 0)) throw new RangeError(`a tick of ${tickSeconds} s`);
  if (firstNotFinite(start, JOINT_COUNT) >= 0) throw new RangeError('a start position that is not finite');
  const position = Float64Array.from(limits, (limit, i) => Math.min(limit.most, Math.max(limit.least, start[i] as number)));
  const check = settings.shape === undefined ? null : pathCheck(settings.shape);
  return gateAt(settings, { position, velocity: new Float64Array(JOINT_COUNT), change: new Float64Array(JOINT_COUNT), moved: 0 }, check);
}

/** What a gate remembers between ticks. */
interface Memory {
  readonly position: Float64Array;
  /** Radians per second. */
  readonly velocity: Float64Array;
  /** Of velocity, in the last tick. */
  readonly change: Float64Array;
  /** Ticks since motion was first wanted out of rest. */
  moved: number;
}

function gateAt(settings: GateSettings, memory: Memory, check: PathCheck | null): Gate {
  const { limits, tickSeconds: dt, staleAfterMs, rampSeconds = 0 } = settings;
  const { position, velocity, change } = memory;
  const motions = limits.map((limit): Motion => {
    const dv = limit.maxAccelerationRadPerS2 * dt;
    return { dt, dv, dj: Math.min(NO_JERK_LIMIT_DV * dv, limit.maxJerkRadPerS3 === undefined ? Number.POSITIVE_INFINITY : limit.maxJerkRadPerS3 * dt * dt) };
  });
  /** Speeds for this tick: of braking, asked for and clamped joint by joint, and the mixture being looked at. */
  const braking = new Float64Array(JOINT_COUNT);
  const asked = new Float64Array(JOINT_COUNT);
  const mixed = new Float64Array(JOINT_COUNT);
  /** Where a joint lands exactly when it gets the speed that was asked for; NaN where it does not land. */
  const landing = new Float64Array(JOINT_COUNT);
  // A speed may pass through zero while it still changes, and would then go on by a hair: still is where the next change can be none, too.
  const isStill = (): boolean => velocity.every((v, i) => v === 0 && Math.abs(change[i] as number) <= (motions[i] as Motion).dj);

  const refusals = (wanted: Wanted, context: PassContext, rules: Set<SafetyRule>): boolean => {
    const before = rules.size;
    if (!isFinite(wanted)) rules.add('finite');
    else if (limits.some((limit, i) => isAbsurd(wanted.positions[i] as number, limit))) rules.add('range');
    if (stateIsStale(context.stateAgeMs, staleAfterMs) || isNoPose(context.measured)) rules.add('stale-state');
    for (const rule of context.refusedBy ?? []) rules.add(rule);
    return rules.size > before;
  };

  const step = (wanted: Wanted | null, context: PassContext): { rules: Set<SafetyRule>; limitedJoints: number[] } => {
    const rules = new Set<SafetyRule>();
    const goal = wanted === null || refusals(wanted, context, rules) ? null : wanted;
    for (let i = 0; i < JOINT_COUNT; i++) braking[i] = brakeStep(velocity[i] as number, change[i] as number, motions[i] as Motion);
    if (goal === null) {
      if (isStill()) memory.moved = 0;
      mixed.set(braking);
      landing.fill(Number.NaN);
    } else {
      const share = speedShare(context, rules);
      for (let i = 0; i < JOINT_COUNT; i++) askJoint(i, goal, share, rules);
      mixWhole(share.all, context, rules);
      memory.moved++;
    }
    for (let i = 0; i < JOINT_COUNT; i++) commit(i);
    const limitedJoints: number[] = [];
    if (wanted !== null) for (let i = 0; i < JOINT_COUNT; i++) if (position[i] !== wanted.positions[i]) limitedJoints.push(i);
    return { rules, limitedJoints };
  };

  /** How much of each speed limit is allowed now, and by which rule it is less. */
  const speedShare = (context: PassContext, rules: Set<SafetyRule>): { readonly all: number; readonly by: SafetyRule | null } => {
    const ramp = rampShare((memory.moved + 1) * dt, rampSeconds);
    const slow = context.slow === undefined ? 1 : Math.min(1, Math.max(0, context.slow.share));
    if (slow < 1 && context.slow !== undefined) rules.add(context.slow.by);
    return { all: ramp * slow, by: ramp < 1 ? 'ramp' : null };
  };

  /** The speed nearest to what is wanted that keeps this joint's own limits. */
  const askJoint = (i: number, goal: Wanted, share: { readonly all: number; readonly by: SafetyRule | null }, rules: Set<SafetyRule>): void => {
    const limit = limits[i] as JointLimit;
    const motion = motions[i] as Motion;
    const from = position[i] as number;
    const v = velocity[i] as number;
    const wantedPosition = goal.positions[i] as number;
    const bounds = boundsAt(from, limit);
    const target = clampToBounds(wantedPosition, bounds);
    if (target !== wantedPosition) rules.add('range');
    const gap = target - from;
    const fastest = limit.maxSpeedRadPerS * share.all;
    if (Math.abs(gap) > fastest * dt * (1 + ROUNDING)) rules.add(Math.abs(gap) > limit.maxSpeedRadPerS * dt * (1 + ROUNDING) || share.by === null ? 'speed' : share.by);
    let u = followStep(gap, limitSpeed(goal.velocities?.[i] ?? 0, fastest), v, change[i] as number, motion, fastest);
    const speedAlone = limitSpeed(gap / dt, fastest);
    if (Math.abs(u - speedAlone) > ROUNDING * motion.dv) rules.add(Math.abs(u - v) < motion.dv * (1 - CLOSE) && Math.abs(u - v - (change[i] as number)) > motion.dj * (1 - CLOSE) ? 'jerk' : 'acceleration');
    const brakes = braking[i] as number;
    const good = (speed: number): boolean => brakesWithin(from + speed * dt, speed, speed - v, motion, bounds, limit.maxSpeedRadPerS, rangeOf(limit));
    if (u !== brakes && !good(u)) {
      rules.add('acceleration');
      u = lastGood(brakes, u, good);
    }
    asked[i] = u;
    // Landing is exact: adding gap to `from` again would leave it off by a rounding, and no two holds would be equal.
    landing[i] = Math.abs(u * dt - gap) <= ROUNDING * motion.dv * dt ? target : Number.NaN;
  };

  /** As much of what was asked as the whole arm may do. */
  const mixWhole = (share: number, context: PassContext, rules: Set<SafetyRule>): void => {
    mixed.set(asked);
    if (check === null || asked.every((u, i) => u === braking[i])) return;
    check.begin(position, arm(context));
    const broken = (): SafetyRule | null => check.broken(position, velocity, mixed, motions, share);
    const first = broken();
    if (first === null) return;
    rules.add(first);
    // Mostly only the step itself is too much: the share of it that is not is found without looking at all the braking after it.
    if ((first === 'link-speed' || first === 'lead') && shortEnough(share)) return noLanding();
    // Slower in the same direction, where that is enough; otherwise on the way to braking.
    slower(0);
    const mix = broken() === null ? slower : towardsBraking;
    let good = 0;
    for (let k = 1, bad = 1; k <= HALVINGS; k++) {
      const middle = (good + bad) / 2;
      mix(middle);
      if (broken() === null) good = middle;
      else bad = middle;
    }
    mix(good);
    // What is in the way may be in the way of one joint only: the others go on along it.
    if (first !== 'link-speed') {
      for (let i = 0; i < JOINT_COUNT; i++) {
        const kept = mixed[i] as number;
        if (kept === asked[i]) continue;
        mixed[i] = asked[i] as number;
        if (broken() !== null) mixed[i] = kept;
      }
    }
    noLanding();
  };

  /** Where the arm is, and how far it may be led. */
  const arm = ({ measured, stateAgeMs }: PassContext): { readonly measured: ArrayLike<number>; readonly leadM: number } | null => {
    const { servo = null, linkSpeedMPerS = null } = settings.shape ?? {};
    if (measured === undefined || measured === null || servo === null || linkSpeedMPerS === null) return null;
    return { measured, leadM: leadAllowed(linkSpeedMPerS, servo, dt, Math.max(0, stateAgeMs ?? 0) / 1000) };
  };

  /** The largest share of what was asked whose step is not too much; true when the whole of it then holds. */
  const shortEnough = (share: number): boolean => {
    if (check === null) return false;
    let good = 0;
    for (let k = 1, bad = 1; k <= HALVINGS; k++) {
      const middle = (good + bad) / 2;
      slower(middle);
      if (check.stepTooFar(position, mixed, motions, share)) bad = middle;
      else good = middle;
    }
    slower(good);
    return check.broken(position, velocity, mixed, motions, share) === null;
  };

  /** A joint that does not get the speed that was asked for does not land. */
  const noLanding = (): void => {
    for (let i = 0; i < JOINT_COUNT; i++) if (mixed[i] !== asked[i]) landing[i] = Number.NaN;
  };

  /** This share of what was asked, joint by joint no further from it than braking is. */
  const slower = (share: number): void => {
    for (let i = 0; i < JOINT_COUNT; i++) {
      const a = asked[i] as number;
      const b = braking[i] as number;
      mixed[i] = Math.min(Math.max(a, b), Math.max(Math.min(a, b), share * a));
    }
  };

  const towardsBraking = (share: number): void => {
    for (let i = 0; i < JOINT_COUNT; i++) mixed[i] = share === 0 ? (braking[i] as number) : (braking[i] as number) + share * ((asked[i] as number) - (braking[i] as number));
  };

  const commit = (i: number): void => {
    const v = mixed[i] as number;
    const from = position[i] as number;
    change[i] = v - (velocity[i] as number);
    velocity[i] = v;
    if (!Number.isNaN(landing[i])) position[i] = landing[i] as number;
    else if (v !== 0) position[i] = clampToBounds(from + v * dt, boundsAt(from, limits[i] as JointLimit));
  };

  return {
    pass(wanted, context) {
      const { rules, limitedJoints } = step(wanted, context);
      return { command: sealCommand(position), rules: rules.size === 0 ? NONE : SAFETY_RULES.filter((rule) => rules.has(rule)), limitedJoints };
    },
    get still() {
      return isStill();
    },
    within: (pose) => Float64Array.from(limits, (limit, i) => clampToBounds(pose[i] as number, boundsAt(position[i] as number, limit))),
    positions: () => position.slice(),
    preview(path) {
      const copy = gateAt(settings, { position: position.slice(), velocity: velocity.slice(), change: change.slice(), moved: memory.moved }, check);
      return path.map((wanted) => {
        const { rules } = copy.pass(wanted, { stateAgeMs: 0 });
        return { positions: Array.from(copy.positions()), rules };
      });
    },
    withTick(tickSeconds) {
      if (!isStill()) throw new Error('the tick changes only while the arm stands still');
      return createGate({ ...settings, tickSeconds }, position);
    },
  };
}

const NONE: readonly SafetyRule[] = [];

/** Differences below this share of one tick's change are rounding, not a rule. */
const ROUNDING = 1e-9;
/** How near its limit a change is called limited by it. */
const CLOSE = 1e-6;
/** 2^-5: a step is cut to within a thirty-second of what would have been allowed. */
const HALVINGS = 5;

/** Between a speed that is good and one that is not: the last good one, to a millionth of the way. */
function lastGood(known: number, wanted: number, good: (speed: number) => boolean): number {
  let low = known;
  let high = wanted;
  for (let k = 0; k < 20; k++) {
    const middle = (low + high) / 2;
    if (good(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** A reading with a number that is none says where the arm is as little as no reading. */
function isNoPose(measured: PassContext['measured']): boolean {
  return measured !== undefined && measured !== null && firstNotFinite(measured, JOINT_COUNT) >= 0;
}

function isFinite(wanted: Wanted): boolean {
  return firstNotFinite(wanted.positions, JOINT_COUNT) < 0 && (wanted.velocities === null || firstNotFinite(wanted.velocities, JOINT_COUNT) < 0);
}
