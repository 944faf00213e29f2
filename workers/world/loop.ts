/**
 * Simulated time beside real time: every few milliseconds, as many fixed steps as have come due. Knows a clock and a
 * way to take steps; refuses to know what a step does.
 *
 * A thread that was late (a picture was drawn, a scene compiled) catches up at most `CATCH_UP_STEPS`; the rest is
 * dropped and shows as a real-time factor below one. Without a limit a machine too slow for real time would fall
 * behind for ever, each turn longer than the last.
 */
import type { Clock } from '#contracts/time.ts';

/** Targets are read and joints published this often: four steps. */
export const BATCH_STEPS = 4;
/** 100 ms: a 640x480 picture on a software GPU takes 24 to 42 ms, two of them in one request. */
export const CATCH_UP_STEPS = 50;
const FACTOR_WINDOW_MS = 1000;

export interface Pacer {
  /** From now on, not from when it was paused. */
  run(): void;
  pause(): void;
  readonly running: boolean;
  /** Over the last whole second of running; null before the first. */
  realTimeFactor(): number | null;
  /** Ends the loop for good. */
  close(): void;
}

/** `advance` is called with at most BATCH_STEPS at a time; when it throws, the pacer pauses and tells `failed`. */
export function createPacer(clock: Clock, stepMs: number, advance: (steps: number) => void, failed: (thrown: unknown) => void): Pacer {
  const batchMs = BATCH_STEPS * stepMs;
  let state: 'paused' | 'running' | 'closed' = 'paused';
  // Steps are counted from `originMs`, so that rounding never adds up.
  let originMs = 0;
  let stepsTaken = 0;
  let factor: number | null = null;
  let window = { startedMs: 0, steps: 0 };

  const begin = (): void => {
    originMs = clock.nowMs();
    stepsTaken = 0;
  };
  const turn = (): void => {
    // 1e-6: a millisecond count since 1970 carries rounding of its own.
    let due = Math.floor((clock.nowMs() - originMs) / stepMs + 1e-6) - stepsTaken;
    if (due > CATCH_UP_STEPS) {
      originMs += (due - CATCH_UP_STEPS) * stepMs;
      due = CATCH_UP_STEPS;
    }
    while (due > 0) {
      const steps = Math.min(due, BATCH_STEPS);
      advance(steps);
      stepsTaken += steps;
      window.steps += steps;
      due -= steps;
    }
    const elapsed = clock.nowMs() - window.startedMs;
    if (elapsed >= FACTOR_WINDOW_MS) {
      factor = (window.steps * stepMs) / elapsed;
      window = { startedMs: clock.nowMs(), steps: 0 };
    }
  };
  const live = async (): Promise<void> => {
    while (state === 'running') {
      try {
        turn();
      } catch (thrown) {
        state = 'paused';
        failed(thrown);
        return;
      }
      await clock.sleepUntil(originMs + stepsTaken * stepMs + batchMs);
    }
  };
  // A loop that was paused and run again within one sleep would otherwise live twice.
  let lives: Promise<void> = Promise.resolve();
  return {
    run() {
      if (state !== 'paused') return;
      state = 'running';
      begin();
      factor = null;
      window = { startedMs: clock.nowMs(), steps: 0 };
      lives = lives.then(live);
    },
    pause() {
      if (state === 'running') state = 'paused';
      factor = null;
    },
    get running() {
      return state === 'running';
    },
    realTimeFactor: () => factor,
    close() {
      state = 'closed';
    },
  };
}
