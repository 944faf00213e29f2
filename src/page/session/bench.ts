/**
 * The benchmark as a noun with one verb: what is being measured, and what came of it. Knows the order of the parts and how
 * long they may take; refuses to know how anything is computed, and has no arm that it could move.
 *
 *   idle loops 2 s ─ load ─ warm-up ─ laps end to end ─ laps by part ─ ceilings ─ report
 *                                     └── page frames and a 30 Hz loop are watched ──┘
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { BenchReport, EvenFigures, LapKind } from '#contracts/bench.ts';
import type { Failure } from '#contracts/failure.ts';
import type { EngineChoice, LoadProgress, StoredPolicy } from '#contracts/inference.ts';
import type { PolicySource } from '#contracts/policy.ts';
import type { Clock } from '#contracts/time.ts';
import { asFailure, FailureError, unwrap } from '#core/lib/failure.ts';
import type { BenchHouse } from '#page/runtime/bench.ts';
import { percentile } from './percentile.ts';
import { SHIPPED_POLICIES } from './policy-verbs.ts';

export interface BenchRequest {
  /** The shipped one where absent. */
  readonly source?: PolicySource;
  readonly engine: EngineChoice;
  /** Between the products of pictures and prefix; `float32` where absent. */
  readonly activations?: 'float32' | 'float16';
  /** Laps of each kind, at most; fewer where they would take longer than `MOST_MS`. */
  readonly laps?: number;
}

export type BenchState =
  | { readonly kind: 'ready' }
  | { readonly kind: 'loading'; readonly startedAtMs: number; readonly progress: LoadProgress | null }
  | { readonly kind: 'measuring'; readonly what: 'idle' | LapKind | 'ceilings'; readonly done: number; readonly of: number }
  | { readonly kind: 'done'; readonly report: BenchReport }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface Bench {
  readonly store: StoreApi<BenchState>;
  /** Rejects with the FailureError that the store shows. One at a time: `run/already-running`. */
  run(request: BenchRequest): Promise<BenchReport>;
  /** What the last chunk came to, normalised. Rejects before there was one. */
  answer(): Promise<Float32Array>;
  /** What lies on this machine, ready to be measured. */
  stored(): Promise<readonly StoredPolicy[]>;
}

export const BENCH_LAPS = 20;
const WARM_UP_LAPS = 2;
/** A percentile needs a few laps however long they take. */
const LEAST_LAPS = 3;
/** Of one kind of laps; a slow machine drives fewer. */
const MOST_MS = 20_000;
const IDLE_MS = 2000;
const LOOP_HZ = 30;

export function createBench(options: { readonly house: BenchHouse; readonly clock: Clock; readonly appVersion: string; readonly machine: () => Omit<BenchReport['machine'], 'adapter'>; readonly today: () => string }): Bench & { readonly onProgress: (progress: LoadProgress) => void } {
  const { house, clock } = options;
  const store = createStore<BenchState>(() => ({ kind: 'ready' }));
  const enter = (state: BenchState): void => store.setState(state, true);
  let busy: 'yes' | 'no' = 'no';

  const laps = async (kind: LapKind, most: number): Promise<void> => {
    const fromMs = clock.nowMs();
    for (let done = 0; done < most; done++) {
      if (done >= Math.min(LEAST_LAPS, most) && clock.nowMs() - fromMs > MOST_MS) return;
      enter({ kind: 'measuring', what: kind, done, of: most });
      unwrap(await house.bench.api.lap(kind));
    }
  };

  /** Runs `during` and says how even a loop and the page's frames were meanwhile. */
  const beside = async (during: () => Promise<unknown>): Promise<BenchReport['beside']['idle']> => {
    unwrap(await house.metronome.api.start(LOOP_HZ));
    const frames = watchFrames();
    try {
      await during();
    } finally {
      frames.stop();
    }
    return { loop: even(unwrap(await house.metronome.api.stop())), frame: even(frames.intervals) };
  };

  const measure = async (request: BenchRequest): Promise<BenchReport> => {
    enter({ kind: 'measuring', what: 'idle', done: 0, of: 1 });
    const idle = await beside(() => new Promise((done) => setTimeout(done, IDLE_MS)));
    enter({ kind: 'loading', startedAtMs: clock.nowMs(), progress: null });
    const { storedName } = unwrap(await house.conversion.api.convert(request.source ?? SHIPPED_POLICIES[0]!));
    unwrap(await house.bench.api.load(storedName, request.engine, request.activations ?? 'float32'));
    await laps('warm-up', WARM_UP_LAPS);
    const most = request.laps ?? BENCH_LAPS;
    const computing = await beside(() => laps('end-to-end', most));
    await laps('by-part', most);
    enter({ kind: 'measuring', what: 'ceilings', done: 0, of: 1 });
    unwrap(await house.bench.api.ceilings());
    const figures = unwrap(await house.bench.api.figures());
    return { format: 'vla-playground-bench', version: 1, app: options.appVersion, day: options.today(), machine: { ...options.machine(), adapter: figures.engine.adapter }, figures, beside: { idle, computing } };
  };

  return {
    store,
    onProgress: (progress) => {
      const state = store.getState();
      if (state.kind === 'loading') enter({ ...state, progress });
    },
    answer: async () => unwrap(await house.bench.api.answer()),
    stored: async () => unwrap(await house.conversion.api.stored()).filter(({ info }) => info !== null),
    async run(request) {
      if (busy === 'yes') throw new FailureError('run/already-running');
      busy = 'yes';
      try {
        const report = await measure(request);
        enter({ kind: 'done', report });
        return report;
      } catch (thrown) {
        const failure = asFailure(thrown);
        enter({ kind: 'failed', failure });
        // A lost graphics device, a worker that hangs: the next try gets a fresh one.
        house.bench.restart();
        throw new FailureError(failure.code, failure.facts);
      } finally {
        busy = 'no';
      }
    },
  };
}

function watchFrames(): { readonly intervals: readonly number[]; stop(): void } {
  const intervals: number[] = [];
  let last: number | null = null;
  let going: 'yes' | 'no' = 'yes';
  const frame = (nowMs: number): void => {
    if (last !== null) intervals.push(nowMs - last);
    last = nowMs;
    if (going === 'yes') requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  return { intervals, stop: () => void (going = 'no') };
}

function even(values: readonly number[]): EvenFigures | null {
  const [p50Ms, p99Ms, mostMs] = [percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)];
  return p50Ms === null || p99Ms === null || mostMs === null ? null : { count: values.length, p50Ms, p99Ms, mostMs };
}
