/**
 * A limit learnt from good examples, and how far an answer scatters. From the scores of n good ones the conformal quantile is
 * the smallest number that a further good one stays under with the probability asked for, whatever the scores are
 * distributed like, as long as the next comes from where they came from. n support no more than n / (n + 1): 95 % needs 19.
 *
 * V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World (2005).
 */

/** The limit at `coverage` (0..1); null where the scores are too few to say so: then nothing is calibrated, whatever they look like. */
export function conformalLimit(scores: readonly number[], coverage: number): number | null {
  const rank = Math.ceil((scores.length + 1) * coverage - 1e-9);
  return rank > scores.length || rank < 1 ? null : (scores.toSorted((a, b) => a - b)[rank - 1] as number);
}

/** How many scores `coverage` needs at least. */
export function leastScores(coverage: number): number {
  return Math.ceil(coverage / (1 - coverage) - 1e-9);
}

/**
 * How much chunks for the same moment differ: the root of the mean variance of their rows, in the unit of the rows, over all rows
 * and columns. Each list is rows x columns long. Null for fewer than two.
 */
export function spread(answers: readonly ArrayLike<number>[]): number | null {
  const [first] = answers;
  if (first === undefined || answers.length < 2) return null;
  let sum = 0;
  for (let i = 0; i < first.length; i++) {
    const mean = answers.reduce((total, answer) => total + (answer[i] as number), 0) / answers.length;
    sum += answers.reduce((total, answer) => total + ((answer[i] as number) - mean) ** 2, 0) / (answers.length - 1);
  }
  return Math.sqrt(sum / first.length);
}
