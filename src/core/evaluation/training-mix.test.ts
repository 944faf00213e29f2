import { describe, expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { mixedPerturbations } from './training-mix.ts';

describe('the training mix', () => {
  it('gives each perturbation its own share, and the same ones for the same seed', () => {
    const draws = Array.from({ length: 4000 }, (_, seed) => mixedPerturbations(seededRandom(seed)));
    const share = (name: string): number => draws.filter((mix) => mix.some((one) => one === name)).length / draws.length;
    for (const [name, wanted] of [['light', 0.7], ['camera-pose', 0.7], ['initial-joints', 0.8], ['table-colour', 0.4], ['distractors', 0.25], ['black-cameras', 0]] as const) {
      // 4,000 draws: the standard deviation of a share is below 0.008.
      expect(Math.abs(share(name) - wanted), name).toBeLessThan(0.04);
    }
    expect(mixedPerturbations(seededRandom(9))).toEqual(draws[9]);
  });
});
