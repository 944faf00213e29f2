/** The old convention's corner poses in today's degrees, and back. */
import { expect, it } from 'vitest';
import { fromOldDegrees, toOldDegrees } from './old-degrees.ts';

it('turns lift round, shifts elbow, leaves the rest, row by row', () => {
  const old = Float32Array.of(10, 0, 0, 5, -5, 50, 10, 190, 180, 5, -5, 50);
  const now = fromOldDegrees(old, 6);
  expect([...now]).toEqual([10, 90, -90, 5, -5, 50, 10, -100, 90, 5, -5, 50]);
  expect(toOldDegrees(now, 6)).toEqual(old);
});
