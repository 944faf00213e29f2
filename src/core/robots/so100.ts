/**
 * The SO-100 follower as data. Link frames are physically the frames of the official URDF and of the MuJoCo menagerie
 * model, so geometry can be compared part by part; joint zero and sign are LeRobot's (>= 0.4.4), which is why three
 * joint origins carry a quarter turn less or more than the official files and the pan axis points down.
 *
 * Frames, with the arm at LeRobot's zero (upper arm straight up, forearm straight ahead):
 *
 *   base       origin on the table, z up, the arm looks along -y
 *   shoulder   y up, z ahead; turns about y
 *   upper_arm  y along the arm, elbow at (0, 0.11257, 0.028); turns about x
 *   lower_arm  z along the arm, wrist at (0, 0.0052, 0.1349); turns about x
 *   wrist      -y towards the fingers; turns about x
 *   gripper    -y towards the fingertips, fixed finger on +x; turns about y
 *   jaw        -y towards the tip, gripping face on -x; turns about z
 *
 * Collision shapes are convex, few, and our own; their sizes were read off the printed parts (within about 1 mm). Each
 * finger's gripping face is a plane through the crests of the printed steps. Sources: SO-ARM100 URDF (joint
 * origins), MuJoCo menagerie trs_so_arm100 (ranges, masses, principal inertias), Feetech STS3215 at 12 V (speed, torque).
 */
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { JointDescription, LinkDescription, Quaternion, RobotDescription, Vector3 } from '#contracts/robot.ts';
import type { Radians } from '#contracts/units.ts';
import { box, link, pad, plate, wedge } from './parts.ts';
import { aboutAxis, NO_ROTATION } from './transforms.ts';

const X: Vector3 = [1, 0, 0];
const Y: Vector3 = [0, 1, 0];
const Z: Vector3 = [0, 0, 1];

/** STS3215 at 12 V, no load: 45 rpm. */
const SERVO_SPEED = (45 / 60) * 2 * Math.PI;
/** STS3215 at 12 V, stall: about 30 kg cm. */
const SERVO_TORQUE = 2.94;
/** LeRobot limits the gripper's motor to half its duty, so that squeezing does not burn it: half torque, half speed. */
const GRIPPER_TORQUE = 1.5;
const GRIPPER_SPEED = SERVO_SPEED / 2;

const degrees = (value: number): Radians => ((value * Math.PI) / 180) as Radians;

const base = link(
  'base',
  // It never moves, so its mass is never used; the official file's placeholder.
  1,
  [0, 0, 0],
  [0.01, 0.01, 0.01],
  NO_ROTATION,
  [
    plate('base_foot', [[-0.043, 0.015], [0.043, 0.015], [-0.0555, -0.023], [0.0555, -0.023], [-0.034, -0.071], [0.034, -0.071]], [0, 0.0158]),
    box('base_column', [-0.021, 0.021], [-0.026, 0.0155], [0.0158, 0.038]),
    box('base_motor', [-0.021, 0.021], [-0.0595, 0.0205], [0.038, 0.066]),
    box('base_board', [-0.0255, 0.0255], [0.0205, 0.0249], [0.042, 0.0835]),
  ],
);

const links: readonly LinkDescription[] = [
  link('shoulder', 0.119226, [-9.07886e-5, 0.0590972, 0.031089], [5.94278e-5, 5.89975e-5, 3.13712e-5], [0.363978, 0.441169, -0.623108, 0.533504], [
    box('shoulder_lower_fork', [-0.012, 0.012], [0, 0.0115], [-0.012, 0.047]),
    box('shoulder_wall', [-0.0195, 0.0195], [0.0005, 0.062], [0.023, 0.0475]),
    box('shoulder_upper_fork', [-0.0115, 0.0115], [0.0485, 0.06], [-0.012, 0.03]),
    box('shoulder_holder', [-0.0263, 0.0263], [0.058, 0.0863], [0.0147, 0.0508]),
    box('shoulder_motor', [-0.0198, 0.0198], [0.0863, 0.1127], [0.018, 0.043]),
  ]),
  link('upper_arm', 0.162409, [-1.72052e-5, 0.0701802, 0.00310545], [2.13312e-4, 1.67164e-4, 7.01522e-5], [0.50104, 0.498994, -0.493562, 0.50632], [
    box('upper_arm_fork_left', [-0.0351, -0.0175], [-0.0119, 0.05], [-0.012, 0.012]),
    box('upper_arm_fork_right', [0.0175, 0.0349], [-0.0119, 0.05], [-0.012, 0.012]),
    box('upper_arm_beam', [-0.03, 0.03], [0.045, 0.1], [-0.012, 0.012]),
    box('upper_arm_head', [-0.025, 0.025], [0.096, 0.1302], [-0.012, 0.014]),
    box('upper_arm_motor', [-0.0198, 0.0198], [0.1002, 0.125], [0.014, 0.0382]),
  ]),
  link('lower_arm', 0.147968, [-0.00339604, 0.00137796, 0.0768007], [1.38803e-4, 1.07748e-4, 4.84242e-5], [0.701995, 0.0787996, 0.0645626, 0.704859], [
    box('lower_arm_fork_left', [-0.0351, -0.0175], [-0.0119, 0.0119], [-0.012, 0.045]),
    box('lower_arm_fork_right', [0.0175, 0.0261], [-0.0119, 0.0119], [-0.012, 0.045]),
    box('lower_arm_beam', [-0.0335, 0.0255], [-0.0119, 0.0119], [0.04, 0.092]),
    box('lower_arm_head', [-0.0258, 0.0261], [-0.015, 0.0205], [0.0913, 0.1187]),
    box('lower_arm_motor', [-0.0198, 0.0198], [-0.0072, 0.0176], [0.1187, 0.1451]),
  ]),
  link('wrist', 0.0661321, [-0.00852653, -0.0352279, -2.34622e-5], [3.45403e-5, 2.39041e-5, 1.94704e-5], [-0.0522806, 0.705235, 0.0549524, 0.704905], [
    box('wrist_fork_left', [-0.0352, -0.019], [-0.0235, 0.012], [-0.012, 0.012]),
    box('wrist_fork_right', [0.0187, 0.0281], [-0.0235, 0.012], [-0.012, 0.012]),
    plate('wrist_body', [[-0.0352, -0.0235], [0.0281, -0.0235], [0.0281, -0.036], [0.01, -0.0615], [-0.0352, -0.0624]], [-0.016, 0.016]),
  ]),
  link('gripper', 0.0929859, [0.00552377, -0.0280167, 0.000483583], [5.03136e-5, 4.64098e-5, 2.72961e-5], [0.41836, 0.620891, -0.350644, 0.562599], [
    box('gripper_body', [-0.005, 0.0352], [-0.0405, -0.006], [-0.024, 0.024]),
    box('gripper_motor', [-0.0304, -0.005], [-0.0368, -0.006], [-0.0193, 0.0203]),
    wedge('gripper_finger', { y: -0.04, x: [0.0152, 0.0352], halfWidth: 0.0155 }, { y: -0.1064, x: [0.0099, 0.013], halfWidth: 0.0045 }),
    pad('gripper_pad_palm', [0.0133, -0.0485], [0.0079, -0.0975], 0.007, 1),
    pad('gripper_pad_tip', [0.0079, -0.0975], [0.0079, -0.1064], 0.0055, 1),
  ]),
  link('jaw', 0.0202444, [-0.00161745, -0.0303473, 0.000449646], [1.11265e-5, 8.99651e-6, 2.99548e-6], [0.696562, 0.716737, -0.0239844, -0.0227026], [
    box('jaw_fork_left', [-0.01, 0.01], [-0.022, 0.01], [-0.0239, -0.0205]),
    box('jaw_fork_right', [-0.01, 0.01], [-0.022, 0.01], [0.0205, 0.0241]),
    box('jaw_bridge', [-0.0083, 0.0079], [-0.0265, -0.0165], [-0.0205, 0.0205]),
    wedge('jaw_finger', { y: -0.0225, x: [-0.0063, 0.0076], halfWidth: 0.0105 }, { y: -0.0605, x: [-0.0063, 0.0036], halfWidth: 0.0075 }),
    wedge('jaw_fingertip', { y: -0.0605, x: [-0.008, 0.0032], halfWidth: 0.0072 }, { y: -0.082, x: [-0.0103, -0.0075], halfWidth: 0.0035 }),
    pad('jaw_pad_palm', [-0.0083, -0.0225], [-0.0083, -0.0605], 0.007, 1),
    pad('jaw_pad_middle', [-0.0083, -0.0605], [-0.0123, -0.0725], 0.0065, 1),
    pad('jaw_pad_tip', [-0.0123, -0.0725], [-0.0123, -0.082], 0.005, 1),
  ]),
];

const joints: readonly JointDescription[] = [
  joint(0, 'base', [0, -0.0452, 0.0165], aboutAxis(X, Math.PI / 2), [0, -1, 0], [-110, 110], [SERVO_TORQUE, SERVO_SPEED]),
  joint(1, 'shoulder', [0, 0.1025, 0.0306], NO_ROTATION, X, [-100.2, 99.9], [SERVO_TORQUE, SERVO_SPEED]),
  joint(2, 'upper_arm', [0, 0.11257, 0.028], NO_ROTATION, X, [-99.9, 89.9], [SERVO_TORQUE, SERVO_SPEED]),
  joint(3, 'lower_arm', [0, 0.0052, 0.1349], aboutAxis(X, -Math.PI / 2), X, [-95, 95], [SERVO_TORQUE, SERVO_SPEED]),
  joint(4, 'wrist', [0, -0.0601, 0], aboutAxis(Y, Math.PI / 2), Y, [-160, 160], [SERVO_TORQUE, SERVO_SPEED]),
  joint(5, 'gripper', [-0.0202, -0.0244, 0], aboutAxis(Y, Math.PI), Z, [-10, 100], [GRIPPER_TORQUE, GRIPPER_SPEED]),
];

function joint(
  index: number,
  parent: string,
  position: Vector3,
  rotation: Quaternion,
  axis: Vector3,
  rangeDegrees: readonly [number, number],
  [maxTorqueNm, maxSpeedRadPerS]: readonly [number, number],
): JointDescription {
  const name = JOINT_NAMES[index];
  const child = links[index]?.name;
  if (name === undefined || child === undefined) throw new Error(`no joint ${index}`);
  const [least, most] = rangeDegrees;
  return { name, parent, child, origin: { position, rotation }, axis, least: degrees(least), most: degrees(most), maxSpeedRadPerS, maxTorqueNm };
}

/** The fixed finger's face lies this far along the closing direction from the grip point, metres. */
export const SO100_FIXED_FACE_M = 0.0081;

export const SO100: RobotDescription = {
  name: 'so100',
  base,
  joints,
  links,
  // z points out of the fingers, x is the closing direction (from jaw to fixed finger). On the roll axis, so that turning
  // the wrist leaves it where it is; as deep as a 3 cm cube's centre when the fingertips stand 4 mm above the table.
  gripPoint: { position: [0, -0.0954, 0], rotation: aboutAxis(X, Math.PI / 2) },
  // Fingers down over the near half of the workspace, gripper a quarter open, both fingers seen from the front.
  homePose: [0, -30, 30, 90, -90, 17.5].map(degrees),
  restPose: [0, -100, 88, 67.6, 0, -9].map(degrees),
};
