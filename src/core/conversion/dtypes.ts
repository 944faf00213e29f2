/**
 * The number formats a safetensors file may hold, and each of them as float32. Knows bytes; knows no file, no tensor
 * name, no model. Everything is little-endian, as the format says.
 */
import type { TensorDtype } from '#contracts/pack.ts';
import { unreachable } from '#core/lib/never.ts';

/** Bytes an element. */
export const DTYPE_BYTES: Readonly<Record<TensorDtype, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1, BOOL: 1 };

export function isTensorDtype(text: string): text is TensorDtype {
  return Object.hasOwn(DTYPE_BYTES, text);
}

/**
 * Bytes of one tensor as float32, in a fresh array. F64, I64 and I32 are rounded to the nearest float32 (64-bit whole
 * numbers through float64 first); BOOL gives 0 and 1. `bytes.length` must be a multiple of the element size.
 */
export function toFloat32(dtype: TensorDtype, bytes: Uint8Array): Float32Array {
  const count = bytes.length / DTYPE_BYTES[dtype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(count);
  switch (dtype) {
    case 'F32':
      // One copy: the source may sit at an odd byte, where no Float32Array can.
      new Uint8Array(out.buffer).set(bytes);
      return out;
    case 'BF16': {
      // bfloat16 is the upper half of a float32: shift it into place.
      const bits = new Uint32Array(out.buffer);
      for (let i = 0; i < count; i++) bits[i] = view.getUint16(2 * i, true) << 16;
      return out;
    }
    case 'F16':
      for (let i = 0; i < count; i++) out[i] = halfToNumber(view.getUint16(2 * i, true));
      return out;
    case 'F64':
      for (let i = 0; i < count; i++) out[i] = view.getFloat64(8 * i, true);
      return out;
    case 'I64':
      for (let i = 0; i < count; i++) out[i] = Number(view.getBigInt64(8 * i, true));
      return out;
    case 'I32':
      for (let i = 0; i < count; i++) out[i] = view.getInt32(4 * i, true);
      return out;
    case 'U8':
      for (let i = 0; i < count; i++) out[i] = view.getUint8(i);
      return out;
    case 'BOOL':
      for (let i = 0; i < count; i++) out[i] = view.getUint8(i) === 0 ? 0 : 1;
      return out;
    default:
      return unreachable(dtype);
  }
}

/** IEEE 754 half: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * float32 to bfloat16 bytes, rounding to nearest, ties to even, as PyTorch does. NaN stays NaN. Used by the scripts
 * that write checkpoints.
 */
export function toBfloat16(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint8Array(2 * values.length);
  const view = new DataView(out.buffer);
  for (const [i, word] of bits.entries()) {
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    const rounded = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    view.setUint16(2 * i, rounded, true);
  }
  return out;
}
