/**
 * `npm run demonstrations`: the scripted expert's episodes with pictures, from headless browsers, as files that
 * `training/dataset.py` reads (`src/contracts/episode.ts` says how they are laid out).
 *
 *   npm run demonstrations -- --out DIR [--tasks touch,pick-up,...] [--seeds 1000000:500]   so many of each task
 *       [--cubes mix|1..4] [--noise 5 --noise-share 0.5] [--mix-share 0.3] [--misled-share 0.4] [--crooked-share 0]   what is varied
 *       [--begun-by DIR]   a checkpoint that acts first; the expert takes over where it has got to (DAgger)
 *       [--played-by DIR [--tries 4]]   a checkpoint that acts alone, in 8-bit products; a table that it fails on it tries so many
 *                          times more, with other noise. Training reads only what succeeded (self-imitation)
 *       [--picture-every 4] [--size 96] [--per-shard 50]                                    what is kept
 *       [--browsers 1] [--site DIR]                                                         how it is run
 *
 * Everything about an episode follows from its task and seed. A shard that is there already is skipped, so the same
 * command goes on where it was broken off; a browser that dies costs its running episode, which is done again.
 * Prints how long physics and rendering took and the episodes a minute.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { EpisodeRequest, RecordedEpisode } from '#contracts/episode-api.ts';
import type { ShardCard } from '#contracts/episode.ts';
import type { EpisodeResult } from '#contracts/evaluation.ts';
import { FailureError } from '#core/lib/failure.ts';
import { DRAWING_VERSION } from '#core/scene/drawing-version.ts';
import { buildIfStale } from './build-state.ts';
import { checkpointUnderTest } from './episodes/checkpoint-under-test.ts';
import { demonstrationRequest, refuseHeldOut, seedsFrom, shardPlans, tasksFrom, type DemonstrationOptions, type ShardPlan } from './episodes/demonstration-plan.ts';
import { LabLost, openLab, type Lab } from './episodes/lab.ts';
import { shardBytes } from './episodes/shard.ts';
import { serve } from './serve.ts';

/** Between the noise seeds of a table's tries: further than any seed of a demonstration. */
const NOISE_STRIDE = 100_000_000;

const root = resolve(import.meta.dirname, '..');
const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    tasks: { type: 'string', default: 'touch,pick-up,put-in-bowl,push-left,push-right,wave' },
    seeds: { type: 'string', default: '1000000:500' },
    cubes: { type: 'string', default: 'mix' },
    noise: { type: 'string', default: '5' },
    'noise-share': { type: 'string', default: '0.5' },
    'mix-share': { type: 'string', default: '0.3' },
    'misled-share': { type: 'string', default: '0.4' },
    'crooked-share': { type: 'string', default: '0' },
    'begun-by': { type: 'string' },
    'played-by': { type: 'string' },
    tries: { type: 'string', default: '4' },
    'picture-every': { type: 'string', default: '4' },
    size: { type: 'string', default: '96' },
    'per-shard': { type: 'string', default: '50' },
    browsers: { type: 'string', default: '1' },
    site: { type: 'string' },
  },
});
if (options.out === undefined) throw new Error('--out DIR says where the shards go');
const out = resolve(options.out);
const varied: DemonstrationOptions = {
  cubes: options.cubes === 'mix' ? 'mix' : wholeNumber('--cubes', options.cubes, 1, 4),
  noise: Number(options.noise),
  noiseShare: Number(options['noise-share']),
  mixShare: Number(options['mix-share']),
  misledShare: Number(options['misled-share']),
  crookedShare: Number(options['crooked-share']),
  actor: options['begun-by'] !== undefined ? 'policy-first' : options['played-by'] !== undefined ? 'policy' : 'expert',
};
const pictureEveryTicks = wholeNumber('--picture-every', options['picture-every'], 1, 300);
const side = wholeNumber('--size', options.size, 16, 640);
const moreTries = wholeNumber('--tries', options.tries, 0, 100);
const seeds = seedsFrom(options.seeds);
refuseHeldOut(seeds.first);

mkdirSync(out, { recursive: true });
const all = shardPlans(tasksFrom(options.tasks), seeds, wholeNumber('--per-shard', options['per-shard'], 1, 1000));
const left = all.filter((plan) => !existsSync(join(out, plan.file)));
console.log(`${all.length} shards, ${all.length - left.length} there already, ${left.reduce((sum, plan) => sum + plan.count, 0)} episodes to go`);

if (options.site === undefined) buildIfStale();
const folder = options['begun-by'] ?? options['played-by'];
const checkpoint = folder === undefined ? null : checkpointUnderTest(folder, { steps: null, cameras: null, noiseScale: null });
const server = await serve({ folder: options.site ?? join(root, 'dist'), ...(checkpoint === null ? {} : { replace: checkpoint.replace }) });
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
const began = performance.now();
const spent = { physics: 0, rendering: 0, total: 0, simulated: 0, episodes: 0, successes: 0 };
try {
  await Promise.all(Array.from({ length: wholeNumber('--browsers', options.browsers, 1, 32) }, () => worker()));
} finally {
  await server.close();
}
console.log(`done: ${summary()}`);

/** One browser, from shard to shard. */
async function worker(): Promise<void> {
  let lab = await open();
  try {
    for (let plan = left.shift(); plan !== undefined; plan = left.shift()) {
      const episodes: RecordedEpisode[] = [];
      for (let seed = plan.firstSeed; seed < plan.firstSeed + plan.count; seed++) {
        for (let attempt = 1; ; attempt++) {
          try {
            episodes.push(...(await tried(lab, plan, seed)));
            break;
          } catch (thrown) {
            if (!(thrown instanceof LabLost) || attempt === 3) throw thrown;
            console.log(`${plan.task} ${seed}: ${thrown.message}; once more in a new browser`);
            await lab.close().catch(() => undefined);
            lab = await open();
          }
        }
      }
      await write(plan, episodes, lab.browser);
    }
  } finally {
    await lab.close().catch(() => undefined);
  }
}

async function open(): Promise<Lab> {
  const lab = await openLab(server.url);
  if (checkpoint === null) await lab.choose({ kind: 'baseline', name: 'expert' }, null);
  else await lab.choose({ kind: 'policy', storedName: await lab.convert({ kind: 'shipped', name: checkpoint.name, precision: varied.actor === 'policy' ? 'int8' : 'f32' }) }, 'wasm');
  return lab;
}

/** One episode, and where a policy that acts alone has failed the same table again; none where this seed has no such episode. */
async function tried(lab: Lab, plan: ShardPlan, seed: number): Promise<readonly RecordedEpisode[]> {
  const request = demonstrationRequest(plan.task, seed, varied);
  const first = await one(lab, request);
  if (first === null) return [];
  const again: (RecordedEpisode | null)[] = [];
  if (varied.actor === 'policy' && first.card.verdict.kind !== 'success') {
    for (let draw = 1; draw <= moreTries; draw++) again.push(await one(lab, { ...request, noiseSeed: seed + draw * NOISE_STRIDE }));
  }
  return [first, ...again.filter((episode) => episode !== null)];
}

/** Null where this seed has no such episode (no room for its distractors, say): told, and left out. */
async function one(lab: Lab, request: EpisodeRequest): Promise<RecordedEpisode | null> {
  try {
    const { result, recorded } = await lab.record(request, { pictureEveryTicks, width: side, height: side });
    count(result);
    return recorded;
  } catch (thrown) {
    if (!(thrown instanceof FailureError)) throw thrown;
    console.log(`${request.task} ${request.seed}: left out, ${thrown.message}`);
    return null;
  }
}

async function write(plan: ShardPlan, episodes: readonly RecordedEpisode[], browser: string): Promise<void> {
  const card: ShardCard = {
    format: 'vla-playground-episodes',
    version: 1,
    fps: 30,
    cameras: ['front', 'wrist'].map((short) => ({ key: `observation.images.${short}`, short, width: side, height: side })),
    pictureEveryTicks,
    versions: { playground: version, browser, renderer: DRAWING_VERSION.renderer, drawing: String(DRAWING_VERSION.drawingRevision), options: JSON.stringify(varied), ...(checkpoint === null ? {} : { checkpoint: checkpoint.sha256 }) },
  };
  const bytes = await shardBytes(episodes, card);
  // Under another name until it is whole: a shard that exists is complete.
  const path = join(out, plan.file);
  writeFileSync(`${path}.partial`, bytes);
  renameSync(`${path}.partial`, path);
  console.log(`${plan.file}: ${episodes.length} episodes, ${(bytes.length / 1e6).toFixed(1)} MB; ${summary()}`);
}

function count(result: EpisodeResult): void {
  spent.episodes++;
  spent.successes += result.verdict.kind === 'success' ? 1 : 0;
  spent.physics += result.milliseconds.physics;
  spent.rendering += result.milliseconds.rendering;
  spent.total += result.milliseconds.total;
  spent.simulated += result.ticks / 30;
}

function summary(): string {
  const minutes = (performance.now() - began) / 60_000;
  const share = (part: number): string => `${((100 * part) / Math.max(1, spent.total)).toFixed(0)} %`;
  return `${spent.successes} of ${spent.episodes} solved, ${(spent.episodes / minutes).toFixed(1)} episodes a minute, ${(spent.simulated / (minutes * 60)).toFixed(1)} times real time; physics ${share(spent.physics)}, rendering ${share(spent.rendering)}`;
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new Error(`${name}: expected ${least} to ${most}, found "${text}"`);
  return value;
}
