/** An arm of servos as the page knows it: where it is, what is being done to it, what it said. */
import type { CalibrationView, FoundMotor, HealthReport, LookReport, SerialPlace, ServosConnected } from '#contracts/robot-setup.ts';
import type { Failure } from '#contracts/failure.ts';
import type { LeaderView } from '#contracts/leader.ts';
import type { ArmCalibration, RegisterChange } from '#contracts/serial.ts';

export const ROBOT_WORKS = ['connecting', 'leaving', 'looking', 'looking-everywhere', 'planning', 'writing', 'calibrating', 'naming'] as const;
export type RobotWork = (typeof ROBOT_WORKS)[number];

/** A calibration that could be written, and what that would change. Nothing has been written. */
export interface CalibrationPlan {
  readonly from: 'file' | 'sweep';
  /** The file's name. */
  readonly name: string;
  readonly calibration: ArmCalibration;
  readonly changes: readonly RegisterChange[];
  readonly trimRad: readonly number[] | null;
  /** `connect`: the person wanted to connect with it; written, it is. */
  readonly afterwards?: 'connect';
}

export interface RobotState {
  /** What the next verb is for. Its body is the one on the table: the page has one arm. */
  readonly place: SerialPlace;
  /** Whether the simulated arm is to go along with a real one, from the next connecting on. */
  readonly mirror: 'on' | 'off';
  /** Null when nothing is under way. */
  readonly work: RobotWork | null;
  /** Null without an arm of servos. */
  readonly connected: ServosConnected | null;
  readonly health: HealthReport | null;
  readonly look: LookReport | null;
  readonly plan: CalibrationPlan | null;
  /** Null when there is no leader and nobody looks for one. */
  readonly leader: LeaderView | null;
  /** Null when nobody calibrates. */
  readonly calibrating: CalibrationView | null;
  readonly motor: FoundMotor | null;
  /** Why the last verb failed; null after one that did not. */
  readonly failure: Failure | null;
}

export const NO_ROBOT: RobotState = { place: { kind: 'virtual' }, mirror: 'off', work: null, connected: null, health: null, look: null, plan: null, leader: null, calibrating: null, motor: null, failure: null };
