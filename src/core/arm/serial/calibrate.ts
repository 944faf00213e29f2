/**
 * Calibrating by hand: limp motors, a person who puts every joint in the middle and then moves each from stop to stop, and a
 * proposal at the end. LeRobot writes offset 0 and wide limits into the servos before it measures, and so a calibration that is
 * broken off leaves an arm without one. Here nothing is written before the proposal was seen: the encoder is what a servo reports plus
 * the offset it still has, and the new middle is subtracted here.
 *
 *   encoder = (present position + offset in the servo) mod 4096          homed = (encoder - new offset) mod 4096, 2047 in the middle
 *
 * The only registers touched are torque (off) and, where it was on, multi-turn feedback, under which positions mean something else.
 */
import { GRIPPER_INDEX, JOINT_COUNT, JOINT_NAMES, type JointName } from '#contracts/joints.ts';
import type { CalibrationJoint, CalibrationProposal, CalibrationView } from '#contracts/robot-setup.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { ArmCalibration, BusScan, MotorCalibration, SweepDoubt } from '#contracts/serial.ts';
import { FailureError } from '#core/lib/failure.ts';
import { HALF_TURN_STEPS, homingOffset } from './calibration.ts';
import { calibrationChanges } from './configure.ts';
import type { Bus } from './feetech/bus.ts';
import { decodeRegister, MULTI_TURN_BIT, REGISTERS, TICKS_PER_TURN } from './feetech/registers.ts';
import { expectedSpanSteps, jointScale } from './joint-scale.ts';
import { createSweep, sweepDoubts, type Sweep } from './sweep.ts';

export interface Calibrating {
  /** One reading of all joints. A servo that does not answer is left out of it, never made up. */
  sample(): Promise<void>;
  /** The joints stand in the middle. Throws `arm/calibration-doubtful` for one that cannot be homed here. */
  home(): void;
  view(): CalibrationView;
  /** Throws `arm/calibration-doubtful` while a joint has a doubt. */
  propose(): CalibrationProposal;
}

/** LeRobot's: the roll turns freely and is not swept. */
const FREE_JOINT: JointName = 'wrist_roll';
const POSITION = REGISTERS.presentPosition;

interface Joint {
  readonly name: JointName;
  readonly id: number;
  /** Still in the servo. */
  readonly offset: number;
  readonly expected: number | null;
  readonly multiTurn: 'on' | 'off';
  encoder: number | null;
  homed: number | null;
  sweep: Sweep;
}

/** `scan`: all six servos answered, and are limp. */
export function beginCalibrating(bus: Bus, scan: BusScan, robot: RobotDescription): Calibrating {
  const joints = JOINT_NAMES.map((name, i): Joint => {
    const id = i + 1;
    const servo = scan.servos.find((one) => one.id === id);
    const offset = servo?.registers['homingOffset'];
    if (servo?.answer !== 'ok' || offset === undefined) throw new FailureError('arm/servo-lost', { id, joint: name, reason: servo?.answer ?? 'silent' });
    const description = robot.joints[i];
    const expected = name === FREE_JOINT || description === undefined ? null : expectedSpanSteps(description.least, description.most);
    const multiTurn = ((servo.registers['phase'] ?? 0) & MULTI_TURN_BIT) === 0 ? 'off' : 'on';
    return { name, id, offset, expected, multiTurn, encoder: null, homed: null, sweep: createSweep() };
  });
  let step: CalibrationView['step'] = 'homing';

  const stepsOf = (joint: Joint): number | null => (joint.encoder === null || joint.homed === null ? joint.encoder : wrap(joint.encoder - joint.homed));

  const doubtsOf = (joint: Joint): readonly SweepDoubt[] => {
    if (joint.multiTurn === 'on') return [{ kind: 'multi-turn', outside: 1 }];
    if (step === 'homing') {
      if (joint.encoder === null) return [{ kind: 'not-moved' }];
      const homing = homingOffset(joint.encoder);
      return homing.kind === 'ok' ? [] : [{ kind: 'at-the-seam', steps: homing.steps }];
    }
    return joint.name === FREE_JOINT ? [] : sweepDoubts(joint.sweep.summary(), joint.expected);
  };

  const motorOf = (joint: Joint): MotorCalibration => {
    const { least, most } = joint.sweep.summary();
    const range = joint.name === FREE_JOINT ? { rangeMin: 0, rangeMax: TICKS_PER_TURN - 1 } : { rangeMin: least ?? 0, rangeMax: most ?? TICKS_PER_TURN - 1 };
    return { id: joint.id, driveMode: 0, homingOffset: joint.homed ?? 0, ...range };
  };

  /** The middle of a joint's stops lies where the drawn joint has it, which need not be at its zero. */
  const trims = (): number[] =>
    robot.joints.map((joint, i) => (i === GRIPPER_INDEX || joint.name === FREE_JOINT ? 0 : (joint.least + joint.most) / 2));

  const angles = (): number[] | null => {
    if (step === 'homing') return robot.joints.map((joint) => (joint.least + joint.most) / 2);
    const trim = trims();
    const found = joints.map((joint, i) => {
      const steps = stepsOf(joint);
      if (steps === null) return null;
      // Until the range is known, the middle is where it was homed.
      const reach = Math.round((joint.expected ?? TICKS_PER_TURN - 1) / 2);
      const assumed = { id: joint.id, driveMode: 0 as const, homingOffset: 0, rangeMin: HALF_TURN_STEPS - reach, rangeMax: HALF_TURN_STEPS + reach };
      const middle = i === GRIPPER_INDEX ? jointScale(i, { ...assumed, rangeMin: Math.max(0, assumed.rangeMin) }).toRadians(steps) : jointScale(i, assumed, trim[i]).toRadians(steps);
      return middle;
    });
    return found.some((angle) => angle === null) ? null : (found as number[]);
  };

  return {
    async sample() {
      const replies = await bus.syncRead(
        joints.map((joint) => joint.id),
        POSITION.address,
        POSITION.width,
        { attempts: 2 },
      );
      if (!bus.open) throw new FailureError('arm/port-lost', { reason: 'unplugged' });
      joints.forEach((joint, i) => {
        const reply = replies[i];
        if (reply?.kind !== 'ok') {
          joint.encoder = null;
          return;
        }
        joint.encoder = wrap(decodeRegister('presentPosition', reply.data) + joint.offset);
        const steps = stepsOf(joint);
        if (step === 'sweeping' && steps !== null) joint.sweep.add(steps);
      });
    },
    home() {
      const homed = joints.map((joint) => {
        const doubt = doubtsOf({ ...joint })[0];
        if (joint.encoder === null) throw new FailureError('arm/servo-lost', { id: joint.id, joint: joint.name, reason: 'silent' });
        if (doubt !== undefined) throw new FailureError('arm/calibration-doubtful', { joint: joint.name, doubt: doubt.kind });
        const homing = homingOffset(joint.encoder);
        return homing.kind === 'ok' ? homing.homingOffset : 0;
      });
      joints.forEach((joint, i) => {
        joint.homed = homed[i] as number;
        joint.sweep = createSweep();
      });
      step = 'sweeping';
    },
    view: () => ({
      step,
      joints: joints.map((joint): CalibrationJoint => {
        const { least, most } = joint.sweep.summary();
        return { name: joint.name, id: joint.id, steps: stepsOf(joint), least, most, expected: joint.expected === null ? null : Math.round(joint.expected), doubts: doubtsOf(joint) };
      }),
      angles: angles(),
    }),
    propose() {
      if (step !== 'sweeping') throw new FailureError('arm/calibration-doubtful', { joint: JOINT_NAMES[0], doubt: 'not-moved' });
      for (const joint of joints) {
        const doubt = doubtsOf(joint)[0];
        if (doubt !== undefined) throw new FailureError('arm/calibration-doubtful', { joint: joint.name, doubt: doubt.kind });
      }
      const calibration = Object.fromEntries(joints.map((joint) => [joint.name, motorOf(joint)])) as Record<JointName, MotorCalibration>;
      return { calibration, changes: calibrationChanges(scan, calibration), trimRad: trims() };
    },
  };
}

/** The calibration that the servos themselves hold; null while one is missing or holds none. */
export function calibrationInServos(scan: BusScan): ArmCalibration | null {
  const entries = JOINT_NAMES.map((name, i): [JointName, MotorCalibration] | null => {
    const servo = scan.servos.find((one) => one.id === i + 1 && one.answer === 'ok');
    const { homingOffset: offset, minPositionLimit: rangeMin, maxPositionLimit: rangeMax } = servo?.registers ?? {};
    if (offset === undefined || rangeMin === undefined || rangeMax === undefined || rangeMin >= rangeMax || rangeMax > 4095) return null;
    return [name, { id: i + 1, driveMode: 0, homingOffset: offset, rangeMin, rangeMax }];
  });
  const known = entries.filter((entry) => entry !== null);
  return known.length === JOINT_COUNT ? (Object.fromEntries(known) as Record<JointName, MotorCalibration>) : null;
}

function wrap(steps: number): number {
  return ((steps % TICKS_PER_TURN) + TICKS_PER_TURN) % TICKS_PER_TURN;
}
