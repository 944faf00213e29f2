/**
 * The nouns of the app as vanilla zustand stores, and the types of what is in them. Stores hold; they do not act. What
 * changes at loop rate (joint values, pictures, poses) is not here or is here ten times a second at most.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ChunkReduction } from '#contracts/chunk.ts';
import type { Aggregate, ArmKind, ControlMode, JitterSummary, PlanDisagreement, SafetyRule, StopReport } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';
import type { EngineReport, LoadProgress } from '#contracts/inference.ts';
import { JOINT_NAMES, type JointName } from '#contracts/joints.ts';
import type { PolicyFit, PolicyInfo, PolicySource } from '#contracts/policy.ts';
import type { RunReport } from '#contracts/run.ts';
import type { SafetyProfile, SafetyReport } from '#contracts/safety.ts';
import type { SceneInfo } from '#contracts/scene.ts';
import type { WorldStatus } from '#contracts/world.ts';
import type { WorkerName } from '#page/runtime/house.ts';
import type { WorkerState } from '#page/runtime/worker-slot.ts';
import type { CamerasState } from './camera-verbs.ts';
import { NO_ROBOT, type RobotState } from './robot-state.ts';
import type { RecordState } from './record-verbs.ts';
import { type ModelsState, NO_MODELS } from './models-state.ts';
import type { HeadsState, MeasureState, PairsState } from './evaluation-state.ts';
import type { FaultEntry } from './fault-log.ts';

export type WorkersState = Readonly<Record<WorkerName, WorkerState>>;

export type PolicyState =
  | { readonly kind: 'none' }
  | { readonly kind: 'loading'; readonly source: PolicySource; readonly startedAtMs: number; readonly progress: LoadProgress | null; readonly bytesPerSecond: number | null }
  | { readonly kind: 'ready'; readonly source: PolicySource; readonly fit: PolicyFit; readonly storedName: string; readonly info: PolicyInfo; readonly engine: EngineReport }
  | { readonly kind: 'failed'; readonly source: PolicySource; readonly failure: Failure };

export interface WorldState {
  /** Null until the first reset has been answered. */
  readonly scene: SceneInfo | null;
  /** Null until first asked, or when the last question failed. */
  readonly status: WorldStatus | null;
}

/** One joint as shown to people: LeRobot joint units, degrees for the arm and 0..100 for the gripper. */
export interface JointLimits {
  readonly name: JointName;
  readonly least: number;
  readonly most: number;
}

/** A stop as control tells it, and how long after the page's request it was acknowledged. */
export interface ConfirmedStop extends StopReport {
  readonly confirmedAfterMs: number;
}

export interface ArmState {
  /** Null until connected. */
  readonly kind: ArmKind | null;
  readonly mode: ControlMode;
  readonly tick: number;
  /** Null where the reading failed: a missing number is shown as missing. */
  readonly measured: readonly number[] | null;
  /** How old the reading was when control looked at it last, ms; null where it failed. */
  readonly readingAgeMs: number | null;
  readonly target: readonly number[] | null;
  /** Where the safety gate changed the target in the last tick. */
  readonly limited: readonly boolean[];
  readonly limits: readonly JointLimits[];
  readonly lastStop: ConfirmedStop | null;
  /** Control's own standing complaint; null when it has none. */
  readonly failure: Failure | null;
  /** Null before the first report. */
  readonly safety: SafetyReport | null;
}

export interface PlayedChunk {
  readonly index: number;
  readonly rows: number;
  readonly rowsLeft: number;
  readonly latencyMs: number;
  /** What a plan may take before the one in hand is played out, when it is asked for as early as it is. */
  readonly budgetMs: number;
  /** Against the plan before; null for the first. */
  readonly disagreement: PlanDisagreement | null;
  /** What it was computed without, as the machine is too slow for all of it; null: nothing. */
  readonly reduction: ChunkReduction | null;
}

/** What a person may choose about runs. */
export interface RunOptions {
  /** How consecutive plans are joined: LeRobot's four, or real-time chunking. */
  readonly joining: Aggregate | 'real_time';
  /** `shadow`: plans are computed and shown, and nothing is sent. */
  readonly drive: 'arm' | 'shadow';
  /** What a plan does that disagrees with the one before by more than the calibrated limit. */
  readonly doubt: 'nothing' | 'slow' | 'ask';
}

export interface SafetyState {
  /** In force; null until control has said so. */
  readonly profile: SafetyProfile | null;
  /** Whether the 3-D view draws the limits, and lets them be dragged. */
  readonly limits: 'shown' | 'hidden';
}

/** Learnt from good runs on this arm with this policy. */
export interface Calibration {
  /** Of the mean disagreement, LeRobot joint units. */
  readonly limit: number;
  /** Runs it was learnt from. */
  readonly count: number;
  readonly coverage: number;
}

export type MeterState = {
  readonly calibration: Calibration | null;
  /** Null: none under way. */
  readonly calibrating: { readonly done: number; readonly of: number } | null;
  /** How much plans from other noise differ, asked on request; null before. */
  readonly spread: { readonly value: number; readonly count: number } | null;
  readonly asking: 'yes' | 'no';
};

export type RunState =
  | { readonly kind: 'none' }
  /** The sentence is accepted and waits for the policy. */
  | { readonly kind: 'waiting'; readonly sentence: string; readonly sinceMs: number }
  | {
      readonly kind: 'running';
      readonly activity: 'run' | 'replay';
      readonly runId: number;
      readonly sentence: string;
      readonly startedAtMs: number;
      readonly seconds: number;
      readonly chunk: PlayedChunk | null;
      readonly chunksPlayed: number;
      readonly clamps: Readonly<Partial<Record<SafetyRule, number>>>;
    }
  /** Over, and its report being put together. */
  | { readonly kind: 'finishing'; readonly sentence: string }
  | { readonly kind: 'over'; readonly report: RunReport }
  | { readonly kind: 'failed'; readonly sentence: string; readonly failure: Failure };

export interface SpeedState {
  readonly rateHz: number | null;
  readonly jitter: JitterSummary | null;
  /** Over the chunks of this run; null before the first. */
  readonly chunkLatency: { readonly count: number; readonly p50Ms: number; readonly p95Ms: number } | null;
  /** Over the last two seconds of drawn frames; null while the tab is hidden. */
  readonly frame: { readonly p50Ms: number; readonly p99Ms: number } | null;
}

export interface ShownFailure {
  readonly id: number;
  readonly failure: Failure;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly count: number;
}

export interface Stores {
  readonly workers: StoreApi<WorkersState>;
  readonly policy: StoreApi<PolicyState>;
  readonly world: StoreApi<WorldState>;
  readonly arm: StoreApi<ArmState>;
  readonly robot: StoreApi<RobotState>;
  readonly run: StoreApi<RunState>;
  readonly speed: StoreApi<SpeedState>;
  readonly failures: StoreApi<readonly ShownFailure[]>;
  readonly options: StoreApi<RunOptions>;
  readonly safety: StoreApi<SafetyState>;
  readonly meter: StoreApi<MeterState>;
  readonly faults: StoreApi<readonly FaultEntry[]>;
  readonly measure: StoreApi<MeasureState>;
  readonly pairs: StoreApi<PairsState>;
  readonly heads: StoreApi<HeadsState>;
  readonly cameras: StoreApi<CamerasState>;
  readonly models: StoreApi<ModelsState>;
  readonly record: StoreApi<RecordState>;
}

export function createStores(workers: WorkersState): Stores {
  return {
    workers: createStore<WorkersState>()(() => workers),
    policy: createStore<PolicyState>()(() => ({ kind: 'none' })),
    world: createStore<WorldState>()(() => ({ scene: null, status: null })),
    arm: createStore<ArmState>()(() => ({
      kind: null,
      mode: 'disconnected',
      tick: 0,
      measured: null,
      readingAgeMs: null,
      target: null,
      limited: JOINT_NAMES.map(() => false),
      limits: [],
      lastStop: null,
      failure: null,
      safety: null,
    })),
    robot: createStore<RobotState>()(() => NO_ROBOT),
    run: createStore<RunState>()(() => ({ kind: 'none' })),
    speed: createStore<SpeedState>()(() => ({ rateHz: null, jitter: null, chunkLatency: null, frame: null })),
    failures: createStore<readonly ShownFailure[]>()(() => []),
    options: createStore<RunOptions>()(() => ({ joining: 'latest_only', drive: 'arm', doubt: 'nothing' })),
    safety: createStore<SafetyState>()(() => ({ profile: null, limits: 'hidden' })),
    meter: createStore<MeterState>()(() => ({ calibration: null, calibrating: null, spread: null, asking: 'no' })),
    faults: createStore<readonly FaultEntry[]>()(() => []),
    measure: createStore<MeasureState>()(() => ({ kind: 'idle' })),
    pairs: createStore<PairsState>()(() => ({ kind: 'idle' })),
    heads: createStore<HeadsState>()(() => ({ kind: 'idle' })),
    models: createStore<ModelsState>()(() => NO_MODELS),
    cameras: createStore<CamerasState>()(() => ({ devices: [], places: {} })),
    record: createStore<RecordState>()(() => ({ status: null, busy: null, opened: null, shown: null, replayed: null, failure: null })),
  };
}
