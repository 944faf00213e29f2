/**
 * Three ways in which a camera lies while its pictures look fresh: it shows the same picture although the arm has moved, it
 * shows nothing but black, or it shows what another camera showed before (two plugs changed places). Knows pictures and joint
 * values of one run, and how each camera's view began in the last run that saw nothing wrong; keeps no picture, only a sum and
 * a thumbnail of it.
 *
 * A still room gives still pictures, so equal pictures alone prove nothing. Every camera here sees the arm or sits on it:
 * an arm that has moved by degrees changes thousands of pixels.
 *
 * Swapped: thumbnails of 16 x 12 brightnesses without their mean are compared by correlation. A camera on a tripod stays
 * like its own first picture; one on the wrist does not, but it does not become like the other one's either, and never both
 * at once. So both must look like each other's first picture, and clearly more so than like their own. Plugs are changed
 * between runs, so first pictures outlive a run: until a person says anew which device stands where.
 */
import type { Observation } from '#contracts/observation.ts';
import type { Picture } from '#contracts/picture.ts';
import { FailureError } from '#core/lib/failure.ts';

/** Joint units (degrees) by which some joint must have moved before an unchanged picture is a frozen one. */
export const MOVED_UNITS = 2;
/** A lens cap leaves a little noise; a room without light shows more than this. */
export const BLACK_LEVEL = 2;
/** A real sensor behind a cap is noisy: nearly all of it is darker than this. A dim room has lamps, edges, reflections. */
export const REAL_BLACK_LEVEL = 24;
const REAL_BLACK_SHARE = 0.995;

/** Correlation with the other one's first picture, and how much higher that must be than with its own. */
const SWAPPED_LIKENESS = 0.6;
const SWAPPED_MARGIN = 0.35;
const THUMBNAIL = { columns: 16, rows: 12 } as const;

/** By camera: a thumbnail of what it showed when a run began. Delete one when a person chooses its device. */
export type FirstViews = Map<string, Float64Array>;

export interface CameraWatch {
  /** Throws `observation/camera-dark`, `camera-frozen` or `camera-swapped` naming the camera. Once for each observation. */
  look(observation: Observation, nowMs: number): void;
}

export function cameraWatch(first: FirstViews = new Map()): CameraWatch {
  const seen = new Map<string, { readonly sum: number; readonly state: Float64Array; readonly sinceMs: number }>();
  const begun = new Set<string>();
  return {
    look(observation, nowMs) {
      const { state } = observation;
      for (const [camera, { picture, source }] of Object.entries(observation.pictures)) {
        const { sum, black } = summary(picture, source ?? 'simulated');
        if (black) throw new FailureError('observation/camera-dark', { camera });
        const before = seen.get(camera);
        if (before === undefined || before.sum !== sum) seen.set(camera, { sum, state: Float64Array.from(state), sinceMs: nowMs });
        else if (before.state.some((value, i) => Math.abs(value - (state[i] as number)) > MOVED_UNITS)) {
          throw new FailureError('observation/camera-frozen', { camera, forMs: Math.round(nowMs - before.sinceMs) });
        }
      }
      const now = new Map(Object.entries(observation.pictures).map(([camera, { picture }]) => [camera, thumbnail(picture)]));
      for (const [camera, other] of pairs([...now.keys()])) {
        const [cameraFirst, otherFirst] = [first.get(camera), first.get(other)];
        if (cameraFirst === undefined || otherFirst === undefined) continue;
        const [a, b] = [now.get(camera) as Float64Array, now.get(other) as Float64Array];
        const crossed = Math.min(correlation(a, otherFirst), correlation(b, cameraFirst));
        const own = Math.max(correlation(a, cameraFirst), correlation(b, otherFirst));
        if (crossed > SWAPPED_LIKENESS && crossed - own > SWAPPED_MARGIN) throw new FailureError('observation/camera-swapped', { camera, other });
      }
      for (const [camera, small] of now) {
        if (begun.has(camera) && first.has(camera)) continue;
        begun.add(camera);
        first.set(camera, small);
      }
    },
  };
}

function pairs(names: readonly string[]): readonly (readonly [string, string])[] {
  return names.flatMap((a, i) => names.slice(i + 1).map((b): readonly [string, string] => [a, b]));
}

/** Mean green of 16 x 12 fields, without its own mean and of length one; zeros for a picture without any contrast. */
export function thumbnail({ width, height, channels, data }: Picture): Float64Array {
  const { columns, rows } = THUMBNAIL;
  const out = new Float64Array(columns * rows);
  const counts = new Float64Array(columns * rows);
  // Every other row and column is enough for a mean.
  for (let y = 0; y < height; y += 2) {
    const row = Math.floor((y * rows) / height) * columns;
    for (let x = 0; x < width; x += 2) {
      const field = row + Math.floor((x * columns) / width);
      out[field] = (out[field] as number) + (data[(y * width + x) * channels + 1] as number);
      counts[field] = (counts[field] as number) + 1;
    }
  }
  for (let i = 0; i < out.length; i++) out[i] = counts[i] === 0 ? 0 : (out[i] as number) / (counts[i] as number);
  const mean = out.reduce((sum, value) => sum + value, 0) / out.length;
  const length = Math.hypot(...out.map((value) => value - mean));
  return out.map((value) => (length < 1 ? 0 : (value - mean) / length));
}

function correlation(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

/** FNV-1a over all colour bytes, 32 bits, and whether all of them are black. Alpha is left out. */
function summary({ data, channels }: Picture, source: 'real' | 'simulated'): { readonly sum: number; readonly black: boolean } {
  let sum = 0x811c9dc5;
  let most = 0;
  let dark = 0;
  let counted = 0;
  for (let i = 0; i < data.length; i++) {
    if (channels === 4 && i % 4 === 3) continue;
    const byte = data[i] as number;
    sum = Math.imul(sum ^ byte, 0x01000193);
    if (byte > most) most = byte;
    if (byte <= REAL_BLACK_LEVEL) dark++;
    counted++;
  }
  return { sum, black: most <= BLACK_LEVEL || (source === 'real' && dark >= REAL_BLACK_SHARE * counted) };
}
