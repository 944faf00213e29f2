/**
 * The interval that belongs to "k of n". Wilson's score interval keeps its promise for small n and near 0 and 1, where
 * the usual p +- 1.96 s.e. gives "0 % +- 0 %" after ten failures.
 *
 *   centre = (k + z^2/2) / (n + z^2)        half = z / (n + z^2) * sqrt(k (n - k) / n + z^2 / 4)
 *
 * E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
 */
import type { Interval } from '#contracts/evaluation.ts';

/** 97.5 % quantile of the standard normal: a 95 % interval. */
const Z = 1.959963984540054;

/** 95 % interval of a success rate. n = 0 says nothing: the whole of [0, 1]. */
export function wilson(successes: number, trials: number): Interval {
  if (!Number.isInteger(successes) || !Number.isInteger(trials) || successes < 0 || successes > trials) {
    throw new RangeError(`expected 0 <= successes <= trials, found ${successes} of ${trials}`);
  }
  if (trials === 0) return { low: 0, high: 1 };
  const denominator = trials + Z * Z;
  const centre = (successes + (Z * Z) / 2) / denominator;
  const half = (Z / denominator) * Math.sqrt((successes * (trials - successes)) / trials + (Z * Z) / 4);
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
