/** How long a frame of the page takes, from one animation frame to the next, over the last two seconds. */
import type { StoreApi } from 'zustand/vanilla';
import { percentile } from './percentile.ts';
import type { SpeedState } from './stores.ts';

const WINDOW_MS = 2000;
/** A gap like this is a hidden tab or a sleeping machine, not a slow frame. */
const PAUSE_MS = 1000;

export function startFrameMeter(store: StoreApi<SpeedState>): void {
  let intervals: number[] = [];
  let previous: number | null = null;
  let publishAtMs = 0;
  const frame = (nowMs: number): void => {
    if (previous !== null && nowMs - previous < PAUSE_MS) intervals.push(nowMs - previous);
    previous = nowMs;
    if (nowMs >= publishAtMs) {
      publish(store, intervals);
      intervals = [];
      publishAtMs = nowMs + WINDOW_MS;
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function publish(store: StoreApi<SpeedState>, intervals: readonly number[]): void {
  const p50Ms = percentile(intervals, 0.5);
  const p99Ms = percentile(intervals, 0.99);
  store.setState({ frame: p50Ms === null || p99Ms === null ? null : { p50Ms, p99Ms } });
}
