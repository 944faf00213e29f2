/**
 * What to do for a camera that no longer sends, by the reports of whoever takes its frames. It may only be waiting for a frame
 * that was lost, which tidying memory lets go of (`page/runtime/tidy-memory.ts`); where that does not help, its stream may have
 * been lost as a whole. Counts and times only; tidies nothing itself.
 */

export type Remedy = 'none' | 'tidy' | 'tidy, then another stream';

const SILENT_MS = 1000;
/** After these it is as dead as the page says it is. */
const MOST_TRIED = 3;

export interface SilentCameras {
  /** A report of a camera: how many frames so far, and when that was told, Unix milliseconds. What to do now. */
  told(camera: string, frames: number, toldAtMs: number): Remedy;
  /** Has this camera been silent all along since `told` last answered with a remedy? */
  stillSilent(camera: string): boolean;
  forget(camera: string): void;
}

export function silentCameras(): SilentCameras {
  /** When each was last seen to send, and how often something was tried since. */
  const heard = new Map<string, { readonly frames: number; readonly atMs: number; tried: number }>();
  return {
    told(camera, frames, toldAtMs) {
      const last = heard.get(camera);
      if (last === undefined || frames !== last.frames) {
        heard.set(camera, { frames, atMs: toldAtMs, tried: 0 });
        return 'none';
      }
      if (last.tried === MOST_TRIED || toldAtMs - last.atMs < SILENT_MS * (last.tried + 1)) return 'none';
      last.tried++;
      return last.tried === 1 ? 'tidy' : 'tidy, then another stream';
    },
    stillSilent: (camera) => (heard.get(camera)?.tried ?? 0) > 0,
    forget: (camera) => void heard.delete(camera),
  };
}
