/** k of n as a mark, its interval as a band, on a line from 0 to 100 %. The words beside it say the same. */
import type { Interval } from '#contracts/evaluation.ts';
import { kOfN } from '#page/words/measure.ts';

export function IntervalBar({ successes, trials, interval }: { readonly successes: number; readonly trials: number; readonly interval: Interval }) {
  const at = (share: number): string => `${100 * share}`;
  return (
    <div className="interval">
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect className="interval-line" x="0" y="4" width="100" height="2" />
        <rect className="interval-band" x={at(interval.low)} y="1" width={at(interval.high - interval.low)} height="8" />
        {trials === 0 ? null : <rect className="interval-mark" x={`${Math.min(99, Math.max(0, (100 * successes) / trials - 0.5))}`} y="0" width="1" height="10" />}
      </svg>
      <span className="numeric">{kOfN(successes, trials, interval)}</span>
    </div>
  );
}
