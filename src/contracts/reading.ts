/**
 * A reading is fresh, stale since a moment, or failed. There is no fourth kind: a missing number is never replaced by
 * a plausible one (lerobot.js puts the middle of the range in place of a failed position, so a broken cable looks like
 * a centred joint).
 */
import type { Failure } from './failure.ts';

export type Reading<T> =
  | { readonly kind: 'fresh'; readonly value: T; readonly atMs: number }
  | { readonly kind: 'stale'; readonly value: T; readonly atMs: number; readonly ageMs: number }
  | { readonly kind: 'failed'; readonly failure: Failure };
