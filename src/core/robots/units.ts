/**
 * Every conversion between the three vocabularies for a joint, each once:
 *
 *   LeRobot joint units   degrees for the arm joints, 0..100 for the gripper     (policies, datasets)
 *   radians               zero and sign as LeRobot's, the jaw as an angle        (description, world, safety)
 *   ticks                 servo steps after the homing offset, 4096 to a turn    (the wire)
 *
 * Ticks follow LeRobot's MotorsBus exactly, including what looks odd in it: 360 degrees are 4095 ticks, the middle is
 * (least + most) / 2 and may fall on a half, encoding truncates towards zero, and degrees are never clamped. Whoever
 * writes to a servo clamps to the calibrated range itself; that is a safety decision and does not live here.
 */
import { GRIPPER_INDEX, JOINT_COUNT } from '#contracts/joints.ts';
import type { JointRadians, JointUnits, JointUnitsVector, Radians, Ticks } from '#contracts/units.ts';

/** The gripper's joint units span 0..100 over the jaw's range, closed at -10 degrees, wide open at 100. */
const JAW_CLOSED_DEGREES = -10;
const JAW_DEGREES_PER_UNIT = 1.1;
/** LeRobot's resolution - 1. Its order of operations is kept, because truncation would show a last digit. */
const TICKS_PER_TURN = 4095;

/** One joint as LeRobot calibrated it. Ticks are after the homing offset, as the servo reports them. */
export interface JointCalibration {
  readonly rangeMin: number;
  readonly rangeMax: number;
  /** LeRobot's drive_mode: 1 turns the gripper's 0..100 round. Arm degrees ignore it, as in LeRobot. */
  readonly driveMode: 0 | 1;
}

export function unitsToRadians(units: JointUnits, jointIndex: number): Radians {
  const degrees = jointIndex === GRIPPER_INDEX ? JAW_CLOSED_DEGREES + JAW_DEGREES_PER_UNIT * units : units;
  return ((degrees * Math.PI) / 180) as Radians;
}

export function radiansToUnits(angle: Radians, jointIndex: number): JointUnits {
  const degrees = (angle * 180) / Math.PI;
  return (jointIndex === GRIPPER_INDEX ? (degrees - JAW_CLOSED_DEGREES) / JAW_DEGREES_PER_UNIT : degrees) as JointUnits;
}

/** All six at once; a fresh array. Throws a RangeError unless there are six. */
export function unitsVectorToRadians(units: ArrayLike<number>): JointRadians {
  requireSix(units);
  return Float64Array.from(units, (value, i) => unitsToRadians(value as JointUnits, i)) as JointRadians;
}

export function radiansVectorToUnits(angles: ArrayLike<number>): JointUnitsVector {
  requireSix(angles);
  return Float64Array.from(angles, (value, i) => radiansToUnits(value as Radians, i)) as JointUnitsVector;
}

export function ticksToUnits(ticks: Ticks, jointIndex: number, calibration: JointCalibration): JointUnits {
  const { rangeMin, rangeMax, driveMode } = calibration;
  if (jointIndex !== GRIPPER_INDEX) return (((ticks - (rangeMin + rangeMax) / 2) * 360) / TICKS_PER_TURN) as JointUnits;
  const percent = ((clamp(ticks, rangeMin, rangeMax) - rangeMin) / (rangeMax - rangeMin)) * 100;
  return (driveMode === 1 ? 100 - percent : percent) as JointUnits;
}

export function unitsToTicks(units: JointUnits, jointIndex: number, calibration: JointCalibration): Ticks {
  const { rangeMin, rangeMax, driveMode } = calibration;
  if (jointIndex !== GRIPPER_INDEX) return Math.trunc((units * TICKS_PER_TURN) / 360 + (rangeMin + rangeMax) / 2) as Ticks;
  const percent = clamp(driveMode === 1 ? 100 - units : units, 0, 100);
  return Math.trunc((percent / 100) * (rangeMax - rangeMin) + rangeMin) as Ticks;
}

/** Datasets between June 2025 and v0.4.4 wrote -100..100 of the recorded range for arm joints too. */
export function ticksToRange100(ticks: Ticks, calibration: JointCalibration): number {
  const { rangeMin, rangeMax, driveMode } = calibration;
  const value = ((clamp(ticks, rangeMin, rangeMax) - rangeMin) / (rangeMax - rangeMin)) * 200 - 100;
  return driveMode === 1 ? -value : value;
}

export function range100ToTicks(value: number, calibration: JointCalibration): Ticks {
  const { rangeMin, rangeMax, driveMode } = calibration;
  const bounded = clamp(driveMode === 1 ? -value : value, -100, 100);
  return Math.trunc(((bounded + 100) / 200) * (rangeMax - rangeMin) + rangeMin) as Ticks;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

function requireSix(values: ArrayLike<number>): void {
  if (values.length !== JOINT_COUNT) throw new RangeError(`expected ${JOINT_COUNT} joint values, found ${values.length}`);
}
