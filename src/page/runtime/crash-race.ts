/**
 * A call into a worker, made finite. It knows three ways for a call to end: the answer, the worker's death, and a
 * deadline. It refuses to know what is called, or how messages travel.
 *
 * Measured with comlink 4.4.2: the promise of a call in flight when its worker ends never settles, and a thrown error
 * keeps only name, message and stack. Hence the race, and hence answers that are `Outcome` already.
 */
import type { Failure, Outcome } from '#contracts/failure.ts';
import { asFailure } from '#core/lib/failure.ts';

export interface CallLimits {
  /** For the facts of a failure. */
  readonly worker: string;
  readonly call: string;
  readonly deadlineMs: number;
  /**
   * Calls once with the reason when the worker is gone, at once where it is gone already. Returns how to stop listening. Not a promise: one
   * that lives as long as the worker keeps every handler it was ever given, and with it every answer (74 kB a plan).
   */
  readonly onDeath: (listener: (failure: Failure) => void) => () => void;
}

/** Never rejects. `worker/deadline` after `deadlineMs`; the reason of death when the worker goes first. */
export function raceCall<T>(work: Promise<Outcome<T>>, limits: CallLimits): Promise<Outcome<T>> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      forget();
      const failure: Failure = { code: 'worker/deadline', facts: { worker: limits.worker, call: limits.call, waitedMs: limits.deadlineMs } };
      resolve({ ok: false, failure });
    }, limits.deadlineMs);
    const settle = (result: Outcome<T>): void => {
      clearTimeout(timer);
      forget();
      resolve(result);
    };
    const forget = limits.onDeath((failure) => {
      clearTimeout(timer);
      resolve({ ok: false, failure });
    });
    work.then(settle, (thrown: unknown) => settle({ ok: false, failure: asFailure(thrown) }));
  });
}
