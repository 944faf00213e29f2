/**
 * One process of the long proof: rounds from a seed until its share of ticks is done, with a line of JSON about every five
 * seconds and one at the end. The first promise broken ends it, with the seed that shows it again.
 *
 *   tsx tools/safety/shard.ts SEED TICKS [so101]
 */
import { robotNamed } from '#core/robots/known.ts';
import { noWorst } from '#core/safety/testing/judge.ts';
import { playRound } from '#core/safety/testing/round.ts';
import { World } from '#core/world/world.ts';
import { createOracle, nothingMeasured } from './oracle.ts';

export interface ShardReport {
  readonly kind: 'progress' | 'done' | 'broken';
  readonly ticks: number;
  readonly rounds: number;
  readonly stops: number;
  readonly unnamed: number;
  readonly longestStopTicks: number;
  readonly worst: ReturnType<typeof noWorst>;
  readonly rules: Readonly<Record<string, number>>;
  readonly measured: ReturnType<typeof nothingMeasured>;
  readonly message: string | null;
}

const ROUND_TICKS = 300;
/** One round in a hundred runs in the physics; one in ten has its body judged by other kinematics on every tick. */
const WORLD_EVERY = 100;
const BODY_EVERY = 10;

const [seedText, ticksText, robotText] = process.argv.slice(2);
const firstSeed = Number(seedText);
const wantedTicks = Number(ticksText);
if (!Number.isInteger(firstSeed) || !Number.isInteger(wantedTicks)) throw new Error('usage: shard.ts SEED TICKS');

const robot = robotNamed(robotText === 'so101' ? 'so101' : 'so100');
const world = await World.open();
world.reset({ task: '', seed: 1, cubes: ['red'], robot: robot.name });
const worst = noWorst();
const measured = nothingMeasured();
const oracle = createOracle(world, robot, measured);
const rules: Record<string, number> = {};
let ticks = 0;
let rounds = 0;
let unnamed = 0;
let longestStopTicks = 0;
let told = performance.now();

const tell = (kind: ShardReport['kind'], message: string | null): void => {
  const report: ShardReport = { kind, ticks, rounds, stops: rounds, unnamed, longestStopTicks, worst, rules, measured, message };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  told = performance.now();
};

try {
  while (ticks < wantedTicks) {
    const inWorld = rounds % WORLD_EVERY === 0;
    const report = playRound(firstSeed + rounds, worst, { ticks: ROUND_TICKS, robot, judgeBody: rounds % BODY_EVERY === 0 ? 'looked-at' : 'left-out', ...(inWorld ? { inWorld: oracle } : {}) });
    rounds++;
    ticks += report.ticks;
    unnamed += report.unnamed;
    longestStopTicks = Math.max(longestStopTicks, report.stopTicks);
    for (const [rule, count] of Object.entries(report.rules)) rules[rule] = (rules[rule] ?? 0) + count;
    if (performance.now() - told > 5000) tell('progress', null);
  }
  tell('done', null);
} catch (thrown) {
  tell('broken', thrown instanceof Error ? thrown.message : String(thrown));
  process.exitCode = 1;
}
