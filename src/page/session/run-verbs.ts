/**
 * A sentence becomes a run: wait for the policy, begin in inference, begin in control, watch until something ends it,
 * end both, put the report together. Also the same run again from its file. It refuses to know how chunks travel (a
 * direct port between the two workers) and how a run looks on screen.
 *
 *   waiting ──► running ──► finishing ──► over
 *      └───────────┴────────────┴───────► failed
 */
import type { Aggregate, ControlReport, RunControlReport, RunStart, SafetyRule } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';
import type { ChunkRecord, RealTimeChunking } from '#contracts/inference.ts';
import type { ReplayReport, RunFile, RunReport } from '#contracts/run.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { ResetRequest, SceneInfo } from '#contracts/scene.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { asFailure, FailureError, unwrap } from '#core/lib/failure.ts';
import { unitsOf } from './arm-reader.ts';
import type { SessionContext } from './context.ts';
import { standingComplaint } from './passing.ts';
import { latencySummary } from './percentile.ts';
import { standsAgainstMotion } from './model-verbs.ts';
import type { PolicyVerbs, ReadyPolicy } from './policy-verbs.ts';
import { checkRunFile } from './run-file.ts';
import type { RunState } from './stores.ts';

/** Long enough to see a task done, short enough that a forgotten run ends by itself. */
export const DEFAULT_RUN_SECONDS = 30;
const MAX_RUN_SECONDS = 3600;
/** From anywhere to anywhere within the gentlest limits takes less; within this much of the first row the arm is there. */
const START_POSE_MS = 15_000;
const AT_START_UNITS = 0.01;
/** LeRobot's default chunk_size_threshold: the next plan is asked for when this much of one is left. Measuring plays as a run does. */
export const ASK_AT_SHARE = 0.5;
/**
 * A chunk that was half a minute under way is refused. A software GPU on a crowded two-core machine was seen to take
 * 12 s for one. The simulated arm can afford to wait: with a dry queue it holds, and the table it looked at stays as it
 * was.
 *
 * Around an arm of servos things move by themselves: a hand reaches into the picture within half a second. Five seconds is twice a
 * slow laptop's plan; in that time an arm at the 0.1 m/s of its first profile has gone half a metre at most, its own reach, and a person
 * holds the key meanwhile. A class without a graphics card still gets its plans.
 */
const CHUNK_EXPIRY_MS = 30_000;
const CHUNK_EXPIRY_SERVOS_MS = 5000;

export interface RunRequest {
  readonly task: string;
  /** Of the noise; 0 when absent. */
  readonly seed?: number;
  readonly seconds?: number;
  /** How consecutive chunks are joined; absent: the newest wins. */
  readonly aggregate?: Aggregate;
  readonly realTimeChunking?: RealTimeChunking;
  /** Whether a slow machine may give up steps and a camera; as the address says where absent. */
  readonly ladder?: 'on' | 'off';
  /** `shadow`: plans are computed and shown, and nothing is sent. Absent: `arm`. */
  readonly drive?: 'arm' | 'shadow';
  /** What a plan does whose mean disagreement with the one before passes this limit, LeRobot joint units. */
  readonly disagreement?: RunStart['disagreement'];
}

/** Recorded actions, to be played by the arm as they are. */
export interface TraceRequest {
  /** What it was recorded for: shown, not read. */
  readonly sentence: string;
  /** rows x 6, LeRobot joint units. */
  readonly actions: Float32Array;
  readonly fps: number;
  /** The table it was recorded on; null leaves the table as it is. */
  readonly reset: ResetRequest | null;
}

export interface TraceReport {
  readonly rows: number;
  readonly rowsPlayed: number;
  /** Between a recorded action and what the gate let through for it, joint units; over all rows and joints. */
  readonly maxAbsDifference: number;
  /** Rows that the gate changed. */
  readonly limitedRows: number;
  readonly control: RunControlReport;
}

export interface RunVerbs {
  run(request: RunRequest): Promise<RunReport>;
  /** Through the safety gate like any plan; goes to the first row slowly. */
  trace(request: TraceRequest): Promise<TraceReport>;
  replay(file: RunFile): Promise<ReplayReport>;
  /** A sentence that still waits for its policy is forgotten. */
  cancelWaiting(): void;
  /** How to end, as stopped, what runs now. Does nothing when nothing does, nor to a later run. */
  ender(): () => void;
  /** Resolves when nothing runs any more; never rejects. */
  settled(): Promise<void>;
  isActive(): boolean;
}

type Ending = { readonly kind: 'time' } | { readonly kind: 'stopped' } | { readonly kind: 'played' } | { readonly kind: 'failed'; readonly failure: Failure };

/** One run or replay under way. `ended` settles once, with whatever ended it first. */
interface Active {
  readonly ended: Promise<Ending>;
  end(ending: Ending): void;
  hasEnded(): boolean;
}

interface Watch {
  readonly runId: number;
  readonly sentence: string;
  readonly seconds: number;
  /** Rows of a chunk a second, as the policy was trained. */
  readonly fps: number;
  readonly activity: 'run' | 'replay';
  /** The index of the last chunk there will be; null when there is no last one. */
  readonly lastChunk: number | null;
  /** It is over when nothing is left to play after so many milliseconds. */
  readonly dryAfterMs?: number;
  readonly start?: Pick<RunStart, 'aggregate' | 'drive' | 'disagreement'>;
}

export function runVerbs(context: SessionContext, policies: PolicyVerbs, resetWorld: (request: ResetRequest) => Promise<SceneInfo>): RunVerbs {
  const { house, stores, events, clock } = context;
  let active: Active | null = null;
  let settled: Promise<unknown> = Promise.resolve();
  let nextRunId = 1;

  const enter = (state: RunState): void => {
    stores.run.setState(state, true);
    events.emit('run', state);
  };

  /** Everything a run and a replay share: only one at a time, and a failure that is told once. */
  const exclusively = <T>(sentence: string, work: (mine: Active) => Promise<T>): Promise<T> => {
    if (active !== null) return Promise.reject(new FailureError('run/already-running'));
    const mine = newActive();
    active = mine;
    const result = (async () => {
      try {
        return await work(mine);
      } catch (thrown) {
        const failure = asFailure(thrown);
        enter({ kind: 'failed', sentence, failure });
        // A person who pressed Stop knows; a policy that would not load has said so already.
        if (failure.code !== 'run/cancelled' && stores.policy.getState().kind !== 'failed') context.report(failure);
        throw new FailureError(failure.code, failure.facts);
      } finally {
        active = null;
      }
    })();
    settled = result.catch(() => undefined);
    return result;
  };

  const policyFor = async (mine: Active, sentence: string): Promise<ReadyPolicy> => {
    enter({ kind: 'waiting', sentence, sinceMs: clock.nowMs() });
    const ready = await Promise.race([policies.ensure(), mine.ended]);
    if ('info' in ready) {
      const against = standsAgainstMotion(context, ready);
      if (against !== null) throw new FailureError('policy/preflight', { ...against.facts, check: against.check });
      return ready;
    }
    throw new FailureError('run/cancelled');
  };

  /** An engine that failed is made anew at once, so that the next sentence only has to wait for it. */
  const mendEngine = (failure: Failure): void => {
    const state = stores.policy.getState();
    if (failure.code.startsWith('engine/') && state.kind === 'ready') policies.load(state.source, state.fit).catch(() => undefined);
  };

  const chunkExpiryMs = (): number => {
    const { kind } = stores.arm.getState();
    return kind === 'serial' || kind === 'virtual' ? CHUNK_EXPIRY_SERVOS_MS : CHUNK_EXPIRY_MS;
  };

  const readyArm = async (): Promise<void> => {
    if (stores.arm.getState().kind === null) throw new FailureError('arm/not-connected');
    // From the slot, not from the store: a Stop a moment ago is in it already.
    const mode = context.readArm()?.mode;
    if (mode === 'stopping' || mode === 'stopped' || mode === 'released') unwrap(await house.control.api.resume());
  };

  /** The loop at the recorded rate, and how to put it back. The rate can only change at rest, so it is left alone where it fits. */
  const withRate = async (rateHz: number): Promise<() => Promise<void>> => {
    const before = stores.speed.getState().rateHz;
    if (before === null || before === rateHz) return async () => undefined;
    unwrap(await house.control.api.setRate(rateHz));
    // After a Stop the arm may still be braking; then the rate stays, which the panel shows.
    return async () => void (await house.control.api.setRate(before));
  };

  /** From the first tick to the last: both workers begun, watched, ended. */
  const between = async (mine: Active, watch: Watch): Promise<{ readonly ending: Ending; readonly control: RunControlReport; readonly records: readonly ChunkRecord[]; readonly latencies: readonly number[] }> => {
    const begun = await house.control.api.beginRun({ runId: watch.runId, askAtShare: ASK_AT_SHARE, chunkExpiryMs: chunkExpiryMs(), fps: watch.fps, ...watch.start });
    if (!begun.ok) {
      await house.inference.api.endRun();
      throw new FailureError(begun.failure.code, begun.failure.facts);
    }
    const watched = watchRun(context, mine, watch, enter);
    const ending = await mine.ended;
    watched.stop();
    enter({ kind: 'finishing', sentence: watch.sentence });
    const control = unwrap(await house.control.api.endRun());
    const records = await house.inference.api.endRun();
    // A run whose inference worker died still has its joint trace, and says that it failed.
    return { ending, control, records: records.ok ? records.value : [], latencies: watched.latencies };
  };

  const run = (request: RunRequest): Promise<RunReport> => {
    const sentence = request.task.trim();
    const seconds = request.seconds ?? DEFAULT_RUN_SECONDS;
    const seed = request.seed ?? 0;
    const { aggregate, realTimeChunking, drive, disagreement, ladder = context.ladder } = request;
    const start = { ...(aggregate === undefined ? {} : { aggregate }), ...(drive === undefined ? {} : { drive }), ...(disagreement === undefined ? {} : { disagreement }) };
    return exclusively(sentence, async (mine) => {
      if (sentence === '') throw new FailureError('observation/sentence-missing');
      if (!(seconds > 0 && seconds <= MAX_RUN_SECONDS)) throw new FailureError('control/out-of-range', { what: 'seconds', found: seconds, least: 0, most: MAX_RUN_SECONDS });
      const policy = await policyFor(mine, sentence);
      await readyArm();
      const scene = stores.world.getState().scene;
      if (scene === null) throw new FailureError('arm/not-connected');
      const runId = nextRunId++;
      unwrap(await house.inference.api.beginRun({ runId, sentence, seed, ladder, ...(realTimeChunking === undefined ? {} : { realTimeChunking }) }));
      const { ending, control, records, latencies } = await between(mine, { runId, sentence, seconds, fps: policy.info.fps, activity: 'run', lastChunk: null, start });
      const totals = records.length > 0 ? records.map((record) => record.timings.totalMs) : latencies;
      const report: RunReport = {
        outcome: ending.kind === 'failed' ? 'failed' : ending.kind === 'stopped' ? 'stopped' : 'finished',
        failure: ending.kind === 'failed' ? ending.failure : null,
        sentence,
        seconds,
        control,
        chunkLatency: latencySummary(totals),
        engine: policy.engine,
        finalState: context.readArm()?.measured ?? null,
        file: {
          format: 'vla-playground-run',
          version: 1,
          versions: { app: context.appVersion, scene: scene.hash, policy: policy.storedName, provider: policy.engine.provider },
          sentence,
          seed,
          reset: scene.request,
          rateHz: stores.speed.getState().rateHz ?? policy.info.fps,
          chunks: records,
        },
      };
      enter({ kind: 'over', report });
      if (ending.kind === 'failed') mendEngine(ending.failure);
      return report;
    });
  };

  const replay = (candidate: RunFile): Promise<ReplayReport> =>
    exclusively(candidate.sentence, async (mine) => {
      const file = checkRunFile(candidate);
      const policy = await policyFor(mine, file.sentence);
      if (policy.storedName !== file.versions.policy) throw new FailureError('run/version-mismatch', { what: 'policy', expected: file.versions.policy, found: policy.storedName });
      const scene = await resetWorld(withItsArm(file.reset));
      // The recorded pictures are what the policy sees again, so these two change what is drawn and how exact it is: told, not refused.
      if (scene.hash !== file.versions.scene) context.report({ code: 'run/scene-mismatch', facts: { expected: file.versions.scene, found: scene.hash } });
      if (policy.engine.provider !== file.versions.provider) {
        context.report({ code: 'run/version-mismatch', facts: { what: 'engine', expected: file.versions.provider, found: policy.engine.provider } });
      }
      await readyArm();
      const restoreRate = await withRate(file.rateHz);
      const runId = nextRunId++;
      unwrap(await house.inference.api.beginReplay({ runId, sentence: file.sentence, records: file.chunks }));
      const watch: Watch = { runId, sentence: file.sentence, seconds: replayLimitSeconds(file, policy), fps: policy.info.fps, activity: 'replay', lastChunk: file.chunks.length - 1 };
      const { ending, control, records } = await between(mine, watch);
      await restoreRate();
      enter({ kind: 'none' });
      if (ending.kind === 'failed') {
        mendEngine(ending.failure);
        throw new FailureError(ending.failure.code, ending.failure.facts);
      }
      return { ...compareChunks(file.chunks, records), control };
    });

  /** By hand, within the gate's limits, to where the recording begins. */
  const goTo = async (mine: Active, pose: Float32Array): Promise<void> => {
    unwrap(await house.control.api.setManualTargets(Float64Array.from(pose) as JointUnitsVector));
    const deadlineMs = clock.nowMs() + START_POSE_MS;
    for (;;) {
      if (mine.hasEnded()) throw new FailureError('run/cancelled');
      const target = context.readArm()?.target ?? null;
      if (target !== null && target.every((value, i) => Math.abs(value - (pose[i] as number)) < AT_START_UNITS)) return;
      // A start that the gate does not allow (too near the table, say): from where the arm stands then.
      if (clock.nowMs() > deadlineMs) return;
      await clock.sleepUntil(clock.nowMs() + 50);
    }
  };

  const trace = (request: TraceRequest): Promise<TraceReport> =>
    exclusively(request.sentence, async (mine) => {
      const rows = request.actions.length / JOINT_COUNT;
      if (!Number.isInteger(rows) || rows < 1) throw new FailureError('control/out-of-range', { what: 'rows', found: rows, least: 1, most: null });
      enter({ kind: 'waiting', sentence: request.sentence, sinceMs: clock.nowMs() });
      if (request.reset !== null) await resetWorld(withItsArm(request.reset));
      await readyArm();
      await goTo(mine, request.actions.slice(0, JOINT_COUNT));
      const runId = nextRunId++;
      unwrap(await house.inference.api.beginTrace({ runId, actions: request.actions }));
      const lengthMs = (rows * 1000) / request.fps;
      const watch: Watch = { runId, sentence: request.sentence, seconds: lengthMs / 1000 + 30, fps: request.fps, activity: 'replay', lastChunk: null, dryAfterMs: lengthMs - 200 };
      const { ending, control } = await between(mine, watch);
      enter({ kind: 'none' });
      if (ending.kind === 'failed') throw new FailureError(ending.failure.code, ending.failure.facts);
      return { rows, ...compareTrace(request.actions, control.trace), control };
    });

  return {
    run,
    replay,
    trace,
    cancelWaiting: () => {
      if (stores.run.getState().kind === 'waiting') active?.end({ kind: 'stopped' });
    },
    ender: () => {
      const mine = active;
      return () => mine?.end({ kind: 'stopped' });
    },
    settled: async () => void (await settled),
    isActive: () => active !== null,
  };
}

/** A row is recognised by what control wanted at a tick; float32 there and back costs less than this. */
const SAME_ROW_UNITS = 1e-3;

/** Each row that was played against what the gate made of it. Ticks that held (a chunk was on its way) are no rows. */
export function compareTrace(actions: Float32Array, ticks: RunControlReport['trace']): { readonly rowsPlayed: number; readonly maxAbsDifference: number; readonly limitedRows: number } {
  let maxAbsDifference = 0;
  let limitedRows = 0;
  let row = 0;
  for (const { wanted, target, rules } of ticks) {
    if (wanted === null || row * JOINT_COUNT >= actions.length) continue;
    const recorded = actions.subarray(row * JOINT_COUNT, (row + 1) * JOINT_COUNT);
    const differenceOf = (radians: readonly number[]): number => unitsOf(radians).reduce((most, value, joint) => Math.max(most, Math.abs(value - (recorded[joint] as number))), 0);
    if (differenceOf(wanted) > SAME_ROW_UNITS) continue;
    row++;
    if (rules.length > 0) limitedRows++;
    maxAbsDifference = Math.max(maxAbsDifference, differenceOf(target));
  }
  return { rowsPlayed: row, maxAbsDifference, limitedRows };
}

function newActive(): Active {
  let over = false;
  let tell: (ending: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => {
    tell = resolve;
  });
  return {
    ended,
    end: (ending) => {
      over = true;
      tell(ending);
    },
    hasEnded: () => over,
  };
}

/** Listens while a run lasts, keeps the run store true, and ends the run when its time, its arm or its workers do. */
function watchRun(context: SessionContext, mine: Active, watch: Watch, enter: (state: RunState) => void): { readonly latencies: readonly number[]; readonly stop: () => void } {
  const { house, stores, events, clock } = context;
  const startedAtMs = clock.nowMs();
  const latencies: number[] = [];
  const clamps: Partial<Record<SafetyRule, number>> = {};
  let chunksPlayed = 0;
  let lastIndex = -1;
  const complaint = standingComplaint();
  enter({ kind: 'running', activity: watch.activity, runId: watch.runId, sentence: watch.sentence, startedAtMs, seconds: watch.seconds, chunk: null, chunksPlayed: 0, clamps: {} });
  stores.speed.setState({ chunkLatency: null });

  const takeChunk = (chunk: NonNullable<ControlReport['chunk']>): void => {
    const played = { index: chunk.index, rows: chunk.rows, rowsLeft: chunk.rowsLeft, latencyMs: chunk.computedAtMs - chunk.observedAtMs, budgetMs: (1000 * ASK_AT_SHARE * chunk.rows) / watch.fps, disagreement: chunk.disagreement, reduction: chunk.reduction ?? null };
    if (chunk.index !== lastIndex) {
      lastIndex = chunk.index;
      chunksPlayed++;
      latencies.push(played.latencyMs);
      stores.speed.setState({ chunkLatency: latencySummary(latencies) });
      events.emit('chunk', played);
    }
    const state = stores.run.getState();
    if (state.kind === 'running') stores.run.setState({ ...state, chunk: played, chunksPlayed, clamps: { ...clamps } }, true);
  };

  const take = (report: ControlReport): void => {
    for (const tick of report.ticks) for (const rule of tick.rules) clamps[rule] = (clamps[rule] ?? 0) + 1;
    if (report.chunk !== null) takeChunk(report.chunk);
    if (report.mode === 'stopped') mine.end({ kind: 'stopped' });
    const played = watch.dryAfterMs !== undefined ? lastIndex >= 0 && clock.nowMs() - startedAtMs >= watch.dryAfterMs : watch.lastChunk !== null && lastIndex >= watch.lastChunk;
    if (played && (report.chunk === null || report.chunk.rowsLeft === 0 || report.failure !== null)) mine.end({ kind: 'played' });
    const failure = complaint.take(report.failure, clock.nowMs());
    if (failure !== null) mine.end({ kind: 'failed', failure });
  };

  const offs = [
    house.onReport(take),
    ...[house.control, house.inference, house.world].map((slot) =>
      slot.onState((state) => {
        if (state.kind === 'dead') mine.end({ kind: 'failed', failure: state.failure });
      }),
    ),
  ];
  void clock.sleepUntil(startedAtMs + watch.seconds * 1000).then(() => mine.end({ kind: 'time' }));
  return {
    latencies,
    stop: () => {
      for (const off of offs) off();
    },
  };
}

/** Nothing lasts for ever: all rows at the recorded rate, four times the recorded latency for each chunk, and half a minute. */
function replayLimitSeconds(file: RunFile, policy: ReadyPolicy): number {
  const seconds = file.chunks.reduce((sum, chunk) => sum + policy.info.chunkRows / file.rateHz + (4 * chunk.timings.totalMs) / 1000, 30);
  return Math.min(seconds, MAX_RUN_SECONDS);
}

/** Chunk by chunk, number by number. A chunk that is missing is not identical. */
export function compareChunks(recorded: readonly ChunkRecord[], again: readonly ChunkRecord[]): { readonly identical: boolean; readonly maxAbsDifference: number; readonly chunks: number } {
  let maxAbsDifference = 0;
  let identical = again.length >= recorded.length;
  const chunks = Math.min(recorded.length, again.length);
  for (let k = 0; k < chunks; k++) {
    const before = recorded[k]?.actions ?? new Float32Array();
    const now = again[k]?.actions ?? new Float32Array();
    if (before.length !== now.length) identical = false;
    for (let i = 0; i < Math.min(before.length, now.length); i++) {
      maxAbsDifference = Math.max(maxAbsDifference, Math.abs((before[i] as number) - (now[i] as number)));
    }
  }
  return { identical: identical && maxAbsDifference === 0, maxAbsDifference, chunks };
}

/** A recording that names no arm is of the SO-100, whatever stands on the table now. */
function withItsArm(reset: ResetRequest): ResetRequest {
  return { ...reset, robot: reset.robot ?? 'so100' };
}
