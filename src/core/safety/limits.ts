/**
 * What a joint may do, as numbers. Gentle by default: an SO-100 servo turns at 5.45 rad/s without load, a person beside
 * it should not have to know that. Knows no tick and no target.
 */
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import type { RobotDescription } from '#contracts/robot.ts';

export interface JointLimit {
  /** Radians. */
  readonly least: number;
  readonly most: number;
  /** Kept free at both ends of the range, radians. */
  readonly marginRad: number;
  readonly maxSpeedRadPerS: number;
  readonly maxAccelerationRadPerS2: number;
  /** Absent: none. */
  readonly maxJerkRadPerS3?: number;
}

/** What a caller may set; anything left out is the default below. */
export interface LimitChoices {
  readonly arm?: Partial<MotionLimits>;
  readonly gripper?: Partial<MotionLimits>;
}

export interface MotionLimits {
  readonly marginRad: number;
  readonly maxSpeedRadPerS: number;
  readonly maxAccelerationRadPerS2: number;
  readonly maxJerkRadPerS3: number;
}

/** 2 rad/s is 115 degrees a second; from there 12 rad/s^2 brakes to rest in 0.17 s, and 400 rad/s^3 gets there in 0.03 s. */
export const DEFAULT_ARM_LIMITS: MotionLimits = { marginRad: 0.01, maxSpeedRadPerS: 2, maxAccelerationRadPerS2: 12, maxJerkRadPerS3: 400 };
/** No margin: closed is the end of the jaw's range and a squeeze must reach it. */
export const DEFAULT_GRIPPER_LIMITS: MotionLimits = { marginRad: 0, maxSpeedRadPerS: 1.5, maxAccelerationRadPerS2: 15, maxJerkRadPerS3: 600 };

/** One limit a joint, JOINT_NAMES order. Never faster than the servo. */
export function limitsOf(robot: RobotDescription, choices: LimitChoices = {}): JointLimit[] {
  return robot.joints.map((joint, index) => {
    const motion = index === GRIPPER_INDEX ? { ...DEFAULT_GRIPPER_LIMITS, ...choices.gripper } : { ...DEFAULT_ARM_LIMITS, ...choices.arm };
    return { least: joint.least, most: joint.most, ...motion, maxSpeedRadPerS: Math.min(motion.maxSpeedRadPerS, joint.maxSpeedRadPerS) };
  });
}
