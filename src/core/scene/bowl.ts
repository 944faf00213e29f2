/**
 * The shape of a bowl, for whoever collides with it or draws it: a flat foot and a ring of leaning wall pieces, every
 * piece convex (physics engines collide convex shapes only). Frame: origin in the middle of the foot, z up. Metres.
 *
 *      \                 /   rim      radius `radiusM` (outer), height `heightM`
 *       \               /
 *        \_____________/     foot     radius 0.65 x `radiusM`
 */
import type { SceneObject } from '#contracts/scene.ts';
import type { Vector3 } from '#contracts/robot.ts';

export type Bowl = Extract<SceneObject, { kind: 'bowl' }>;

export const BOWL_WALL_M = 0.003;
/** Foot radius as a share of the rim's. */
export const BOWL_FOOT_SHARE = 0.65;
export const BOWL_PIECES = 16;
/** The walls start this far above the table, so that the bowl stands on its foot alone. */
const WALL_START_M = 0.001;

/** Corners of the wall piece that points along +x; the others are the same turned about z by 2 pi / BOWL_PIECES. */
export function bowlWallPiece(bowl: Bowl): readonly Vector3[] {
  const foot = bowl.radiusM * BOWL_FOOT_SHARE;
  const ring = (radius: number, z: number): Vector3[] => {
    // Half a piece's angle to each side; the tangent makes neighbouring pieces meet at the outer corners.
    const side = radius * Math.tan(Math.PI / BOWL_PIECES);
    return [
      [radius, -side, z],
      [radius, side, z],
    ];
  };
  return [
    ...ring(foot - BOWL_WALL_M, WALL_START_M),
    ...ring(foot, WALL_START_M),
    ...ring(bowl.radiusM - BOWL_WALL_M, bowl.heightM),
    ...ring(bowl.radiusM, bowl.heightM),
  ];
}

/** The foot: half extents of a flat square; laid twice, the second turned by 45 degrees, it makes an eight-cornered plate. */
export function bowlFootHalfExtents(bowl: Bowl): Vector3 {
  // The inscribed circle of the eight corners reaches the wall's inner edge.
  const half = (bowl.radiusM * BOWL_FOOT_SHARE - BOWL_WALL_M) * Math.cos(Math.PI / 8);
  return [half, half, BOWL_WALL_M / 2];
}
