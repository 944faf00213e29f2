/**
 * Rule: out of rest nothing sets off at full speed. The first target after a rest may be anywhere (another chunk, a
 * slider, a calibration that is wrong), so speed limits grow from a fifth to the whole within the ramp, and a person sees
 * where the arm is going before it goes fast.
 */
const AT_FIRST = 0.2;

/** The share of each speed limit allowed `elapsedSeconds` after motion was first wanted. 1 without a ramp. */
export function rampShare(elapsedSeconds: number, rampSeconds: number): number {
  if (!(elapsedSeconds < rampSeconds)) return 1;
  return AT_FIRST + (1 - AT_FIRST) * (elapsedSeconds / rampSeconds);
}
