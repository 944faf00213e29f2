/** Percentiles of a handful of numbers, by the nearest-rank rule: always a number that was really measured. */

/** `share` in 0..1. Null for no numbers. */
export function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return sorted[rank - 1] ?? null;
}

/** Count, median and 95th percentile of chunk latencies; null for none. */
export function latencySummary(values: readonly number[]): { readonly count: number; readonly p50Ms: number; readonly p95Ms: number } | null {
  const p50Ms = percentile(values, 0.5);
  const p95Ms = percentile(values, 0.95);
  return p50Ms === null || p95Ms === null ? null : { count: values.length, p50Ms, p95Ms };
}
