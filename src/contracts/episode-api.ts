/** The episode worker as its callers see it: one episode a call, so that whoever calls decides when to stop. */
import type { EngineReport, EngineChoice } from './inference.ts';
import type { Contestant, EpisodeResult, EvaluationPlan } from './evaluation.ts';
import type { EpisodeCard } from './episode.ts';
import type { Outcome } from './failure.ts';
import type { PolicyInfo } from './policy.ts';
import type { TaskKind } from './task.ts';

export interface EpisodeRequest
  extends Pick<EvaluationPlan, 'cubes' | 'wording' | 'perturbation' | 'instruction' | 'inferenceDelayTicks' | 'playRows' | 'realTimeChunking'> {
  readonly task: TaskKind;
  readonly seed: number;
  /** What a policy's noise is drawn from; absent: the episode's own seed. Another one tries the same table in another way. */
  readonly noiseSeed?: number;
  /** What a demonstration's surroundings are drawn from; results are counted in `as-shipped`. Ranges: `core/evaluation/training-mix.ts`. */
  readonly surroundings: 'as-shipped' | 'training-mix';
  /** Joint units of normal noise on the contestant's wishes, in bursts; 0 = none. For demonstrations of recovery. */
  readonly injectedNoise: number;
  /**
   * `misled`: before the episode begins, the expert acts for a while on cubes that it sees in the wrong place. The episode then
   * starts where a policy that sees badly ends up: beside the cube, low, the jaw shut on air. For demonstrations of recovery.
   *
   * `crooked`: before the episode begins, the expert takes the cube a little off and turned, as a policy does, and holds it for a while. The
   * episode is to lift what is held. For grasps that are none of the expert's own.
   *
   * `by-policy`: before the episode begins, the chosen policy acts for a while; then the expert takes over from wherever that has
   * led (DAgger: Ross, Gordon and Bagnell 2011). Only where a policy was chosen.
   */
  readonly prelude?: 'misled' | 'crooked' | 'by-policy';
}

export interface RecordingSettings {
  /** A picture instant every so many ticks. */
  readonly pictureEveryTicks: number;
  readonly width: number;
  readonly height: number;
}

/** One episode with its pictures; the arrays are moved. Layout as in `contracts/episode.ts`, for one episode. */
export interface RecordedEpisode {
  readonly card: EpisodeCard;
  readonly state: Float32Array;
  readonly action: Float32Array;
  readonly wanted: Float32Array;
  readonly cubes: Float32Array;
  readonly grip: Float32Array;
  /** Ticks of the picture instants, counted in the episode. */
  readonly shotTicks: Int32Array;
  /** By short camera name: instants x height x width x 3. */
  readonly pictures: Readonly<Record<string, Uint8Array>>;
}

/** The joint trace of one episode, for comparing and scrubbing: ticks x 6 radians, targets and measured. */
export interface EpisodeTrace {
  readonly targets: Float64Array;
  readonly measured: Float64Array;
  /** A policy's chunks in the order of asking; empty for the others. */
  readonly chunks: readonly TracedChunk[];
}

export interface TracedChunk {
  /** Ticks done when the policy looked: the tick whose target comes next. */
  readonly tick: number;
  /** As a run of the same seed draws it (`chunkNoiseSeed`). */
  readonly noiseSeed: number;
  /** What the policy was given, LeRobot joint units. */
  readonly state: readonly number[];
  /** rows x columns, LeRobot joint units. */
  readonly actions: Float32Array;
}

export interface EpisodeApi {
  /** Who acts from now on. A policy is loaded from the model store. */
  choose(contestant: Contestant, engine: EngineChoice): Promise<Outcome<{ readonly policy: PolicyInfo; readonly engine: EngineReport } | null>>;
  episode(request: EpisodeRequest): Promise<Outcome<{ readonly result: EpisodeResult; readonly trace: EpisodeTrace }>>;
  record(request: EpisodeRequest, settings: RecordingSettings): Promise<Outcome<{ readonly result: EpisodeResult; readonly recorded: RecordedEpisode }>>;
}
