/**
 * Collision shapes from the numbers one reads off a printed part: extents, outlines, cross-sections. Metres. Knows no arm.
 *
 * Fingers are drawn along -y with the hinge or roll axis beside them. A link whose frame lies otherwise draws its parts so all the
 * same and carries them over with `carried`.
 */
import type { CollisionShape, LinkDescription, Pose, Quaternion, Vector3 } from '#contracts/robot.ts';
import { unreachable } from '#core/lib/never.ts';
import { aboutAxis, NO_ROTATION, placed, transform } from './transforms.ts';

const Z: Vector3 = [0, 0, 1];

/** A box from its extents, which is how a part is measured. */
export function box(name: string, x: readonly [number, number], y: readonly [number, number], z: readonly [number, number]): CollisionShape {
  const position: Vector3 = [(x[0] + x[1]) / 2, (y[0] + y[1]) / 2, (z[0] + z[1]) / 2];
  const halfExtents: Vector3 = [(x[1] - x[0]) / 2, (y[1] - y[0]) / 2, (z[1] - z[0]) / 2];
  return { kind: 'box', name, pose: { position, rotation: NO_ROTATION }, halfExtents, pad: 'none' };
}

/**
 * A finger's gripping face: a thin box whose face runs from `near` to `far` in the finger's x-y plane, lying behind
 * the face on the side `behind` (+1: towards +x).
 */
export function pad(name: string, near: readonly [number, number], far: readonly [number, number], halfWidth: number, behind: 1 | -1): CollisionShape {
  const thickness = 0.002;
  const length = Math.hypot(far[0] - near[0], far[1] - near[1]);
  // Turn about z that takes -y to the direction near -> far.
  const turn = Math.atan2(far[0] - near[0], -(far[1] - near[1]));
  const offset = (behind * thickness) / 2;
  const position: Vector3 = [
    (near[0] + far[0]) / 2 + offset * Math.cos(turn),
    (near[1] + far[1]) / 2 + offset * Math.sin(turn),
    0,
  ];
  const pose: Pose = { position, rotation: aboutAxis(Z, turn) };
  return { kind: 'box', name, pose, halfExtents: [thickness / 2, length / 2, halfWidth], pad: 'grip' };
}

/** A plate of constant thickness from its outline in x-y. */
export function plate(name: string, outline: readonly (readonly [number, number])[], z: readonly [number, number]): CollisionShape {
  return { kind: 'hull', name, points: outline.flatMap(([x, y]): Vector3[] => [[x, y, z[0]], [x, y, z[1]]]) };
}

/** A finger behind its pads: a wedge that narrows towards the tip, from two cross-sections. */
export function wedge(
  name: string,
  near: { readonly y: number; readonly x: readonly [number, number]; readonly halfWidth: number },
  far: { readonly y: number; readonly x: readonly [number, number]; readonly halfWidth: number },
): CollisionShape {
  const points = [near, far].flatMap((s) => s.x.flatMap((x): Vector3[] => [[x, s.y, -s.halfWidth], [x, s.y, s.halfWidth]]));
  return { kind: 'hull', name, points };
}

export function link(
  name: string,
  massKg: number,
  centreOfMass: Vector3,
  diagonal: Vector3,
  rotation: Quaternion,
  collision: readonly CollisionShape[],
): LinkDescription {
  return { name, massKg, centreOfMass, inertia: { diagonal, rotation }, collision };
}

/** The same shape, drawn in `frame`, in the frame that `frame` is given in. */
export function carried(frame: Pose, shape: CollisionShape): CollisionShape {
  switch (shape.kind) {
    case 'box':
      return { ...shape, pose: placed(frame, shape.pose) };
    case 'capsule':
      return { ...shape, from: transform(frame, shape.from), to: transform(frame, shape.to) };
    case 'hull':
      return { ...shape, points: shape.points.map((point) => transform(frame, point)) };
    default:
      return unreachable(shape);
  }
}
