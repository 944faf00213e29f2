/** Forward kinematics against the official URDF, and the inverse against the forward. */
import { describe, expect, it } from 'vitest';
import { JOINT_COUNT } from '#contracts/joints.ts';
import { seededRandom } from '#core/lib/random.ts';
import { reachDown, solveGrip } from './inverse-kinematics.ts';
import { gripPose, linkPoses } from './kinematics.ts';
import { SO100 } from './so100.ts';
import { SO101, SO101_OFFICIAL_BASE } from './so101.ts';
import { officialPoses } from './testing/pose-table.ts';
import { angleBetween, IDENTITY, norm, placed, rotate, subtract } from './transforms.ts';

/** Where the base of each official file lies in ours. */
const ROBOTS = [
  { robot: SO100, base: IDENTITY, poses: 1000 },
  { robot: SO101, base: SO101_OFFICIAL_BASE, poses: 200 },
];

describe.each(ROBOTS)('forward kinematics of the $robot.name', ({ robot, base, poses }) => {
  it('agrees with the official URDF at random poses within 0.1 mm and 0.1 degree', () => {
    const official = officialPoses(robot.name);
    expect(official.length).toBe(poses);
    let worstMm = 0;
    let worstDegrees = 0;
    for (const { angles, links } of official) {
      const ours = linkPoses(robot, angles);
      links.forEach((link, i) => {
        const theirs = placed(base, link);
        const pose = ours[i + 1];
        if (pose === undefined) throw new Error(`no pose for link ${i}`);
        worstMm = Math.max(worstMm, 1000 * norm(subtract(pose.position, theirs.position)));
        worstDegrees = Math.max(worstDegrees, (angleBetween(pose.rotation, theirs.rotation) * 180) / Math.PI);
      });
    }
    console.log(`${robot.name} kinematics against the URDF: at most ${worstMm.toFixed(4)} mm, ${worstDegrees.toFixed(4)} degrees`);
    expect(worstMm).toBeLessThan(0.1);
    expect(worstDegrees).toBeLessThan(0.1);
  });

  it('is not the other arm\'s: their links part by centimetres at the same angles', () => {
    const other = robot === SO100 ? SO101 : SO100;
    const apart = linkPoses(robot, robot.homePose).map((pose, i) => norm(subtract(pose.position, linkPoses(other, robot.homePose)[i]?.position ?? pose.position)));
    expect(Math.max(...apart)).toBeGreaterThan(0.02);
  });

  it('refuses another number of joints', () => {
    expect(() => linkPoses(robot, [0, 0, 0])).toThrow(RangeError);
  });

  it('turns the arm to its right (-x) for a positive pan, as LeRobot does', () => {
    expect(gripPose(robot, [0.5, 0, 0, 0, 0, 0]).position[0]).toBeLessThan(-0.1);
  });
});

describe.each(ROBOTS)('inverse kinematics of the $robot.name', ({ robot }) => {
  it('finds the grip point and directions of any pose it started from, inside the limits', () => {
    const random = seededRandom(11);
    let worst = 0;
    for (let n = 0; n < 200; n++) {
      const wanted = robot.joints.map((joint) => random.between(joint.least * 0.9, joint.most * 0.9));
      const grip = gripPose(robot, wanted);
      const start = wanted.map((value) => value + random.between(-0.3, 0.3));
      const solution = solveGrip(robot, { position: grip.position, approach: rotate(grip.rotation, [0, 0, 1]), closing: rotate(grip.rotation, [1, 0, 0]) }, start);
      // The solver's own arrays against the clear forward kinematics.
      const reached = norm(subtract(gripPose(robot, solution.angles).position, grip.position));
      expect(Math.abs(reached - solution.positionErrorM)).toBeLessThan(1e-12);
      worst = Math.max(worst, reached);
      robot.joints.forEach((joint, i) => {
        // The start itself may lie outside; what the solver moved must not.
        if (i < JOINT_COUNT - 1) expect(solution.angles[i]).toSatisfy((q: number) => q >= joint.least && q <= joint.most);
      });
    }
    expect(worst).toBeLessThan(1e-4);
  });

  it('reaches the table straight down and 12 cm up with the fingers leaning outwards', () => {
    const low = reachDown(robot, [0.05, -0.24, 0.015], 0.3, robot.homePose);
    const high = reachDown(robot, [0.05, -0.24, 0.12], 0.3, robot.homePose);
    expect(low?.tilt).toBe(0);
    expect(high?.tilt).toBeGreaterThan(0);
    expect(high?.positionErrorM).toBeLessThan(0.0005);
  });

  it('says null for a point out of reach, and leaves the gripper angle alone', () => {
    expect(reachDown(robot, [0, -0.6, 0.02], 0, robot.homePose)).toBeNull();
    expect(reachDown(robot, [0, -0.22, 0.02], 0, robot.homePose)?.angles[5]).toBe(robot.homePose[5]);
  });
});
