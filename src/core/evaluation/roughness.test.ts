import { expect, it } from 'vitest';
import { roughness } from './roughness.ts';

const SHAPE = { columns: 2, joints: 1, fps: 10 };
const chunk = (of: (row: number) => number): Float32Array => Float32Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? of(i / 2) : 99 * (i % 3)));

it('of a line is 0, of a parabola its second derivative, of a line in steps more', () => {
  expect(roughness([chunk((row) => 3 * row + 1)], SHAPE)).toBeCloseTo(0, 6);
  // 4 t^2 at 10 rows a second: 8 a second squared; the column that is no joint does not count.
  expect(roughness([chunk((row) => 4 * (row / 10) ** 2)], SHAPE)).toBeCloseTo(8, 3);
  expect(roughness([chunk((row) => 2 * Math.round(row / 2))], SHAPE)).toBeCloseTo(200, 3);
});

it('is the mean over chunks, and unknown where none has three rows', () => {
  const [flat, bent] = [chunk(() => 1), chunk((row) => 4 * (row / 10) ** 2)];
  expect(roughness([flat, bent], SHAPE)).toBeCloseTo(4, 3);
  expect(roughness([], SHAPE)).toBeNull();
  expect(roughness([Float32Array.of(1, 2, 3, 4)], SHAPE)).toBeNull();
});
