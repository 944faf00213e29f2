/**
 * One joint of one arm: servo steps to radians and back, through its calibration. LeRobot's arithmetic lives in
 * `core/robots/units.ts`; what is added here is the trim (LeRobot's zero is the middle of whatever sweep was recorded, so a real
 * arm stands a few degrees beside the drawn one) and the promise that what is written stays inside the calibrated range.
 */
import type { MotorCalibration } from '#contracts/serial.ts';
import type { JointUnits, Radians, Ticks } from '#contracts/units.ts';
import { FailureError } from '#core/lib/failure.ts';
import { radiansToUnits, ticksToUnits, unitsToRadians, unitsToTicks } from '#core/robots/units.ts';

export interface JointScale {
  toRadians(ticks: number): number;
  /** A whole number inside the calibrated range. Throws `control/not-finite`. */
  toTicks(radians: number): number;
  /** Steps a second to radians a second. */
  toRadiansPerS(stepsPerS: number): number;
}

/**
 * Encoding truncates, as LeRobot's does, so an angle that came from step 2114 and lost its last bit on the way would go
 * back as 2113. A millionth of a step more keeps it where it was.
 */
const ROUNDING_STEPS = 1e-6;

export function jointScale(jointIndex: number, motor: MotorCalibration, trimRad = 0): JointScale {
  const { rangeMin, rangeMax } = motor;
  const toRadians = (ticks: number): number => unitsToRadians(ticksToUnits(ticks as Ticks, jointIndex, motor), jointIndex) + trimRad;
  const radiansPerStep = (toRadians(rangeMax) - toRadians(rangeMin)) / (rangeMax - rangeMin);
  const unitsPerStep = ((ticksToUnits(rangeMax as Ticks, jointIndex, motor) as number) - ticksToUnits(rangeMin as Ticks, jointIndex, motor)) / (rangeMax - rangeMin);
  return {
    toRadians,
    toTicks(radians) {
      if (!Number.isFinite(radians)) throw new FailureError('control/not-finite', { joint: jointIndex });
      const units = radiansToUnits((radians - trimRad) as Radians, jointIndex);
      const ticks = unitsToTicks((units + ROUNDING_STEPS * unitsPerStep) as JointUnits, jointIndex, motor);
      return Math.min(rangeMax, Math.max(rangeMin, ticks));
    },
    toRadiansPerS: (stepsPerS) => stepsPerS * radiansPerStep,
  };
}

/** Steps that a joint's whole drawn range spans, for telling a plausible calibration from a slip. */
export function expectedSpanSteps(leastRad: number, mostRad: number): number {
  return ((mostRad - leastRad) * 4095) / (2 * Math.PI);
}
