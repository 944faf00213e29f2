/**
 * `npm run evaluate`: seeded trials, counted, from one command.
 *
 *   npm run evaluate -- --contestant expert|hold-still|random|mean-trajectory|policies/pocket
 *       [--tasks touch,pick-up,...] [--seeds 0:200] [--cubes 4] [--wording held-out]
 *       [--perturbation none] [--instruction as-asked] [--delay 0] [--play-rows 8]
 *       [--guided-rows 10]                                                real-time chunking, over so many rows
 *       [--shards 1] [--engine wasm|webgpu] [--precision f32|q8|q4|int8] [--where node|browser] [--site DIR] [--out DIR]
 *   npm run evaluate -- --checkpoint DIR [--steps 2] [--cameras front] [--noise 0] ...                  a folder instead of --contestant
 *
 * Contestants without eyes run in Node; a policy runs in headless Chromium on the built page. Writes into DIR:
 * `episodes.jsonl` as they are done (the same command goes on where it was broken off; a shard that is killed loses its
 * running episode), then `report.json`, `report.csv`, `report.html`, and prints the table. Ends with status 1 where an
 * episode could not be run at all.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BASELINES, INSTRUCTIONS, PERTURBATIONS, type Contestant, type EvaluationPlan, type EvaluationReport, type MeasuredPolicy } from '#contracts/evaluation.ts';
import { REAL_TIME_CHUNKING, type EngineChoice } from '#contracts/inference.ts';
import { PRECISIONS } from '#contracts/policy.ts';
import { buildReport, episodesAsCsv } from '#core/evaluation/summary.ts';
import { DRAWING_VERSION } from '#core/scene/drawing-version.ts';
import { FIRST_TRAIN_SEED } from '#core/world/tasks/draw.ts';
import { kOfN, percent } from '#page/words/measure.ts';
import { buildIfStale } from './build-state.ts';
import { checkpointUnderTest } from './episodes/checkpoint-under-test.ts';
import { seedsFrom, tasksFrom } from './episodes/demonstration-plan.ts';
import { reportPage } from './episodes/report-page.ts';
import { runShards, type ShardFacts, type ShardSetup } from './episodes/shards.ts';
import { jobName, jobsOf, openLedger, requestOf } from './episodes/work.ts';
import { serve } from './serve.ts';

const root = resolve(import.meta.dirname, '..');
const { values: options } = parseArgs({
  options: {
    contestant: { type: 'string', default: 'expert' },
    tasks: { type: 'string', default: 'touch,pick-up,put-in-bowl,push-left,push-right,wave' },
    seeds: { type: 'string', default: '0:200' },
    cubes: { type: 'string', default: '4' },
    wording: { type: 'string', default: 'held-out' },
    perturbation: { type: 'string', default: 'none' },
    instruction: { type: 'string', default: 'as-asked' },
    delay: { type: 'string', default: '0' },
    'play-rows': { type: 'string', default: '8' },
    'guided-rows': { type: 'string' },
    shards: { type: 'string', default: '1' },
    checkpoint: { type: 'string' },
    steps: { type: 'string' },
    cameras: { type: 'string' },
    noise: { type: 'string' },
    engine: { type: 'string' },
    precision: { type: 'string', default: 'f32' },
    where: { type: 'string' },
    site: { type: 'string' },
    out: { type: 'string' },
  },
});

const underTest =
  options.checkpoint === undefined
    ? null
    : checkpointUnderTest(options.checkpoint, {
        steps: options.steps === undefined ? null : wholeNumber('--steps', options.steps, 1, 1000),
        cameras: options.cameras?.split(',') ?? null,
        noiseScale: options.noise === undefined ? null : Number(options.noise),
      });
if (underTest === null && (options.steps ?? options.cameras ?? options.noise) !== undefined) throw new Error('--steps, --cameras and --noise change a folder: name it with --checkpoint');
const contestantName = underTest?.name ?? options.contestant;
const baseline = BASELINES.find((name) => name === contestantName);
const contestant: Contestant = baseline === undefined ? { kind: 'policy', storedName: contestantName } : { kind: 'baseline', name: baseline };
const plan: EvaluationPlan = {
  contestant,
  tasks: tasksFrom(options.tasks),
  seeds: seedsFrom(options.seeds),
  wording: oneOf('--wording', options.wording, ['train', 'held-out']),
  perturbation: oneOf('--perturbation', options.perturbation, PERTURBATIONS),
  instruction: oneOf('--instruction', options.instruction, INSTRUCTIONS),
  cubes: wholeNumber('--cubes', options.cubes, 1, 4),
  inferenceDelayTicks: wholeNumber('--delay', options.delay, 0, 300),
  playRows: wholeNumber('--play-rows', options['play-rows'], 1, 1000),
  ...(options['guided-rows'] === undefined ? {} : { realTimeChunking: { ...REAL_TIME_CHUNKING, horizon: wholeNumber('--guided-rows', options['guided-rows'], 1, 1000) } }),
};
if (plan.seeds.first + plan.seeds.count > FIRST_TRAIN_SEED) console.log(`note: seeds from ${FIRST_TRAIN_SEED} up are training seeds; this result is no held-out result`);
const precision = oneOf('--precision', options.precision, PRECISIONS);
const engine: EngineChoice = options.engine === undefined ? null : oneOf('--engine', options.engine, ['wasm', 'webgpu'] as const);
const where = options.where === undefined ? (baseline === undefined ? 'browser' : 'node') : oneOf('--where', options.where, ['node', 'browser'] as const);
const out = resolve(options.out ?? join('evaluations', [contestantName.replaceAll('/', '-'), plan.perturbation, plan.instruction, options.seeds.replace(':', '+')].join('_')));

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
const versions = { playground: version, renderer: DRAWING_VERSION.renderer, drawing: String(DRAWING_VERSION.drawingRevision), physics: packageVersion('@mujoco/mujoco'), inference: packageVersion('onnxruntime-web'), where, ...(underTest === null ? {} : { checkpoint: underTest.sha256 }), ...(precision === 'f32' ? {} : { precision }) };
mkdirSync(out, { recursive: true });
const ledger = openLedger(out, { plan, versions });
const jobs = jobsOf(plan).filter((job) => !ledger.done.has(jobName(job)));
if (ledger.done.size > 0) console.log(`${ledger.done.size} episodes are there already, ${jobs.length} to go`);

let facts: ShardFacts = { runtime: where === 'node' ? `Node ${process.versions.node}` : 'Chromium', policy: null };
const factsFile = join(out, 'shard.json');
const began = performance.now();
let announced = 0;
const server = where === 'browser' && jobs.length > 0 ? await openSite() : null;
try {
  const setup: ShardSetup = {
    where: server === null ? { kind: 'node' } : { kind: 'browser', url: server.url },
    policy: baseline === undefined ? { kind: 'shipped', name: contestantName, precision } : null,
    contestant: baseline === undefined ? null : contestant,
    engine,
  };
  await runShards({
    file: join(import.meta.dirname, 'episodes/shard-process.ts'),
    setup,
    count: wholeNumber('--shards', options.shards, 1, 64),
    jobs,
    requestOf: (job) => requestOf(plan, job),
    onReady: (found) => {
      facts = found;
      writeFileSync(factsFile, `${JSON.stringify(found)}\n`);
    },
    onDone: (episode) => {
      ledger.add(episode);
      progress();
    },
    onLost: (job, why) => console.log(`a shard ended (${why})${job === null ? '' : `; ${jobName(job)} is done again`}`),
  });
} finally {
  await server?.close();
}
if (jobs.length === 0) facts = knownFacts() ?? facts;

const report = buildReport({ plan, versions: { ...versions, runtime: facts.runtime }, policy: facts.policy, episodes: [...ledger.done.values()].map((done) => done.result) });
writeFileSync(join(out, 'report.json'), `${JSON.stringify(report, null, 1)}\n`);
writeFileSync(join(out, 'report.csv'), episodesAsCsv(report));
writeFileSync(join(out, 'report.html'), reportPage(report));
print(report, facts.policy);

function progress(): void {
  if (performance.now() - announced < 10_000) return;
  announced = performance.now();
  const total = plan.tasks.length * plan.seeds.count;
  console.log(`${ledger.done.size} of ${total}`);
}

function print(done: EvaluationReport, policy: MeasuredPolicy | null): void {
  console.log(`\n${contestantName}${policy === null ? '' : ` (${policy.precision}, ${policy.provider}, ${policy.threads} threads)`}: ${plan.cubes} cubes, seeds ${options.seeds}, ${plan.perturbation}, ${plan.instruction}, delay ${plan.inferenceDelayTicks} ticks`);
  for (const task of done.tasks) {
    const reasons = Object.entries(task.failures).map(([reason, count]) => `${count} ${reason}`);
    const named = task.named === null ? '' : `; did what it was told instead: ${kOfN(task.named.successes, task.trials, task.named.interval)}`;
    const median = task.medianSecondsToSuccess === null ? '' : `, median ${task.medianSecondsToSuccess.toFixed(1)} s`;
    console.log(`  ${task.task.padEnd(12)} ${kOfN(task.successes, task.trials, task.interval)}${median}${reasons.length === 0 ? '' : `; ${reasons.join(', ')}`}${named}`);
  }
  const { realTimeFactor, episodesPerMinute, shares } = done.throughput;
  console.log(`one shard: ${episodesPerMinute.toFixed(1)} episodes a minute, ${realTimeFactor.toFixed(1)} times real time; physics ${percent(shares.physics)}, rendering ${percent(shares.rendering)}, inference ${percent(shares.inference)}`);
  if (jobs.length > 0) console.log(`this run: ${jobs.length} episodes in ${((performance.now() - began) / 60_000).toFixed(1)} minutes`);
  console.log(`written to ${out}`);
}

async function openSite(): Promise<Awaited<ReturnType<typeof serve>>> {
  if (options.site === undefined) buildIfStale();
  return serve({ folder: options.site ?? join(root, 'dist'), ...(underTest === null ? {} : { replace: underTest.replace }) });
}

/** A run that was complete already starts no shard; what the last one said is kept beside the episodes. */
function knownFacts(): ShardFacts | null {
  try {
    return JSON.parse(readFileSync(factsFile, 'utf8')) as ShardFacts;
  } catch {
    return null;
  }
}

function packageVersion(name: string): string {
  const found = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { readonly version: string };
  return `${name} ${found.version}`;
}

function oneOf<T extends string>(name: string, given: string, all: readonly T[]): T {
  const found = all.find((one) => one === given);
  if (found === undefined) throw new Error(`${name}: expected one of ${all.join(', ')}, found "${given}"`);
  return found;
}

function wholeNumber(name: string, given: string, least: number, most: number): number {
  const value = Number(given);
  if (!Number.isInteger(value) || value < least || value > most) throw new Error(`${name}: expected ${least} to ${most}, found "${given}"`);
  return value;
}
