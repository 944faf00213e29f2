/**
 * Rules about the motors: pushing hard without getting anywhere, pushing hard for long, getting hot, getting too little
 * voltage. A reading that an arm does not have is no reason to stop; one that is bad for a moment neither: each rule
 * asks for persistence and says how long.
 *
 * The gripper is left out of the first two. Squeezing is pushing hard without getting anywhere; its torque is capped at half
 * by its own motor's settings.
 */
import { GRIPPER_INDEX, JOINT_NAMES } from '#contracts/joints.ts';
import type { Verdict } from './surroundings.ts';
import { PASS } from './surroundings.ts';

export interface MotorReadings {
  /** Radians, radians per second, newton metres; JOINT_NAMES order. */
  readonly position: ArrayLike<number>;
  readonly velocity: ArrayLike<number>;
  readonly torque: ArrayLike<number>;
  readonly temperatureC?: ArrayLike<number>;
  readonly voltageV?: number;
}

/**
 * A joint is blocked when it is this far from its target, hardly turns and gives this share of its torque. A target that waits for the
 * arm (`lead.ts`) goes no further away, so then less is enough: two joints that share what is allowed are 0.03 rad off each.
 */
export const STALL = { offRad: 0.1, waitingOffRad: 0.03, slowRadPerS: 0.05, torqueShare: 0.5, seconds: 0.5 } as const;
/** Holding a reach takes 1 N m of 2.9; accelerating takes more, for less long. */
export const TORQUE_SECONDS = 1;
/** So many degrees below the most, motion is slowed. */
export const WARM_C = 5;
/** STS3215 for 7.4 V run from 5 V on; below that they brown out while they move. */
export const LEAST_VOLTAGE_V = 4.5;
export const VOLTAGE_SECONDS = 0.5;
/** Fifteen thirtieths of a second are a little less than a half, in floating point. */
const ROUNDING_S = 1e-9;

/** Seconds for which a condition has held without a break, joint by joint. */
export function persistence(joints: number): (index: number, condition: 'met' | 'not-met', seconds: number) => number {
  const held = new Float64Array(joints);
  return (index, condition, seconds) => (held[index] = condition === 'met' ? (held[index] as number) + seconds : 0);
}

/** The first arm joint that has been blocked for long enough. Call once a tick, with whether the target waits for the arm. */
export function stallRule(maxTorqueNm: readonly number[]): (readings: MotorReadings, target: ArrayLike<number>, tickSeconds: number, waiting: 'yes' | 'no') => Verdict {
  const blocked = persistence(GRIPPER_INDEX);
  return (readings, target, tickSeconds, waiting) => {
    let verdict: Verdict = PASS;
    const far = waiting === 'yes' ? STALL.waitingOffRad : STALL.offRad;
    for (let i = 0; i < GRIPPER_INDEX; i++) {
      const off = Math.abs((target[i] as number) - (readings.position[i] as number));
      const pushing = Math.abs(readings.torque[i] as number) >= STALL.torqueShare * (maxTorqueNm[i] as number);
      const stuck = off > far && Math.abs(readings.velocity[i] as number) < STALL.slowRadPerS && pushing;
      if (blocked(i, stuck ? 'met' : 'not-met', tickSeconds) >= STALL.seconds - ROUNDING_S && verdict === PASS) {
        verdict = { band: 'latch', rule: 'stall', facts: { joint: JOINT_NAMES[i] as string, offRad: round(off), torqueNm: round(readings.torque[i] as number) } };
      }
    }
    return verdict;
  };
}

/** The first arm joint that has given more than its share of torque for long enough. Call once a tick. */
export function torqueRule(maxTorqueNm: readonly number[], share: number): (readings: MotorReadings, tickSeconds: number) => Verdict {
  const over = persistence(GRIPPER_INDEX);
  return (readings, tickSeconds) => {
    let verdict: Verdict = PASS;
    for (let i = 0; i < GRIPPER_INDEX; i++) {
      const most = share * (maxTorqueNm[i] as number);
      const torque = Math.abs(readings.torque[i] as number);
      if (over(i, torque > most ? 'met' : 'not-met', tickSeconds) >= TORQUE_SECONDS - ROUNDING_S && verdict === PASS) {
        verdict = { band: 'latch', rule: 'torque', facts: { joint: JOINT_NAMES[i] as string, torqueNm: round(torque), limitNm: round(most) } };
      }
    }
    return verdict;
  };
}

/** Motor temperatures: latched at the most, slowed to a half just below it. */
export function temperatureRule(readings: MotorReadings, maxC: number): { readonly verdict: Verdict; readonly slowShare: number } {
  const { temperatureC } = readings;
  if (temperatureC === undefined) return { verdict: PASS, slowShare: 1 };
  let hottest = 0;
  for (let i = 1; i < temperatureC.length; i++) if ((temperatureC[i] as number) > (temperatureC[hottest] as number)) hottest = i;
  const degrees = temperatureC[hottest] ?? Number.NEGATIVE_INFINITY;
  if (degrees >= maxC) return { verdict: { band: 'latch', rule: 'temperature', facts: { joint: JOINT_NAMES[hottest] ?? '', temperatureC: degrees, limitC: maxC } }, slowShare: 0.5 };
  return { verdict: PASS, slowShare: degrees >= maxC - WARM_C ? 0.5 : 1 };
}

/** Supply voltage too low for longer than a surge. Call once a tick. */
export function voltageRule(): (readings: MotorReadings, tickSeconds: number) => Verdict {
  const low = persistence(1);
  return ({ voltageV }, tickSeconds) => {
    const seconds = low(0, voltageV !== undefined && voltageV < LEAST_VOLTAGE_V ? 'met' : 'not-met', tickSeconds);
    return seconds >= VOLTAGE_SECONDS - ROUNDING_S && voltageV !== undefined ? { band: 'latch', rule: 'voltage', facts: { voltageV, leastV: LEAST_VOLTAGE_V } } : PASS;
  };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
