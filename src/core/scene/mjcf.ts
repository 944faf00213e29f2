/**
 * The scene as MJCF, MuJoCo's model text, and nothing but the scene: what is not in the description is a constant
 * of this file, named and explained. Collision geometry only; drawing is three.js's work.
 *
 * The contact numbers were found by grasp trials (lift 10 cm, hold, shake) rather than read off materials: elliptic
 * friction cones with impratio 10 stop a gripped cube from creeping, 2 ms Euler steps hold where 5 ms steps drop, and
 * stiff contacts (solref 8 ms) let cubes sink 0.01 mm into the fingers instead of 0.1 mm.
 *
 * A motor is a stiff position servo whose torque is capped at stall, on a joint with damping stall torque / no-load
 * speed. That is the straight torque-speed line of a direct-current motor: at no-load speed the damping eats all of it.
 */
import type { CollisionShape, JointDescription, LinkDescription, Pose, RobotDescription } from '#contracts/robot.ts';
import type { SceneDescription, SceneObject } from '#contracts/scene.ts';
import { aboutAxis, NO_ROTATION, ORIGIN } from '#core/robots/transforms.ts';
import { unreachable } from '#core/lib/never.ts';
import { BOWL_PIECES, bowlFootHalfExtents, bowlWallPiece, type Bowl } from './bowl.ts';

export const TIMESTEP_S = 0.002;

/** Rotor inertia seen through the gears, kg m^2, and dry friction, N m: measured on STS3215 servos by the SO-101's authors. */
const ARMATURE = 0.028;
const FRICTION_LOSS = 0.052;
/** N m per rad: 1 N m of gravity at the shoulder sags 0.4 degrees. */
const STIFFNESS = 150;

/** Friction: sliding, twisting (m), rolling (m). condim 4 adds the twist, without which a cube turns about the fingers' line. */
const GRIP = 'condim="4" friction="1 .02 .001" solref=".008 1" solimp=".95 .99 .001"';
const PLAIN = 'condim="3" friction=".6 .005 .0001" solref=".008 1" solimp=".95 .99 .001"';

/** MJCF text. Bodies carry the names of the description's links and objects, joints and actuators those of the joints. */
export function sceneMjcf(scene: SceneDescription): string {
  const { robot, objects, table } = scene;
  const first = robot.joints[0];
  return [
    '<mujoco model="scene">',
    '<compiler angle="radian" autolimits="true"/>',
    `<option timestep="${TIMESTEP_S}" integrator="Euler" solver="Newton" cone="elliptic" impratio="10"/>`,
    '<asset>',
    ...[robot.base, ...robot.links].flatMap((link) => link.collision.flatMap(meshOf)),
    ...objects.filter((o) => o.kind === 'bowl').map((o) => `<mesh name="${o.name}_wall" vertex="${bowlWallPiece(o).map(numbers).join(' ')}"/>`),
    '</asset>',
    '<worldbody>',
    `<geom name="table" type="box" pos="${numbers(table.centre)}" size="${numbers(table.halfExtents)}" ${GRIP}/>`,
    linkBody(robot, robot.base, null),
    ...objects.map(objectBody),
    '</worldbody>',
    '<actuator>',
    ...robot.joints.map(actuator),
    '</actuator>',
    // The base stands still; MuJoCo filters a parent from its child only where the parent can move.
    first === undefined ? '' : `<contact><exclude body1="${first.parent}" body2="${first.child}"/></contact>`,
    '</mujoco>',
  ].join('\n');
}

function linkBody(robot: RobotDescription, link: LinkDescription, joint: JointDescription | null): string {
  const { diagonal, rotation } = link.inertia;
  const children = robot.joints.flatMap((j, i) => {
    const child = robot.links[i];
    return j.parent === link.name && child !== undefined ? [linkBody(robot, child, j)] : [];
  });
  return [
    `<body name="${link.name}"${joint === null ? '' : placement(joint.origin)}>`,
    `<inertial pos="${numbers(link.centreOfMass)}" quat="${numbers(rotation)}" mass="${link.massKg}" diaginertia="${numbers(diagonal)}"/>`,
    joint === null ? '' : jointElement(joint),
    ...link.collision.map(shapeGeom),
    ...children,
    '</body>',
  ].join('\n');
}

function jointElement(joint: JointDescription): string {
  const damping = joint.maxTorqueNm / joint.maxSpeedRadPerS;
  return `<joint name="${joint.name}" axis="${numbers(joint.axis)}" range="${joint.least} ${joint.most}" armature="${ARMATURE}" frictionloss="${FRICTION_LOSS}" damping="${damping}"/>`;
}

function actuator(joint: JointDescription): string {
  const limit = joint.maxTorqueNm;
  return `<position name="${joint.name}" joint="${joint.name}" kp="${STIFFNESS}" dampratio="1" forcerange="${-limit} ${limit}" ctrlrange="${joint.least} ${joint.most}"/>`;
}

function shapeGeom(shape: CollisionShape): string {
  switch (shape.kind) {
    case 'box':
      return `<geom name="${shape.name}" type="box"${placement(shape.pose)} size="${numbers(shape.halfExtents)}" ${shape.pad === 'grip' ? GRIP : PLAIN}/>`;
    case 'capsule':
      return `<geom name="${shape.name}" type="capsule" fromto="${numbers(shape.from)} ${numbers(shape.to)}" size="${shape.radius}" ${PLAIN}/>`;
    case 'hull':
      return `<geom name="${shape.name}" type="mesh" mesh="${shape.name}" ${PLAIN}/>`;
    default:
      return unreachable(shape);
  }
}

function meshOf(shape: CollisionShape): readonly string[] {
  return shape.kind === 'hull' ? [`<mesh name="${shape.name}" vertex="${shape.points.map(numbers).join(' ')}"/>`] : [];
}

function objectBody(object: SceneObject): string {
  switch (object.kind) {
    case 'cube': {
      const half = object.sizeM / 2;
      return [
        `<body name="${object.name}"${placement(object.pose)}>`,
        '<freejoint/>',
        `<geom name="${object.name}" type="box" size="${half} ${half} ${half}" mass="${object.massKg}" ${GRIP}/>`,
        '</body>',
      ].join('\n');
    }
    case 'bowl':
      return bowlBody(object);
    case 'block':
      return [
        `<body name="${object.name}"${placement(object.pose)}>`,
        '<freejoint/>',
        `<geom name="${object.name}" type="box" size="${numbers(object.halfExtents)}" mass="${object.massKg}" ${GRIP}/>`,
        '</body>',
      ].join('\n');
    default:
      return unreachable(object);
  }
}

function bowlBody(bowl: Bowl): string {
  const foot = bowlFootHalfExtents(bowl);
  const r2 = bowl.radiusM ** 2;
  // A flat disc of the rim's radius; the real mass sits a little further in.
  const inertia = [(bowl.massKg * r2) / 4, (bowl.massKg * r2) / 4, (bowl.massKg * r2) / 2] as const;
  const turned = (turn: number): string => `quat="${numbers(aboutAxis([0, 0, 1], turn))}"`;
  const walls = Array.from({ length: BOWL_PIECES }, (_, i) => {
    return `<geom name="${bowl.name}_wall_${i}" type="mesh" mesh="${bowl.name}_wall" ${turned((2 * Math.PI * i) / BOWL_PIECES)} ${PLAIN}/>`;
  });
  const feet = [0, Math.PI / 4].map((turn, i) => {
    return `<geom name="${bowl.name}_foot_${i}" type="box" pos="0 0 ${foot[2]}" ${turned(turn)} size="${numbers(foot)}" ${PLAIN}/>`;
  });
  return [
    `<body name="${bowl.name}"${placement(bowl.pose)}>`,
    '<freejoint/>',
    `<inertial pos="0 0 ${bowl.heightM / 3}" mass="${bowl.massKg}" diaginertia="${numbers(inertia)}"/>`,
    ...walls,
    ...feet,
    '</body>',
  ].join('\n');
}

function placement(pose: Pose): string {
  const position = pose.position === ORIGIN ? '' : ` pos="${numbers(pose.position)}"`;
  return pose.rotation === NO_ROTATION ? position : `${position} quat="${numbers(pose.rotation)}"`;
}

function numbers(values: readonly number[]): string {
  return values.join(' ');
}
