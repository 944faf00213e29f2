/**
 * Two ways in which a camera lies while its pictures look fresh: it shows the same picture although the arm has moved, or
 * it shows nothing but black. Knows pictures and joint values of one run; keeps no picture, only a sum of it.
 *
 * A still room gives still pictures, so equal pictures alone prove nothing. Every camera here sees the arm or sits on it:
 * an arm that has moved by degrees changes thousands of pixels.
 */
import type { Observation } from '#contracts/observation.ts';
import type { Picture } from '#contracts/picture.ts';
import { FailureError } from '#core/lib/failure.ts';

/** Joint units (degrees) by which some joint must have moved before an unchanged picture is a frozen one. */
export const MOVED_UNITS = 2;
/** A lens cap leaves a little noise; a room without light shows more than this. */
export const BLACK_LEVEL = 2;

export interface CameraWatch {
  /** Throws `observation/camera-dark` or `observation/camera-frozen` naming the camera. Once for each observation. */
  look(observation: Observation, nowMs: number): void;
}

export function cameraWatch(): CameraWatch {
  const seen = new Map<string, { readonly sum: number; readonly state: Float64Array; readonly sinceMs: number }>();
  return {
    look(observation, nowMs) {
      const { state } = observation;
      for (const [camera, { picture }] of Object.entries(observation.pictures)) {
        const { sum, black } = summary(picture);
        if (black) throw new FailureError('observation/camera-dark', { camera });
        const before = seen.get(camera);
        if (before === undefined || before.sum !== sum) seen.set(camera, { sum, state: Float64Array.from(state), sinceMs: nowMs });
        else if (before.state.some((value, i) => Math.abs(value - (state[i] as number)) > MOVED_UNITS)) {
          throw new FailureError('observation/camera-frozen', { camera, forMs: Math.round(nowMs - before.sinceMs) });
        }
      }
    },
  };
}

/** FNV-1a over all colour bytes, 32 bits, and whether all of them are black. Alpha is left out. */
function summary({ data, channels }: Picture): { readonly sum: number; readonly black: boolean } {
  let sum = 0x811c9dc5;
  let most = 0;
  for (let i = 0; i < data.length; i++) {
    if (channels === 4 && i % 4 === 3) continue;
    const byte = data[i] as number;
    sum = Math.imul(sum ^ byte, 0x01000193);
    if (byte > most) most = byte;
  }
  return { sum, black: most <= BLACK_LEVEL };
}
