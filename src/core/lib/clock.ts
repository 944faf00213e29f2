/**
 * The real clock. The one place that asks the machine for the time; everything else is handed a `Clock`.
 *
 * `sleepUntil` corrects itself: a timer may fire up to a millisecond early (browsers round), so it looks at the clock
 * again and sleeps the rest. The rest is shorter than the 4 ms that browsers impose on nested short timers, so the last
 * stretch is waited out by yielding to the event loop through a message port, which has no such floor.
 */
import type { Clock } from '#contracts/time.ts';

/** The last stretch before the wanted moment that is not left to a timer, milliseconds. */
const TIMER_SLACK_MS = 1;

export function systemClock(): Clock {
  const nowMs = (): number => performance.timeOrigin + performance.now();
  return {
    nowMs,
    async sleepUntil(atMs) {
      const wait = atMs - nowMs();
      if (wait > TIMER_SLACK_MS) await timer(wait - TIMER_SLACK_MS);
      while (nowMs() < atMs) await nextTask();
    },
  };
}

function timer(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves in a later task, after messages and input that already wait. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      resolve();
    };
    channel.port2.postMessage(null);
  });
}
