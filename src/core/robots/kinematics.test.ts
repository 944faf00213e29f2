/** Forward kinematics against the official URDF, and the inverse against the forward. */
import { describe, expect, it } from 'vitest';
import { JOINT_COUNT } from '#contracts/joints.ts';
import { seededRandom } from '#core/lib/random.ts';
import { reachDown, solveGrip } from './inverse-kinematics.ts';
import { gripPose, linkPoses } from './kinematics.ts';
import { SO100 } from './so100.ts';
import { SO101_CHAIN } from './so101.ts';
import { officialPoses } from './testing/pose-table.ts';
import { angleBetween, norm, rotate, subtract } from './transforms.ts';

describe('forward kinematics', () => {
  it('agrees with the official URDF at 1,000 random poses within 0.1 mm and 0.1 degree', () => {
    const official = officialPoses();
    expect(official.length).toBe(1000);
    let worstMm = 0;
    let worstDegrees = 0;
    for (const { angles, links } of official) {
      const ours = linkPoses(SO100, angles);
      links.forEach((theirs, i) => {
        const pose = ours[i + 1];
        if (pose === undefined) throw new Error(`no pose for link ${i}`);
        worstMm = Math.max(worstMm, 1000 * norm(subtract(pose.position, theirs.position)));
        worstDegrees = Math.max(worstDegrees, (angleBetween(pose.rotation, theirs.rotation) * 180) / Math.PI);
      });
    }
    console.log(`kinematics against the URDF: at most ${worstMm.toFixed(4)} mm, ${worstDegrees.toFixed(4)} degrees`);
    expect(worstMm).toBeLessThan(0.1);
    expect(worstDegrees).toBeLessThan(0.1);
  });

  it('of the SO-101 agrees with its own URDF', () => {
    let worstMm = 0;
    let worstDegrees = 0;
    const official = officialPoses('so101');
    expect(official.length).toBe(200);
    for (const { angles, links } of official) {
      links.forEach((theirs, i) => {
        const pose = linkPoses(SO101_CHAIN, angles)[i + 1];
        if (pose === undefined) throw new Error(`no pose for link ${i}`);
        worstMm = Math.max(worstMm, 1000 * norm(subtract(pose.position, theirs.position)));
        worstDegrees = Math.max(worstDegrees, (angleBetween(pose.rotation, theirs.rotation) * 180) / Math.PI);
      });
    }
    console.log(`SO-101 kinematics against the URDF: at most ${worstMm.toFixed(4)} mm, ${worstDegrees.toFixed(4)} degrees`);
    expect(worstMm).toBeLessThan(0.1);
    expect(worstDegrees).toBeLessThan(0.1);
  });

  it('refuses another number of joints', () => {
    expect(() => linkPoses(SO100, [0, 0, 0])).toThrow(RangeError);
  });

  it('turns the arm to its right (-x) for a positive pan, as LeRobot does', () => {
    expect(gripPose(SO100, [0.5, 0, 0, 0, 0, 0]).position[0]).toBeLessThan(-0.1);
  });
});

describe('inverse kinematics', () => {
  it('finds the grip point and directions of any pose it started from, inside the limits', () => {
    const random = seededRandom(11);
    let worst = 0;
    for (let n = 0; n < 200; n++) {
      const wanted = SO100.joints.map((joint) => random.between(joint.least * 0.9, joint.most * 0.9));
      const grip = gripPose(SO100, wanted);
      const start = wanted.map((value) => value + random.between(-0.3, 0.3));
      const solution = solveGrip(SO100, { position: grip.position, approach: rotate(grip.rotation, [0, 0, 1]), closing: rotate(grip.rotation, [1, 0, 0]) }, start);
      // The solver's own arrays against the clear forward kinematics.
      const reached = norm(subtract(gripPose(SO100, solution.angles).position, grip.position));
      expect(Math.abs(reached - solution.positionErrorM)).toBeLessThan(1e-12);
      worst = Math.max(worst, reached);
      SO100.joints.forEach((joint, i) => {
        // The start itself may lie outside; what the solver moved must not.
        if (i < JOINT_COUNT - 1) expect(solution.angles[i]).toSatisfy((q: number) => q >= joint.least && q <= joint.most);
      });
    }
    expect(worst).toBeLessThan(1e-4);
  });

  it('reaches the table straight down and 12 cm up with the fingers leaning outwards', () => {
    const low = reachDown(SO100, [0.05, -0.24, 0.015], 0.3, SO100.homePose);
    const high = reachDown(SO100, [0.05, -0.24, 0.12], 0.3, SO100.homePose);
    expect(low?.tilt).toBe(0);
    expect(high?.tilt).toBeGreaterThan(0);
    expect(high?.positionErrorM).toBeLessThan(0.0005);
  });

  it('says null for a point out of reach, and leaves the gripper angle alone', () => {
    expect(reachDown(SO100, [0, -0.6, 0.02], 0, SO100.homePose)).toBeNull();
    expect(reachDown(SO100, [0, -0.22, 0.02], 0, SO100.homePose)?.angles[5]).toBe(SO100.homePose[5]);
  });
});
