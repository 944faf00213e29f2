/**
 * The time, again every so often; null stops the clock. For ages, elapsed and remaining seconds. Unix
 * milliseconds. Between start and first turn it is as old as the last, so a caller bounds what it computes from it.
 */
import { useEffect, useState } from 'react';

export function useNow(everyMs: number | null): number {
  const [nowMs, setNowMs] = useState(currentMs);
  useEffect(() => {
    if (everyMs === null) return;
    const timer = setInterval(() => setNowMs(currentMs()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}

export function currentMs(): number {
  return performance.timeOrigin + performance.now();
}
