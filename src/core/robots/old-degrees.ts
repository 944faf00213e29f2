/**
 * Joint values of LeRobot's convention before June 2025 as today's, and back: zero was the arm stretched out, so lift and
 * elbow begin 90 degrees elsewhere and lift turns the other way round. Pan, wrist, roll and gripper are the same. The
 * conversion is LeRobot's own. Takes any number of rows of `columns` joints, in the order of the SO-100's joints.
 */

const LIFT = 1;
const ELBOW = 2;

export function fromOldDegrees(values: Float32Array, columns: number): Float32Array {
  return values.map((value, at) => (at % columns === LIFT ? 90 - value : at % columns === ELBOW ? value - 90 : value));
}

/** The way back: what a policy of that time expects to see. */
export function toOldDegrees(values: Float32Array, columns: number): Float32Array {
  return values.map((value, at) => (at % columns === LIFT ? 90 - value : at % columns === ELBOW ? value + 90 : value));
}
