/**
 * What a virtual servo turns: the joint behind it. The servo decides where it wants to be and how strongly, the plant
 * decides what comes of it. The simulated arm is one plant; a few lines of arithmetic for tests are another.
 */

export interface JointDrive {
  /** Radians, as the joint is measured; null while the servo is limp. */
  readonly goal: number | null;
  /** How much of the servo's stall torque it may use, 0 to 1. */
  readonly strength: number;
}

export interface JointSense {
  readonly angle: number;
  /** Radians per second. */
  readonly speed: number;
  /** Share of the stall torque being used, with sign, -1 to 1. */
  readonly load: number;
}

export interface JointPlant {
  /** All joints at once, JOINT_NAMES order; then `seconds` pass, where the plant has no time of its own. */
  drive(drives: readonly JointDrive[], seconds: number): void;
  sense(joint: number): JointSense;
}
