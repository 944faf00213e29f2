/**
 * Signs of life from the page, out of the memory it shares with Stop: its beat, whether it is seen, whether a person
 * holds the key. Control's own clock says when a beat was noticed, so no two clocks are compared. A page that has never
 * beaten is no page that went silent: then nobody watches, as in a test or an evaluation.
 */
import { PAGE_BITS, STOP_FLAG } from '#contracts/slots.ts';

export interface PageSigns {
  /** Once a tick. */
  look(nowMs: number): { readonly silentMs: number | null; readonly shown: 'visible' | 'hidden' | null; readonly holdKey: 'down' | 'up' };
}

export function pageSigns(memory: SharedArrayBuffer): PageSigns {
  const flag = new Int32Array(memory);
  let beat = 0;
  let beatAtMs: number | null = null;
  let lookedAtMs: number | null = null;
  return {
    look(nowMs) {
      const now = Atomics.load(flag, STOP_FLAG.beat);
      const bits = Atomics.load(flag, STOP_FLAG.page);
      // A loop that was away itself cannot say that the page was silent meanwhile: both may have slept.
      const slept = lookedAtMs === null ? 0 : Math.max(0, nowMs - lookedAtMs - LOOK_GAP_MS);
      lookedAtMs = nowMs;
      if (now !== beat) {
        beat = now;
        beatAtMs = nowMs;
      } else if (beatAtMs !== null) beatAtMs += slept;
      if (beatAtMs === null) return { silentMs: null, shown: null, holdKey: (bits & PAGE_BITS.holding) === 0 ? 'up' : 'down' };
      return { silentMs: nowMs - beatAtMs, shown: (bits & PAGE_BITS.hidden) === 0 ? 'visible' : 'hidden', holdKey: (bits & PAGE_BITS.holding) === 0 ? 'up' : 'down' };
    },
  };
}

/** Ticks come every 10 to 100 ms. */
const LOOK_GAP_MS = 150;
