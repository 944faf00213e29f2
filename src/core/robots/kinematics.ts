/**
 * Forward kinematics: joint angles to link poses, from the robot description alone. No limits, no physics; angles
 * outside the range are computed like any others.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { Pose, RobotDescription, Vector3 } from '#contracts/robot.ts';
import { aboutAxis, compose, IDENTITY, placed, rotate } from './transforms.ts';

/**
 * Poses of the base and then of each link in JOINT_NAMES order (7 for our arms), in the base frame.
 * `angles`: one radian value a joint. Throws a RangeError on another count.
 */
export function linkPoses(robot: Pick<RobotDescription, 'joints'>, angles: ArrayLike<number>): readonly Pose[] {
  if (angles.length !== JOINT_COUNT) throw new RangeError(`expected ${JOINT_COUNT} joint angles, found ${angles.length}`);
  const poses: Pose[] = [IDENTITY];
  let parent = IDENTITY;
  robot.joints.forEach((joint, i) => {
    // Our arms are chains: each joint's parent is the previous joint's child.
    const turned = compose(joint.origin.rotation, aboutAxis(joint.axis, angles[i] ?? 0));
    parent = placed(parent, { position: joint.origin.position, rotation: turned });
    poses.push(parent);
  });
  return poses;
}

/** Where the grip point is and how it is turned, in the base frame: z out of the fingers, x from the jaw to the fixed finger. */
export function gripPose(robot: RobotDescription, angles: ArrayLike<number>): Pose {
  const gripper = linkPoses(robot, angles)[JOINT_COUNT - 1];
  if (gripper === undefined) throw new RangeError('the robot has no gripper link');
  return placed(gripper, robot.gripPoint);
}

/** Axis and a point of each joint in the base frame: what a Jacobian is made of. */
export function jointAxes(robot: RobotDescription, poses: readonly Pose[]): readonly { readonly axis: Vector3; readonly point: Vector3 }[] {
  return robot.joints.map((joint, i) => {
    const child = poses[i + 1] ?? IDENTITY;
    // A turn about the axis leaves the axis where it is, so the child's own frame will do.
    return { axis: rotate(child.rotation, joint.axis), point: child.position };
  });
}
