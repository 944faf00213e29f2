/**
 * A camera picture as the numbers SmolVLA was trained on, exactly as LeRobot makes them (`resize_with_pad`, then
 * x 2 - 1). The clear version: every faster one (a shader, a worker) is compared with this. Knows pixels; knows no
 * camera, no policy.
 *
 *   640 x 480 into 512 x 512            pad on the LEFT and on TOP, never centred:
 *   ┌────────────┐                      the network learned positions with it
 *   │  -1  (128) │
 *   ├────────────┤  ratio = max(w / W, h / H) = 1.25
 *   │  picture   │  512 x 384, each side cut to a whole number
 *   └────────────┘
 *
 * Bilinear without antialiasing: each output pixel mixes the 2 x 2 source pixels around
 *
 *   source = max((i + 0.5) x (in / out) - 0.5, 0)
 *
 * in float32 like PyTorch's CPU kernel, without rounding to bytes in between. A canvas' own smoothing is a different
 * filter and gives different actions.
 */
import type { Picture } from '#contracts/picture.ts';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Where the resized picture lies inside the target, in target pixels. The rest is padding. */
export interface LetterboxPlacement extends PictureSize {
  readonly left: number;
  readonly top: number;
}

/** Whole target pixels. Throws RangeError where a side would vanish (a 1 x 1000 picture into a square of 512). */
export function placeLetterbox(source: PictureSize, target: PictureSize): LetterboxPlacement {
  const ratio = Math.max(source.width / target.width, source.height / target.height);
  const width = Math.trunc(source.width / ratio);
  const height = Math.trunc(source.height / ratio);
  if (!(width >= 1 && height >= 1)) {
    throw new RangeError(`a picture of ${source.width} x ${source.height} does not fit into ${target.width} x ${target.height}`);
  }
  return { width, height, left: target.width - width, top: target.height - height };
}

/**
 * 3 x target.height x target.width numbers, channels first (R plane, G plane, B plane), in [-1, 1]; padding is -1.
 * Alpha is ignored. A picture that already has the target's size is only scaled.
 * Throws RangeError where the picture's bytes do not match its size.
 */
export function letterbox(picture: Picture, target: PictureSize): Float32Array {
  const { width, height, channels, data } = picture;
  if (width < 1 || height < 1 || data.length !== width * height * channels) {
    throw new RangeError(`a picture of ${width} x ${height} x ${channels} with ${data.length} bytes`);
  }
  const place = placeLetterbox(picture, target);
  const plane = target.width * target.height;
  const out = new Float32Array(3 * plane).fill(-1);
  const columns = mixTable(width, place.width);
  const rows = mixTable(height, place.height);
  for (const [y, row] of rows.entries()) {
    const upper = row.first * width * channels;
    const lower = row.second * width * channels;
    for (const [x, column] of columns.entries()) {
      const left = column.first * channels;
      const right = column.second * channels;
      const to = (place.top + y) * target.width + place.left + x;
      for (let channel = 0; channel < 3; channel++) {
        const a = unit(data, upper + left + channel);
        const b = unit(data, upper + right + channel);
        const c = unit(data, lower + left + channel);
        const d = unit(data, lower + right + channel);
        const top = column.firstWeight * a + column.secondWeight * b;
        const bottom = column.firstWeight * c + column.secondWeight * d;
        out[channel * plane + to] = Math.fround(row.firstWeight * top + row.secondWeight * bottom) * 2 - 1;
      }
    }
  }
  return out;
}

interface Mix {
  readonly first: number;
  readonly second: number;
  readonly firstWeight: number;
  readonly secondWeight: number;
}

/** For each output index along one axis: which two inputs, and how much of each. */
function mixTable(inputs: number, outputs: number): Mix[] {
  const scale = Math.fround(inputs / outputs);
  return Array.from({ length: outputs }, (_, i) => {
    const at = Math.max(Math.fround(Math.fround(scale * (i + 0.5)) - 0.5), 0);
    const first = Math.min(Math.floor(at), inputs - 1);
    const secondWeight = Math.fround(at - first);
    return { first, second: Math.min(first + 1, inputs - 1), firstWeight: Math.fround(1 - secondWeight), secondWeight };
  });
}

/** A byte as LeRobot hands it over: float32 in [0, 1]. */
function unit(data: Uint8Array, at: number): number {
  return Math.fround((data[at] ?? 0) / 255);
}
