/**
 * `npm run prove:soak`: an hour of a random policy through the gate into the physics, measured there: the largest speed of
 * any corner of the arm, forces on the table and on itself, memory at the start and at the end. Every few seconds somebody
 * presses Stop, at any moment of a tick; what is counted is the time until targets do not change any more. Simulated time,
 * so it takes what the machine needs. Writes `evidence/soak.md`.
 *
 *   npm run prove:soak [-- --minutes 60 --seed 1 --wall-seconds 36000 --physics on]
 *
 * `--physics off` counts stops alone, a hundred times as fast.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '#core/lib/random.ts';
import { SO100 } from '#core/robots/so100.ts';
import { createGate } from '#core/safety/gate.ts';
import { jointLimits, PROFILES, shapeLimits } from '#core/safety/profile.ts';
import { createBody } from '#core/safety/shape/body.ts';
import { World } from '#core/world/world.ts';
import { createOracle, nothingMeasured, WHY_FASTER } from './safety/oracle.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' }, 'wall-seconds': { type: 'string', default: '36000' }, physics: { type: 'string', default: 'on' }, out: { type: 'string', default: 'evidence/soak.md' } } });
const root = join(import.meta.dirname, '..');
const RATE_HZ = 30;
const TICK_MS = 1000 / RATE_HZ;
/** A thousand stops an hour. */
const TICKS_BETWEEN_STOPS = 108;
const HOLD_TICKS = 8;
/** Rows of a random chunk: it wanders off in some direction and comes back somewhere else. */
const CHUNK_ROWS = 45;

const random = seededRandom(Number(values.seed));
const profile = PROFILES['first-motion'];
const motion = profile.simulated;
const world = await World.open();
world.reset({ task: '', seed: 1, cubes: ['red'] });
const measured = nothingMeasured();
const withPhysics = values.physics !== 'off';
const oracle = !withPhysics ? { begin: () => undefined, command: () => undefined, measured: () => null } : createOracle(world, SO100, measured);
const gate = createGate({ limits: jointLimits(SO100, motion), tickSeconds: 1 / RATE_HZ, staleAfterMs: 250, rampSeconds: motion.rampSeconds, shape: shapeLimits(SO100, createBody(SO100), profile, 'simulated') }, SO100.homePose);
oracle.begin(gate.positions());

const memory = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
};
const wanted = Math.round(Number(values.minutes) * 60 * RATE_HZ);
const began = Date.now();
const stopsMs: number[] = [];
let heapStart = 0;
let ticks = 0;
let goal = Float64Array.from(SO100.homePose);
let row = 0;
let sinceStop = 0;
let waited = 0;
/** What the control loop does in a tick: it looks where the arm is, and says where it is to be. */
const tick = (positions: Float64Array | null): void => {
  const passed = gate.pass(positions === null ? null : { positions, velocities: null }, { stateAgeMs: 0, measured: oracle.measured() });
  if (passed.rules.includes('lead')) waited++;
  oracle.command(passed.command.positions);
  ticks++;
};
while (ticks < wanted && Date.now() - began < 1000 * Number(values['wall-seconds'])) {
  // The first minute fills caches and compiles.
  if (ticks === 60 * RATE_HZ) heapStart = memory();
  if (row-- <= 0) {
    row = CHUNK_ROWS;
    goal = Float64Array.from(SO100.joints, (joint) => random.between(joint.least - 0.3, joint.most + 0.3));
  }
  tick(goal);
  if (++sinceStop < TICKS_BETWEEN_STOPS || gate.still) continue;
  sinceStop = 0;
  // Pressed somewhere between two ticks; seen at the next one; held when a command is the same as the one before.
  let ms = random.uniform() * TICK_MS;
  while (!gate.still) {
    tick(null);
    if (!gate.still) ms += TICK_MS;
  }
  stopsMs.push(ms);
  for (let k = 0; k < HOLD_TICKS; k++) tick(null);
}
const heapEnd = memory();
const sorted = stopsMs.toSorted((a, b) => a - b);
const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(0);
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
const text = `# A random policy for ${(ticks / RATE_HZ / 60).toFixed(1)} simulated minutes

\`npm run prove:soak -- --minutes ${values.minutes} --seed ${values.seed}\`, commit ${commit}, ${new Date().toISOString().slice(0, 16)}Z, ${Math.round((Date.now() - began) / 1000)} s.${ticks < wanted ? ` Ended early by the wall clock: ${values.minutes} minutes were asked for.` : ''}
30 Hz, profile \`first-motion\`. ${!withPhysics ? 'Without the physics: only the stops are counted.' : 'Measured in the physics, not in the commands.'}

| | |
|---|---|
${
  !withPhysics
    ? ''
    : `| largest speed of a corner of the arm in free air, moved in a tick of 1/30 s | ${(1000 * measured.fastestTickFree).toFixed(0)} mm/s; above 250 mm/s in ${measured.overFree} of ${measured.freeTicks} ticks |
| the same within half a second of touching something | ${(1000 * measured.fastestTick).toFixed(0)} mm/s |
| over 2 ms | ${(1000 * measured.fastestStep).toFixed(0)} mm/s |
| ticks in which the target waited for an arm that was held back | ${waited} of ${ticks} |
| largest force on the table, on itself | ${measured.tableForce.toFixed(1)} N, ${measured.selfForce.toFixed(1)} N${measured.selfWhere === '' ? '' : ` (${measured.selfWhere})`} |
`
}| Stop to hold, the gate alone, ${stopsMs.length} stops during motion: p50, p95, max | ${at(0.5)}, ${at(0.95)}, ${at(1)} ms |
| heap after the first minute, at the end | ${heapStart.toFixed(1)}, ${heapEnd.toFixed(1)} MiB${globalThis.gc === undefined ? ' (not collected first: run with --expose-gc)' : ''} |
${!withPhysics ? '' : `\n${WHY_FASTER}`}`;
console.log(text);
writeFileSync(join(root, values.out), text);
