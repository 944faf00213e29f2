/**
 * Complaints that come and go when a machine is busy for a moment: a picture or a reading was late, the arm held, the
 * next one was in time. Shown, and ending a run, only where they stand for a while. Knows codes and time.
 */
import type { Failure, FailureCode } from '#contracts/failure.ts';

const PASSING: readonly FailureCode[] = ['observation/camera-stale', 'observation/state-stale', 'control/state-stale'];
/** A crowded two-core machine with a software GPU was seen to be late for three seconds on end, and then recovered. */
export const PASSING_LIMIT_MS = 5000;

export interface StandingComplaint {
  /** Called with what is complained of now, null for nothing. The failure once it is to be taken seriously, else null. */
  take(failure: Failure | null, nowMs: number): Failure | null;
}

export function standingComplaint(): StandingComplaint {
  let code: FailureCode | null = null;
  let sinceMs = 0;
  return {
    take(failure, nowMs) {
      if (failure === null) {
        code = null;
        return null;
      }
      if (failure.code !== code) {
        code = failure.code;
        sinceMs = nowMs;
      }
      return !PASSING.includes(failure.code) || nowMs - sinceMs >= PASSING_LIMIT_MS ? failure : null;
    },
  };
}
