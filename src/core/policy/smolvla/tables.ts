/**
 * The two tables of angles: rotary positions and the denoising time. Pure arithmetic, in the precision that LeRobot
 * uses at each point, because the golden vectors can tell.
 */

/** LeRobot's own rotary base. The backbone's config says 100 000 and is not asked. */
const ROPE_BASE = 10_000;

/**
 * cos and sin [rows, headSize / 2] of position x 10000^(-2 i / headSize). Angles in float32, as LeRobot computes them:
 * at position 300 a float32 angle is off by up to 1.5e-5.
 */
export function ropeTables(rows: number, headSize: number): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const half = headSize / 2;
  const cos = new Float32Array(rows * half);
  const sin = new Float32Array(rows * half);
  for (let i = 0; i < half; i++) {
    const exponent = Math.fround(Math.fround(2 / headSize) * i);
    const timescale = Math.fround(ROPE_BASE ** exponent);
    for (let position = 0; position < rows; position++) {
      const angle = Math.fround(position / timescale);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** The times of a run of `steps` Euler steps: 1, 1 - 1/N, ..., 1/N. Never 0. */
export function eulerTimes(steps: number): number[] {
  return Array.from({ length: steps }, (_, s) => Math.fround(1 + s * (-1 / steps)));
}

/**
 * [sin(t w_0), sin(t w_1), ..., cos(t w_0), ...], `width` numbers, w_i = 2 pi / period_i, periods from min to max
 * in equal ratios. float64 throughout: with w up to 1571 a float32 angle would be off by 1e-4.
 */
export function timeEmbedding(t: number, width: number, minPeriod: number, maxPeriod: number): Float32Array {
  const half = width / 2;
  const out = new Float32Array(width);
  for (let i = 0; i < half; i++) {
    const share = half === 1 ? 0 : i / (half - 1);
    const period = minPeriod * (maxPeriod / minPeriod) ** share;
    const angle = (1 / period) * 2 * Math.PI * t;
    out[i] = Math.sin(angle);
    out[half + i] = Math.cos(angle);
  }
  return out;
}

/** weight [rows, columns] times vector [columns], plus bias [rows]; sums in float64. */
export function affine(weight: Float32Array, vector: Float32Array, bias: Float32Array): Float32Array {
  const columns = vector.length;
  return bias.map((offset, row) => {
    let sum = offset;
    for (let i = 0, at = row * columns; i < columns; i++, at++) sum += weight[at]! * vector[i]!;
    return sum;
  });
}
