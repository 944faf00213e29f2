import { expect, it } from 'vitest';
import { disagreement } from './disagreement.ts';

const row = (...values: number[]): Float32Array => Float32Array.from(values);

it('is the mean distance of the rows that both have, and the jump at the seam', () => {
  expect(disagreement([row(0, 0), row(1, 1)], [row(3, 4), row(1, 1), row(9, 9)])).toEqual({ rows: 2, mean: 2.5, seam: 4 });
  expect(disagreement([], [row(1)])).toBeNull();
  expect(disagreement([row(1)], [row(1)])).toEqual({ rows: 1, mean: 0, seam: 0 });
});
