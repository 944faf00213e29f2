/**
 * The small rigid-body algebra that kinematics, scene and world share: 3-vectors, unit quaternions (w x y z, MuJoCo's
 * order) and poses. Pure values, nothing is changed in place. Knows no robot.
 */
import type { Pose, Quaternion, Vector3 } from '#contracts/robot.ts';

export const ORIGIN: Vector3 = [0, 0, 0];
export const NO_ROTATION: Quaternion = [1, 0, 0, 0];
export const IDENTITY: Pose = { position: ORIGIN, rotation: NO_ROTATION };

export function add(a: Vector3, b: Vector3): Vector3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vector3, b: Vector3): Vector3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function scale(a: Vector3, factor: number): Vector3 {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function norm(a: Vector3): number {
  return Math.hypot(a[0], a[1], a[2]);
}

/** `a` at length one. A zero vector stays zero. */
export function unit(a: Vector3): Vector3 {
  const length = norm(a);
  return length === 0 ? ORIGIN : scale(a, 1 / length);
}

/** Right-handed turn about a unit axis. */
export function aboutAxis(axis: Vector3, radians: number): Quaternion {
  const s = Math.sin(radians / 2);
  return [Math.cos(radians / 2), axis[0] * s, axis[1] * s, axis[2] * s];
}

/** First `b`, then `a`. */
export function compose(a: Quaternion, b: Quaternion): Quaternion {
  return [
    a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
    a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
    a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
    a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
  ];
}

export function inverse(a: Quaternion): Quaternion {
  return [a[0], -a[1], -a[2], -a[3]];
}

export function normalised(a: Quaternion): Quaternion {
  const length = Math.hypot(a[0], a[1], a[2], a[3]);
  return [a[0] / length, a[1] / length, a[2] / length, a[3] / length];
}

export function rotate(by: Quaternion, v: Vector3): Vector3 {
  // v + 2w(q x v) + 2 q x (q x v), with q the vector part.
  const q: Vector3 = [by[1], by[2], by[3]];
  const t = scale(cross(q, v), 2);
  return add(add(v, scale(t, by[0])), cross(q, t));
}

/** The pose of `inner`, given in the frame of `outer`, in the frame `outer` is given in. */
export function placed(outer: Pose, inner: Pose): Pose {
  return { position: transform(outer, inner.position), rotation: compose(outer.rotation, inner.rotation) };
}

/** A point given in `pose`'s frame, in the frame `pose` is given in. */
export function transform(pose: Pose, point: Vector3): Vector3 {
  return add(pose.position, rotate(pose.rotation, point));
}

/** Angle of the turn that takes `a` to `b`, 0..pi radians. */
export function angleBetween(a: Quaternion, b: Quaternion): number {
  const d = compose(inverse(a), b);
  return 2 * Math.atan2(Math.hypot(d[1], d[2], d[3]), Math.abs(d[0]));
}

/** The quaternion whose rotated x, y and z axes are these three orthonormal vectors. */
export function fromAxes(x: Vector3, y: Vector3, z: Vector3): Quaternion {
  // Shepperd's method: divide by the largest of the four, so that no branch loses digits.
  const trace = x[0] + y[1] + z[2];
  if (trace > 0) {
    const s = 2 * Math.sqrt(1 + trace);
    return [s / 4, (y[2] - z[1]) / s, (z[0] - x[2]) / s, (x[1] - y[0]) / s];
  }
  if (x[0] > y[1] && x[0] > z[2]) {
    const s = 2 * Math.sqrt(1 + x[0] - y[1] - z[2]);
    return [(y[2] - z[1]) / s, s / 4, (y[0] + x[1]) / s, (z[0] + x[2]) / s];
  }
  if (y[1] > z[2]) {
    const s = 2 * Math.sqrt(1 + y[1] - x[0] - z[2]);
    return [(z[0] - x[2]) / s, (y[0] + x[1]) / s, s / 4, (z[1] + y[2]) / s];
  }
  const s = 2 * Math.sqrt(1 + z[2] - x[0] - y[1]);
  return [(x[1] - y[0]) / s, (z[0] + x[2]) / s, (z[1] + y[2]) / s, s / 4];
}

/** A camera at `eye` looking at `target`: looks along its -z, +y up in the picture (three.js, OpenGL). */
export function lookAt(eye: Vector3, target: Vector3, up: Vector3): Pose {
  const back = unit(subtract(eye, target));
  const right = unit(cross(up, back));
  return { position: eye, rotation: fromAxes(right, cross(back, right), back) };
}
