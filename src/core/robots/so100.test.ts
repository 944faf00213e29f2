/** The description is physically possible and says what its text claims. */
import { describe, expect, it } from 'vitest';
import { JOINT_NAMES } from '#contracts/joints.ts';
import { gripPose, linkPoses } from './kinematics.ts';
import { SO100, SO100_FIXED_FACE_M } from './so100.ts';
import { rotate, transform } from './transforms.ts';

describe('SO100', () => {
  it('has its joints in LeRobot order, each the parent of the next, with a range around or beside zero', () => {
    expect(SO100.joints.map((j) => j.name)).toEqual(JOINT_NAMES);
    SO100.joints.forEach((joint, i) => {
      expect(joint.child).toBe(SO100.links[i]?.name);
      expect(joint.parent).toBe(i === 0 ? SO100.base.name : SO100.links[i - 1]?.name);
      expect(joint.least).toBeLessThan(joint.most);
      expect(Math.hypot(...joint.axis)).toBeCloseTo(1, 12);
      expect(Math.hypot(...joint.origin.rotation)).toBeCloseTo(1, 12);
    });
  });

  it('has inertias that bodies can have: no moment larger than the sum of the others', () => {
    for (const link of SO100.links) {
      const [a = 0, b = 0, c = 0] = [...link.inertia.diagonal].sort((p, q) => p - q);
      expect(a).toBeGreaterThan(0);
      expect(a + b).toBeGreaterThan(c * 0.999);
      expect(Math.hypot(...link.inertia.rotation)).toBeCloseTo(1, 4);
    }
  });

  it('keeps home and rest inside the ranges', () => {
    for (const pose of [SO100.homePose, SO100.restPose]) {
      SO100.joints.forEach((joint, i) => expect(pose[i]).toSatisfy((q: number) => q >= joint.least && q <= joint.most));
    }
  });

  it('points the fingers straight down at home, over the table', () => {
    const grip = gripPose(SO100, SO100.homePose);
    expect(rotate(grip.rotation, [0, 0, 1])[2]).toBeCloseTo(-1, 6);
    expect(grip.position[2]).toBeGreaterThan(0.05);
  });

  it('has the fixed finger where the grip offset says, and a jaw that closes towards it', () => {
    const gripper = SO100.links[4]?.collision.find((shape) => shape.name === 'gripper_pad_palm');
    if (gripper?.kind !== 'box') throw new Error('no palm pad');
    // The pad's face lies one half thickness in front of its middle; grip point depth is y = -0.0954.
    const along = (-0.0954 - gripper.pose.position[1]) / rotate(gripper.pose.rotation, [0, 1, 0])[1];
    const face = transform(gripper.pose, [-gripper.halfExtents[0], along, 0]);
    expect(face[0]).toBeCloseTo(SO100_FIXED_FACE_M, 3);
    const tipX = (jaw: number): number => {
      const poses = linkPoses(SO100, [0, 0, 0, 0, 0, jaw]);
      const gripperPose = poses[5];
      const jawPose = poses[6];
      if (gripperPose === undefined || jawPose === undefined) throw new Error('no gripper');
      const tip = transform(jawPose, [-0.0123, -0.077, 0]);
      return Math.hypot(...[0, 1, 2].map((k) => (tip[k] ?? 0) - (transform(gripperPose, [0.0079, -0.1014, 0])[k] ?? 0)));
    };
    // Gap at the tips, as published for this gripper: about 17 mm at 0 degrees, 82 mm at 50.
    expect(tipX(0)).toBeCloseTo(0.016, 2);
    expect(tipX((50 * Math.PI) / 180)).toBeCloseTo(0.082, 2);
    expect(tipX((-10 * Math.PI) / 180)).toBeLessThan(0.006);
  });
});
