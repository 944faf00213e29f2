/**
 * Six virtual servos as they come in a printed arm: ids 1 to 6, horns screwed on somewhere, calibrated or as delivered.
 */
import { GRIPPER_INDEX, JOINT_COUNT, JOINT_NAMES, type JointName } from '#contracts/joints.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { ArmCalibration, MotorCalibration } from '#contracts/serial.ts';
import { SO100 } from '#core/robots/so100.ts';
import { INSTRUCTION } from '../serial/feetech/packet.ts';
import { REGISTERS, type RegisterName } from '../serial/feetech/registers.ts';
import { simplePlant, type SimplePlant } from './simple-plant.ts';
import { virtualServo } from './servo.ts';
import { virtualBus, type VirtualBus, type VirtualBusOptions } from './virtual-bus.ts';

/** Steps where the horns of this arm happen to stand at angle 0: off the middle, as real ones are, and clear of the seam. */
const ENCODER_AT_ZERO = [2170, 1870, 2310, 1990, 2047.5, 1500] as const;
const STEPS_PER_RADIAN = 4095 / (2 * Math.PI);

/**
 * How this arm was calibrated: every joint's zero in the middle of its range (the smaller side of the joint counts for both),
 * the wrist free to turn, the jaw from closed to wide open.
 */
export function virtualCalibration(robot: RobotDescription = SO100): ArmCalibration {
  const entries = JOINT_NAMES.map((name, i): [JointName, MotorCalibration] => {
    const joint = robot.joints[i];
    if (joint === undefined) throw new RangeError(`no joint ${name}`);
    const zero = ENCODER_AT_ZERO[i] as number;
    const common = { id: i + 1, driveMode: 0 as const };
    if (name === 'wrist_roll') return [name, { ...common, homingOffset: 0, rangeMin: 0, rangeMax: 4095 }];
    if (i === GRIPPER_INDEX) {
      const homingOffset = zero - 2047;
      return [name, { ...common, homingOffset, rangeMin: Math.round(2047 + joint.least * STEPS_PER_RADIAN), rangeMax: Math.round(2047 + joint.most * STEPS_PER_RADIAN) }];
    }
    const reach = Math.round(Math.min(-joint.least, joint.most) * STEPS_PER_RADIAN);
    return [name, { ...common, homingOffset: zero - 2047, rangeMin: 2047 - reach, rangeMax: 2047 + reach }];
  });
  return Object.fromEntries(entries) as Record<JointName, MotorCalibration>;
}

/** What LeRobot's configure() leaves in the EEPROM. */
const CONFIGURED = { returnDelayTime: 0, operatingMode: 0, pCoefficient: 16, iCoefficient: 0, dCoefficient: 32 } as const;
const CONFIGURED_GRIPPER = { maxTorqueLimit: 500, protectionCurrent: 250, overloadTorque: 25 } as const;

export interface VirtualArmOptions extends Pick<VirtualBusOptions, 'clock' | 'baud' | 'latencyMs' | 'echo'> {
  /** Where the joints stand; the robot's home pose unless told. Only for the plant that comes with it. */
  readonly start?: ArrayLike<number>;
  readonly plant?: VirtualBusOptions['plant'];
  /** Whose joints they turn; an SO-100's unless told. */
  readonly robot?: RobotDescription;
  /**
   * `new`: as delivered, with ids set. `calibrated`: offsets and limits in the EEPROM. `held`: configured as well, and
   * torque on where it stands, as an arm that was in use a moment ago.
   */
  readonly state?: 'new' | 'calibrated' | 'held';
  /** Registers of all servos that differ. */
  readonly registers?: Readonly<Partial<Record<RegisterName, number>>>;
  readonly supplyVolts?: number;
}

export interface VirtualArm extends VirtualBus {
  /** Torque on where the joints stand, as an arm that is in use. */
  hold(): void;
  readonly calibration: ArmCalibration;
}

export function virtualArm(options: VirtualArmOptions): VirtualArm {
  const robot = options.robot ?? SO100;
  const calibration = virtualCalibration(robot);
  const plant = options.plant ?? virtualPlant(options.start ?? robot.homePose, robot);
  const servos = JOINT_NAMES.map((name, joint) => {
    const motor = calibration[name];
    const calibrated: Partial<Record<RegisterName, number>> =
      options.state === 'new' ? {} : { homingOffset: motor.homingOffset, minPositionLimit: motor.rangeMin, maxPositionLimit: motor.rangeMax };
    const servo = virtualServo({
      id: motor.id,
      encoderAtZero: ENCODER_AT_ZERO[joint] as number,
      registers: { ...calibrated, ...(options.state === 'held' ? { ...CONFIGURED, ...(joint === GRIPPER_INDEX ? CONFIGURED_GRIPPER : {}) } : {}), ...options.registers },
      ...(options.supplyVolts === undefined ? {} : { supplyVolts: options.supplyVolts }),
    });
    return { servo, joint };
  });
  const bus = virtualBus({ ...options, servos, plant });
  bus.advance();
  const hold = (): void => {
    bus.yieldToPlant();
    for (const { servo } of servos) servo.handle({ id: servo.id, third: INSTRUCTION.write, body: Uint8Array.of(REGISTERS.torqueEnable.address, 1) });
  };
  if (options.state === 'held') hold();
  // Not copied by spreading: `plugged` is asked later.
  return Object.defineProperties({ calibration, hold }, Object.getOwnPropertyDescriptors(bus)) as VirtualArm;
}

/** The plant for Node: joints with the robot's stops. */
export function virtualPlant(start: ArrayLike<number> = SO100.homePose, robot: RobotDescription = SO100): SimplePlant {
  if (start.length !== JOINT_COUNT) throw new RangeError(`${start.length} joints`);
  return simplePlant({ start, least: robot.joints.map((joint) => joint.least), most: robot.joints.map((joint) => joint.most) });
}
