/**
 * How far two plans for the same moments differ: the mean distance of the rows that an old and a new chunk both have, and
 * the jump at the seam. A policy that knows what it does changes its mind a little; one that has lost the scene changes it
 * a lot. Pure arithmetic on rows in joint units; costs no call of the model. What is a lot is learnt on this arm with this
 * policy (`core/evaluation/conformal.ts`).
 */
export interface Disagreement {
  /** Rows both chunks have. */
  readonly rows: number;
  /** Mean over those rows of the euclidean distance, joint units. */
  readonly mean: number;
  /** Largest single joint change at the first row that is played from the new chunk, joint units. */
  readonly seam: number;
}

/** `older` and `newer` hold rows for the same ticks, next first. Null when nothing overlaps. */
export function disagreement(older: readonly Float32Array[], newer: readonly Float32Array[]): Disagreement | null {
  const rows = Math.min(older.length, newer.length);
  if (rows === 0) return null;
  let sum = 0;
  for (let k = 0; k < rows; k++) sum += distance(older[k] as Float32Array, newer[k] as Float32Array);
  return { rows, mean: sum / rows, seam: largestChange(older[0] as Float32Array, newer[0] as Float32Array) };
}

function distance(a: Float32Array, b: Float32Array): number {
  let square = 0;
  for (let i = 0; i < a.length; i++) square += ((a[i] as number) - (b[i] as number)) ** 2;
  return Math.sqrt(square);
}

function largestChange(a: Float32Array, b: Float32Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] as number) - (b[i] as number)));
  return most;
}
