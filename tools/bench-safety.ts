/**
 * `npm run bench:safety`: what the whole pipeline (watch and gate) costs a tick, beside a tick that only copies numbers, in
 * turns in the same run, so that a busy machine slows both. Processor time is given beside the time on the clock: on a machine
 * that runs other things too, a tick in a hundred is put aside for 20 ms, and what the processor is said to have done has collecting and
 * compiling in it: so the same ticks are also run five times more, and the least of each tick's times is what the tick itself costs. Three kinds of wishes: a smooth path, far targets that are
 * clamped all the time, and noise. Prints a table; `--out evidence/safety-cost.md` keeps it.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { seededRandom } from '#core/lib/random.ts';
import { robotNamed } from '#core/robots/known.ts';
import { createGate } from '#core/safety/gate.ts';
import { jointLimits, PROFILES, shapeLimits } from '#core/safety/profile.ts';
import { createBody } from '#core/safety/shape/body.ts';
import { createWatch } from '#core/safety/watch.ts';

const { values } = parseArgs({ options: { ticks: { type: 'string', default: '6000' }, out: { type: 'string' }, robot: { type: 'string', default: 'so100' } } });
const TICKS = Number(values.ticks);
const WARM_UP = 1000;
const REPEATS = 5;
const profile = PROFILES['first-motion'];
const motion = profile.simulated;
const robot = robotNamed(values.robot === 'so101' ? 'so101' : 'so100');
const body = createBody(robot);

type Wishes = 'smooth' | 'far' | 'noise';
const rows: string[] = [];
for (const hz of [30, 100]) {
  for (const wishes of ['smooth', 'far', 'noise'] as const) {
    const { empty, whole, processor } = measure(wishes, hz);
    const least = leastOf(Array.from({ length: REPEATS }, () => times(wishes, hz)));
    const figure = (list: readonly number[], share: number): string => (list[Math.floor(list.length * share)] as number).toFixed(1);
    rows.push(`| ${hz} Hz, ${wishes} | ${figure(empty, 0.5)} | ${figure(empty, 0.99)} | ${figure(whole, 0.5)} | ${figure(whole, 0.95)} | ${figure(whole, 0.99)} | ${figure(processor, 0.5)} | ${figure(processor, 0.99)} | ${figure(least, 0.5)} | ${figure(least, 0.99)} |`);
  }
}
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const text = `# What safety costs a tick

\`npm run bench:safety\`, ${robot.name}, commit ${commit}, ${new Date().toISOString().slice(0, 16)}Z, Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}. Microseconds;
${TICKS} ticks a row, each measured right after an empty one.

| wishes | empty p50 | empty p99 | pipeline p50 | p95 | p99 | processor time p50 | p99 | least of ${REPEATS} runs p50 | p99 |
|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}
`;
console.log(text);
if (values.out !== undefined) writeFileSync(values.out, text);

/** The same gate, watch and wishes at every call. */
function rig(wishes: Wishes, hz: number): { readonly wish: (tick: number) => Float64Array; readonly pass: (tick: number, positions: Float64Array) => void } {
  const random = seededRandom(3);
  const gate = createGate({ limits: jointLimits(robot, motion), tickSeconds: 1 / hz, staleAfterMs: 250, rampSeconds: motion.rampSeconds, shape: shapeLimits(robot, body, profile, 'simulated') }, robot.homePose);
  const watch = createWatch(robot, profile, motion);
  const anywhere = (): Float64Array => Float64Array.from(robot.joints, (joint) => random.between(joint.least, joint.most));
  let goal = anywhere();
  const readings = { position: Float64Array.from(robot.homePose), velocity: new Float64Array(6), torque: new Float64Array(6) };
  return {
    wish(tick) {
      if (wishes === 'smooth') return Float64Array.from(robot.homePose, (p, i) => p + 0.12 * Math.sin((tick / hz) * 1.1 + i) - 0.12 * Math.sin(i));
      if (wishes === 'noise' || tick % (2 * hz) === 0) goal = anywhere();
      return goal;
    },
    pass(tick, positions) {
      const target = gate.positions();
      const seen = watch.look({ nowMs: tick, tick, tickSeconds: 1 / hz, pageSilentMs: 10, page: 'visible', holdKey: 'down', stateAgeMs: 5, readings, target, motion: 'policy' });
      gate.pass({ positions, velocities: null }, { stateAgeMs: 5, measured: readings.position, refusedBy: seen.refusedBy });
      // An arm that is behind by what it moves in two ticks.
      for (let i = 0; i < 6; i++) readings.position[i] = (readings.position[i] as number) + 0.4 * ((target[i] as number) - (readings.position[i] as number));
    },
  };
}

function measure(wishes: Wishes, hz: number): { readonly empty: readonly number[]; readonly whole: readonly number[]; readonly processor: readonly number[] } {
  const { wish, pass } = rig(wishes, hz);
  const copy = new Float64Array(6);
  const empty: number[] = [];
  const whole: number[] = [];
  const processor: number[] = [];
  for (let tick = 0; tick < TICKS + WARM_UP; tick++) {
    const positions = wish(tick);
    const a = performance.now();
    copy.set(positions);
    const b = performance.now();
    const used = process.cpuUsage();
    pass(tick, positions);
    const c = performance.now();
    const { user, system } = process.cpuUsage(used);
    if (tick < WARM_UP) continue;
    empty.push(1000 * (b - a));
    whole.push(1000 * (c - b));
    processor.push(user + system);
  }
  return { empty: empty.toSorted((x, y) => x - y), whole: whole.toSorted((x, y) => x - y), processor: processor.toSorted((x, y) => x - y) };
}

/** Microseconds on the clock, tick by tick. */
function times(wishes: Wishes, hz: number): readonly number[] {
  const { wish, pass } = rig(wishes, hz);
  return Array.from({ length: TICKS + WARM_UP }, (_, tick) => {
    const positions = wish(tick);
    const began = performance.now();
    pass(tick, positions);
    return 1000 * (performance.now() - began);
  }).slice(WARM_UP);
}

function leastOf(runs: readonly (readonly number[])[]): readonly number[] {
  return (runs[0] as readonly number[]).map((_, tick) => Math.min(...runs.map((run) => run[tick] as number))).toSorted((x, y) => x - y);
}
