/**
 * The inference worker's work, as a plain class: what it holds (a policy, perhaps a run) and what its verbs do. Knows
 * the order of things; the parts that do them are handed in. Refuses to move an arm: it only answers control's questions.
 *
 * One computation at a time, in the order of asking; of control's questions only the newest waits (`loop.ts`). A failure
 * is an answer, never an end: the worker stays alive and the next question is computed.
 */
import type { ChunkReduction, ChunkTimings } from '#contracts/chunk.ts';
import type { ControlToInference, InferenceToControl } from '#contracts/control.ts';
import type { Outcome } from '#contracts/failure.ts';
import type { ChunkGuidance, ChunkRecord, EngineChoice, EngineReport, InferenceApi, LoadProgress, RealTimeChunking } from '#contracts/inference.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { Observation } from '#contracts/observation.ts';
import type { OpenPack } from '#contracts/pack.ts';
import type { PolicyFit, PolicyInfo, PredictedChunk } from '#contracts/policy.ts';
import type { Reading } from '#contracts/reading.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { ladder, type Ladder } from '#core/chunks/ladder.ts';
import { leftoverRows } from '#core/chunks/real-time-chunking.ts';
import { withDeadline } from '#core/lib/deadline.ts';
import { FailureError, outcome } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import { cameraWatch, type CameraWatch, type FirstViews } from '#core/observation/camera-watch.ts';
import { gatherObservation, SIMULATED_CAMERA_LIMITS } from '#core/observation/gather.ts';
import { moved } from '#workers/shared/serve.ts';
import type { CameraClient } from './camera-client.ts';
import { chooseEngine, likelyProvider } from './choose.ts';
import type { Engines } from './engines.ts';
import { chunkLoop, type ChunkLoop } from './loop.ts';
import { policyRunner, type PolicyRunner, type RunnerParts } from './policy-runner.ts';
import { turnTaking } from './turn-taking.ts';

/** Longer than the slowest chunk that is of any use; it ends a wait for a GPU that hangs. */
export const CHUNK_LIMIT_MS = 60_000;

export interface InferenceParts extends RunnerParts {
  readonly engines: Engines;
  readonly openPack: (storedName: string) => Promise<OpenPack>;
  readonly cameras: CameraClient;
  /** Outlives a run: plugs are changed between runs. */
  readonly firstViews: FirstViews;
  readonly readArm: () => Reading<JointUnitsVector>;
  readonly send: (message: InferenceToControl) => void;
  readonly onProgress: (progress: LoadProgress) => void;
}

interface Loaded {
  readonly key: string;
  readonly runner: PolicyRunner;
  readonly engine: EngineReport;
}

/** A chunk and the time of the oldest thing it was computed from. */
interface Computed {
  readonly record: ChunkRecord;
  readonly observedAtMs: number;
}

type Run =
  | { readonly kind: 'live'; readonly runId: number; readonly sentence: string; readonly seed: number; readonly records: ChunkRecord[]; readonly watch: CameraWatch; readonly ladder: Ladder | null; readonly realTimeChunking?: RealTimeChunking }
  | { readonly kind: 'replay'; readonly runId: number; readonly sentence: string; readonly from: readonly ChunkRecord[]; readonly records: ChunkRecord[] }
  | { readonly kind: 'trace'; readonly runId: number; readonly actions: Float32Array; chunks: number; readonly records: ChunkRecord[] };

/** Rows of a recording handed to control at a time; it asks again when half of them are played. */
const TRACE_ROWS = 100;

export class InferenceService implements InferenceApi {
  readonly #parts: InferenceParts;
  readonly #turns = turnTaking();
  readonly #loop: ChunkLoop;
  #loaded: Loaded | null = null;
  #run: Run | null = null;
  /** Control may ask before the page has told us of the run. */
  #early: ControlToInference | null = null;

  constructor(parts: InferenceParts) {
    this.#parts = parts;
    this.#loop = chunkLoop((question) => this.#answer(question), parts.send);
  }

  likely(choice: EngineChoice): Promise<Outcome<'webgpu' | 'wasm'>> {
    return outcome(() => likelyProvider(choice, this.#parts.engines));
  }

  load(storedName: string, choice: EngineChoice, fit?: PolicyFit): Promise<Outcome<{ readonly policy: PolicyInfo; readonly engine: EngineReport }>> {
    return outcome(async () => {
      if (this.#run !== null) throw new FailureError('run/already-running');
      return this.#turns.take(async () => {
        const { onProgress } = this.#parts;
        const pack = await this.#parts.openPack(storedName);
        const key = [storedName, choice, JSON.stringify(fit ?? null), ...pack.manifest.files.map(({ sha256 }) => sha256)].join(' ');
        if (this.#loaded?.key !== key || !(await this.#alive(this.#loaded))) {
          await this.#unload();
          const { runner, engine } = await chooseEngine({
            choice,
            engines: this.#parts.engines,
            precision: pack.manifest.info.precision,
            build: (made) => policyRunner(pack, made, this.#parts, fit),
            clock: this.#parts.clock,
            onProgress,
          });
          this.#loaded = { key, runner, engine };
        }
        onProgress({ phase: 'ready' });
        return { policy: this.#loaded.runner.info, engine: this.#loaded.engine };
      });
    });
  }

  probe(request: Parameters<InferenceApi['probe']>[0]): Promise<Outcome<ChunkRecord>> {
    return recordOutcome(() => this.#inTurn(async ({ runner }) => (await this.#observeAndPredict(runner, { ...request, index: 0, observedTick: 0 })).record));
  }

  sample(): Promise<Outcome<PredictedChunk>> {
    return outcome(() => this.#inTurn(({ runner }) => runner.sampleChunk()));
  }

  async beginRun(run: Parameters<InferenceApi['beginRun']>[0]): Promise<Outcome<null>> {
    const info = this.#loaded?.runner.info;
    const steps = run.ladder === 'off' || info === undefined ? null : ladder({ ...info, cameras: info.cameras.map(({ robotKey }) => robotKey) });
    return this.#begin({ ...run, kind: 'live', records: [], watch: cameraWatch(this.#parts.firstViews), ladder: steps });
  }

  async beginReplay(run: { readonly runId: number; readonly sentence: string; readonly records: readonly ChunkRecord[] }): Promise<Outcome<null>> {
    return this.#begin({ kind: 'replay', runId: run.runId, sentence: run.sentence, from: run.records, records: [] });
  }

  async beginTrace({ runId, actions }: { readonly runId: number; readonly actions: Float32Array }): Promise<Outcome<null>> {
    return this.#begin({ kind: 'trace', runId, actions, chunks: 0, records: [] });
  }

  /** The chunk being computed, if any, is finished, and neither sent nor kept. */
  async endRun(): Promise<Outcome<readonly ChunkRecord[]>> {
    const records = this.#run?.records ?? [];
    this.#run = null;
    this.#early = null;
    this.#loop.clear();
    return moved({ ok: true, value: records }, records.flatMap(buffersOf));
  }

  recompute(sentence: string, record: ChunkRecord): Promise<Outcome<PredictedChunk>> {
    return outcome(() => this.#inTurn(({ runner }) => runner.predict(observationOf(sentence, record), record.noiseSeed, record)));
  }

  /** A question from control's port. */
  question(asked: ControlToInference): void {
    if (this.#run?.runId === asked.runId) this.#loop.request(asked);
    else this.#early = asked;
  }

  #begin(run: Run): Promise<Outcome<null>> {
    return outcome(() => {
      if (this.#loaded === null && run.kind !== 'trace') throw new FailureError('policy/none-loaded');
      if (this.#run !== null) throw new FailureError('run/already-running');
      this.#run = run;
      const early = this.#early;
      this.#early = null;
      if (early?.runId === run.runId) this.#loop.request(early);
      return null;
    });
  }

  /** Null once the run is over, and for a replay that has no more records: control then holds the pose. */
  async #answer({ runId, requestId, tick }: ControlToInference): Promise<InferenceToControl | null> {
    const run = this.#run;
    if (run === null || run.runId !== runId) return null;
    if (run.kind === 'trace') return this.#fromTrace(run, requestId, tick);
    let computed: Computed | null;
    try {
      computed = await this.#inTurn(({ runner }) => this.#next(run, runner, tick));
    } catch (thrown) {
      if (this.#run !== run) return null;
      throw thrown;
    }
    if (computed === null || this.#run !== run) return null;
    const { record, observedAtMs } = computed;
    run.records.push(record);
    const { info } = this.#current().runner;
    return {
      kind: 'chunk',
      requestId,
      chunk: {
        index: record.index,
        runId,
        observedTick: tick,
        rows: info.chunkRows,
        columns: info.actionSize,
        // A copy: this one is moved to control, the record's own stays here.
        actions: record.actions.slice(),
        observedAtMs,
        computedAtMs: this.#parts.clock.nowMs(),
        ...(record.reduction === undefined ? {} : { reduction: record.reduction }),
      },
    };
  }

  /** The recorded rows from the one that control plays next; null behind the last. A tick of a run is a row of the recording. */
  #fromTrace(run: Run & { readonly kind: 'trace' }, requestId: number, tick: number): InferenceToControl | null {
    const columns = JOINT_COUNT;
    const rows = Math.min(TRACE_ROWS, run.actions.length / columns - tick);
    if (rows <= 0) return null;
    const nowMs = this.#parts.clock.nowMs();
    const actions = run.actions.slice(tick * columns, (tick + rows) * columns);
    return { kind: 'chunk', requestId, chunk: { index: run.chunks++, runId: run.runId, observedTick: tick, rows, columns, actions, observedAtMs: nowMs, computedAtMs: nowMs } };
  }

  async #next(run: Exclude<Run, { readonly kind: 'trace' }>, runner: PolicyRunner, observedTick: number): Promise<Computed | null> {
    const index = run.records.length;
    switch (run.kind) {
      case 'live': {
        const reduction = run.ladder?.reduction ?? null;
        const computed = await this.#observeAndPredict(runner, { sentence: run.sentence, noiseSeed: chunkNoiseSeed(run.seed, index), index, observedTick, watch: run.watch, ...guidanceFor(run, runner.info, observedTick), ...(reduction === null ? {} : { reduction }) });
        run.ladder?.look(computed.record.timings.totalMs);
        return computed;
      }
      case 'replay': {
        const original = run.from[index];
        if (original === undefined) return null;
        // It looks at old pictures, but answers a question of now.
        const observedAtMs = this.#parts.clock.nowMs();
        const { actions, x0, timings, provider } = await runner.predict(observationOf(run.sentence, original), original.noiseSeed, original);
        return { record: { ...original, index, observedTick, actions, x0, timings, provider }, observedAtMs };
      }
      default:
        return unreachable(run);
    }
  }

  async #observeAndPredict(
    runner: PolicyRunner,
    { sentence, noiseSeed, index, observedTick, watch, ...how }: { readonly sentence: string; readonly noiseSeed: number; readonly index: number; readonly observedTick: number; readonly watch?: CameraWatch; readonly guidance?: ChunkGuidance; readonly reduction?: ChunkReduction; readonly noiseScale?: number },
  ): Promise<Computed> {
    const { clock, cameras, readArm } = this.#parts;
    const startedAtMs = clock.nowMs();
    const slots = runner.info.cameras;
    const pictures = await cameras.pictures(slots.map(({ robotKey, width, height }) => ({ key: robotKey, width, height })));
    // The state is read after the pictures: it is the newer of the two by a few milliseconds, never older by a request.
    const needs = { cameras: slots.map(({ robotKey }) => robotKey), stateSize: runner.info.stateSize };
    const observation = gatherObservation(needs, { pictures, state: readArm(), sentence, nowMs: clock.nowMs() }, SIMULATED_CAMERA_LIMITS);
    watch?.look(observation, clock.nowMs());
    const observeMs = clock.nowMs() - startedAtMs;
    const { actions, x0, timings, provider } = await runner.predict(observation, noiseSeed, how);
    const whole: ChunkTimings = { ...timings, observeMs, totalMs: clock.nowMs() - startedAtMs };
    return {
      record: { index, observedTick, pictures, state: Float32Array.from(observation.state), noiseSeed, actions, x0, timings: whole, provider, ...how },
      observedAtMs: Math.min(observation.stateAtMs, ...pictures.map(({ capturedAtMs }) => capturedAtMs)),
    };
  }

  /** `work` on the loaded policy, when nothing else computes. The limit covers the wait too. */
  #inTurn<T>(work: (loaded: Loaded) => Promise<T>): Promise<T> {
    const turn = this.#turns.take(() => work(this.#current()));
    return withDeadline(turn, CHUNK_LIMIT_MS, () => new FailureError('policy/timeout', { limitMs: CHUNK_LIMIT_MS }));
  }

  #current(): Loaded {
    if (this.#loaded === null) throw new FailureError('policy/none-loaded');
    return this.#loaded;
  }

  /** Whether the engine under a loaded policy still runs: a GPU may have been lost since. */
  async #alive({ engine }: Loaded): Promise<boolean> {
    if (engine.provider !== 'webgpu') return true;
    return (await outcome(() => this.#parts.engines.webgpu())).ok;
  }

  async #unload(): Promise<void> {
    const old = this.#loaded;
    this.#loaded = null;
    await old?.runner.dispose();
  }
}

/**
 * What the chunk before still holds for the ticks to come, and how many of them will have passed when the new one is
 * there: the slowest chunk of this run so far, as LeRobot counts it. Nothing where nothing is left: being guided towards
 * nothing is a quirk of LeRobot's driver. Nothing for a head of bins, which has no step to guide; the page says so where it is chosen.
 */
function guidanceFor(run: Run & { readonly kind: 'live' }, info: PolicyInfo, observedTick: number): { readonly guidance?: ChunkGuidance } {
  const before = run.records.at(-1);
  if (run.realTimeChunking === undefined || before === undefined || info.head === 'bins') return {};
  const columns = info.actionSize;
  const leftover = leftoverRows(before.x0, info.chunkRows, columns, Math.max(0, observedTick - before.observedTick));
  if (leftover.length === 0) return {};
  const slowestMs = Math.max(...run.records.map((record) => record.timings.totalMs));
  return { guidance: { ...run.realTimeChunking, delay: Math.ceil((slowestMs * info.fps) / 1000), leftover, columns } };
}

/** Noise of chunk `index` of a run: neighbouring seeds and neighbouring chunks share nothing. Unsigned 32 bits. */
export function chunkNoiseSeed(runSeed: number, index: number): number {
  // The golden ratio's odd 32-bit multiplier: distinct (seed, index) of any usual size do not meet.
  return (Math.imul(runSeed, 0x9e3779b1) + index) >>> 0;
}

function observationOf(sentence: string, record: ChunkRecord): Observation {
  return {
    pictures: Object.fromEntries(record.pictures.map((picture) => [picture.camera, picture])),
    state: Float64Array.from(record.state) as JointUnitsVector,
    stateAtMs: 0,
    sentence,
  };
}

async function recordOutcome(work: () => Promise<ChunkRecord>): Promise<Outcome<ChunkRecord>> {
  const result = await outcome(work);
  return result.ok ? moved(result, buffersOf(result.value)) : result;
}

function buffersOf(record: ChunkRecord): ArrayBuffer[] {
  const arrays = [record.actions, record.x0, record.state, ...record.pictures.map(({ picture }) => picture.data)];
  return [...new Set(arrays.map(({ buffer }) => buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}
