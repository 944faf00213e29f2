/**
 * Evaluation: seeded trials, counted. A plan is everything that decides the outcome; the same plan on the same machine
 * gives the same episodes. A claim is always k of n with its interval.
 */
import type { Provider } from './engine.ts';
import type { RealTimeChunking } from './inference.ts';
import type { PolicyFit, Precision } from './policy.ts';
import type { CubeColour } from './scene.ts';
import type { TaskFailureReason, TaskGoal, TaskKind, TaskVerdict, WordingSplit } from './task.ts';

export const BASELINES = ['hold-still', 'random', 'mean-trajectory', 'expert'] as const;
/** What a policy is compared with: skill without a null is not skill. */
export type Baseline = (typeof BASELINES)[number];

export type Contestant = { readonly kind: 'baseline'; readonly name: Baseline } | { readonly kind: 'policy'; readonly storedName: string; readonly fit?: PolicyFit };

export const PERTURBATIONS = [
  'none',
  'light',
  'camera-pose',
  'distractors',
  'object-pose',
  'table-colour',
  'initial-joints',
  'picture-noise',
  'picture-blur',
  'picture-occlusion',
  'black-cameras',
] as const;
/** After VLATest and LIBERO-Plus: one thing changed at a time, within the ranges stated in `core/evaluation`. */
export type Perturbation = (typeof PERTURBATIONS)[number];

export const INSTRUCTIONS = ['as-asked', 'another-colour', 'nonsense', 'empty'] as const;
/** The instruction swap: what the policy is told, while the judge still knows what was asked first. */
export type Instruction = (typeof INSTRUCTIONS)[number];

export interface EvaluationPlan {
  readonly contestant: Contestant;
  readonly tasks: readonly TaskKind[];
  /** Each task runs every seed in [first, first + count). */
  readonly seeds: { readonly first: number; readonly count: number };
  readonly wording: WordingSplit;
  readonly perturbation: Perturbation;
  readonly instruction: Instruction;
  /** Cubes on the table, 1 to 4. */
  readonly cubes: number;
  /** Ticks between looking and the chunk's arrival, so that lockstep does not flatter a slow policy. */
  readonly inferenceDelayTicks: number;
  /** Rows of each chunk that are played before the next is asked for. */
  readonly playRows: number;
  /** Absent: each plan is drawn by itself and the newest stands alone. Nothing to guide for a head of bins. */
  readonly realTimeChunking?: RealTimeChunking;
}

export interface EpisodeResult {
  readonly task: TaskKind;
  readonly seed: number;
  /** What the judge counts. */
  readonly goal: TaskGoal;
  /** What the policy was told. */
  readonly sentence: string;
  readonly verdict: TaskVerdict;
  /** With `another-colour`: whether the task was done to the cube that was named instead. */
  readonly namedVerdict: TaskVerdict | null;
  readonly ticks: number;
  readonly chunks: number;
  /** How many ticks the safety gate changed. */
  readonly limitedTicks: number;
  readonly sceneHash: string;
  readonly milliseconds: { readonly physics: number; readonly rendering: number; readonly inference: number; readonly total: number };
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface TaskSummary {
  readonly task: TaskKind;
  readonly successes: number;
  readonly trials: number;
  /** Wilson, 95 %. */
  readonly interval: Interval;
  readonly medianSecondsToSuccess: number | null;
  readonly failures: Readonly<Partial<Record<TaskFailureReason, number>>>;
  /** With `another-colour`: the cube that was named instead. */
  readonly named: { readonly successes: number; readonly interval: Interval } | null;
}

export interface EvaluationReport {
  readonly format: 'vla-playground-evaluation';
  readonly version: 1;
  readonly plan: EvaluationPlan;
  readonly versions: Readonly<Record<string, string>>;
  readonly policy: MeasuredPolicy | null;
  readonly tasks: readonly TaskSummary[];
  readonly episodes: readonly EpisodeResult[];
  readonly throughput: Throughput;
}

/** Which policy was measured, and on what. */
export interface MeasuredPolicy {
  readonly name: string;
  readonly precision: Precision;
  readonly provider: Provider;
  readonly threads: number;
}

/** Of one shard, by the episodes' own stopwatches; waiting between episodes is not in it. */
export interface Throughput {
  /** Simulated seconds per wall second. */
  readonly realTimeFactor: number;
  readonly episodesPerMinute: number;
  /** Of an episode's time, 0..1; what is left is setting up, judging and the gate. */
  readonly shares: { readonly physics: number; readonly rendering: number; readonly inference: number };
}

/** What a colour became in an instruction swap. */
export interface ColourSwap {
  readonly asked: CubeColour;
  readonly told: CubeColour;
}
