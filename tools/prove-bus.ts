/**
 * The long proof of the road to the motors: `npm run prove:bus -- --targets 1000000 [--seed 1]`. Targets from nowhere, through the gate
 * of the first profile and over the bus to virtual servos; every goal heard is inside its calibrated range, within speed and
 * acceleration, and none changes after Stop. Ends with an error and the seed at the first that is not. A short form is a unit test.
 */
import { parseArgs } from 'node:util';
import { goalRound } from '#core/arm/serial/testing/goal-round.ts';

const ROUND = 2000;
const { values } = parseArgs({ options: { targets: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } } });
const wanted = Number(values.targets);
const firstSeed = Number(values.seed);
if (!Number.isInteger(wanted) || wanted < 1 || !Number.isInteger(firstSeed)) {
  console.error('npm run prove:bus -- --targets 1000000 [--seed 1]');
  process.exit(2);
}
const total = { targets: 0, goals: 0, mostStep: 0, mostChange: 0 };
const startedMs = performance.now();
for (let round = 0; total.targets < wanted; round++) {
  const done = await goalRound(firstSeed + round, Math.min(ROUND, wanted - total.targets));
  total.targets += done.targets;
  total.goals += done.goals;
  total.mostStep = Math.max(total.mostStep, done.mostStep);
  total.mostChange = Math.max(total.mostChange, done.mostChange);
  if (round % 10 === 0) console.info(`${total.targets} targets, ${total.goals} goals, ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
}
console.info(`${total.targets} targets in rounds of ${ROUND}, seeds from ${firstSeed}: ${total.goals} goals heard, all inside their ranges; largest step ${total.mostStep}, largest change of a step ${total.mostChange} (servo steps at 30 Hz); none after Stop`);
