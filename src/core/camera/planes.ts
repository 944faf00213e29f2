/**
 * The bytes of a video frame as RGB, as LeRobot's own reader (OpenCV) makes them: BT.601, 20-bit whole numbers, a colour
 * value for each square of four pixels. A browser's own conversion rounds differently (one level in some pixels), and
 * differently in every browser. Knows planes; knows no camera and no frame object.
 *
 *   I420  Y plane, then U and V at half the width and height        NV12  Y plane, then U and V in turns
 */
import type { Picture } from '#contracts/picture.ts';

export interface FramePlanes {
  readonly format: 'I420' | 'NV12' | 'RGBA' | 'BGRA';
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Bytes, one entry a plane. */
  readonly layout: readonly { readonly offset: number; readonly stride: number }[];
  /** What cameras send and do not say is `bt601`, `limited`. */
  readonly matrix: 'bt601' | 'bt709';
  readonly range: 'limited' | 'full';
}

/** Factors in 2^20ths: Y, U for blue, U and V for green, V for red; and what black is. */
interface Factors {
  readonly black: number;
  readonly y: number;
  readonly ub: number;
  readonly ug: number;
  readonly vg: number;
  readonly vr: number;
}

const ONE = 1 << 20;
/** OpenCV's numbers for BT.601 limited; the others are computed the same way from the standards' luma weights. */
const FACTORS: Readonly<Record<`${FramePlanes['matrix']} ${FramePlanes['range']}`, Factors>> = {
  'bt601 limited': { black: 16, y: 1_220_542, ub: 2_116_026, ug: -409_993, vg: -852_492, vr: 1_673_527 },
  'bt601 full': factors(0.299, 0.114, 'full'),
  'bt709 limited': factors(0.2126, 0.0722, 'limited'),
  'bt709 full': factors(0.2126, 0.0722, 'full'),
};

function factors(kr: number, kb: number, range: FramePlanes['range']): Factors {
  const [light, colour] = range === 'limited' ? [255 / 219, 255 / 224] : [1, 1];
  const kg = 1 - kr - kb;
  const whole = (value: number): number => Math.round(value * ONE);
  return {
    black: range === 'limited' ? 16 : 0,
    y: whole(light),
    ub: whole(2 * (1 - kb) * colour),
    ug: whole((-2 * (1 - kb) * kb * colour) / kg),
    vg: whole((-2 * (1 - kr) * kr * colour) / kg),
    vr: whole(2 * (1 - kr) * colour),
  };
}

/** RGB, three bytes a pixel. Throws RangeError where the planes do not hold the picture. */
export function planesToRgb(frame: FramePlanes): Picture {
  const { width, height, format } = frame;
  const data = new Uint8Array(width * height * 3);
  if (format === 'I420' || format === 'NV12') fromYuv(frame, data);
  else fromRgba(frame, format === 'RGBA' ? [0, 1, 2] : [2, 1, 0], data);
  return { width, height, channels: 3, data };
}

function plane(frame: FramePlanes, index: number, rows: number): { readonly offset: number; readonly stride: number } {
  const found = frame.layout[index];
  if (found === undefined || found.offset + found.stride * (rows - 1) >= frame.data.length) throw new RangeError(`plane ${index} of ${frame.format} ${frame.width} x ${frame.height} in ${frame.data.length} bytes`);
  return found;
}

function fromYuv(frame: FramePlanes, out: Uint8Array): void {
  const { width, height, data, format } = frame;
  const { black, y: fy, ub, ug, vg, vr } = FACTORS[`${frame.matrix} ${frame.range}`];
  const halfRows = Math.ceil(height / 2);
  const yPlane = plane(frame, 0, height);
  const uPlane = plane(frame, 1, halfRows);
  const vPlane = format === 'I420' ? plane(frame, 2, halfRows) : { offset: uPlane.offset + 1, stride: uPlane.stride };
  const step = format === 'I420' ? 1 : 2;
  const half = 1 << 19;
  let to = 0;
  for (let row = 0; row < height; row++) {
    const yAt = yPlane.offset + row * yPlane.stride;
    const uAt = uPlane.offset + (row >> 1) * uPlane.stride;
    const vAt = vPlane.offset + (row >> 1) * vPlane.stride;
    for (let column = 0; column < width; column++) {
      const pair = (column >> 1) * step;
      const u = (data[uAt + pair] as number) - 128;
      const v = (data[vAt + pair] as number) - 128;
      const light = Math.max(0, (data[yAt + column] as number) - black) * fy + half;
      out[to++] = clamp((light + vr * v) >> 20);
      out[to++] = clamp((light + vg * v + ug * u) >> 20);
      out[to++] = clamp((light + ub * u) >> 20);
    }
  }
}

function fromRgba(frame: FramePlanes, order: readonly [number, number, number], out: Uint8Array): void {
  const { offset, stride } = plane(frame, 0, frame.height);
  let to = 0;
  for (let row = 0; row < frame.height; row++) {
    for (let column = 0; column < frame.width; column++) {
      const from = offset + row * stride + 4 * column;
      for (const channel of order) out[to++] = frame.data[from + channel] as number;
    }
  }
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
