/**
 * The arm as the control loop sees it. Calls return at once, because they happen inside a tick: an arm on a slow wire
 * keeps its newest reading and its newest command itself.
 */
import type { ArmKind } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';
import type { Reading } from '#contracts/reading.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { SafeCommand } from '#core/safety/safe-command.ts';

export interface JointReadings {
  /** Radians, JOINT_NAMES order, as are the others. Fresh arrays. */
  readonly position: Float64Array;
  /** Radians per second. */
  readonly velocity: Float64Array;
  /** Newton metres at the actuator. */
  readonly torque: Float64Array;
  /**
   * Changes when the arm was put somewhere by other hands than ours, such as a reset of the simulation: what was
   * commanded before then means nothing now.
   */
  readonly epoch: number;
  /** Motor temperatures, degrees Celsius, and the supply, volts; absent where the arm does not say. */
  readonly temperatureC?: Float64Array;
  readonly voltageV?: number;
}

export interface Arm {
  readonly kind: ArmKind;
  /** Whose body this is: the gate that guards it is made of this description and of no other. */
  readonly robot: RobotDescription;
  /** The newest reading, and how old it is at `nowMs`. Never throws: what cannot be read is a failed reading. */
  read(nowMs: number): Reading<JointReadings>;
  /**
   * Torque on, holding `at`, which the caller made from a reading of just now. A new arm is limp. The command comes
   * with the torque because a servo that is switched on first jumps to whatever goal it still remembers.
   * Rejects with a FailureError (`arm/not-connected` after `close`).
   */
  engage(at: SafeCommand, stamp: CommandStamp): Promise<void>;
  /** Torque off. The arm falls where nothing holds it up. Rejects as `engage`. */
  release(stamp: CommandStamp): Promise<void>;
  /**
   * Where to go from now on. While limp or closed it throws a FailureError (`arm/not-connected`) and sends nothing:
   * a Feetech servo that is written a goal outside its range switches its own torque on.
   */
  send(command: SafeCommand, stamp: CommandStamp): void;
  /**
   * What is wrong though the arm may still be read: motors that protect themselves or have let go, a lost port. Empty or absent:
   * nothing. Stands until `engage`.
   */
  faults?(): readonly Failure[];
  /** Looks now at what is else only looked at now and then, so that `faults` is of this moment. Never rejects. */
  examine?(): Promise<void>;
  /** What each joint may be sent, radians, JOINT_NAMES order: its calibrated range. Absent: all that the robot can. */
  ranges?(): readonly { readonly least: number; readonly most: number }[];
  /** This joint may be sent goals again though its motor protects itself: opening a gripper takes its load away. */
  relieve?(joint: number): void;
  /** Lets go of the hardware and leaves torque as it is: switching it off drops the arm. Twice is once. */
  close(): Promise<void>;
}

export interface CommandStamp {
  /** Tick of the control loop. */
  readonly tick: number;
  readonly atMs: number;
}

/**
 * A reading no older than this is fresh. The world measures every few milliseconds and draws two camera pictures in
 * the same thread, 40 ms each at worst on a quiet machine without a GPU; at 2 rad/s an arm moves 0.5 rad in this time.
 */
export const FRESH_FOR_MS = 250;
