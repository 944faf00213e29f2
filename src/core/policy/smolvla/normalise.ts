/**
 * Joint values to the numbers the network was trained on, and back, in float32 step by step as PyTorch does it.
 * Knows LeRobot's five modes; knows no file.
 *
 *   mode        forward                        inverse
 *   mean-std    (x - mean) / (std + eps)       x std + mean          (no eps on the way back)
 *   range       2 (x - low) / d - 1            (x + 1) / 2 d + low   low, high = min, max or two quantiles
 *   identity    x                              x
 */
import * as v from 'valibot';
import { unreachable } from '#core/lib/never.ts';

const numbers = v.array(v.number());

export const NormalisationSchema = v.variant('mode', [
  v.object({ mode: v.literal('identity') }),
  v.object({ mode: v.literal('mean-std'), mean: numbers, std: numbers, eps: v.number() }),
  v.object({
    mode: v.literal('range'),
    low: numbers,
    high: numbers,
    eps: v.number(),
    /** d = high - low, where `replace` (LeRobot >= 0.4) puts eps for a d of 0, and `add` (<= 0.3) adds eps always, forward only. */
    epsRule: v.picklist(['replace', 'add']),
  }),
]);

export type Normalisation = v.InferOutput<typeof NormalisationSchema>;

const f = Math.fround;

/** Forward, one value a column. */
export function normalise(how: Normalisation, values: Float32Array): Float32Array {
  switch (how.mode) {
    case 'identity':
      return values.slice();
    case 'mean-std':
      return values.map((x, i) => f(f(x - how.mean[i]!) / f(how.std[i]! + how.eps)));
    case 'range':
      return values.map((x, i) => f(f(f(2 * f(x - how.low[i]!)) / forwardSpan(how, i)) - 1));
    default:
      return unreachable(how);
  }
}

/** Inverse of one column's value. */
export function denormalise(how: Normalisation, x: number, column: number): number {
  switch (how.mode) {
    case 'identity':
      return x;
    case 'mean-std':
      return f(f(x * how.std[column]!) + how.mean[column]!);
    case 'range': {
      const low = how.low[column]!;
      const span = how.epsRule === 'replace' ? forwardSpan(how, column) : f(how.high[column]! - low);
      return f(f(f(f(x + 1) / 2) * span) + low);
    }
    default:
      return unreachable(how);
  }
}

function forwardSpan(how: Extract<Normalisation, { mode: 'range' }>, i: number): number {
  const span = f(how.high[i]! - how.low[i]!);
  if (how.epsRule === 'add') return f(span + how.eps);
  return span === 0 ? f(how.eps) : span;
}
