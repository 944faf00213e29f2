/**
 * The real clocks. The one place that asks the machine for the time; everything else is handed a `Clock`.
 *
 * A timer alone is late: browsers let nested timers fire at least 4 ms apart, so what a timer leaves over cannot be slept
 * away by another one. So the last millisecond is waited out by sending ourselves messages, each in a task of its own: other
 * messages and input come between, and there is no floor. Measured in a worker of Chromium 156 on two shared cores at
 * 30 Hz, lateness p50 / p99: timers only 3.8 / 4.9 ms, with a last millisecond of messages 0.015 / 3.9 ms; two milliseconds
 * of them, or a busy loop, were no better at p50 and worse at p99.
 */
import type { Clock } from '#contracts/time.ts';

/** The last stretch before the wanted moment that is not left to a timer, milliseconds. */
const TIMER_SLACK_MS = 1;
/** More than this is not left after a timer has fired, unless the clock went back. */
const MOST_LEFT_MS = 20;

export function systemClock(): Clock {
  return {
    nowMs,
    async sleepUntil(atMs) {
      const wait = atMs - nowMs();
      if (wait > TIMER_SLACK_MS) await timer(wait - TIMER_SLACK_MS);
      if (nowMs() < atMs) await messagesUntil(atMs);
    },
  };
}

/**
 * For whoever need not be punctual: by the machine's timer alone, mostly 1 ms late and up to 5, and nothing is computed while it waits. The
 * simulated world wakes 125 times a second; its last milliseconds of messages took a quarter of its processor time.
 */
export function timerClock(): Clock {
  return {
    nowMs,
    async sleepUntil(atMs) {
      const wait = atMs - nowMs();
      // A browser drops the fraction, and would wake too early.
      if (wait > 0) await timer(Math.ceil(wait));
    },
  };
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

function timer(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** One port pair a call, closed at the end: an open one would keep a Node process alive. */
function messagesUntil(atMs: number): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      const leftMs = atMs - nowMs();
      // A clock that went back would be waited for as long as it went: whoever sleeps looks at the time itself afterwards.
      if (leftMs > 0 && leftMs <= MOST_LEFT_MS) {
        port2.postMessage(null);
        return;
      }
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
