/**
 * What a smaller precision costs: one chunk of a policy against the same chunk computed from float32 weights, joint by
 * joint, in the units the arm moves in. Knows two arrays and their shape; refuses to know how they were computed.
 */
import type { ChunkDifference, Difference, PredictedChunk } from '#contracts/policy.ts';

/** Both chunks are `rows x columns` actions of the same picture, state, words and noise. */
export function compareChunks(ours: Pick<PredictedChunk, 'actions' | 'x0'>, reference: Pick<PredictedChunk, 'actions' | 'x0'>, columns: number): ChunkDifference {
  const column = (values: Float32Array, joint: number): Float32Array => values.filter((_, index) => index % columns === joint);
  return {
    joints: Array.from({ length: columns }, (_, joint) => differenceOf(column(ours.actions, joint), column(reference.actions, joint))),
    x0: differenceOf(ours.x0, reference.x0),
  };
}

/** Not a number where the lengths differ: such chunks cannot be compared, and nothing here may look like agreement. */
export function differenceOf(ours: Float32Array, reference: Float32Array): Difference {
  if (ours.length !== reference.length || ours.length === 0) return { largest: Number.NaN, mean: Number.NaN, cosine: Number.NaN };
  let [largest, sum, dot, us, them] = [0, 0, 0, 0, 0];
  for (const [i, a] of ours.entries()) {
    const b = reference[i] as number;
    // NaN in either stays NaN to the end.
    largest = Math.max(largest, Math.abs(a - b));
    sum += Math.abs(a - b);
    dot += a * b;
    us += a * a;
    them += b * b;
  }
  return { largest, mean: sum / ours.length, cosine: dot / Math.sqrt(us * them || 1) };
}
