/**
 * The one shortcut: Stop, from the page straight into the control loop's memory. It adds one to `requested` and watches
 * `acknowledged` follow. It passes no store, no React, no policy and no message queue, and refuses to know any of them.
 *
 * The first look after the request comes before any judgement of time: in a hidden tab timers run once a second, and a
 * late look at an early acknowledgement must not be called a missing one.
 */
import { STOP_CONFIRM_MS, STOP_FLAG } from '#contracts/slots.ts';
import type { Clock } from '#contracts/time.ts';

export type StopConfirmation =
  | { readonly kind: 'acknowledged'; readonly afterMs: number }
  | { readonly kind: 'not-confirmed'; readonly waitedMs: number };

export interface StopLine {
  /** The request is in the control loop's memory when this returns. Resolves within about `STOP_CONFIRM_MS`. */
  request(): Promise<StopConfirmation>;
}

/** About twice a 100 Hz control tick: often enough to show the true delay, seldom enough to cost nothing. */
const LOOK_EVERY_MS = 5;

export function stopLine(memory: SharedArrayBuffer, clock: Clock): StopLine {
  const flag = new Int32Array(memory);
  return {
    request() {
      const mine = Atomics.add(flag, STOP_FLAG.requested, 1) + 1;
      return watch(flag, mine, clock);
    },
  };
}

async function watch(flag: Int32Array, request: number, clock: Clock): Promise<StopConfirmation> {
  const startedAtMs = clock.nowMs();
  for (;;) {
    // Difference, not order: the counter may wrap around.
    const seen = ((Atomics.load(flag, STOP_FLAG.acknowledged) - request) | 0) >= 0;
    const waitedMs = clock.nowMs() - startedAtMs;
    if (seen) return { kind: 'acknowledged', afterMs: waitedMs };
    if (waitedMs >= STOP_CONFIRM_MS) return { kind: 'not-confirmed', waitedMs };
    await clock.sleepUntil(clock.nowMs() + LOOK_EVERY_MS);
  }
}
