/**
 * Rule: no point of the arm goes faster than allowed, measured over the tick by forward kinematics. 250 mm/s is the
 * reduced speed of ISO 10218-1 for an arm with a person beside it. Corners of the parts stand for all points: `shape/body.ts`.
 */

/** The largest displacement of a point between two placements, metres; of the points before `end`, three numbers each. */
export function furthestMoved(before: Float64Array, after: Float64Array, end: number = before.length): number {
  let most = 0;
  for (let k = 0; k < end; k += 3) {
    const dx = (after[k] as number) - (before[k] as number);
    const dy = (after[k + 1] as number) - (before[k + 1] as number);
    const dz = (after[k + 2] as number) - (before[k + 2] as number);
    const square = dx * dx + dy * dy + dz * dz;
    if (square > most) most = square;
  }
  return Math.sqrt(most);
}
