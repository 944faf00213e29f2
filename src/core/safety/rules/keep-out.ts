/**
 * Rules: nothing of the arm enters a keep-out box, and everything of it stays inside the workspace, if there are any. Boxes
 * stand along the axes of the world. For the workspace corners of parts are exact. For a box to keep out of they are not
 * (an edge may cut through it), so capsule axes are sampled closely and the box grows by what the capsules cover.
 */
import type { Body, Placement } from '../shape/body.ts';

export interface Box {
  /** Metres, world frame. */
  readonly least: readonly [number, number, number];
  readonly most: readonly [number, number, number];
}

/** Metres between samples on an axis; what lies between them is at most half of it further in. */
const SAMPLE_M = 0.008;

/** The least distance of the arm from the box, metres; 0 or less is inside. */
export function distanceFromBox(body: Body, placed: Placement, box: Box): number {
  let nearest = Number.POSITIVE_INFINITY;
  const { axes } = placed;
  body.capsules.forEach((capsule, c) => {
    const at = 6 * c;
    const length = Math.hypot((axes[at + 3] as number) - (axes[at] as number), (axes[at + 4] as number) - (axes[at + 1] as number), (axes[at + 5] as number) - (axes[at + 2] as number));
    const samples = Math.max(1, Math.ceil(length / SAMPLE_M));
    for (let k = 0; k <= samples; k++) {
      const share = k / samples;
      let square = 0;
      for (let i = 0; i < 3; i++) {
        const x = (axes[at + i] as number) + share * ((axes[at + 3 + i] as number) - (axes[at + i] as number));
        const outside = Math.max(0, (box.least[i] as number) - x, x - (box.most[i] as number));
        square += outside * outside;
      }
      nearest = Math.min(nearest, Math.sqrt(square) - capsule.cover - SAMPLE_M / 2);
    }
  });
  return nearest;
}

/** How far the arm stays inside the workspace, metres; negative where it sticks out. */
export function distanceInside(points: Float64Array, box: Box): number {
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < points.length; k += 3) {
    for (let i = 0; i < 3; i++) {
      const x = points[k + i] as number;
      least = Math.min(least, x - (box.least[i] as number), (box.most[i] as number) - x);
    }
  }
  return least;
}
