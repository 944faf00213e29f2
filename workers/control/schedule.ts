/**
 * When ticks happen. The schedule is absolute: tick k belongs to start + k x period, so lateness does not add up. A
 * thread that was away for longer than a period skips the ticks it missed; a burst of old ticks would move the arm
 * with several steps at once. Knows nothing of what a tick does.
 */
import type { Clock } from '#contracts/time.ts';

export interface TickTime {
  readonly nowMs: number;
  /** How long after its moment this tick began. */
  readonly lateMs: number;
  /** Ticks that were due since the last one and are not made up for. */
  readonly skipped: number;
}

export interface Schedule {
  /** From now on a tick every `periodMs`, the first one a period from now. */
  setPeriod(periodMs: number): void;
  /** Resolves after the tick in progress, if any; no tick follows. */
  stop(): void;
  /** Settles when stopped, or rejects with what a tick threw. */
  readonly done: Promise<void>;
}

export function startSchedule(clock: Clock, periodMs: number, tick: (time: TickTime) => void): Schedule {
  let running = true;
  let period = periodMs;
  let startMs = clock.nowMs();
  let k = 0;
  const loop = async (): Promise<void> => {
    while (running) {
      k++;
      if (startMs + k * period - clock.nowMs() > MOST_PERIODS_AHEAD * period) {
        // The clock went back. Waiting for it to come up to us again would leave the arm, and Stop, without a tick.
        startMs = clock.nowMs();
        k = 1;
      }
      const at = startMs + k * period;
      const anchored = startMs;
      await clock.sleepUntil(at);
      if (!running) return;
      if (anchored !== startMs) {
        // The period changed while we slept, and a sleep cannot be cut short: take up the new schedule at its next tick.
        k = Math.floor((clock.nowMs() - startMs) / period);
        continue;
      }
      const nowMs = clock.nowMs();
      const due = Math.floor((nowMs - startMs) / period + ROUNDING);
      const skipped = Math.max(0, due - k);
      k += skipped;
      tick({ nowMs, lateMs: Math.max(0, nowMs - (startMs + k * period)), skipped });
    }
  };
  return {
    setPeriod(next) {
      period = next;
      startMs = clock.nowMs();
      k = 0;
    },
    stop() {
      running = false;
    },
    done: loop(),
  };
}

/** The next tick is at most one period away, by a clock that only goes forward. */
const MOST_PERIODS_AHEAD = 2;

/** Share of a period by which sums of Unix milliseconds may miss a whole number: 1e12 ms x 2^-52 / 10 ms is 2e-5. */
const ROUNDING = 1e-4;
