/**
 * Feetech's signed numbers: one bit says minus, the bits below it are the size. Not two's complement, and the sign bit
 * sits where the field has it: 15 for positions and speeds, 11 for the homing offset, 10 for the load. So 0x0864 with
 * sign bit 11 is -100, and the field ends at 2047 on both sides. Knows no register.
 */

/** The number behind the raw bits. Bits above the sign are ignored, as the servo ignores them. */
export function decodeSignMagnitude(raw: number, signBit: number): number {
  const size = raw & ((1 << signBit) - 1);
  // 0 - 0 keeps "minus nothing" from becoming -0, which no comparison would show and every log would.
  return (raw >> signBit) & 1 ? 0 - size : size;
}

/** Raw bits. Throws a RangeError for what does not fit or is no whole number: a wrapped homing offset turns a joint by half a turn. */
export function encodeSignMagnitude(value: number, signBit: number): number {
  const most = (1 << signBit) - 1;
  if (!Number.isInteger(value) || Math.abs(value) > most) throw new RangeError(`${value} does not fit: whole numbers from -${most} to ${most}`);
  return value < 0 ? (1 << signBit) | -value : value;
}
