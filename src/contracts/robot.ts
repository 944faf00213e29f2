/**
 * What a robot arm is, as data: a tree of links and hinge joints, with limits, masses and convex collision shapes.
 * Everything derived (forward kinematics, MJCF, three.js objects, link capsules, the scene hash) is computed from
 * this one description. Metres, kilograms, radians; frames right-handed; z of the base frame points up.
 *
 * Joint zero and sign are LeRobot's (>= 0.4.4): zero is the middle of the range of motion. A robot in another
 * convention differs only in joint origins.
 */
import type { JointName } from './joints.ts';
import type { Radians } from './units.ts';

export type Vector3 = readonly [x: number, y: number, z: number];
/** MuJoCo's order. */
export type Quaternion = readonly [w: number, x: number, y: number, z: number];

export interface Pose {
  readonly position: Vector3;
  readonly rotation: Quaternion;
}

export type CollisionShape =
  | { readonly kind: 'box'; readonly name: string; readonly pose: Pose; readonly halfExtents: Vector3; readonly pad: 'grip' | 'none' }
  | { readonly kind: 'capsule'; readonly name: string; readonly from: Vector3; readonly to: Vector3; readonly radius: number }
  | { readonly kind: 'hull'; readonly name: string; readonly points: readonly Vector3[] };

export interface LinkDescription {
  readonly name: string;
  readonly massKg: number;
  readonly centreOfMass: Vector3;
  /** Principal moments, kg m^2, and the frame they are principal in. */
  readonly inertia: { readonly diagonal: Vector3; readonly rotation: Quaternion };
  readonly collision: readonly CollisionShape[];
}

export interface JointDescription {
  readonly name: JointName;
  readonly parent: string;
  readonly child: string;
  /** Child frame in the parent frame at joint angle zero. */
  readonly origin: Pose;
  /** Unit vector in the child frame. */
  readonly axis: Vector3;
  readonly least: Radians;
  readonly most: Radians;
  /** What the servo can do, not what safety allows. */
  readonly maxSpeedRadPerS: number;
  readonly maxTorqueNm: number;
}

/** The printed arms that are described here. An index in it stands in shared slots: add at the end only. */
export const ROBOT_NAMES = ['so100', 'so101'] as const;
export type RobotName = (typeof ROBOT_NAMES)[number];

export interface RobotDescription {
  readonly name: RobotName;
  readonly base: LinkDescription;
  /** In JOINT_NAMES order; `links[i]` is the child of `joints[i]`. */
  readonly joints: readonly JointDescription[];
  readonly links: readonly LinkDescription[];
  /** The point between the fingertips, in the frame of the gripper link (the parent of the jaw). */
  readonly gripPoint: Pose;
  /** Joint angles of the pose the arm starts in and returns to, JOINT_NAMES order, radians. */
  readonly homePose: readonly number[];
  /** Folded on itself, safe to cut torque in. */
  readonly restPose: readonly number[];
}
