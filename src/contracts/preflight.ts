/** The checks a policy must pass before it is downloaded and again before it moves anything: one list, each line with its facts. */
import type { Fact } from './failure.ts';

export const PREFLIGHT_CHECKS = ['architecture', 'joints', 'arm', 'camera', 'statistics', 'values', 'units', 'tokenizer', 'pace', 'disk', 'memory', 'stage'] as const;
export type PreflightCheck = (typeof PREFLIGHT_CHECKS)[number];

/** `stop`: nothing is moved before it is mended. `note`: worth knowing. */
export type PreflightLevel = 'ok' | 'note' | 'stop';

export interface PreflightLine {
  readonly check: PreflightCheck;
  readonly level: PreflightLevel;
  /** Which of the check's findings this is; `words` has a sentence for each. */
  readonly finding: PreflightFinding;
  readonly facts: Readonly<Record<string, Fact>>;
}

export type PreflightFinding =
  | 'architecture/known' // facts: family, parameters
  | 'joints/fit' // facts: count
  | 'joints/other' // facts: state, action, arm
  | 'arm/fits' // facts: trained, here (names of robots)
  | 'arm/other' // facts: trained, here
  | 'arm/not-said' // facts: here
  | 'camera/fed' // facts: slot, camera, width, height
  | 'camera/shared' // facts: slot, camera
  | 'camera/left-out' // facts: slot
  | 'camera/unknown' // facts: slot, camera
  | 'camera/none' // facts: slots
  | 'camera/shape' // facts: slot, camera, trained, here
  | 'statistics/complete'
  | 'statistics/missing' // facts: features
  | 'values/plausible'
  | 'values/flat' // facts: feature, column, spread
  | 'values/far' // facts: feature, column, value
  | 'units/degrees'
  | 'units/normalised'
  | 'units/old-degrees'
  | 'units/unclear'
  | 'units/confirmed' // facts: units
  | 'units/converted'
  | 'units/approximate'
  | 'tokenizer/present'
  | 'tokenizer/missing'
  | 'pace/fits' // facts: fps
  | 'pace/other' // facts: fps, arm
  | 'disk/enough' // facts: neededBytes, freeBytes
  | 'disk/full' // facts: neededBytes, freeBytes
  | 'disk/unknown' // facts: neededBytes
  | 'memory/enough' // facts: packBytes
  | 'memory/tight' // facts: packBytes, memoryBytes
  | 'stage/tuned'
  | 'stage/base'
  | 'stage/untrained';
