import { expect, test } from 'vitest';
import { transferSpeed } from './transfer-speed.ts';

test('nothing is told in the first half second, then bytes a second', () => {
  const speed = transferSpeed();
  expect(speed(0, 0)).toBeNull();
  expect(speed(500, 5e6)).toBeNull();
  expect(speed(1000, 10e6)).toBe(10e6);
});

test('what is longer ago than eight seconds counts no more', () => {
  const speed = transferSpeed();
  speed(0, 0);
  speed(1000, 50e6);
  expect(speed(8500, 65e6)).toBeCloseTo(2e6, 3);
});

test('another file begins anew, and a pause shows as a slower one', () => {
  const speed = transferSpeed();
  speed(0, 0);
  speed(2000, 8e6);
  expect(speed(2100, 1000)).toBeNull();
  expect(speed(3100, 1001000)).toBe(1e6);
  expect(speed(4100, 1001000)).toBe(5e5);
});
