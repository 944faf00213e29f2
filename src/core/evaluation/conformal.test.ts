import { expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { conformalLimit, leastScores, spread } from './conformal.ts';

it('promises only what n scores support', () => {
  const scores = Array.from({ length: 19 }, (_, i) => i + 1);
  expect(conformalLimit(scores, 0.95)).toBe(19);
  expect(conformalLimit(scores.slice(1), 0.95)).toBeNull();
  expect(conformalLimit(scores, 0.5)).toBe(10);
  expect(conformalLimit([], 0.95)).toBeNull();
  expect(conformalLimit([3, 1, 2], 1)).toBeNull();
  expect(leastScores(0.95)).toBe(19);
  expect(conformalLimit(Array.from({ length: leastScores(0.9) }, (_, i) => i), 0.9)).not.toBeNull();
});

it('covers what it promises: of good scores never seen, one in twenty is above', () => {
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

it('spreads by as much as answers differ', () => {
  expect(spread([[1, 2]])).toBeNull();
  expect(spread([[1, 2], [1, 2], [1, 2]])).toBe(0);
  expect(spread([[0, 0], [2, 2]])).toBeCloseTo(Math.SQRT2, 12);
  expect(spread([[0, 5], [2, 5]])).toBeCloseTo(1, 12);
});
