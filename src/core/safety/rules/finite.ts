/**
 * Rule: a target with one number that is not finite comes from something broken, and then its other numbers mean
 * nothing either: it is refused whole. The same goes for a wrong number of numbers.
 */

/** Index of the first number that is not finite, or -1. A target of the wrong length is not finite at its end. */
export function firstNotFinite(numbers: ArrayLike<number>, count: number): number {
  for (let i = 0; i < count; i++) if (!Number.isFinite(numbers[i])) return i;
  return numbers.length === count ? -1 : count - 1;
}
