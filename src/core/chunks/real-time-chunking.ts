/**
 * Real-time chunking (Black, Galliker, Levine 2025) as LeRobot v0.6.2 computes it for SmolVLA: while a new chunk is
 * being denoised, its first rows are pulled towards what the old chunk still holds for the same ticks, so that the arm
 * does not jerk where one chunk takes over from the other.
 *
 *     weight of row i   1 ────────┐ d = delay: rows that will have been played by the time the chunk is ready
 *                                  \            LINEAR: straight down to 0 at the horizon
 *                       0           └──────────  rows after it are free
 *
 * In the paper the correction is a gradient through the network. LeRobot takes the velocity before it asks for
 * gradients, so its Jacobian is the identity and the correction is the error itself: elementwise, outside the graph.
 * That is what published results with LeRobot ran, so that is what this computes.
 */
import type { PrefixSchedule } from '#contracts/inference.ts';

export interface Guidance {
  /** Rows of the old chunk that count, LeRobot's execution_horizon (10). */
  readonly horizon: number;
  /** Rows expected to be played while the new chunk is computed. */
  readonly delay: number;
  readonly schedule: PrefixSchedule;
  /** LeRobot's max_guidance_weight (10). */
  readonly maxWeight: number;
}

/** How strongly each of `rows` rows is held to the old chunk, 0..1. `leftoverRows` bounds the horizon. */
export function prefixWeights(guidance: Guidance, leftoverRows: number, rows: number): Float64Array {
  const end = Math.min(guidance.horizon, leftoverRows, rows);
  const start = Math.min(guidance.delay, end);
  const ramp = end - start;
  return Float64Array.from({ length: rows }, (_, i) => {
    if (i < start) return 1;
    if (i >= end) return 0;
    // The interior points of a line from 1 to 0 with `ramp` of them.
    const r = 1 - (i - start + 1) / (ramp + 1);
    switch (guidance.schedule) {
      case 'LINEAR':
        return r;
      case 'EXP':
        return (r * Math.expm1(r)) / Math.expm1(1);
      case 'ONES':
        return 1;
      case 'ZEROS':
        return 0;
    }
  });
}

/** How hard to pull at flow time `t` (1 is noise, 0 is the clean chunk). Smallest, 2, in the middle. */
export function guidanceWeight(t: number, maxWeight: number): number {
  const tau = 1 - t;
  if (tau <= 0) return maxWeight;
  const left = 1 - tau;
  return Math.min(maxWeight, ((left / tau) * (left * left + tau * tau)) / (left * left));
}

/**
 * What a chunk still holds once `played` of its rows are past: the rest, `columns` of each row's own, row 0 due now; empty where
 * nothing is left. `x0`: rows x its own width, normalised, as the policy computed it.
 */
export function leftoverRows(x0: Float32Array, rows: number, columns: number, played: number): Float32Array {
  const width = x0.length / rows;
  const left = Math.max(0, rows - played);
  const leftover = new Float32Array(left * columns);
  for (let row = 0; row < left; row++) leftover.set(x0.subarray((played + row) * width, (played + row) * width + columns), row * columns);
  return leftover;
}

/** Rows of `from` columns as rows of `to` columns, zeros in the rest: what LeRobot guides by. */
export function padLeftover(rows: Float32Array, from: number, to: number): Float32Array {
  const padded = new Float32Array((rows.length / from) * to);
  for (let row = 0; row * from < rows.length; row++) padded.set(rows.subarray(row * from, (row + 1) * from), row * to);
  return padded;
}

/**
 * The guided velocity for one denoising step, a fresh array. `noisy` (x) and `velocity` (v) are rows x columns,
 * normalised; `leftover` holds the old chunk's rows not yet played, row 0 due now, same columns. LeRobot pads it with
 * zeros to the chunk, columns beyond the action size included, and guides towards those zeros too. Without leftover
 * rows use the plain velocity: guiding towards nothing is a quirk of LeRobot's driver, not of the method.
 */
export function guideVelocity(
  step: { readonly noisy: Float32Array; readonly velocity: Float32Array; readonly t: number; readonly columns: number },
  leftover: Float32Array,
  guidance: Guidance,
): Float32Array {
  const { noisy, velocity, t, columns } = step;
  if (leftover.length === 0) return velocity.slice();
  const weights = prefixWeights(guidance, leftover.length / columns, velocity.length / columns);
  const g = guidanceWeight(t, guidance.maxWeight);
  return velocity.map((v, k) => {
    const weight = weights[Math.floor(k / columns)] as number;
    if (weight === 0) return v;
    const clean = (noisy[k] as number) - t * v;
    return v - g * weight * ((leftover[k] ?? 0) - clean);
  });
}
