/**
 * Rule 1. A target with one number that is not finite comes from something broken, and then its other numbers mean
 * nothing either: it is refused whole.
 */

/** Index of the first number that is not finite, or -1. A target of the wrong length is not finite at its end. */
export function firstNotFinite(numbers: ArrayLike<number>, count: number): number {
  for (let i = 0; i < count; i++) if (!Number.isFinite(numbers[i])) return i;
  return -1;
}
