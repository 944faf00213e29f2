/**
 * Whether a camera has stopped. Time counts only as far as this thread looked: one that was late for half a second finds what the camera
 * sent meanwhile a moment after its next look, and must not blame the camera. Pure: looks go in, a verdict comes out.
 */

/** A camera that sends nothing for this long has stopped. */
export const SILENCE_LIMIT_MS = 500;
/** After this much the page is told: it can bring back a camera that waits for a lost frame (`src/page/runtime/tidy-memory.ts`), within some 100 ms. */
export const QUIET_MS = 200;
/** A look counts for no more. */
const MOST_LOOK_MS = 50;

export interface Silence {
  /** `sequence`: of the newest frame, null where there is none. `sinceMs`: since the look before. */
  /** `quiet` once a silence. */
  look(sequence: number | null, sinceMs: number): 'sends' | 'quiet' | 'stopped';
}

export function silence(): Silence {
  let last: number | null = null;
  let silentMs = 0;
  return {
    look(sequence, sinceMs) {
      const before = silentMs;
      silentMs = sequence === last ? silentMs + Math.min(MOST_LOOK_MS, sinceMs) : 0;
      last = sequence;
      if (silentMs > SILENCE_LIMIT_MS) return 'stopped';
      return before <= QUIET_MS && silentMs > QUIET_MS ? 'quiet' : 'sends';
    },
  };
}
