/**
 * LeRobot's calibration file, both ways, and the arithmetic of making one. The file is the one LeRobot reads and writes
 * (six motors, integers, indent 4), so that an arm calibrated here works there and the other way round. Checked once, here:
 * behind this door a calibration is six motors with ids 1 to 6 and ranges a servo can have. Pure; writes to no servo.
 */
import { JOINT_NAMES, type JointName } from '#contracts/joints.ts';
import type { ArmCalibration, MotorCalibration } from '#contracts/serial.ts';
import { FailureError } from '#core/lib/failure.ts';

/** A calibration is about 900 characters. */
const MOST_CHARACTERS = 64 * 1024;
const FIELDS = ['id', 'drive_mode', 'homing_offset', 'range_min', 'range_max'] as const;
type Field = (typeof FIELDS)[number];

const BOUNDS: Readonly<Record<Field, readonly [least: number, most: number]>> = {
  id: [1, 6],
  drive_mode: [0, 1],
  homing_offset: [-2047, 2047],
  range_min: [0, 4095],
  range_max: [0, 4095],
};

/** Throws FailureError `arm/calibration-invalid` with the place, what was expected there and what was found. */
export function parseCalibration(text: string): ArmCalibration {
  if (text.length > MOST_CHARACTERS) throw invalid('file', `at most ${MOST_CHARACTERS} characters`, text.length);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalid('file', 'JSON', text.slice(0, 40));
  }
  if (!isObject(parsed)) throw invalid('file', 'an object of six motors', typeof parsed);
  const unknown = Object.keys(parsed).find((key) => !JOINT_NAMES.includes(key as JointName));
  if (unknown !== undefined) throw invalid(unknown.slice(0, 60), `one of ${JOINT_NAMES.join(', ')}`, unknown.slice(0, 60));
  const owners = new Map<number, JointName>();
  const entries = JOINT_NAMES.map((name): [JointName, MotorCalibration] => {
    const motor = parseMotor(name, parsed[name]);
    const owner = owners.get(motor.id);
    if (owner !== undefined) throw invalid(`${name}.id`, `an id of its own`, `${motor.id}, as ${owner}`);
    owners.set(motor.id, name);
    return [name, motor];
  });
  return Object.fromEntries(entries) as Record<JointName, MotorCalibration>;
}

/** As LeRobot writes it: JOINT_NAMES order, indent 4, no newline at the end. */
export function formatCalibration(calibration: ArmCalibration): string {
  const file = Object.fromEntries(
    JOINT_NAMES.map((name) => {
      const { id, driveMode, homingOffset, rangeMin, rangeMax } = calibration[name];
      return [name, { id, drive_mode: driveMode, homing_offset: homingOffset, range_min: rangeMin, range_max: rangeMax }];
    }),
  );
  return JSON.stringify(file, null, 4);
}

/** LeRobot's half turn: int((4096 - 1) / 2). */
export const HALF_TURN_STEPS = 2047;

export type HomingResult =
  | { readonly kind: 'ok'; readonly homingOffset: number }
  /** The joint stands so near the encoder's seam that the offset does not fit its field; turn the horn, or take another pose. */
  | { readonly kind: 'at-the-seam'; readonly steps: number }
  /** A position outside 0..4095: multi-turn feedback is on. */
  | { readonly kind: 'multi-turn'; readonly steps: number };

/** The offset that makes the joint's present place (read with offset 0) the middle. */
export function homingOffset(encoderSteps: number): HomingResult {
  if (!Number.isInteger(encoderSteps) || encoderSteps < 0 || encoderSteps > 4095) return { kind: 'multi-turn', steps: encoderSteps };
  const offset = encoderSteps - HALF_TURN_STEPS;
  return Math.abs(offset) > 2047 ? { kind: 'at-the-seam', steps: encoderSteps } : { kind: 'ok', homingOffset: offset };
}

function parseMotor(name: JointName, value: unknown): MotorCalibration {
  if (!isObject(value)) throw invalid(name, 'a motor', value === undefined ? 'nothing' : typeof value);
  const unknown = Object.keys(value).find((key) => !FIELDS.includes(key as Field));
  if (unknown !== undefined) throw invalid(`${name}.${unknown.slice(0, 60)}`, `one of ${FIELDS.join(', ')}`, unknown.slice(0, 60));
  const read = (field: Field): number => {
    const found = value[field];
    const [least, most] = BOUNDS[field];
    if (typeof found !== 'number' || !Number.isInteger(found) || found < least || found > most) {
      throw invalid(`${name}.${field}`, `a whole number from ${least} to ${most}`, describe(found));
    }
    // JSON can say -0, a servo cannot.
    return found + 0;
  };
  const motor: MotorCalibration = { id: read('id'), driveMode: read('drive_mode') === 1 ? 1 : 0, homingOffset: read('homing_offset'), rangeMin: read('range_min'), rangeMax: read('range_max') };
  if (motor.rangeMin >= motor.rangeMax) throw invalid(`${name}.range_max`, `more than range_min (${motor.rangeMin})`, motor.rangeMax);
  return motor;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(found: unknown): string | number {
  return typeof found === 'number' ? found : found === undefined ? 'nothing' : typeof found;
}

function invalid(path: string, expected: string, found: string | number): FailureError {
  return new FailureError('arm/calibration-invalid', { path, expected, found });
}
