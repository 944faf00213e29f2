/** Rule: no point of the arm goes below the table top plus a clearance. Corners stand for all points: a part is lowest at one. */

/** Height of the lowest of the points, metres. */
export function lowest(points: Float64Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (let k = 2; k < points.length; k += 3) if ((points[k] as number) < least) least = points[k] as number;
  return least;
}
