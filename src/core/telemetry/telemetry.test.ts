import { expect, it } from 'vitest';
import { jitterMeter } from './jitter.ts';
import { latencyMeter } from './latency.ts';
import { percentile, samples } from './percentiles.ts';

it('takes percentiles that were measured', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, i) => i + 1);
  expect([0, 0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([1, 50, 99, 100]);
  expect(percentile([7], 0.01)).toBe(7);
  expect(percentile([], 0.5)).toBe(0);
});

it('keeps the last samples and counts all', () => {
  const kept = samples(3);
  for (const value of [9, 1, 5, 3]) kept.add(value);
  expect([...kept.sorted()]).toEqual([1, 3, 5]);
  expect(kept.count).toBe(4);
});

it('sums up jitter with skips apart, and starts over', () => {
  const meter = jitterMeter();
  for (let i = 1; i <= 99; i++) meter.tick(1, 0);
  meter.tick(80, 2);
  expect(meter.summary()).toEqual({ count: 100, p50Ms: 1, p99Ms: 1, maxMs: 80, skipped: 2 });
  meter.reset();
  expect(meter.summary()).toEqual({ count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0, skipped: 0 });
});

it('sums up latency', () => {
  const meter = latencyMeter();
  for (let i = 1; i <= 20; i++) meter.add(i);
  expect(meter.summary()).toEqual({ count: 20, p50Ms: 10, p95Ms: 19, maxMs: 20 });
});
