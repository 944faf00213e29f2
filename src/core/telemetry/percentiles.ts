/** Percentiles by nearest rank: always a value that was measured, never one between two. */

/** The smallest sample that at least `share` (0..1) of all samples do not exceed; 0 when there are none. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return 0;
  const rank = Math.ceil(share * sorted.length);
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1] as number;
}

/** The last `capacity` samples, so that memory is bounded and an hour-old hiccup does not colour the present. */
export interface Samples {
  add(value: number): void;
  readonly count: number;
  /** Ascending copy. */
  sorted(): Float64Array;
  clear(): void;
}

export function samples(capacity: number): Samples {
  const values = new Float64Array(capacity);
  let added = 0;
  return {
    add(value) {
      values[added % capacity] = value;
      added++;
    },
    get count() {
      return added;
    },
    sorted: () => values.slice(0, Math.min(added, capacity)).sort(),
    clear() {
      added = 0;
    },
  };
}
