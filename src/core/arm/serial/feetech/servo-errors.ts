/**
 * The error byte of every answer, and register 65, bit by bit. The bits stay in every answer for as long as the condition
 * lasts and the data beside them is valid: an answer with bits is an answer.
 */
import type { ServoError } from '#contracts/serial.ts';

const BITS: readonly ServoError[] = ['voltage', 'encoder', 'temperature', 'current', 'angle', 'overload'];

/** The named bits that are set, lowest first. Bits 6 and 7 mean nothing and are left out. */
export function servoErrors(bits: number): ServoError[] {
  return BITS.filter((_, bit) => (bits >> bit) & 1);
}

export function servoErrorBits(errors: readonly ServoError[]): number {
  return errors.reduce((bits, error) => bits | (1 << BITS.indexOf(error)), 0);
}
