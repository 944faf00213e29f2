/**
 * The watch: everything that may forbid motion whatever the target is. Asks each rule once a tick, remembers what latched,
 * and forgets it only when a person says so and the cause is gone. It commands nothing: the loop hands what it finds to
 * the gate and brakes.
 */
import type { SafetyRule } from '#contracts/control.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { MotionProfile, SafetyFault, SafetyProfile } from '#contracts/safety.ts';
import { stallRule, temperatureRule, torqueRule, voltageRule, type MotorReadings } from './rules/motors.ts';
import { holdReleased, pageSilent, stateLost, tabHidden, type Verdict } from './rules/surroundings.ts';

export interface Surroundings {
  readonly nowMs: number;
  readonly tick: number;
  readonly tickSeconds: number;
  /** Null where no page is watched. */
  readonly pageSilentMs: number | null;
  readonly page: 'visible' | 'hidden' | null;
  readonly holdKey: 'down' | 'up';
  readonly stateAgeMs: number | null;
  /** Null when there is no fresh reading. */
  readonly readings: MotorReadings | null;
  readonly target: ArrayLike<number>;
  /** Whether the target waited for the arm in the last tick; absent: no. */
  readonly waiting?: 'yes' | 'no';
  /** Whether something moves the arm by itself now; rules about persons and pages matter only then. */
  readonly motion: 'policy' | 'manual' | 'none';
}

export interface WatchResult {
  /** Rules that forbid a new target in this tick. */
  readonly refusedBy: readonly SafetyRule[];
  /** Latched in this very tick, or null. */
  readonly latched: SafetyFault | null;
  readonly slow: { readonly share: number; readonly by: SafetyRule } | null;
}

export interface Watch {
  look(now: Surroundings): WatchResult;
  readonly faults: readonly SafetyFault[];
  /** Something that only the loop can see, and that a person must look at. */
  latch(fault: SafetyFault): void;
  /** A person says go on. The rule whose cause still stands, or null when all are cleared. */
  reset(): SafetyRule | null;
}

export function createWatch(robot: RobotDescription, profile: SafetyProfile, motion: MotionProfile): Watch {
  const maxTorque = robot.joints.map((joint) => joint.maxTorqueNm);
  const stall = stallRule(maxTorque);
  const torque = torqueRule(maxTorque, profile.torqueShare);
  const voltage = voltageRule();
  let faults: readonly SafetyFault[] = [];
  let standing: readonly SafetyRule[] = [];

  return {
    look(now) {
      const moving = now.motion !== 'none';
      const heat = now.readings === null ? null : temperatureRule(now.readings, profile.maxTemperatureC);
      const verdicts: readonly Verdict[] = [
        ...(moving ? [pageSilent(now.pageSilentMs, motion.surroundings), tabHidden(now.page, motion.surroundings), stateLost(now.stateAgeMs, motion.surroundings)] : []),
        ...(now.motion === 'policy' ? [holdReleased(motion.holdToRun, now.holdKey)] : []),
        ...(now.readings === null || heat === null
          ? []
          : [stall(now.readings, now.target, now.tickSeconds, now.waiting ?? 'no'), torque(now.readings, now.tickSeconds), heat.verdict, voltage(now.readings, now.tickSeconds)]),
      ];
      const latching = verdicts.filter((verdict) => verdict.band === 'latch');
      standing = latching.map((verdict) => verdict.rule);
      const fresh = latching.find((verdict) => !faults.some((fault) => fault.rule === verdict.rule));
      const latched: SafetyFault | null = fresh === undefined ? null : { rule: fresh.rule, atMs: now.nowMs, tick: now.tick, facts: fresh.facts };
      if (latched !== null) faults = [...faults, latched];
      const holding = verdicts.flatMap((verdict) => (verdict.band === 'pass' ? [] : [verdict.rule]));
      const refusedBy = [...new Set([...holding, ...faults.map((fault) => fault.rule)])];
      return { refusedBy, latched, slow: heat !== null && heat.slowShare < 1 ? { share: heat.slowShare, by: 'temperature' } : null };
    },
    get faults() {
      return faults;
    },
    latch(fault) {
      if (!faults.some((known) => known.rule === fault.rule)) faults = [...faults, fault];
    },
    reset() {
      faults = faults.filter((fault) => standing.includes(fault.rule));
      return faults[0]?.rule ?? null;
    },
  };
}
