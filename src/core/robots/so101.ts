/**
 * The SO-101 follower as data: the same motors as an SO-100's in other printed parts. Link frames are those of the official URDF of the
 * "new" calibration, whose zero and signs are LeRobot's, with what is rounding in that file taken out; ranges, masses and inertias are
 * that file's. Every joint turns about its z.
 *
 * Only the base has a frame of our own: its origin on the table and its arm along -y, as an SO-100's, so that a cube, a limit or a mat
 * means the same place before either. `SO101_OFFICIAL_BASE` is where the official file's base lies in it.
 *
 * Collision shapes are convex, few, and our own. They are drawn in the frames of `so100.ts` (its comment says which way they lie),
 * because the parts are of one family, and carried into the official frames. Sizes were read off the official meshes;
 * `so101-body.test.ts` holds them against 120 points of each link.
 */
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { CollisionShape, JointDescription, LinkDescription, Pose, Quaternion, RobotDescription, Vector3 } from '#contracts/robot.ts';
import type { Radians } from '#contracts/units.ts';
import { box, carried, link, pad, plate, wedge } from './parts.ts';
import { aboutAxis, compose, fromAxes, NO_ROTATION, placed, scale } from './transforms.ts';

const X: Vector3 = [1, 0, 0];
const Y: Vector3 = [0, 1, 0];
const Z: Vector3 = [0, 0, 1];
const QUARTER = Math.PI / 2;
/** The wrist's plate is screwed on so far from square. */
const ROLL_LEAN = 0.0486795;
/** STS3215 at 12 V: 45 rpm, 30 kg cm; the gripper at half, as LeRobot sets it. */
const SPEED = (45 / 60) * 2 * Math.PI;
const TORQUE = 2.94;

/** The official base's frame in ours: the feet reach 2.4 mm below it, and it looks along its +x. */
export const SO101_OFFICIAL_BASE: Pose = { position: [0, -0.0063647, 0.0024], rotation: aboutAxis(Z, -QUARTER) };

const minus = (v: Vector3): Vector3 => scale(v, -1);

/** Where a link of this arm is drawn as an SO-100's is: that drawing's frame in the link's own, by the link's names. */
export const SO101_DRAWN = {
  base: { position: [0, 0, 0], rotation: NO_ROTATION },
  shoulder: { position: [0.0002, 0, 0.0483], rotation: fromAxes(Y, minus(Z), minus(X)) },
  upper_arm: { position: [0, 0, 0.0182], rotation: fromAxes(Z, minus(X), minus(Y)) },
  lower_arm: { position: [0, 0, 0.0182], rotation: fromAxes(Z, Y, minus(X)) },
  wrist: { position: [0, 0, 0.0181], rotation: fromAxes(minus(Z), Y, X) },
  gripper: { position: [0, 0, 0], rotation: fromAxes(minus(X), Z, Y) },
  jaw: { position: [0, 0, 0.0189], rotation: NO_ROTATION },
} as const satisfies Readonly<Record<string, Pose>>;

const base = link('base', 0.147, [-5.2e-5, -0.0200826, 0.0358843], [1.36133e-4, 1.31807e-4, 1.13231e-4], compose(SO101_OFFICIAL_BASE.rotation, [-0.558763, 0.420519, 0.428704, -0.57198]), [
  plate('base_foot', [[-0.0437, 0.0158], [0.0437, 0.0158], [-0.0556, -0.0205], [0.0556, -0.0205], [-0.0556, -0.032], [0.0556, -0.032], [-0.033, -0.0711], [0.033, -0.0711]], [0, 0.0175]),
  box('base_column', [-0.0226, 0.0226], [-0.0266, 0.0158], [0.0175, 0.038]),
  box('base_servo', [-0.0125, 0.0125], [-0.0556, -0.0099], [0.0266, 0.0664]),
  box('base_belt', [-0.0226, 0.0226], [-0.0596, 0.0209], [0.038, 0.0585]),
  box('base_clip', [0.0224, 0.0254], [-0.0265, -0.0125], [0.04, 0.0535]),
  box('base_head', [-0.0226, 0.0226], [-0.0306, 0.0209], [0.0585, 0.0721]),
  box('base_board', [-0.0258, 0.0254], [0.0168, 0.0248], [0.0287, 0.071]),
]);

function drawn(name: Exclude<keyof typeof SO101_DRAWN, 'base'>, massKg: number, centreOfMass: Vector3, diagonal: Vector3, rotation: Quaternion, shapes: readonly CollisionShape[]): LinkDescription {
  return link(name, massKg, centreOfMass, diagonal, rotation, shapes.map((shape) => carried(SO101_DRAWN[name], shape)));
}

const links: readonly LinkDescription[] = [
  drawn('shoulder', 0.100006, [-0.0307604, -1.66727e-5, -0.0252713], [8.37836e-5, 8.10388e-5, 2.39552e-5], [-0.999865, -0.001496, -0.009708, -0.013204], [
    box('shoulder_lower_fork', [-0.0121, 0.0121], [0.002, 0.0121], [-0.0121, 0.0478]),
    box('shoulder_wall', [-0.0198, 0.0198], [0.002, 0.0585], [0.0225, 0.0479]),
    box('shoulder_upper_fork', [-0.0121, 0.0121], [0.0475, 0.0585], [-0.0121, 0.03]),
    box('shoulder_holder', [-0.0266, 0.0266], [0.058, 0.0865], [0.0148, 0.0509]),
    box('shoulder_clip', [0.0175, 0.0289], [0.067, 0.0845], [0.0126, 0.026]),
    box('shoulder_motor', [-0.0199, 0.0199], [0.0863, 0.1128], [0.0179, 0.0432]),
  ]),
  drawn('upper_arm', 0.103, [-0.0898471, -0.00838224, 0.0184089], [1.50873e-4, 1.42487e-4, 3.72451e-5], [0.454063, -0.453195, -0.542951, 0.541891], [
    box('upper_arm_fork_left', [-0.0318, -0.017], [-0.0121, 0.05], [-0.0122, 0.0122]),
    box('upper_arm_fork_right', [0.017, 0.0318], [-0.0121, 0.05], [-0.0122, 0.0122]),
    plate('upper_arm_beam', [[-0.0318, 0.0285], [0.0318, 0.0285], [-0.0318, 0.063], [0.0318, 0.063], [-0.0252, 0.1], [0.0252, 0.1]], [-0.0122, 0.0126]),
    box('upper_arm_head', [-0.0252, 0.0252], [0.096, 0.1303], [-0.0122, 0.0128]),
    box('upper_arm_clip', [0.0316, 0.0357], [0.0153, 0.0267], [-0.0078, 0.0066]),
    box('upper_arm_motor', [-0.0199, 0.0199], [0.1001, 0.1251], [0.0126, 0.0383]),
  ]),
  drawn('lower_arm', 0.104, [-0.0980701, 0.00324376, 0.0182831], [1.60262e-4, 1.45304e-4, 2.83125e-5], [0.517006, -0.510729, -0.483477, 0.487966], [
    box('lower_arm_fork_left', [-0.0303, -0.017], [-0.0121, 0.0121], [-0.0121, 0.045]),
    box('lower_arm_fork_right', [0.017, 0.0303], [-0.0121, 0.0121], [-0.0121, 0.045]),
    box('lower_arm_root', [-0.03, 0.03], [-0.0121, 0.0121], [0.0265, 0.052]),
    box('lower_arm_beam', [-0.0265, 0.0263], [-0.0121, 0.0121], [0.05, 0.0935]),
    box('lower_arm_head', [-0.0267, 0.0267], [-0.0153, 0.0221], [0.0905, 0.1189]),
    box('lower_arm_clip', [0.03, 0.0344], [-0.0078, 0.0068], [0.0103, 0.0217]),
    box('lower_arm_head_clip', [0.026, 0.0304], [-0.0082, 0.0052], [0.1, 0.1145]),
    box('lower_arm_motor', [-0.0199, 0.0199], [-0.0073, 0.0177], [0.1187, 0.1452]),
  ]),
  drawn('wrist', 0.079, [-0.000103312, -0.0386143, 0.0281156], [3.68265e-5, 2.74474e-5, 1.89434e-5], [-0.001622, 0.000146, 0.967143, 0.254226], [
    box('wrist_fork_left', [-0.0271, -0.0177], [-0.024, 0.0121], [-0.0121, 0.0121]),
    box('wrist_fork_right', [0.0176, 0.0272], [-0.024, 0.0121], [-0.0121, 0.0121]),
    plate('wrist_body', [[-0.0353, -0.0624], [-0.0133, -0.0624], [0.0007, -0.0587], [0.0107, -0.0541], [0.0207, -0.0461], [0.0247, -0.0407], [0.0272, -0.0335], [0.0272, -0.0215], [-0.0353, -0.0225], [-0.031, -0.0152]], [-0.0157, 0.0158]),
    box('wrist_horn', [-0.0101, 0.0171], [-0.0628, -0.05], [-0.0125, 0.0125]),
    box('wrist_clip', [-0.0035, 0.0095], [-0.0492, -0.0378], [-0.0202, -0.0155]),
    box('wrist_nose', [-0.0195, -0.012], [-0.066, -0.062], [-0.0157, -0.0075]),
  ]),
  drawn('gripper', 0.087, [0.000213627, 0.000245138, -0.025187], [4.33735e-5, 3.77229e-5, 2.42839e-5], [-0.35863, -0.61951, 0.600717, 0.355993], [
    box('gripper_boss', [-0.0122, 0.019], [-0.0051, 0.0011], [-0.0121, 0.0121]),
    box('gripper_plate', [-0.0302, 0.0353], [-0.0112, -0.0049], [-0.0241, 0.0241]),
    box('gripper_body', [-0.005, 0.0353], [-0.0375, -0.0049], [-0.0241, 0.0241]),
    plate('gripper_cheek', [[-0.0153, -0.0049], [0.02, -0.0049], [-0.0022, -0.0375], [0.02, -0.0375]], [0.018, 0.0241]),
    box('gripper_motor', [-0.0306, 0], [-0.0359, -0.0109], [-0.0195, 0.0205]),
    box('gripper_clip', [-0.0127, 0.0018], [-0.0113, -0.0014], [-0.0282, -0.0155]),
    box('gripper_knuckle', [0.0147, 0.0353], [-0.0435, -0.036], [-0.0161, 0.0161]),
    wedge('gripper_finger', { y: -0.043, x: [0.0148, 0.0353], halfWidth: 0.0128 }, { y: -0.1044, x: [0.0097, 0.0135], halfWidth: 0.0045 }),
    pad('gripper_pad_palm', [0.0129, -0.0453], [0.0096, -0.0845], 0.007, 1),
    pad('gripper_pad_middle', [0.0096, -0.0845], [0.0077, -0.0945], 0.0055, 1),
    pad('gripper_pad_tip', [0.0077, -0.0945], [0.0077, -0.1044], 0.0045, 1),
  ]),
  drawn('jaw', 0.012, [-0.00157495, -0.0300244, 0.0192755], [6.63582e-6, 5.29092e-6, 1.86523e-6], [-0.024562, -0.02301, -0.695265, -0.717965], [
    box('jaw_fork_left', [-0.0101, 0.0101], [-0.022, 0.0101], [-0.0241, -0.017]),
    box('jaw_fork_right', [-0.0101, 0.0101], [-0.022, 0.0101], [0.017, 0.0241]),
    box('jaw_bridge', [-0.01, 0.0088], [-0.0238, -0.0132], [-0.0205, 0.0205]),
    wedge('jaw_finger', { y: -0.0225, x: [-0.0075, 0.008], halfWidth: 0.0125 }, { y: -0.0605, x: [-0.0075, 0.004], halfWidth: 0.0075 }),
    wedge('jaw_fingertip', { y: -0.0605, x: [-0.008, 0.0036], halfWidth: 0.0072 }, { y: -0.082, x: [-0.0103, -0.0068], halfWidth: 0.0035 }),
    pad('jaw_pad_palm', [-0.0083, -0.0225], [-0.0083, -0.0605], 0.007, 1),
    pad('jaw_pad_middle', [-0.0083, -0.0605], [-0.0123, -0.0725], 0.0065, 1),
    pad('jaw_pad_tip', [-0.0123, -0.0725], [-0.0123, -0.082], 0.005, 1),
  ]),
];

/** Fixed axes, as URDF writes them: first about x, then y, then z. */
function rpy(roll: number, pitch: number, yaw: number): Quaternion {
  return compose(aboutAxis(Z, yaw), compose(aboutAxis(Y, pitch), aboutAxis(X, roll)));
}

function joint(index: number, position: Vector3, rotation: Quaternion, range: readonly [number, number], share = 1): JointDescription {
  const name = JOINT_NAMES[index];
  const parent = index === 0 ? base.name : links[index - 1]?.name;
  const child = links[index]?.name;
  if (name === undefined || parent === undefined || child === undefined) throw new Error(`no joint ${index}`);
  const origin = index === 0 ? placed(SO101_OFFICIAL_BASE, { position, rotation }) : { position, rotation };
  return { name, parent, child, origin, axis: Z, least: range[0] as Radians, most: range[1] as Radians, maxSpeedRadPerS: SPEED * share, maxTorqueNm: TORQUE * share };
}

const degrees = (value: number): Radians => ((value * Math.PI) / 180) as Radians;

/** The fixed finger's face lies this far along the closing direction from the grip point, metres. */
export const SO101_FIXED_FACE_M = 0.0079;

export const SO101: RobotDescription = {
  name: 'so101',
  base,
  joints: [
    joint(0, [0.0388353, 0, 0.0624], rpy(Math.PI, 0, -Math.PI), [-1.91986, 1.91986]),
    joint(1, [-0.0303992, -0.0182778, -0.0542], rpy(-QUARTER, -QUARTER, 0), [-1.74533, 1.74533]),
    joint(2, [-0.11257, -0.028, 0], rpy(0, 0, QUARTER), [-1.69, 1.69]),
    joint(3, [-0.1349, 0.0052, 0], rpy(0, 0, -QUARTER), [-1.65806, 1.65806]),
    joint(4, [0, -0.0611, 0.0181], rpy(QUARTER, ROLL_LEAN, Math.PI), [-2.74385, 2.84121]),
    joint(5, [0.0202, 0.0188, -0.0234], rpy(QUARTER, 0, 0), [-0.174533, 1.74533], 0.5),
  ],
  links,
  // As far from the fingertips as an SO-100's: a 3 cm cube's centre when they stand 4 mm above the table.
  gripPoint: { position: [0, 0, -0.0934], rotation: aboutAxis(Y, Math.PI) },
  // As the SO-100's: fingers down over the near half of the workspace, gripper a quarter open.
  homePose: [0, -30, 30, 90, -90, 17.5].map(degrees),
  restPose: [0, -100, 88, 67.6, 0, -9].map(degrees),
};
