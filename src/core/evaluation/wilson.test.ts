import { describe, expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { wilson } from './wilson.ts';

describe('the Wilson interval', () => {
  it('gives the values in the tables', () => {
    // Roots of (k/n - p)^2 = z^2 p (1 - p) / n, found by bisection: the interval's definition, not its formula.
    const cases: readonly (readonly [number, number, number, number])[] = [
      [0, 10, 0, 0.2775328],
      [5, 10, 0.2365931, 0.7634069],
      [10, 10, 0.7224672, 1],
      [180, 200, 0.8505942, 0.9343296],
    ];
    for (const [k, n, low, high] of cases) {
      expect(wilson(k, n).low).toBeCloseTo(low, 6);
      expect(wilson(k, n).high).toBeCloseTo(high, 6);
    }
  });

  it('says nothing about nothing', () => expect(wilson(0, 0)).toEqual({ low: 0, high: 1 }));

  it('refuses what is no count', () => {
    for (const [k, n] of [[-1, 3], [4, 3], [0.5, 3], [0, -1]] as const) expect(() => wilson(k, n)).toThrow(RangeError);
  });

  it('holds the true rate about 95 times in 100', () => {
    const random = seededRandom(20);
    for (const rate of [0.1, 0.5, 0.9]) {
      let held = 0;
      for (let experiment = 0; experiment < 2000; experiment++) {
        let k = 0;
        for (let i = 0; i < 50; i++) if (random.uniform() < rate) k++;
        const { low, high } = wilson(k, 50);
        if (low <= rate && rate <= high) held++;
      }
      expect(held / 2000).toBeGreaterThan(0.93);
      expect(held / 2000).toBeLessThan(0.98);
    }
  });
});
