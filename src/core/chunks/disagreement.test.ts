import { expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { conformalLimit, disagreement } from './disagreement.ts';

const row = (...values: number[]): Float32Array => Float32Array.from(values);

it('is the mean distance of the rows that both have, and the jump at the seam', () => {
  expect(disagreement([row(0, 0), row(1, 1)], [row(3, 4), row(1, 1), row(9, 9)])).toEqual({ rows: 2, mean: 2.5, seam: 4 });
  expect(disagreement([], [row(1)])).toBeNull();
  expect(disagreement([row(1)], [row(1)])).toEqual({ rows: 1, mean: 0, seam: 0 });
});

it('promises only what n chunks support', () => {
  const scores = Array.from({ length: 19 }, (_, i) => i + 1);
  expect(conformalLimit(scores, 0.95)).toBe(19);
  expect(conformalLimit(scores.slice(1), 0.95)).toBeNull();
  expect(conformalLimit(scores, 0.5)).toBe(10);
  expect(conformalLimit([], 0.95)).toBeNull();
  expect(conformalLimit([3, 1, 2], 1)).toBeNull();
});

it('covers what it promises: of good chunks never seen, one in twenty is above', () => {
  const random = seededRandom(4);
  const score = (): number => -Math.log(random.uniform());
  let above = 0;
  const rounds = 4000;
  for (let k = 0; k < rounds; k++) {
    const limit = conformalLimit(Array.from({ length: 39 }, score), 0.95);
    if (limit === null) throw new Error('39 are enough');
    if (score() > limit) above++;
  }
  expect(above / rounds).toBeGreaterThan(0.035);
  expect(above / rounds).toBeLessThan(0.065);
});
