/**
 * The gate: wanted targets in, safe commands out, once a tick. It knows the joints' limits, where it last told each
 * joint to go and how fast that was; it refuses to know who wants the motion. Its own last command, not the sensor, is
 * what the next one is measured against: a sensor that jumps must not make the target jump.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { SafetyRule } from '#contracts/control.ts';
import type { JointLimit } from './limits.ts';
import { brake, followVelocity, limitAcceleration } from './rules/acceleration.ts';
import { firstNotFinite } from './rules/finite.ts';
import { boundsAt, clampToBounds, type Bounds } from './rules/range.ts';
import { limitSpeed } from './rules/speed.ts';
import { stateIsStale } from './rules/stale-state.ts';
import { sealCommand, type SafeCommand } from './safe-command.ts';

export interface GateSettings {
  /** JOINT_NAMES order. */
  readonly limits: readonly JointLimit[];
  /** Seconds between two commands. Speed and acceleration are counted in these. */
  readonly tickSeconds: number;
  /** The arm's state may be this old before nothing new is passed. */
  readonly staleAfterMs: number;
}

/** Where the joints are wanted at the end of this tick, and how fast that goal itself moves on. */
export interface Wanted {
  /** Radians, JOINT_NAMES order. Untrusted: anything may be in it. */
  readonly positions: ArrayLike<number>;
  /** Radians per second; null for a goal that stands still, such as a slider. */
  readonly velocities: ArrayLike<number> | null;
}

export interface Passed {
  readonly command: SafeCommand;
  /** The rules that changed or refused the target, in order, each once. */
  readonly rules: readonly SafetyRule[];
  /** Joints whose command differs from what was wanted. */
  readonly limitedJoints: readonly number[];
}

export interface Gate {
  /** One tick. `null` wants nothing: brake, then hold. `stateAgeMs` is null when the arm's state is unknown. */
  pass(wanted: Wanted | null, context: { readonly stateAgeMs: number | null }): Passed;
  /** True when every joint's speed is zero: without a new target the next command is bit for bit the last one. */
  readonly still: boolean;
  /** The last command's positions, a copy, radians. */
  positions(): Float64Array;
  /** What `pass` would make of a coming path, one pose a tick, without doing it. */
  preview(path: readonly Wanted[]): number[][];
  /** The same gate with ticks of another length. Only while still: throws otherwise. */
  withTick(tickSeconds: number): Gate;
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
  return gateAt(settings, position, new Float64Array(JOINT_COUNT));
}

function gateAt(settings: GateSettings, position: Float64Array, velocity: Float64Array): Gate {
  const { limits, tickSeconds: dt, staleAfterMs } = settings;
  const isStill = (): boolean => velocity.every((v) => v === 0);

  const pass = (wanted: Wanted | null, stateAgeMs: number | null): { rules: Set<SafetyRule>; limitedJoints: number[] } => {
    const rules = new Set<SafetyRule>();
    const limitedJoints: number[] = [];
    let goal = wanted;
    if (goal !== null && !isFinite(goal)) {
      rules.add('finite');
      goal = null;
    }
    if (wanted !== null && stateIsStale(stateAgeMs, staleAfterMs)) {
      rules.add('stale-state');
      goal = null;
    }
    for (let i = 0; i < JOINT_COUNT; i++) {
      const limit = limits[i] as JointLimit;
      if (goal === null) brakeJoint(i, limit);
      else if (!followJoint(i, limit, goal.positions[i] as number, goal.velocities?.[i] ?? 0, rules)) limitedJoints.push(i);
      if (goal === null && wanted !== null && position[i] !== wanted.positions[i]) limitedJoints.push(i);
    }
    return { rules, limitedJoints };
  };

  const brakeJoint = (i: number, limit: JointLimit): void => {
    const from = position[i] as number;
    const v = brake(velocity[i] as number, limit.maxAccelerationRadPerS2 * dt);
    velocity[i] = v;
    if (v !== 0) position[i] = clampToBounds(from + v * dt, boundsAt(from, limit));
  };

  /** True when the joint goes exactly where it was wanted. */
  const followJoint = (i: number, limit: JointLimit, wantedPosition: number, wantedVelocity: number, rules: Set<SafetyRule>): boolean => {
    const from = position[i] as number;
    const dv = limit.maxAccelerationRadPerS2 * dt;
    const bounds = boundsAt(from, limit);
    const target = clampToBounds(wantedPosition, bounds);
    if (target !== wantedPosition) rules.add('range');
    const gap = target - from;
    if (Math.abs(gap) > limit.maxSpeedRadPerS * dt * (1 + ROUNDING)) rules.add('speed');
    const follow = limitSpeed(followVelocity(gap, limitSpeed(wantedVelocity, limit.maxSpeedRadPerS), dv, dt), limit.maxSpeedRadPerS);
    const v = limitAcceleration(follow, velocity[i] as number, dv, dt, roomAt(from, bounds));
    const speedAlone = limitSpeed(gap / dt, limit.maxSpeedRadPerS);
    if (Math.abs(v - speedAlone) > ROUNDING * dv) rules.add('acceleration');
    // Landing is exact: adding gap to `from` again would leave it off by a rounding, and no two holds would be equal.
    const lands = Math.abs(v * dt - gap) <= ROUNDING * dv * dt;
    velocity[i] = v;
    position[i] = lands ? target : clampToBounds(from + v * dt, bounds);
    return position[i] === wantedPosition;
  };

  return {
    pass(wanted, context) {
      const { rules, limitedJoints } = pass(wanted, context.stateAgeMs);
      return { command: sealCommand(position), rules: RULE_ORDER.filter((rule) => rules.has(rule)), limitedJoints };
    },
    get still() {
      return isStill();
    },
    positions: () => position.slice(),
    preview(path) {
      const copy = gateAt(settings, position.slice(), velocity.slice());
      return path.map((wanted) => {
        copy.pass(wanted, { stateAgeMs: 0 });
        return Array.from(copy.positions());
      });
    },
    withTick(tickSeconds) {
      if (!isStill()) throw new Error('the tick changes only while the arm stands still');
      return createGate({ ...settings, tickSeconds }, position);
    },
  };
}

const RULE_ORDER: readonly SafetyRule[] = ['finite', 'stale-state', 'range', 'speed', 'acceleration'];

/** Differences below this share of one tick's change are rounding, not a rule. */
const ROUNDING = 1e-9;

function isFinite(wanted: Wanted): boolean {
  return firstNotFinite(wanted.positions, JOINT_COUNT) < 0 && (wanted.velocities === null || firstNotFinite(wanted.velocities, JOINT_COUNT) < 0);
}

function roomAt(position: number, bounds: Bounds): { readonly below: number; readonly above: number } {
  return { below: position - bounds.least, above: bounds.most - position };
}
