import { describe, expect, it } from 'vitest';
import { latencySummary, percentile } from './percentile.ts';

describe('percentiles', () => {
  it('gives a measured number, never one in between', () => {
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2);
    expect(percentile([4, 1, 3, 2], 0.99)).toBe(4);
    expect(percentile([7], 0.5)).toBe(7);
  });

  it('leaves its input as it was', () => {
    const values = [3, 1, 2];
    percentile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });

  it('has no answer for no numbers', () => {
    expect(percentile([], 0.5)).toBeNull();
    expect(latencySummary([])).toBeNull();
  });

  it('sums up twenty latencies', () => {
    const values = Array.from({ length: 20 }, (_, i) => i + 1);
    expect(latencySummary(values)).toEqual({ count: 20, p50Ms: 10, p95Ms: 19 });
  });
});
