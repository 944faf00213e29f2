import { expect, it } from 'vitest';
import { readCalibration, runScore } from './meter.ts';

it('scores a run by its worst plan, and not at all where no two plans met', () => {
  const score = (...means: number[]): number | null => runScore({ control: { disagreements: means.map((mean) => ({ rows: 4, mean, seam: 0, seamPlayed: 0 })) } as never });
  expect(score(1, 5, 2)).toBe(5);
  expect(score()).toBeNull();
});

it('believes a kept calibration only where its runs support what it promises', () => {
  expect(readCalibration('{"limit":3.5,"count":19,"coverage":0.95}')).toEqual({ limit: 3.5, count: 19, coverage: 0.95 });
  for (const bad of [null, 'x', '{}', '{"limit":3.5,"count":18,"coverage":0.95}', '{"limit":-1,"count":19,"coverage":0.95}', '{"limit":3,"count":19,"coverage":1}']) expect(readCalibration(bad)).toBeNull();
});
