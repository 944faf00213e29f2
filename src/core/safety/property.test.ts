/** The short form of `npm run prove:safety`: the same rounds, fewer of them, the seed printed. */
import { expect, it } from 'vitest';
import { SO100 } from '#core/robots/so100.ts';
import { SO101 } from '#core/robots/so101.ts';
import { noWorst } from './testing/judge.ts';
import { playRound } from './testing/round.ts';

it.each([SO100, SO101])('of the $name: keeps every promise whatever is wanted, under any profile, and says which rule bit', (robot) => {
  const masterSeed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
  console.log(`safety fuzz seed ${masterSeed} (repeat with FUZZ_SEED=${masterSeed})`);
  const worst = noWorst();
  const bitten: Record<string, number> = {};
  let ticks = 0;
  let unnamed = 0;
  const began = performance.now();
  // At least 30 rounds; then as many as fit into a few seconds, so that a busy machine only proves less.
  let rounds = 0;
  while (rounds < 30 || (rounds < 150 && performance.now() - began < 4_000)) {
    const report = playRound(masterSeed + rounds++, worst, { ticks: 120, judgeBody: 'looked-at', robot });
    ticks += report.ticks;
    unnamed += report.unnamed;
    for (const [rule, count] of Object.entries(report.rules)) bitten[rule] = (bitten[rule] ?? 0) + count;
  }
  console.log(`${ticks} ticks in ${rounds} rounds, worst: ${JSON.stringify(worst)}, rules: ${JSON.stringify(bitten)}`);
  expect(unnamed).toBe(0);
  expect(ticks).toBeGreaterThan(30 * 120);
}, 60_000);

it.each([
  [4_001_054, 'a joint came in from outside its range and its braking swung back'],
  [4_014_539, 'a joint whose speed passed through zero while it still changed counted as still'],
])('round %i, which once broke a promise: %s', (seed) => {
  expect(playRound(seed, noWorst(), { ticks: 300, judgeBody: 'looked-at' }).unnamed).toBe(0);
});
