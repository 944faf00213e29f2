/**
 * Safety profiles and faults as plain data: how fast, how near, how long. A profile is the only way limits change; it is
 * checked by control (`core/safety/profile.ts`), never by whoever hands it in.
 */
import type { SafetyRule } from './control.ts';
import type { Fact } from './failure.ts';

export const PROFILE_NAMES = ['first-motion', 'classroom', 'owner', 'research'] as const;
/**
 * first-motion  what a page starts with that knows nothing of its person
 * classroom     the same limits or lower ones, and locked
 * owner         somebody who knows this arm
 * research      faster; somebody who accepts it
 */
export type ProfileName = (typeof PROFILE_NAMES)[number];

export const PROFILE_FORMAT = 'vla-playground-safety';

/** Metres, world frame: z up, the table top at 0, the arm's base at the origin. */
export interface SafetyBox {
  readonly least: readonly [number, number, number];
  readonly most: readonly [number, number, number];
}

/** What differs between an arm that can hurt somebody and one that cannot. */
export interface MotionProfile {
  readonly armSpeedRadPerS: number;
  readonly armAccelerationRadPerS2: number;
  readonly armJerkRadPerS3: number;
  readonly gripperSpeedRadPerS: number;
  readonly gripperAccelerationRadPerS2: number;
  readonly gripperJerkRadPerS3: number;
  /** Kept free at both ends of an arm joint's range. */
  readonly marginRad: number;
  /** Every point of every link. */
  readonly linkSpeedMPerS: number;
  /** Out of rest, full speed only after this long. */
  readonly rampSeconds: number;
  /** A policy moves the arm only while a person holds a key. */
  readonly holdToRun: 'on' | 'off';
  /** A fault of the surroundings (page silent, tab hidden, state stale) holds the arm; on a real arm it also latches. */
  readonly surroundings: 'hold' | 'latch';
}

export interface SafetyProfile {
  readonly format: typeof PROFILE_FORMAT;
  readonly version: 1;
  readonly name: ProfileName;
  /** Counts changes by a person, for logs. */
  readonly revision: number;
  /** `locked`: only another locked profile of the same server or address may replace it. */
  readonly lock: 'open' | 'locked';
  readonly simulated: MotionProfile;
  readonly real: MotionProfile;
  readonly tableClearanceM: number;
  readonly selfClearanceM: number;
  readonly workspace: SafetyBox | null;
  readonly keepOut: readonly SafetyBox[];
  /** Share of a motor's stall torque it may give for longer than a moment. */
  readonly torqueShare: number;
  readonly maxTemperatureC: number;
}

/** Who hands a profile in. A file or an address may only make limits stricter; a person may loosen what is not locked. */
export type ProfileSource = 'person' | 'file' | 'server';

/** Something that stopped the arm, and stays until a person says go on. */
export interface SafetyFault {
  readonly rule: SafetyRule;
  readonly atMs: number;
  readonly tick: number;
  readonly facts: Readonly<Record<string, Fact>>;
}

/** Where safety stands, in every control report. */
export interface SafetyReport {
  readonly profile: ProfileName;
  readonly revision: number;
  readonly locked: 'open' | 'locked';
  /** Rules that hold the arm now and let go by themselves. */
  readonly holding: readonly SafetyRule[];
  /** Latched. Cleared by `resume`, when the cause is gone. */
  readonly faults: readonly SafetyFault[];
  /** Share of the speed limits allowed now. */
  readonly slowShare: number;
}
