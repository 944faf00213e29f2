/**
 * Setting up an arm made of servos, as the page asks for it and control answers: connecting, looking, calibrating, ids, and what
 * can be done to virtual servos. Nothing here is used at loop rate.
 */
import type { Failure, Outcome } from './failure.ts';
import type { JointName } from './joints.ts';
import type { RobotName } from './robot.ts';
import type { ArmCalibration, BusScan, Finding, RegisterChange, SerialAdapter, SerialArmHealth, SweepDoubt } from './serial.ts';

/**
 * Where the bytes go: the adapter the person chose (null: any allowed one), or the virtual servos. `body`: which printed arm the motors
 * sit in; nothing on the wire says so, and limits, calibration and the gate all depend on it. Absent: SO-100. Behind virtual servos it
 * must be the arm on the table.
 */
export type SerialPlace = ({ readonly kind: 'serial'; readonly adapter: SerialAdapter | null } | { readonly kind: 'virtual' }) & { readonly body?: RobotName };

export interface ServosRequest {
  readonly place: SerialPlace;
  /**
   * `on`: the simulated arm goes along with this one, so that a policy may look at the simulation. Absent: `off`. With virtual servos it makes no
   * difference: behind them stands the simulated arm.
   */
  readonly mirror?: 'on' | 'off';
  /** `in-servos`: what LeRobot, or this page, wrote into their EEPROM. */
  readonly calibration: ArmCalibration | 'in-servos';
  /** Radians added to each joint's reading, JOINT_NAMES order: where the calibrated middle lies on the drawn arm. None: 0. */
  readonly trimRad?: readonly number[];
}

export interface ServosConnected {
  readonly calibration: ArmCalibration;
  /** What the doctor found and let pass. */
  readonly findings: readonly Finding[];
  /** Registers that LeRobot's settings changed. */
  readonly changed: readonly RegisterChange[];
  /** Whether the simulated arm moves as this one does. */
  readonly mirror: 'on' | 'off';
  /** Null for the virtual servos. */
  readonly adapter: SerialAdapter | null;
}

/** `arm`: the six ids at 1 Mbaud, about a second. `everything`: ids 0 to 253 and every baud rate, most of a minute. */
export type LookScope = 'arm' | 'everything';

export interface LookReport {
  readonly scan: BusScan;
  readonly findings: readonly Finding[];
  /** As it stands in the servos; null while one of them is missing or its numbers are none. */
  readonly calibration: ArmCalibration | null;
}

export interface CalibrationJoint {
  readonly name: JointName;
  readonly id: number;
  /** Steps from the middle's homing, 0 to 4095 (before homing: the encoder's own); null where the servo did not answer. */
  readonly steps: number | null;
  readonly least: number | null;
  readonly most: number | null;
  /** Span of the drawn joint, steps; null for a joint that turns freely. */
  readonly expected: number | null;
  /** Empty when the joint is good as it is. Before homing: whether it can be homed here. */
  readonly doubts: readonly SweepDoubt[];
}

export interface CalibrationView {
  /** `homing`: put every joint in the middle. `sweeping`: move each from stop to stop. Nothing has been written in either. */
  readonly step: 'homing' | 'sweeping';
  readonly joints: readonly CalibrationJoint[];
  /** Where the drawn arm should stand, radians; null where it is not known. */
  readonly angles: readonly number[] | null;
}

/** What would be written, and has not been. */
export interface CalibrationProposal {
  readonly calibration: ArmCalibration;
  readonly changes: readonly RegisterChange[];
  readonly trimRad: readonly number[];
}

/** How each servo stands now; `nowMs` is when the question was answered. */
export interface HealthReport extends SerialArmHealth {
  readonly nowMs: number;
  readonly faults: readonly Failure[];
}

/** Things that go wrong, to order; virtual servos only. `none` mends everything. */
export const VIRTUAL_FAULTS = ['unplug', 'overload', 'hot', 'brown-out', 'drop', 'corrupt', 'delay', 'duplicate', 'wrong-id', 'chain', 'none'] as const;
export type VirtualFault = (typeof VIRTUAL_FAULTS)[number];

export interface RobotApi {
  /**
   * Looks, refuses or sets up, and takes hold where the arm stands. Only with the arm at rest. Rejects with `serial/...`,
   * `arm/other-body` (the simulated arm that is to move is another one), `arm/refused`, `arm/port-lost`, `arm/servo-lost`, `arm/not-kept`, `arm/moved-at-start`; no motor is on then that was not on before.
   */
  connectServos(request: ServosRequest): Promise<Outcome<ServosConnected>>;
  /** Gives the port back. Torque stays as it is: an arm that holds goes on holding. */
  disconnect(): Promise<Outcome<null>>;
  /** Null without an arm of servos. */
  health(): Promise<Outcome<HealthReport | null>>;
  /** Opens the gripper within its limits; the arm joints stay where they are. Works after Stop and with a fault latched. */
  openGripper(): Promise<Outcome<null>>;
  /** Changes nothing. Also while the arm is connected. */
  look(place: SerialPlace, scope: LookScope): Promise<Outcome<LookReport>>;
  /** A LeRobot calibration file, checked. `arm/calibration-invalid`. */
  readCalibration(text: string): Promise<Outcome<ArmCalibration>>;
  /** The same file, as LeRobot writes it. */
  writeCalibrationText(calibration: ArmCalibration): Promise<Outcome<string>>;
  /** What writing this calibration would change. Writes nothing. */
  planCalibration(place: SerialPlace, calibration: ArmCalibration): Promise<Outcome<readonly RegisterChange[]>>;
  /** Writes it to limp servos and reads it back. `arm/refused` (torque-on), `arm/not-kept`. */
  writeCalibration(place: SerialPlace, calibration: ArmCalibration): Promise<Outcome<LookReport>>;
  /** Lets go of all motors, so that hands can move the arm. Not while connected: lower and release first. */
  calibrationBegin(place: SerialPlace): Promise<Outcome<CalibrationView>>;
  /** The joints stand in the middle now. */
  calibrationHome(): Promise<Outcome<CalibrationView>>;
  calibrationView(): Promise<Outcome<CalibrationView>>;
  /** What the sweep was worth. `arm/calibration-doubtful` while a joint has a doubt. */
  calibrationPropose(): Promise<Outcome<CalibrationProposal>>;
  calibrationEnd(): Promise<Outcome<null>>;
  /** The one motor on the wire: who it is. `arm/not-one-motor` where there is none or more than one. */
  findMotor(place: SerialPlace): Promise<Outcome<FoundMotor>>;
  /** Gives the one motor on the wire an id, and 1 Mbaud. Read back at the new rate. */
  nameMotor(place: SerialPlace, id: number): Promise<Outcome<FoundMotor>>;
  /** Virtual servos only: a hand that carries limp joints to this pose, radians; null lets go. */
  virtualHand(pose: readonly number[] | null): Promise<Outcome<null>>;
  virtualFault(fault: VirtualFault): Promise<Outcome<null>>;
}

export interface FoundMotor {
  readonly id: number;
  readonly baud: number;
  readonly model: number;
}
