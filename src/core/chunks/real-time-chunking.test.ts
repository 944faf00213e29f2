/** Numbers of `lerobot/policies/rtc` v0.6.2: get_prefix_weights(3, 10, T) by schedule, and its guidance weight for 10 steps. */
import { expect, it } from 'vitest';
import { guidanceWeight, guideVelocity, leftoverRows, prefixWeights, type Guidance } from './real-time-chunking.ts';

const guidance: Guidance = { horizon: 10, delay: 3, schedule: 'LINEAR', maxWeight: 10 };
const rounded = (numbers: Iterable<number>, digits: number): number[] => [...numbers].map((n) => Number(n.toFixed(digits)));

it('weighs the prefix by schedule', () => {
  expect(rounded(prefixWeights(guidance, 50, 12), 3)).toEqual([1, 1, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0, 0]);
  expect(rounded(prefixWeights({ ...guidance, schedule: 'EXP' }, 50, 11).subarray(3), 4)).toEqual([0.7123, 0.4876, 0.3158, 0.1888, 0.0993, 0.0413, 0.0097, 0]);
  expect([...prefixWeights({ ...guidance, schedule: 'ONES' }, 50, 11)]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
  expect([...prefixWeights({ ...guidance, schedule: 'ZEROS' }, 50, 5)]).toEqual([1, 1, 1, 0, 0]);
});

it('shrinks the horizon to the rows that are left, and the delay to the horizon', () => {
  expect(rounded(prefixWeights(guidance, 5, 7), 3)).toEqual([1, 1, 1, 0.667, 0.333, 0, 0]);
  expect([...prefixWeights({ ...guidance, delay: 20 }, 2, 4)]).toEqual([1, 1, 0, 0]);
});

it('pulls hardest at both ends of the flow', () => {
  const times = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];
  expect(times.map((t) => Number(guidanceWeight(t, 10).toFixed(3)))).toEqual([10, 9.111, 4.25, 2.762, 2.167, 2, 2.167, 2.762, 4.25, 9.111]);
});

it('guides held rows and leaves free rows alone', () => {
  const step = { noisy: new Float32Array([1, 2, 3, 4]), velocity: new Float32Array([0.5, -0.5, 1, 1]), t: 0.5, columns: 2 };
  const guided = guideVelocity(step, new Float32Array([2, 2]), { ...guidance, horizon: 1, delay: 1 });
  // row 0: clean = 1 - 0.25, 2 + 0.25; error 1.25, -0.25; weight 2: 0.5 - 2.5, -0.5 + 0.5
  expect([...guided]).toEqual([-2, 0, 1, 1]);
  expect(guideVelocity(step, new Float32Array(0), guidance)).toEqual(step.velocity);
});

it('keeps what a chunk holds for the ticks to come, without the columns beyond the action', () => {
  // 3 rows of 2 numbers in 3 columns
  const x0 = new Float32Array([1, 2, 0, 3, 4, 0, 5, 6, 0]);
  expect([...leftoverRows(x0, 3, 2, 0)]).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...leftoverRows(x0, 3, 2, 2)]).toEqual([5, 6]);
  expect([...leftoverRows(x0, 3, 2, 3)]).toEqual([]);
  expect([...leftoverRows(x0, 3, 2, 9)]).toEqual([]);
});
