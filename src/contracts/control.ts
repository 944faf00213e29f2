/** The control worker as its callers see it. */
import type { ActionChunk, ChunkReduction } from './chunk.ts';
import type { Failure, Outcome } from './failure.ts';
import type { LeaderApi } from './leader.ts';
import type { RobotApi } from './robot-setup.ts';
import type { RobotName } from './robot.ts';
import type { ProfileSource, SafetyProfile, SafetyReport } from './safety.ts';
import type { JointUnitsVector } from './units.ts';

export const CONTROL_MODES = ['disconnected', 'idle', 'manual', 'policy', 'stopping', 'stopped', 'lowering', 'released', 'opening'] as const;
/**
 * disconnected  no arm
 * idle          an arm, torque on, holding where it is
 * manual        following sliders or keys
 * policy        following action chunks
 * stopping      braking within the limits after Stop
 * stopped       targets frozen, bit-constant, until a person starts something
 * lowering      slow descent to the rest pose before torque is cut
 * released      torque off
 * opening       the gripper opens, the arm joints stay frozen; then as before
 */
export type ControlMode = (typeof CONTROL_MODES)[number];

export type ArmKind = 'simulated' | 'serial' | 'virtual' | 'replay';

/**
 * Which safety rule changed or refused a target, in the order they are applied: first what refuses it whole, then what
 * limits each joint, then what limits the arm.
 */
export const SAFETY_RULES = [
  'finite',
  'stale-state',
  'page-silent',
  'tab-hidden',
  'hold-to-run',
  'stall',
  'torque',
  'temperature',
  'voltage',
  'motor-fault',
  'disagreement',
  'ramp',
  'range',
  'speed',
  'acceleration',
  'jerk',
  'lead',
  'link-speed',
  'table',
  'workspace',
  'keep-out',
  'self-collision',
] as const;
export type SafetyRule = (typeof SAFETY_RULES)[number];

/** One tick, as told to plots and reports. Radians. */
export interface TickReport {
  readonly tick: number;
  readonly atMs: number;
  /** Time since the previous tick, ms. */
  readonly periodMs: number;
  readonly mode: ControlMode;
  readonly wanted: readonly number[] | null;
  readonly target: readonly number[];
  readonly measured: readonly number[] | null;
  readonly rules: readonly SafetyRule[];
}

/** About ten a second from control to page: the ticks since the last one, and where things stand. */
export interface ControlReport {
  readonly ticks: readonly TickReport[];
  readonly mode: ControlMode;
  readonly rateHz: number;
  readonly jitter: JitterSummary;
  /** The chunk being played; times as in ActionChunk, so that latency can be shown while it runs. */
  readonly chunk: { readonly index: number; readonly rows: number; readonly rowsLeft: number; readonly observedAtMs: number; readonly computedAtMs: number; readonly disagreement: PlanDisagreement | null; readonly reduction?: ChunkReduction } | null;
  /** The coming rows of the current chunk after the gate's limits, radians, for the ghost; null when none. */
  readonly comingPath: readonly (readonly number[])[] | null;
  /** The rules that will bite on the way, one list a row of `comingPath`. */
  readonly comingRules: readonly (readonly SafetyRule[])[] | null;
  readonly failure: Failure | null;
  readonly safety: SafetyReport;
}

/** How far a chunk differs from the one before, for the same moments; LeRobot joint units. */
export interface PlanDisagreement {
  readonly rows: number;
  readonly mean: number;
  /** Largest joint jump where the new chunk takes over, before any blending, and as it is played. */
  readonly seam: number;
  readonly seamPlayed: number;
}

/** How rows of an old and a new chunk for the same tick become one: LeRobot's names. */
export const AGGREGATES = ['latest_only', 'weighted_average', 'average', 'conservative'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** How late ticks began after the moment the schedule had for them, milliseconds. */
export interface JitterSummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Ticks skipped because the thread was late; they are never replayed. */
  readonly skipped: number;
}

export interface StopReport {
  /** When control saw the request, at the start of the tick that acknowledged it. When it was made only the page knows. */
  readonly requestedAtMs: number;
  readonly acknowledgedAtMs: number;
  readonly acknowledgedTick: number;
  /** First tick from which targets are bit-constant. */
  readonly frozenTick: number;
  /**
   * Largest |measured - target| over the arm joints when the targets froze, and one second later, radians. Not the
   * gripper: its squeeze is a difference on purpose. Null when there was no arm that could settle: absent or limp.
   */
  readonly settlingRad: number | null;
  readonly driftRad: number | null;
}

export interface RunStart {
  readonly runId: number;
  /** Ask for the next chunk when at most this share of the current one is left (LeRobot's chunk_size_threshold). */
  readonly askAtShare: number;
  /** A chunk older than this when it arrives is refused. */
  readonly chunkExpiryMs: number;
  /** Rows of a chunk a second. Absent: one row a tick. Other than the loop's rate: rows are interpolated or skipped. */
  readonly fps?: number;
  /** Absent: `latest_only`. */
  readonly aggregate?: Aggregate;
  /** `shadow`: everything is computed and reported, nothing is sent, the arm holds. Absent: `arm`. */
  readonly drive?: 'arm' | 'shadow';
  /** A chunk whose mean disagreement passes `limit` slows the arm to half, or stops it and asks the person. */
  readonly disagreement?: { readonly limit: number; readonly reaction: 'slow' | 'ask' };
}

export interface RunControlReport {
  readonly ticks: number;
  readonly chunksPlayed: number;
  readonly chunksExpired: number;
  readonly heldTicks: number;
  /** How many ticks each rule changed, by rule. */
  readonly clamps: Readonly<Partial<Record<SafetyRule, number>>>;
  readonly faults: readonly Failure[];
  /** One for each chunk that met an older one. */
  readonly disagreements: readonly PlanDisagreement[];
  readonly jitter: JitterSummary;
  /** Joint trace from the first tick of the run to `endRun`, a stop in between included; the last 36,000 ticks. */
  readonly trace: readonly TickReport[];
}

/** Slow verbs, over comlink. Stop is not here on purpose: see STOP_FLAG. */
export interface ControlApi extends RobotApi, LeaderApi {
  connect(kind: ArmKind, body?: RobotName): Promise<Outcome<null>>;
  setRate(rateHz: number): Promise<Outcome<null>>;
  /** Manual targets; enters `manual`. Refused while a policy runs. */
  setManualTargets(targets: JointUnitsVector): Promise<Outcome<null>>;
  beginRun(start: RunStart): Promise<Outcome<null>>;
  endRun(): Promise<Outcome<RunControlReport>>;
  /** Slow descent to rest, then torque off. */
  lowerAndRelease(): Promise<Outcome<null>>;
  /** After a Stop, a person says: go on. Leaves `stopped` or `released` for `idle`. `safety/latched` while the cause of a fault stands. */
  resume(): Promise<Outcome<null>>;
  /** The last Stop, once its drift is known (about a second after the freeze); null before. */
  lastStop(): Promise<Outcome<StopReport | null>>;
  profile(): Promise<Outcome<SafetyProfile>>;
  /**
   * The limits from now on; only at rest. Anything may be handed in, a profile's name too: it is checked here. Answers with the profile in
   * force. `safety/profile-invalid`, `safety/locked`, `safety/would-loosen`.
   */
  setProfile(profile: unknown, source: ProfileSource): Promise<Outcome<SafetyProfile>>;
}

/** Direct port between control and inference. Newest wins on both sides. `tick` counts as in `ActionChunk`. */
export type ControlToInference = { readonly kind: 'want-chunk'; readonly runId: number; readonly requestId: number; readonly tick: number };
export type InferenceToControl =
  | { readonly kind: 'chunk'; readonly requestId: number; readonly chunk: ActionChunk }
  | { readonly kind: 'chunk-failed'; readonly requestId: number; readonly runId: number; readonly failure: Failure };
