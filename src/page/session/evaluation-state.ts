/** What measuring looks like while it goes on and when it is over: the nouns of `evaluation.ts`, for panels and console. */
import type { EpisodeTrace } from '#contracts/episode-api.ts';
import type { EpisodeResult, EvaluationPlan, EvaluationReport, Interval, TaskSummary } from '#contracts/evaluation.ts';
import type { Failure } from '#contracts/failure.ts';
import type { Provider } from '#contracts/engine.ts';
import type { ActionHead, Precision } from '#contracts/policy.ts';
import type { TaskKind } from '#contracts/task.ts';

export interface MeasuredEpisode {
  readonly result: EpisodeResult;
  readonly trace: EpisodeTrace;
}

export type MeasureState =
  | { readonly kind: 'idle' }
  /** The worker starts, the policy is loaded into it, a delay is measured. */
  | { readonly kind: 'preparing' }
  | { readonly kind: 'running'; readonly plan: EvaluationPlan; readonly episodes: readonly MeasuredEpisode[]; readonly tasks: readonly TaskSummary[]; readonly total: number }
  | { readonly kind: 'over'; readonly report: EvaluationReport; readonly episodes: readonly MeasuredEpisode[]; readonly total: number }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** `look`: the same episode with its cameras blacked out. `listen`: the same episode, told another colour. */
export type PairQuestion = 'look' | 'listen';

export const PAIRS = 10;

export interface Pair {
  readonly seed: number;
  /** As asked, with its eyes open. */
  readonly plain: MeasuredEpisode;
  readonly changed: MeasuredEpisode;
}

export interface PairAnswer {
  readonly plain: { readonly successes: number; readonly interval: Interval };
  /** `look`: done without seeing. `listen`: done with the cube it was told instead. */
  readonly changed: { readonly successes: number; readonly interval: Interval };
}

export type PairsState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly question: PairQuestion; readonly task: TaskKind; readonly prediction: number; readonly pairs: readonly Pair[] }
  | { readonly kind: 'over'; readonly question: PairQuestion; readonly task: TaskKind; readonly prediction: number; readonly pairs: readonly Pair[]; readonly answer: PairAnswer }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What one action head did on the tables, so far. */
export interface HeadAnswer {
  readonly head: ActionHead;
  /** Null until its policy is there. */
  readonly drawn: { readonly provider: Provider; readonly precision: Precision; readonly steps: number } | null;
  readonly successes: number;
  readonly trials: number;
  readonly interval: Interval;
  /** A plan, pictures and words included; the middle one of the episodes' means. Null until there is one. */
  readonly planMs: number | null;
  /** Of its plans, degrees a second squared (`core/evaluation/roughness.ts`). */
  readonly roughness: number | null;
}

export type HeadsState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running' | 'over'; readonly task: TaskKind; readonly tables: number; readonly heads: readonly HeadAnswer[] }
  | { readonly kind: 'failed'; readonly failure: Failure };
