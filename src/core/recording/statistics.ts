/**
 * Statistics of a dataset, computed right: over every row, in double precision, quantiles from the sorted values and not from
 * a histogram of them. Of pictures: every frame, each colour counted in its 256 levels, so that nothing is estimated but by
 * leaving out pixels (LeRobot's own stride). Policies are normalised with these numbers; a wrong one is a wobbling arm.
 */
import { QUANTILES, type FeatureStatistics, type QuantileName } from '#contracts/dataset.ts';
import type { Picture } from '#contracts/picture.ts';

const NAMES = Object.keys(QUANTILES) as QuantileName[];

/** Of `rows` rows of `columns` numbers. Throws RangeError where there is none, or one is not a number. */
export function columnStatistics(values: ArrayLike<number>, columns: number): FeatureStatistics {
  const rows = values.length / columns;
  if (!Number.isInteger(rows) || rows < 1) throw new RangeError(`${values.length} values in rows of ${columns}`);
  const each = Array.from({ length: columns }, (_, column) => {
    const sorted = Float64Array.from({ length: rows }, (_unused, row) => values[row * columns + column] as number).sort();
    // Sorted, whatever is no number stands last.
    if (!Number.isFinite(sorted[0]) || !Number.isFinite(sorted[rows - 1])) throw new RangeError(`column ${column} holds a value that is no number`);
    const mean = sorted.reduce((sum, value) => sum + value, 0) / rows;
    const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows;
    return { sorted, mean, std: Math.sqrt(variance) };
  });
  return {
    min: each.map(({ sorted }) => sorted[0] as number),
    max: each.map(({ sorted }) => sorted[rows - 1] as number),
    mean: each.map(({ mean }) => mean),
    std: each.map(({ std }) => std),
    count: rows,
    quantiles: quantilesOf((q) => each.map(({ sorted }) => between(sorted, q))),
  };
}

/** As numpy's default: linear between the two neighbours. */
function between(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const a = sorted[low] as number;
  const b = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return a + (b - a) * (at - low);
}

function quantilesOf(pick: (q: number) => readonly number[]): FeatureStatistics['quantiles'] {
  return Object.fromEntries(NAMES.map((name) => [name, pick(QUANTILES[name])])) as FeatureStatistics['quantiles'];
}

/** How often each of 256 levels occurred, red then green then blue, and in how many frames: adds up over episodes. */
export interface PictureCounts {
  readonly levels: readonly number[];
  readonly frames: number;
}

export interface PictureCounter {
  add(picture: Picture): void;
  counts(): PictureCounts;
}

/** LeRobot thins pictures of 300 pixels and more to about 150 before counting. */
const THIN_FROM = 300;
const THIN_TO = 150;
const LEVELS = 256;

export function pictureCounter(): PictureCounter {
  const levels = new Float64Array(3 * LEVELS);
  let frames = 0;
  return {
    add({ width, height, channels, data }) {
      const most = Math.max(width, height);
      const stride = most < THIN_FROM ? 1 : Math.trunc((width > height ? width : height) / THIN_TO);
      for (let y = 0; y < height; y += stride) {
        for (let x = 0; x < width; x += stride) {
          const at = (y * width + x) * channels;
          for (let colour = 0; colour < 3; colour++) {
            const level = colour * LEVELS + (data[at + colour] as number);
            levels[level] = (levels[level] as number) + 1;
          }
        }
      }
      frames++;
    },
    counts: () => ({ levels: Array.from(levels), frames }),
  };
}

export function addCounts(parts: readonly PictureCounts[]): PictureCounts {
  const levels = new Float64Array(3 * LEVELS);
  for (const part of parts) part.levels.forEach((count, i) => (levels[i] = (levels[i] as number) + count));
  return { levels: Array.from(levels), frames: parts.reduce((sum, part) => sum + part.frames, 0) };
}

/** Levels as 0..1, as LeRobot has them. Throws RangeError where nothing was counted. */
export function pictureStatistics({ levels, frames }: PictureCounts): FeatureStatistics {
  const each = [0, 1, 2].map((colour) => {
    const counts = levels.slice(colour * LEVELS, (colour + 1) * LEVELS);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) throw new RangeError('no pixel was counted');
    const mean = counts.reduce((sum, count, level) => sum + count * level, 0) / total;
    const variance = counts.reduce((sum, count, level) => sum + count * (level - mean) ** 2, 0) / total;
    return { counts, total, mean: mean / 255, std: Math.sqrt(variance) / 255 };
  });
  return {
    min: each.map(({ counts }) => counts.findIndex((count) => count > 0) / 255),
    max: each.map(({ counts }) => counts.findLastIndex((count) => count > 0) / 255),
    mean: each.map(({ mean }) => mean),
    std: each.map(({ std }) => std),
    count: frames,
    quantiles: quantilesOf((q) => each.map(({ counts, total }) => levelAt(counts, q * (total - 1)) / 255)),
  };
}

/** The value at a place (perhaps between two) of the sorted pixels, without sorting them. */
function levelAt(counts: readonly number[], at: number): number {
  const valueOf = (place: number): number => {
    let before = 0;
    return counts.findIndex((count) => (before += count) > place);
  };
  const low = Math.floor(at);
  const a = valueOf(low);
  return a + (valueOf(Math.ceil(at)) - a) * (at - low);
}
