/** Whether an arm lies where it rests. Knows two poses; knows nothing of what keeps one from the other. */
import { GRIPPER_INDEX, JOINT_NAMES } from '#contracts/joints.ts';

/** Radians: what is nearer than this lies on what it lies on. */
export const AT_REST_RAD = 0.05;

/** The joint that is furthest from rest, and by how much; null where all are there. The gripper may be anywhere. */
export function awayFromRest(rest: ArrayLike<number>, positions: readonly number[]): { readonly joint: string; readonly offDegrees: number } | null {
  const off = positions.map((p, i) => (i === GRIPPER_INDEX ? 0 : Math.abs(p - (rest[i] as number))));
  const most = Math.max(...off);
  return most <= AT_REST_RAD ? null : { joint: JOINT_NAMES[off.indexOf(most)] as string, offDegrees: Math.round((most * 180) / Math.PI) };
}
