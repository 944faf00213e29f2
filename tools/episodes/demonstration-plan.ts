/**
 * What one demonstration is: drawn from its task and seed alone, so that a shard can be made again, anywhere, byte for
 * byte, and an interrupted run goes on as if nothing had happened. Knows no browser and no disk.
 */
import type { EpisodeRequest } from '#contracts/episode-api.ts';
import { TASK_KINDS, type TaskKind } from '#contracts/task.ts';
import { seededRandom } from '#core/lib/random.ts';
import { FIRST_TRAIN_SEED } from '#core/world/tasks/draw.ts';

export interface DemonstrationOptions {
  /** A count, or `mix`: four cubes half the time, three 30 %, two 12 %, one 8 %. */
  readonly cubes: number | 'mix';
  /** Joint units of noise in bursts, and the share of demonstrations that get it. */
  readonly noise: number;
  readonly noiseShare: number;
  /** The share in the surroundings of the training mix; the others are as shipped. */
  readonly mixShare: number;
  /** The share that begins where a misled expert has left the arm. */
  readonly misledShare: number;
  /** Of grasps: the share that begins with the cube held crookedly. */
  readonly crookedShare: number;
  /** `policy-first`: a policy begins every demonstration, and the expert takes over; then nobody is misled. `policy`: it acts alone. */
  readonly actor: 'expert' | 'policy-first' | 'policy';
}

export interface ShardPlan {
  readonly task: TaskKind;
  readonly firstSeed: number;
  readonly count: number;
  readonly file: string;
}

/** Of a policy that begins: half of a chunk of 32 is played before the next is asked for, as on the page. */
const PLAY_ROWS = 16;

const CUBE_MIX = [
  { cubes: 4, upTo: 0.5 },
  { cubes: 3, upTo: 0.8 },
  { cubes: 2, upTo: 0.92 },
] as const;

export function demonstrationRequest(task: TaskKind, seed: number, options: DemonstrationOptions): EpisodeRequest {
  const random = seededRandom(seed).fork(`demonstration ${task}`);
  const [count, noisy, mixed, begins] = [random.uniform(), random.uniform(), random.uniform(), random.uniform()];
  const cubes = options.cubes === 'mix' ? (CUBE_MIX.find(({ upTo }) => count < upTo)?.cubes ?? 1) : options.cubes;
  return {
    task,
    seed,
    cubes: task === 'stack' ? Math.max(2, cubes) : cubes,
    wording: 'train',
    perturbation: 'none',
    surroundings: mixed < options.mixShare ? 'training-mix' : 'as-shipped',
    instruction: 'as-asked',
    inferenceDelayTicks: 0,
    playRows: PLAY_ROWS,
    injectedNoise: noisy < options.noiseShare ? options.noise : 0,
    ...prelude(task, begins, options),
  };
}

function prelude(task: TaskKind, begins: number, { misledShare, crookedShare, actor }: DemonstrationOptions): Pick<EpisodeRequest, 'prelude'> {
  if (actor === 'policy-first') return { prelude: 'by-policy' };
  if (actor === 'policy') return {};
  if (task === 'wave') return {};
  if (begins < misledShare) return { prelude: 'misled' };
  return GRASPS.includes(task) && begins < misledShare + crookedShare ? { prelude: 'crooked' } : {};
}

const GRASPS: readonly TaskKind[] = ['pick-up', 'put-in-bowl', 'stack'];

/** A task's own seeds begin this far from the last one's: one seed lays the table alike for every task, and tables should differ. */
export const TASK_SEED_STRIDE = 10_000_000;

/** Every task's seeds in blocks, the tasks taking turns, so that a run that is broken off has some of each. */
export function shardPlans(tasks: readonly TaskKind[], seeds: { readonly first: number; readonly count: number }, perShard: number): readonly ShardPlan[] {
  const plans: ShardPlan[] = [];
  for (let at = 0; at < seeds.count; at += perShard) {
    for (const task of tasks) {
      const firstSeed = seeds.first + at + TASK_SEED_STRIDE * TASK_KINDS.indexOf(task);
      const count = Math.min(perShard, seeds.count - at);
      plans.push({ task, firstSeed, count, file: `${task}-${firstSeed}-${count}.safetensors.gz` });
    }
  }
  return plans;
}

/** `touch,wave` to tasks. Throws with what there is. */
export function tasksFrom(text: string): readonly TaskKind[] {
  return text.split(',').map((name) => {
    const found = TASK_KINDS.find((kind) => kind === name.trim());
    if (found === undefined) throw new Error(`no task "${name}"; there are ${TASK_KINDS.join(', ')}`);
    return found;
  });
}

/** `1000000:500` to a range. */
export function seedsFrom(text: string): { readonly first: number; readonly count: number } {
  const match = /^(\d{1,9}):(\d{1,6})$/.exec(text);
  if (match === null) throw new Error(`expected FIRST:COUNT, found "${text}"`);
  return { first: Number(match[1]), count: Number(match[2]) };
}

/** Demonstrations made of held-out seeds would make every later result worthless, so they are refused. */
export function refuseHeldOut(first: number): void {
  if (first < FIRST_TRAIN_SEED) throw new Error(`seeds below ${FIRST_TRAIN_SEED} are held out for results; demonstrations begin there`);
}
