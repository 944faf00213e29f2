/**
 * A clock that moves only when told. Loops are tested on it, and the lockstep worker runs on it: the same calls give
 * the same order of events, whatever the machine is doing. Knows nothing of real time.
 */
import type { Clock } from '#contracts/time.ts';

export interface ManualClock extends Clock {
  /** Moves to `atMs`, waking sleepers on the way in order of time, then of asking; each finishes its microtasks first. */
  advanceTo(atMs: number): Promise<void>;
  advanceBy(ms: number): Promise<void>;
  /** Moves at once and wakes nobody: a thread that was late. Sleepers wake at the next advance. */
  jumpTo(atMs: number): void;
  /** Sleepers not yet woken. */
  readonly sleeping: number;
}

/** Promise turns granted to what a woken sleeper does before time moves on. A chain deeper than this is a design smell. */
const MICROTASK_TURNS = 32;

export function manualClock(startMs = 0): ManualClock {
  let now = startMs;
  let asked = 0;
  const sleepers: { readonly atMs: number; readonly order: number; readonly wake: () => void }[] = [];
  const settle = async (): Promise<void> => {
    for (let i = 0; i < MICROTASK_TURNS; i++) await Promise.resolve();
  };
  const clock: ManualClock = {
    nowMs: () => now,
    sleepUntil(atMs) {
      if (atMs <= now) return Promise.resolve();
      return new Promise((resolve) => {
        sleepers.push({ atMs, order: asked++, wake: resolve });
        sleepers.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      });
    },
    async advanceTo(atMs) {
      if (atMs < now) throw new RangeError(`a clock does not go back: ${atMs} < ${now}`);
      await settle();
      for (;;) {
        const next = sleepers[0];
        if (next === undefined || next.atMs > atMs) break;
        sleepers.shift();
        now = Math.max(now, next.atMs);
        next.wake();
        await settle();
      }
      now = Math.max(now, atMs);
    },
    advanceBy: (ms) => clock.advanceTo(now + ms),
    jumpTo(atMs) {
      if (atMs < now) throw new RangeError(`a clock does not go back: ${atMs} < ${now}`);
      now = atMs;
    },
    get sleeping() {
      return sleepers.length;
    },
  };
  return clock;
}
