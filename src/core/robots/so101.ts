/**
 * The SO-101 follower's joints as data: the same motors as the SO-100's on other printed parts. Frames are those of the official URDF of
 * the "new" calibration, whose zero and signs are LeRobot's, with what is rounding in that file taken out; ranges are that file's.
 * The base looks along +x here, an SO-100's along -y.
 *
 * Joints only. The links' bodies are not described yet, so the gate could not keep this arm off the table or off itself, and
 * control refuses to move it (`arm/unsupported`).
 */
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { JointDescription, Quaternion, Vector3 } from '#contracts/robot.ts';
import type { Radians } from '#contracts/units.ts';
import { aboutAxis, compose } from './transforms.ts';

const X: Vector3 = [1, 0, 0];
const Y: Vector3 = [0, 1, 0];
const Z: Vector3 = [0, 0, 1];
const QUARTER = Math.PI / 2;
/** The wrist's plate is screwed on so far from square. */
const ROLL_LEAN = 0.0486795;
/** STS3215 at 12 V: 45 rpm, 30 kg cm; the gripper at half, as LeRobot sets it. */
const SPEED = (45 / 60) * 2 * Math.PI;
const TORQUE = 2.94;

/** Fixed axes, as URDF writes them: first about x, then y, then z. */
function rpy(roll: number, pitch: number, yaw: number): Quaternion {
  return compose(aboutAxis(Z, yaw), compose(aboutAxis(Y, pitch), aboutAxis(X, roll)));
}

const LINKS = ['base', 'shoulder', 'upper_arm', 'lower_arm', 'wrist', 'gripper', 'jaw'] as const;

function joint(index: number, position: Vector3, rotation: Quaternion, range: readonly [number, number], share = 1): JointDescription {
  const name = JOINT_NAMES[index];
  const parent = LINKS[index];
  const child = LINKS[index + 1];
  if (name === undefined || parent === undefined || child === undefined) throw new Error(`no joint ${index}`);
  return { name, parent, child, origin: { position, rotation }, axis: Z, least: range[0] as Radians, most: range[1] as Radians, maxSpeedRadPerS: SPEED * share, maxTorqueNm: TORQUE * share };
}

export const SO101_JOINTS: readonly JointDescription[] = [
  joint(0, [0.0388353, 0, 0.0624], rpy(Math.PI, 0, -Math.PI), [-1.91986, 1.91986]),
  joint(1, [-0.0303992, -0.0182778, -0.0542], rpy(-QUARTER, -QUARTER, 0), [-1.74533, 1.74533]),
  joint(2, [-0.11257, -0.028, 0], rpy(0, 0, QUARTER), [-1.69, 1.69]),
  joint(3, [-0.1349, 0.0052, 0], rpy(0, 0, -QUARTER), [-1.65806, 1.65806]),
  joint(4, [0, -0.0611, 0.0181], rpy(QUARTER, ROLL_LEAN, Math.PI), [-2.74385, 2.84121]),
  joint(5, [0.0202, 0.0188, -0.0234], rpy(QUARTER, 0, 0), [-0.174533, 1.74533], 0.5),
];

/** A robot without bodies, for kinematics. */
export const SO101_CHAIN: { readonly joints: readonly JointDescription[] } = { joints: SO101_JOINTS };
