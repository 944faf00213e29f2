/**
 * Wide randomisation for demonstrations: which perturbations one demonstration is given at once. Each is there or not,
 * by its own share; how far each goes is `perturbations.ts`. Evaluation changes one thing at a time and never asks here.
 *
 *   light           70 %
 *   camera-pose     70 %
 *   initial-joints  80 %
 *   table-colour    40 %
 *   distractors     25 %
 *
 * About one demonstration in 125 keeps all of them out; the tool that makes demonstrations adds plain ones by a share of its own.
 */
import type { Perturbation } from '#contracts/evaluation.ts';
import type { Random } from '#core/lib/random.ts';

const SHARES = { light: 0.7, 'camera-pose': 0.7, 'initial-joints': 0.8, 'table-colour': 0.4, distractors: 0.25 } as const satisfies Partial<Record<Perturbation, number>>;

/** Drawn in a fixed order, one number each, so that a changed share shifts no other. */
export function mixedPerturbations(random: Random): readonly Perturbation[] {
  return (Object.keys(SHARES) as (keyof typeof SHARES)[]).filter((perturbation) => random.uniform() < SHARES[perturbation]);
}
