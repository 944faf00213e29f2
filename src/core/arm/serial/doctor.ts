/**
 * The arm doctor: a record of a scan in, findings out, each with what it rests on. The first look before any motor turns
 * (weight `refuse` keeps the arm limp) and the page's health panel are this one function. Pure; words live in the page.
 */
import { JOINT_NAMES, type JointName } from '#contracts/joints.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { ArmCalibration, BusScan, Finding, FindingWeight, ServoError, ServoScan } from '#contracts/serial.ts';
import { MULTI_TURN_BIT, STS3215_MODEL } from './feetech/registers.ts';
import { expectedSpanSteps } from './joint-scale.ts';
import { rangeFindings } from './sweep.ts';

export interface DoctorContext {
  /** Null before the arm was calibrated. */
  readonly calibration: ArmCalibration | null;
  readonly robot: RobotDescription;
  readonly expectedBaud: number;
}

export const WARM_CELSIUS = 55;
export const HOT_CELSIUS = 60;
/** A supply this near its lower limit will dip below it as soon as the arm moves. */
const VOLTAGE_ROOM = 0.3;
/** Servos for 7.4 V are delivered with an upper limit of 8 V, those for 12 V with 12 V and more. */
const LOW_VOLTAGE_TYPE_MOST = 9;
const HIGH_VOLTAGE_TYPE_MOST = 12;
/** A 12 V servo on a 5 V brick. */
const WEAK_VOLTS = 7;
/** 98 steps are 8.6 degrees: more than a soft stop gives way. */
export const OUTSIDE_STEPS = 98;
const SLOW_STEPS_PER_S = 200;
const SPEED_ZERO_IS_FASTEST_BIT = 8;
const TROUBLED_SHARE = 0.02;
const ENOUGH_REQUESTS = 50;

const ORDER: readonly FindingWeight[] = ['refuse', 'warn', 'note'];

/** Heaviest first; within a weight in the order of the chain. */
export function diagnose(scan: BusScan, context: DoctorContext): Finding[] {
  const findings: Finding[] = [...lineFindings(scan), ...chainFindings(scan)];
  for (const servo of scan.servos) {
    if (servo.answer !== 'ok') continue;
    const joint = jointOf(servo.id, context.calibration);
    if (!scan.expectedIds.includes(servo.id)) findings.push({ code: 'unexpected-id', weight: 'warn', facts: { id: servo.id } });
    else findings.push(...servoFindings(servo, joint, context));
  }
  const versions = [...new Set(scan.servos.filter((servo) => servo.answer === 'ok').map((servo) => `${servo.registers['firmwareMajor']}.${servo.registers['firmwareMinor']}`))];
  if (versions.length > 1) findings.push({ code: 'firmware-mixed', weight: 'warn', facts: { versions: versions.join(', ') } });
  return ORDER.flatMap((weight) => findings.filter((finding) => finding.weight === weight));
}

function lineFindings(scan: BusScan): Finding[] {
  const findings: Finding[] = [];
  if (scan.echo) findings.push({ code: 'echo', weight: 'note', facts: {} });
  const share = scan.requests === 0 ? 0 : scan.troubled / scan.requests;
  if (scan.requests >= ENOUGH_REQUESTS && share > TROUBLED_SHARE) findings.push({ code: 'bus-errors', weight: 'warn', facts: { share: Math.round(share * 1000) / 1000, requests: scan.requests } });
  return findings;
}

/** Who is missing, and after whom: behind the last one that answers the cable is loose. */
function chainFindings(scan: BusScan): Finding[] {
  const expected = scan.expectedIds.map((id) => scan.servos.find((servo) => servo.id === id));
  if (scan.servos.every((servo) => servo.answer === 'silent')) {
    return [{ code: 'nothing-answers', weight: 'refuse', facts: { baud: scan.servos[0]?.baud ?? 0 } }];
  }
  const findings: Finding[] = [];
  let after = 0;
  scan.expectedIds.forEach((id, place) => {
    const servo = expected[place];
    const joint = JOINT_NAMES[place] ?? String(id);
    if (servo?.answer === 'ok') after = id;
    else if (servo?.answer === 'garbled' && !scan.moving) findings.push({ code: 'id-conflict', weight: 'refuse', facts: { id } });
    else findings.push({ code: 'servo-missing', weight: 'refuse', facts: { id, joint, after } });
  });
  return findings;
}

function servoFindings(servo: ServoScan, joint: JointName | null, context: DoctorContext): Finding[] {
  const { id } = servo;
  const who = { id, joint: joint ?? String(id) };
  const at = (name: string): number | null => servo.registers[name] ?? null;
  const findings: Finding[] = [];
  const say = (code: Finding['code'], weight: FindingWeight, facts: Finding['facts']): void => void findings.push({ code, weight, facts: { ...who, ...facts } });

  if (servo.baud !== context.expectedBaud) say('wrong-baud', 'refuse', { baud: servo.baud, expected: context.expectedBaud });
  const model = at('modelNumber');
  if (model !== null && model !== STS3215_MODEL) say('wrong-model', 'refuse', { found: model, expected: STS3215_MODEL });

  findings.push(...supplyFindings(servo, who));

  const celsius = at('presentTemperature');
  if (celsius !== null && celsius >= HOT_CELSIUS) say('hot', 'refuse', { celsius, limit: HOT_CELSIUS });
  else if (celsius !== null && celsius >= WARM_CELSIUS) say('warm', 'warn', { celsius, limit: WARM_CELSIUS });

  // Voltage and heat have findings of their own, with numbers.
  const others: readonly ServoError[] = servo.errors.filter((error) => error !== 'voltage' && error !== 'temperature');
  if (others.length > 0) say('servo-error', 'refuse', { errors: others.join(', ') });

  const mode = at('operatingMode');
  if (mode !== null && mode !== 0) say('wrong-mode', 'refuse', { found: mode });
  const phase = at('phase');
  if (phase !== null && (phase & MULTI_TURN_BIT) !== 0) say('multi-turn', 'refuse', { phase });

  findings.push(...calibrationFindings(servo, joint, context));

  if (at('torqueEnable') === 1) say('torque-on', 'note', {});
  if (at('lock') === 0) say('eeprom-unlocked', 'note', {});
  const speed = at('goalVelocity');
  if (speed !== null && speed !== 0 && Math.abs(speed) < SLOW_STEPS_PER_S) say('slow-register', 'warn', { register: 'goalVelocity', found: speed });
  if (speed === 0 && phase !== null && (phase & SPEED_ZERO_IS_FASTEST_BIT) === 0) say('slow-register', 'warn', { register: 'goalVelocity', found: 0 });
  return findings;
}

function supplyFindings(servo: ServoScan, who: { readonly id: number; readonly joint: string }): Finding[] {
  const { presentVoltage, minVoltageLimit, maxVoltageLimit } = servo.registers;
  if (presentVoltage === undefined || minVoltageLimit === undefined || maxVoltageLimit === undefined) return [];
  const volts = presentVoltage / 10;
  const least = minVoltageLimit / 10;
  const most = maxVoltageLimit / 10;
  // The expensive mistake first: 12 V on a servo for 7.4 V can destroy it.
  if (most <= LOW_VOLTAGE_TYPE_MOST && volts > LOW_VOLTAGE_TYPE_MOST) return [{ code: 'voltage-type', weight: 'refuse', facts: { ...who, volts, most } }];
  if (volts > most) return [{ code: 'voltage-high', weight: 'refuse', facts: { ...who, volts, most } }];
  if (volts < least) return [{ code: 'voltage-low', weight: 'refuse', facts: { ...who, volts, least } }];
  if (most >= HIGH_VOLTAGE_TYPE_MOST && volts < WEAK_VOLTS) return [{ code: 'voltage-type', weight: 'warn', facts: { ...who, volts, most } }];
  if (volts < least + VOLTAGE_ROOM) return [{ code: 'voltage-low', weight: 'warn', facts: { ...who, volts, least } }];
  return [];
}

function calibrationFindings(servo: ServoScan, joint: JointName | null, { calibration, robot }: DoctorContext): Finding[] {
  if (calibration === null || joint === null) return [];
  const motor = calibration[joint];
  const who = { id: servo.id, joint };
  const findings: Finding[] = [];
  const pairs = [
    ['homingOffset', motor.homingOffset],
    ['minPositionLimit', motor.rangeMin],
    ['maxPositionLimit', motor.rangeMax],
  ] as const;
  for (const [what, expected] of pairs) {
    const found = servo.registers[what];
    if (found !== undefined && found !== expected) findings.push({ code: 'calibration-differs', weight: 'refuse', facts: { ...who, what, found, expected } });
  }
  const description = robot.joints[JOINT_NAMES.indexOf(joint)];
  const expectedSteps = joint === 'wrist_roll' || description === undefined ? null : expectedSpanSteps(description.least, description.most);
  findings.push(...rangeFindings(joint, servo.id, motor, expectedSteps));
  const position = servo.registers['presentPosition'];
  if (position !== undefined && findings.length === 0 && (position < motor.rangeMin - OUTSIDE_STEPS || position > motor.rangeMax + OUTSIDE_STEPS)) {
    findings.push({ code: 'outside-range', weight: 'refuse', facts: { ...who, found: position, least: motor.rangeMin, most: motor.rangeMax } });
  }
  return findings;
}

function jointOf(id: number, calibration: ArmCalibration | null): JointName | null {
  if (calibration === null) return JOINT_NAMES[id - 1] ?? null;
  return JOINT_NAMES.find((name) => calibration[name].id === id) ?? null;
}
