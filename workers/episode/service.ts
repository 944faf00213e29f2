/**
 * The episode worker's verbs: choose who acts, run an episode, record one. A plain class; one episode at a time, in the
 * order they were asked for.
 */
import type { Contestant, EpisodeResult } from '#contracts/evaluation.ts';
import type { EpisodeApi, EpisodeRequest, EpisodeTrace, RecordedEpisode, RecordingSettings } from '#contracts/episode-api.ts';
import type { Outcome } from '#contracts/failure.ts';
import type { EngineChoice, EngineReport } from '#contracts/inference.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { PolicyFit, PolicyInfo } from '#contracts/policy.ts';
import type { TaskKind } from '#contracts/task.ts';
import type { JointRadians } from '#contracts/units.ts';
import { FailureError, outcome } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import { FIRST_TRAIN_SEED } from '#core/world/tasks/draw.ts';
import { type Actor, type ChunkMaker, type EpisodeOutcome, type EpisodeParts, runEpisode } from './episode.ts';
import { createRecorder } from './recorder.ts';

export interface ServiceParts extends EpisodeParts {
  /** Loads a policy from the model store and picks its engine. */
  readonly openPolicy: (storedName: string, engine: EngineChoice, fit?: PolicyFit) => Promise<{ readonly maker: ChunkMaker; readonly engine: EngineReport; dispose(): Promise<void> }>;
}

/** Demonstrations the mean trajectory is the mean of. */
const MEAN_OF = 20;

export class EpisodeService implements EpisodeApi {
  readonly #parts: ServiceParts;
  readonly #means = new Map<TaskKind, Promise<readonly JointRadians[]>>();
  #actor: Actor;
  #contestant: Contestant = { kind: 'baseline', name: 'hold-still' };
  #dispose: () => Promise<void> = async () => undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.#actor = { kind: 'baseline', name: 'hold-still', meanTrajectory: (task) => this.#meanTrajectory(task) };
  }

  choose(contestant: Contestant, engine: EngineChoice): Promise<Outcome<{ readonly policy: PolicyInfo; readonly engine: EngineReport } | null>> {
    return this.#inTurn(async () => {
      await this.#dispose();
      this.#dispose = async () => undefined;
      this.#contestant = contestant;
      switch (contestant.kind) {
        case 'baseline':
          this.#actor = { kind: 'baseline', name: contestant.name, meanTrajectory: (task) => this.#meanTrajectory(task) };
          return null;
        case 'policy': {
          const opened = await this.#parts.openPolicy(contestant.storedName, engine, contestant.fit);
          this.#dispose = () => opened.dispose();
          this.#actor = { kind: 'policy', maker: opened.maker };
          return { policy: opened.maker.info, engine: opened.engine };
        }
        default:
          return unreachable(contestant);
      }
    });
  }

  episode(request: EpisodeRequest): Promise<Outcome<{ readonly result: EpisodeResult; readonly trace: EpisodeTrace }>> {
    return this.#inTurn(async () => {
      const { result, records, chunks } = await runEpisode(request, this.#actor, this.#parts, null);
      const joined = (pick: (record: EpisodeOutcome['records'][number]) => Float64Array): Float64Array => {
        const all = new Float64Array(records.length * JOINT_COUNT);
        records.forEach((record, i) => all.set(pick(record), i * JOINT_COUNT));
        return all;
      };
      return { result, trace: { targets: joined((r) => r.target), measured: joined((r) => r.measured), chunks } };
    });
  }

  record(request: EpisodeRequest, settings: RecordingSettings): Promise<Outcome<{ readonly result: EpisodeResult; readonly recorded: RecordedEpisode }>> {
    return this.#inTurn(async () => {
      const { cameras } = this.#parts;
      if (cameras === null) throw new FailureError('world/no-webgl', { reason: 'this episode runs where nothing draws' });
      const recorder = createRecorder(cameras, ['observation.images.front', 'observation.images.wrist'], settings);
      const began = this.#parts.nowMs();
      const { result: run } = await runEpisode(request, this.#actor, this.#parts, recorder);
      const ended = this.#parts.nowMs();
      const kept = await recorder.finish();
      // Pictures that were still on their way when the episode was over are rendering too.
      const waited = this.#parts.nowMs() - ended;
      const result: EpisodeResult = { ...run, milliseconds: { ...run.milliseconds, rendering: run.milliseconds.rendering + waited, total: this.#parts.nowMs() - began } };
      // What a policy only began, the expert has shown.
      const source = request.prelude === 'by-policy' ? 'expert' : this.#contestant.kind === 'baseline' ? this.#contestant.name : this.#contestant.storedName;
      const { seed, goal, sentence, sceneHash, verdict, ticks } = result;
      const card = { seed, goal, sentence, split: request.wording, sceneHash, source, verdict, ticks, injectedNoise: request.injectedNoise };
      return { result, recorded: { card, ...kept } };
    });
  }

  /** The expert's average over training seeds, as long as the longest; shorter ones wait at their end. */
  #meanTrajectory(task: TaskKind): Promise<readonly JointRadians[]> {
    const known = this.#means.get(task);
    if (known !== undefined) return known;
    const mean = this.#average(task);
    this.#means.set(task, mean);
    return mean;
  }

  async #average(task: TaskKind): Promise<readonly JointRadians[]> {
    const expert: Actor = { kind: 'baseline', name: 'expert', meanTrajectory: (other) => this.#meanTrajectory(other) };
    const paths: (readonly Float64Array[])[] = [];
    for (let i = 0; i < MEAN_OF; i++) {
      const request: EpisodeRequest = { ...PLAIN, task, seed: FIRST_TRAIN_SEED + i };
      const { records } = await runEpisode(request, expert, { ...this.#parts, cameras: null }, null);
      paths.push(records.map((record) => record.target));
    }
    const longest = Math.max(...paths.map((path) => path.length));
    return Array.from({ length: longest }, (_, tick) => {
      const at = (path: readonly Float64Array[]): Float64Array => path[Math.min(tick, path.length - 1)];
      return Float64Array.from({ length: JOINT_COUNT }, (_unused, joint) => paths.reduce((sum, path) => sum + at(path)[joint], 0) / paths.length) as JointRadians;
    });
  }

  /** Two episodes at once would share one world. */
  #inTurn<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    const result = this.#queue.then(() => outcome(work));
    this.#queue = result;
    return result;
  }
}

const PLAIN: Omit<EpisodeRequest, 'task' | 'seed'> = {
  cubes: 4,
  wording: 'train',
  perturbation: 'none',
  instruction: 'as-asked',
  inferenceDelayTicks: 0,
  playRows: 1,
  surroundings: 'as-shipped',
  injectedNoise: 0,
};
