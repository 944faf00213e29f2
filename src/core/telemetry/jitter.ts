/**
 * How punctual a loop is: for each tick, how long after its scheduled moment it began. Skipped ticks are counted apart,
 * not averaged away. Kept for the last 3000 ticks (100 s at 30 Hz); `count` and `maxMs` and `skipped` are for all.
 */
import type { JitterSummary } from '#contracts/control.ts';
import { percentile, samples } from './percentiles.ts';

export interface JitterMeter {
  tick(lateMs: number, skippedBefore: number): void;
  summary(): JitterSummary;
  reset(): void;
}

const KEPT_TICKS = 3000;

export function jitterMeter(): JitterMeter {
  const late = samples(KEPT_TICKS);
  let maxMs = 0;
  let skipped = 0;
  return {
    tick(lateMs, skippedBefore) {
      late.add(lateMs);
      maxMs = Math.max(maxMs, lateMs);
      skipped += skippedBefore;
    },
    summary() {
      const sorted = late.sorted();
      return { count: late.count, p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99), maxMs, skipped };
    },
    reset() {
      late.clear();
      maxMs = 0;
      skipped = 0;
    },
  };
}
