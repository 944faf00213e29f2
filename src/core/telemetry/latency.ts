/** How long something takes, over the last 1000 times. */
import { percentile, samples } from './percentiles.ts';

export interface LatencySummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

export interface LatencyMeter {
  add(ms: number): void;
  summary(): LatencySummary;
}

const KEPT = 1000;

export function latencyMeter(): LatencyMeter {
  const kept = samples(KEPT);
  let maxMs = 0;
  return {
    add(ms) {
      kept.add(ms);
      maxMs = Math.max(maxMs, ms);
    },
    summary() {
      const sorted = kept.sorted();
      return { count: kept.count, p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95), maxMs };
    },
  };
}
