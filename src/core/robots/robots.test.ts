/** The description is physically possible and says what its text claims. */
import { describe, expect, it } from 'vitest';
import { JOINT_NAMES } from '#contracts/joints.ts';
import { gripPose, linkPoses } from './kinematics.ts';
import type { Vector3 } from '#contracts/robot.ts';
import { SO100, SO100_FIXED_FACE_M } from './so100.ts';
import { SO101 } from './so101.ts';
import { IDENTITY, norm, rotate, subtract, transform } from './transforms.ts';

describe.each([SO100, SO101])('the $name', (robot) => {
  it('has its joints in LeRobot order, each the parent of the next, with a range around or beside zero', () => {
    expect(robot.joints.map((j) => j.name)).toEqual(JOINT_NAMES);
    robot.joints.forEach((joint, i) => {
      expect(joint.child).toBe(robot.links[i]?.name);
      expect(joint.parent).toBe(i === 0 ? robot.base.name : robot.links[i - 1]?.name);
      expect(joint.least).toBeLessThan(joint.most);
      expect(Math.hypot(...joint.axis)).toBeCloseTo(1, 12);
      expect(Math.hypot(...joint.origin.rotation)).toBeCloseTo(1, 12);
    });
  });

  it('has inertias that bodies can have: no moment larger than the sum of the others', () => {
    for (const link of robot.links) {
      const [a = 0, b = 0, c = 0] = [...link.inertia.diagonal].sort((p, q) => p - q);
      expect(a).toBeGreaterThan(0);
      expect(a + b).toBeGreaterThan(c * 0.999);
      expect(Math.hypot(...link.inertia.rotation)).toBeCloseTo(1, 4);
    }
  });

  it('keeps home and rest inside the ranges', () => {
    for (const pose of [robot.homePose, robot.restPose]) {
      robot.joints.forEach((joint, i) => expect(pose[i]).toSatisfy((q: number) => q >= joint.least && q <= joint.most));
    }
  });

  it('points the fingers straight down at home, over the table', () => {
    const grip = gripPose(robot, robot.homePose);
    expect(rotate(grip.rotation, [0, 0, 1])[2]).toBeCloseTo(-1, 6);
    expect(grip.position[2]).toBeGreaterThan(0.05);
  });

  it('has a gap between the fingertips of 17 mm at 0 degrees and 82 mm at 50, and closes', () => {
    // The middle of the last gripping face of each finger, as it is described.
    const face = (link: number, name: string, side: 1 | -1): ((jaw: number) => Vector3) => {
      const shape = robot.links[link]?.collision.find((one) => one.name === name);
      if (shape?.kind !== 'box') throw new Error(`no ${name}`);
      return (jaw) => transform(linkPoses(robot, [0, 0, 0, 0, 0, jaw])[link + 1] ?? IDENTITY, transform(shape.pose, [side * shape.halfExtents[0], 0, 0]));
    };
    const fixed = face(4, 'gripper_pad_tip', -1);
    const moving = face(5, 'jaw_pad_tip', 1);
    const gap = (degrees: number): number => norm(subtract(fixed((degrees * Math.PI) / 180), moving((degrees * Math.PI) / 180)));
    expect(gap(0)).toBeCloseTo(0.016, 2);
    expect(gap(50)).toBeCloseTo(0.082, 2);
    expect(gap(-10)).toBeLessThan(0.006);
  });
});

describe('the SO-100', () => {
  it('has the fixed finger where the grip offset says', () => {
    const gripper = SO100.links[4]?.collision.find((shape) => shape.name === 'gripper_pad_palm');
    if (gripper?.kind !== 'box') throw new Error('no palm pad');
    // The pad's face lies one half thickness in front of its middle; grip point depth is y = -0.0954.
    const along = (-0.0954 - gripper.pose.position[1]) / rotate(gripper.pose.rotation, [0, 1, 0])[1];
    const face = transform(gripper.pose, [-gripper.halfExtents[0], along, 0]);
    expect(face[0]).toBeCloseTo(SO100_FIXED_FACE_M, 3);
  });
});
