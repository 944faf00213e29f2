/**
 * Measuring: seeded trials in the episode worker, one after another, counted as they come. It knows plans and counts; it
 * refuses to touch the arm on the stage: the worker has a laboratory of its own, and what it does moves nothing here.
 *
 * One measurement at a time. An episode that was lost with its worker is run again, once; a policy that fails ends the
 * measurement, because a failure that is no outcome must not be counted as one.
 */
import type { Provider } from '#contracts/engine.ts';
import type { EpisodeApi, EpisodeRequest } from '#contracts/episode-api.ts';
import { BASELINES, type Contestant, type EvaluationPlan, type EvaluationReport, type Instruction, type MeasuredPolicy, type Perturbation } from '#contracts/evaluation.ts';
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import { ACTION_HEADS, type ActionHead, type PolicyInfo } from '#contracts/policy.ts';
import { TASK_KINDS, type TaskKind, type WordingSplit } from '#contracts/task.ts';
import { roughness } from '#core/evaluation/roughness.ts';
import { buildReport, summarise } from '#core/evaluation/summary.ts';
import { wilson } from '#core/evaluation/wilson.ts';
import { asFailure, FailureError, unwrap } from '#core/lib/failure.ts';
import type { SessionContext } from './context.ts';
import { PAIRS, type HeadAnswer, type MeasuredEpisode, type Pair, type PairAnswer, type PairQuestion } from './evaluation-state.ts';
import { SHIPPED_HEADS, type PolicyVerbs } from './policy-verbs.ts';
import { percentile } from './percentile.ts';
import { withWeights } from './precision.ts';
import { ASK_AT_SHARE } from './run-verbs.ts';

export interface MeasureRequest {
  /** A baseline (`expert`, `hold-still`, `random`, `mean-trajectory`) or a shipped policy's name; the page's policy when absent. */
  readonly policy?: string;
  readonly task: TaskKind | readonly TaskKind[];
  /** So many from 0, or a range. 20 when absent. */
  readonly seeds?: number | { readonly first: number; readonly count: number };
  readonly wording?: WordingSplit;
  readonly perturbation?: Perturbation;
  readonly instruction?: Instruction;
  /** 1 to 4; 4 when absent. */
  readonly cubes?: number;
  /** Ticks between looking and the chunk's arrival. `measured`: what this machine needs, from one episode that is not counted. */
  readonly inferenceDelayTicks?: number | 'measured';
  /** Rows of each chunk that are played before the next is asked for; as many as a run plays when absent: half. */
  readonly playRows?: number;
}

export interface EvaluationVerbs {
  /** Rejects with `run/already-running`, or with what kept an episode from being run at all. */
  evaluate(request: MeasureRequest): Promise<EvaluationReport>;
  /** Ten seeded pairs; the prediction is the person's, 0 to 10, and only shown again. */
  askPairs(question: PairQuestion, task: TaskKind, prediction: number): Promise<PairAnswer>;
  /** The same tables for each of the shipped action heads, one head after another. */
  compareHeads(task: TaskKind, tables: number): Promise<readonly HeadAnswer[]>;
  /** After the running episode. What is done stays counted. */
  endMeasuring(): void;
}

/** A second's worth of sense for a plan typed by hand. */
const MOST_SEEDS = 10_000;
/** A baseline has no plans; what is asked of it instead of rows is never looked at. */
const NO_ROWS = 1;
const TICK_MS = 1000 / 30;
/** A seed of the training range: its episode is never part of a result. */
const WARM_UP_SEED = 1_000_000;

type Chosen = { readonly contestant: Contestant; readonly measured: MeasuredPolicy | null; readonly info: PolicyInfo | null };

export function evaluationVerbs(context: SessionContext, policies: PolicyVerbs): EvaluationVerbs {
  const { house, stores, engineChoice } = context;
  let active: { ending: 'no' | 'asked' } | null = null;

  const api = (): EpisodeApi => house.episodes().api;

  const choose = async (name: string | undefined): Promise<Chosen> => {
    const baseline = BASELINES.find((known) => known === name);
    if (baseline !== undefined) {
      const contestant: Contestant = { kind: 'baseline', name: baseline };
      unwrap(await api().choose(contestant, null));
      return { contestant, measured: null, info: null };
    }
    const loaded = name === undefined ? await policies.ensure() : null;
    const likely = async (): Promise<Provider> => unwrap(await house.inference.api.likely(engineChoice));
    const storedName = loaded?.storedName ?? unwrap(await house.conversion.api.convert(await withWeights({ kind: 'shipped', name: name ?? '' }, likely))).storedName;
    // It sees there through the cameras it was put to here.
    const contestant: Contestant = { kind: 'policy', storedName, ...(loaded === null ? {} : { fit: loaded.fit }) };
    // What has won the race on the page wins it here too: the machine is the same.
    const found = unwrap(await api().choose(contestant, loaded?.engine.provider === 'webgpu' || loaded?.engine.provider === 'wasm' ? loaded.engine.provider : engineChoice));
    if (found === null) throw new FailureError('policy/none-loaded');
    const { policy, engine } = found;
    return { contestant, measured: { name: policy.name, precision: policy.precision, provider: engine.provider, threads: engine.threads }, info: policy };
  };

  /** Once more where the worker died under it; then its contestant has to be chosen again. */
  const episode = async (request: EpisodeRequest, chosen: Chosen): Promise<MeasuredEpisode> => {
    const first = await api().episode(request);
    if (first.ok || (first.failure.code !== 'worker/died' && first.failure.code !== 'worker/deadline')) return unwrap(first);
    house.episodes().restart();
    unwrap(await api().choose(chosen.contestant, chosen.measured?.provider === 'webgpu' ? 'webgpu' : chosen.measured === null ? null : 'wasm'));
    return unwrap(await api().episode(request));
  };

  const exclusively = async <T>(work: (run: { ending: 'no' | 'asked' }) => Promise<T>): Promise<T> => {
    if (active !== null) throw new FailureError('run/already-running');
    const run: { ending: 'no' | 'asked' } = { ending: 'no' };
    active = run;
    try {
      return await work(run);
    } finally {
      active = null;
    }
  };

  const delayTicks = async (asked: MeasureRequest['inferenceDelayTicks'], request: EpisodeRequest, chosen: Chosen): Promise<number> => {
    if (asked !== 'measured') return asked ?? 0;
    const { result } = await episode({ ...request, seed: WARM_UP_SEED }, chosen);
    return result.chunks === 0 ? 0 : Math.ceil(result.milliseconds.inference / result.chunks / TICK_MS);
  };

  return {
    evaluate: (request) =>
      exclusively(async (run) => {
        try {
          stores.measure.setState({ kind: 'preparing' }, true);
          const draft = planOf(request);
          const chosen = await choose(request.policy);
          const playRows = rowsPlayed(request, chosen);
          const delay = await delayTicks(request.inferenceDelayTicks, requestOf({ ...draft, playRows }, draft.tasks[0] as TaskKind, 0), chosen);
          const plan: EvaluationPlan = { ...draft, playRows, contestant: chosen.contestant, inferenceDelayTicks: delay };
          const total = plan.tasks.length * plan.seeds.count;
          const episodes: MeasuredEpisode[] = [];
          const show = (): void => stores.measure.setState({ kind: 'running', plan, episodes: [...episodes], tasks: summarise(episodes.map((one) => one.result)), total }, true);
          show();
          for (let seed = plan.seeds.first; seed < plan.seeds.first + plan.seeds.count; seed++) {
            for (const task of plan.tasks) {
              if (run.ending === 'asked') break;
              episodes.push(await episode(requestOf(plan, task, seed), chosen));
              show();
            }
          }
          const report = buildReport({ plan, versions: { playground: context.appVersion, browser: navigator.userAgent }, policy: chosen.measured, episodes: episodes.map((one) => one.result) });
          stores.measure.setState({ kind: 'over', report, episodes, total }, true);
          return report;
        } catch (thrown) {
          stores.measure.setState({ kind: 'failed', failure: asFailure(thrown) }, true);
          throw thrown;
        }
      }),

    askPairs: (question, task, prediction) =>
      exclusively(async (run) => {
        try {
          const pairs: Pair[] = [];
          const show = (): void => stores.pairs.setState({ kind: 'running', question, task, prediction, pairs: [...pairs] }, true);
          show();
          const chosen = await choose(undefined);
          const plan = { ...planOf({ task }), playRows: rowsPlayed({}, chosen) };
          for (let seed = 0; seed < PAIRS && run.ending === 'no'; seed++) {
            const plain = await episode(requestOf(plan, task, seed), chosen);
            const change: Partial<EpisodeRequest> = question === 'look' ? { perturbation: 'black-cameras' } : { instruction: 'another-colour' };
            const changed = await episode({ ...requestOf(plan, task, seed), ...change }, chosen);
            pairs.push({ seed, plain, changed });
            show();
          }
          const answer = answerOf(question, pairs);
          stores.pairs.setState({ kind: 'over', question, task, prediction, pairs, answer }, true);
          return answer;
        } catch (thrown) {
          stores.pairs.setState({ kind: 'failed', failure: asFailure(thrown) }, true);
          throw thrown;
        }
      }),

    compareHeads: (task, tables) =>
      exclusively(async (run) => {
        try {
          const heads: HeadAnswer[] = ACTION_HEADS.map((head) => headAnswer(head, null, []));
          const show = (kind: 'running' | 'over'): void => stores.heads.setState({ kind, task, tables, heads: [...heads] }, true);
          const draft = planOf({ task, seeds: tables });
          show('running');
          for (const [i, head] of ACTION_HEADS.entries()) {
            if (run.ending === 'asked') break;
            const chosen = await choose(SHIPPED_HEADS[head]);
            const plan = { ...draft, playRows: rowsPlayed({}, chosen) };
            const episodes: MeasuredEpisode[] = [];
            for (let seed = 0; seed < tables && run.ending === 'no'; seed++) {
              episodes.push(await episode(requestOf(plan, task, seed), chosen));
              heads[i] = headAnswer(head, chosen, episodes);
              show('running');
            }
          }
          show('over');
          return heads;
        } catch (thrown) {
          stores.heads.setState({ kind: 'failed', failure: asFailure(thrown) }, true);
          throw thrown;
        }
      }),

    endMeasuring() {
      if (active !== null) active.ending = 'asked';
    },
  };
}

function rowsPlayed({ playRows }: Pick<MeasureRequest, 'playRows'>, { info }: Chosen): number {
  return playRows ?? (info === null ? NO_ROWS : Math.max(1, Math.round((1 - ASK_AT_SHARE) * info.chunkRows)));
}

/** The contestant and the rows played are filled in when it has been chosen. Throws `control/out-of-range` for what cannot be. */
function planOf(request: MeasureRequest): EvaluationPlan {
  const tasks = typeof request.task === 'string' ? [request.task] : request.task;
  for (const task of tasks) {
    if (!TASK_KINDS.includes(task)) throw new FailureError('control/out-of-range', { what: 'task', found: task, least: TASK_KINDS[0], most: TASK_KINDS.join(', ') });
  }
  const seeds = typeof request.seeds === 'object' ? request.seeds : { first: 0, count: request.seeds ?? 20 };
  requireWhole('tasks', tasks.length, 1, TASK_KINDS.length);
  requireWhole('seeds', seeds.count, 1, MOST_SEEDS);
  requireWhole('first seed', seeds.first, 0, 2 ** 31);
  requireWhole('cubes', request.cubes ?? 4, 1, 4);
  requireWhole('playRows', request.playRows ?? NO_ROWS, 1, 1000);
  if (request.inferenceDelayTicks !== undefined && request.inferenceDelayTicks !== 'measured') requireWhole('inferenceDelayTicks', request.inferenceDelayTicks, 0, 300);
  return {
    contestant: { kind: 'baseline', name: 'hold-still' },
    tasks,
    seeds,
    wording: request.wording ?? 'held-out',
    perturbation: request.perturbation ?? 'none',
    instruction: request.instruction ?? 'as-asked',
    cubes: request.cubes ?? 4,
    inferenceDelayTicks: 0,
    playRows: NO_ROWS,
  };
}

function requestOf(plan: EvaluationPlan, task: TaskKind, seed: number): EpisodeRequest {
  const { cubes, wording, perturbation, instruction, inferenceDelayTicks, playRows } = plan;
  return { task, seed, cubes, wording, perturbation, instruction, inferenceDelayTicks, playRows, surroundings: 'as-shipped', injectedNoise: 0 };
}

function answerOf(question: PairQuestion, pairs: readonly Pair[]): PairAnswer {
  const count = (test: (pair: Pair) => boolean): PairAnswer['plain'] => {
    const successes = pairs.filter(test).length;
    return { successes, interval: wilson(successes, pairs.length) };
  };
  return {
    plain: count(({ plain }) => plain.result.verdict.kind === 'success'),
    changed: count(({ changed }) => (question === 'look' ? changed.result.verdict : changed.result.namedVerdict)?.kind === 'success'),
  };
}

function headAnswer(head: ActionHead, chosen: Chosen | null, episodes: readonly MeasuredEpisode[]): HeadAnswer {
  const successes = episodes.filter(({ result }) => result.verdict.kind === 'success').length;
  const { info, measured } = chosen ?? { info: null, measured: null };
  const planMs = episodes.filter(({ result }) => result.chunks > 0).map(({ result }) => result.milliseconds.inference / result.chunks);
  return {
    head,
    drawn: info === null || measured === null ? null : { provider: measured.provider, precision: measured.precision, steps: info.denoisingSteps },
    successes,
    trials: episodes.length,
    interval: wilson(successes, episodes.length),
    planMs: planMs.length === 0 ? null : percentile(planMs, 0.5),
    roughness: info === null ? null : roughness(episodes.flatMap(({ trace }) => trace.chunks.map(({ actions }) => actions)), { columns: info.actionSize, joints: GRIPPER_INDEX, fps: info.fps }),
  };
}

function requireWhole(what: string, found: number, least: number, most: number): void {
  if (!Number.isInteger(found) || found < least || found > most) throw new FailureError('control/out-of-range', { what, found, least, most });
}
