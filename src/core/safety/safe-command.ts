/**
 * What an arm accepts. The brand cannot be named outside this file, so a target that went past the gate does not
 * type-check as a command; a test looks for casts and for other callers of `sealCommand`.
 */
declare const safe: unique symbol;

export interface SafeCommand {
  readonly [safe]: 'by core/safety';
  /** Joint targets, radians, JOINT_NAMES order. Frozen. */
  readonly positions: readonly number[];
}

/** For `gate.ts` alone. */
export function sealCommand(positions: Float64Array): SafeCommand {
  return Object.freeze({ positions: Object.freeze(Array.from(positions)) }) as SafeCommand;
}
