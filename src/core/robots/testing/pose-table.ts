/** The committed tables of official link poses, in metres and radians. See `make-pose-table.py`. */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { Pose } from '#contracts/robot.ts';
import { normalised } from '../transforms.ts';
import so100 from './so100-poses.json' with { type: 'json' };
import so101 from './so101-poses.json' with { type: 'json' };

export interface OfficialPose {
  /** LeRobot radians. */
  readonly angles: readonly number[];
  /** Of the six moving links, JOINT_NAMES order. */
  readonly links: readonly Pose[];
}

const MICRO = 1e-6;

export function officialPoses(robot: 'so100' | 'so101' = 'so100'): readonly OfficialPose[] {
  return (robot === 'so100' ? so100 : so101).rows.map((row) => {
    const at = (i: number): number => (row[i] ?? NaN) * MICRO;
    return {
      angles: row.slice(0, JOINT_COUNT).map((value) => value * MICRO),
      links: Array.from({ length: JOINT_COUNT }, (_, link): Pose => {
        const p = JOINT_COUNT + 7 * link;
        return { position: [at(p), at(p + 1), at(p + 2)], rotation: normalised([at(p + 3), at(p + 4), at(p + 5), at(p + 6)]) };
      }),
    };
  });
}
