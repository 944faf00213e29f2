/**
 * Stop, and what follows it. The first statement of `stop` is the request itself: no store is asked and no promise
 * awaited before it. Everything else here is bookkeeping about a stop that has already been asked for.
 */
import type { StopReport } from '#contracts/control.ts';
import { FailureError, unwrap } from '#core/lib/failure.ts';
import type { SessionContext } from './context.ts';
import type { ConfirmedStop } from './stores.ts';

/** Braking takes well under a second, the drift is measured one second after; a slow machine gets some more. */
const STOP_REPORT_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 100;

export interface StopVerbs {
  /**
   * Resolves when the arm is frozen and its drift measured (about 1.5 s). Rejects with `control/stop-not-confirmed`
   * when the control loop does not acknowledge within 250 ms.
   */
  stop(): Promise<ConfirmedStop>;
  /** After Stop or release: go on holding. Nothing moves. */
  resume(): Promise<void>;
  /** Slow descent to rest, then torque off. */
  release(): Promise<void>;
}

/** What Stop needs of the run that may be under way. */
export interface StoppableRun {
  /** A sentence that still waits for its policy is forgotten at once. */
  cancelWaiting(): void;
  /** How to end, as stopped, the run that is under way now, and only that one. */
  ender(): () => void;
  /** Resolves when nothing runs any more; never rejects. */
  settled(): Promise<void>;
}

/** Braking takes less than half a second; a run that has not noticed by then is ended from here. */
const RUN_END_LIMIT_MS = 2000;

export function stopVerbs(context: SessionContext, run: StoppableRun): StopVerbs {
  const { house, stores, clock } = context;

  const finalReport = async (requestedAtMs: number): Promise<StopReport> => {
    for (;;) {
      const report = unwrap(await house.control.api.lastStop());
      // Control notes when it saw the request, so after it was made; the two threads' clocks agree to a millisecond or so.
      if (report !== null && report.requestedAtMs >= requestedAtMs - 5) return report;
      const waitedMs = clock.nowMs() - requestedAtMs;
      if (waitedMs > STOP_REPORT_LIMIT_MS) throw new FailureError('worker/deadline', { worker: 'control', call: 'lastStop', waitedMs });
      await clock.sleepUntil(clock.nowMs() + LOOK_EVERY_MS);
    }
  };

  return {
    async stop() {
      const confirmed = house.stop.request();
      const requestedAtMs = clock.nowMs();
      run.cancelWaiting();
      const endThisRun = run.ender();
      const confirmation = await confirmed;
      // The run ends by itself when it sees the arm stopped, so that its trace holds the braking too.
      void clock.sleepUntil(requestedAtMs + RUN_END_LIMIT_MS).then(endThisRun);
      if (confirmation.kind === 'not-confirmed') {
        const failure = { code: 'control/stop-not-confirmed', facts: { waitedMs: Math.round(confirmation.waitedMs) } } as const;
        context.report(failure);
        throw new FailureError(failure.code, failure.facts);
      }
      context.failures.clear(['control/stop-not-confirmed']);
      const told = await finalReport(requestedAtMs);
      // Not when the page saw it: the page may have been drawing.
      const report: ConfirmedStop = { ...told, confirmedAfterMs: Math.max(0, told.acknowledgedAtMs - requestedAtMs) };
      stores.arm.setState({ lastStop: report });
      context.events.emit('stop', report);
      return report;
    },
    async resume() {
      unwrap(await house.control.api.resume());
    },
    async release() {
      run.cancelWaiting();
      run.ender()();
      await run.settled();
      unwrap(await house.control.api.lowerAndRelease());
    },
  };
}
