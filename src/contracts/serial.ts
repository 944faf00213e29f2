/**
 * The words about an arm made of STS3215 servos: a calibration, what each servo says of itself, and what the arm doctor finds.
 * Codes and facts only; `src/page/words` says them to a person.
 */
import type { Failure } from './failure.ts';
import type { JointName } from './joints.ts';

/** The bits of a servo's error byte that have a meaning, by name, lowest bit first. */
export type ServoError = 'voltage' | 'encoder' | 'temperature' | 'current' | 'angle' | 'overload';

/** One joint of a LeRobot calibration file, field by field. */
export interface MotorCalibration {
  readonly id: number;
  readonly driveMode: 0 | 1;
  /** Servo steps: present position = encoder - offset. -2047 to 2047. */
  readonly homingOffset: number;
  /** Servo steps after the offset, 0 to 4095. */
  readonly rangeMin: number;
  readonly rangeMax: number;
}

export type ArmCalibration = Readonly<Record<JointName, MotorCalibration>>;

/** Everything one servo said when it was looked at. Registers that were not answered are absent, never guessed. */
export interface ServoScan {
  readonly id: number;
  readonly baud: number;
  /** `silent`: nothing came. `garbled`: bytes came, and no whole packet of this id. */
  readonly answer: 'ok' | 'silent' | 'garbled';
  readonly errors: readonly ServoError[];
  /** Values by register name, signs decoded. */
  readonly registers: Readonly<Record<string, number>>;
}

/** A look at a bus: what the doctor reads. */
export interface BusScan {
  readonly atMs: number;
  /** Ids that should answer, in the order of the chain. */
  readonly expectedIds: readonly number[];
  readonly servos: readonly ServoScan[];
  /** True when the line sends our own bytes back. */
  readonly echo: boolean;
  /** Share of requests that had to be repeated or were lost, 0 to 1, and how many there were. */
  readonly requests: number;
  readonly troubled: number;
  /** Whether torque was on anywhere, which tells load trouble from wiring trouble. */
  readonly moving: boolean;
}

/**
 * What the doctor can find. Facts in brackets; `id` is the motor id, `joint` its name.
 */
export type FindingCode =
  | 'nothing-answers' // baud: USB is there, no servo is. Power, jumper, wrong port
  | 'servo-missing' // id, joint, after (id of the last one in the chain that answers, 0 = none)
  | 'id-conflict' // id: answers are garbled while nothing moves
  | 'unexpected-id' // id
  | 'wrong-baud' // id, baud, expected
  | 'wrong-model' // id, joint, found, expected
  | 'firmware-mixed' // versions, comma separated
  | 'voltage-low' // id, joint, volts, least
  | 'voltage-high' // id, joint, volts, most
  | 'voltage-type' // id, joint, volts, most: limits of a 7.4 V servo, supply of a 12 V one, or the reverse
  | 'hot' // id, joint, celsius, limit
  | 'warm' // id, joint, celsius, limit
  | 'servo-error' // id, joint, errors, comma separated
  | 'wrong-mode' // id, joint, found
  | 'multi-turn' // id, joint, phase
  | 'calibration-differs' // id, joint, what, found, expected
  | 'range-full-turn' // id, joint
  | 'range-narrow' // id, joint, span, expected (steps)
  | 'range-wide' // id, joint, span, expected
  | 'outside-range' // id, joint, found, least, most (steps)
  | 'torque-on' // id, joint: somebody holds it
  | 'eeprom-unlocked' // id, joint
  | 'slow-register' // id, joint, register, found: speed or torque limit that makes a joint slow or weak
  | 'bus-errors' // share, requests
  | 'echo'; // the adapter sends back what it is told; handled, worth knowing

/** `refuse`: no motor may turn before this is mended. `warn`: may be used, look at it. `note`: nothing to do. */
export type FindingWeight = 'refuse' | 'warn' | 'note';

export interface Finding {
  readonly code: FindingCode;
  readonly weight: FindingWeight;
  readonly facts: Failure['facts'];
}

/** What one servo last said while the arm was used. */
export interface ServoHealth {
  readonly id: number;
  /** When it last answered; null before it ever did. */
  readonly atMs: number | null;
  readonly positionTicks: number | null;
  /** Share of the bridge's duty, -1 to 1. Not a torque. */
  readonly load: number | null;
  readonly volts: number | null;
  readonly celsius: number | null;
  readonly amperes: number | null;
  readonly moving: boolean | null;
  readonly errors: readonly ServoError[];
}

/** Counters of the bus since it was opened. */
export interface BusCounts {
  readonly requests: number;
  /** Attempts after the first. */
  readonly retries: number;
  /** Servos that did not answer after all attempts. */
  readonly lost: number;
  readonly badChecksums: number;
  readonly junkBytes: number;
  /** Whole packets nobody was waiting for: late, doubled, of another id. */
  readonly strayPackets: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly lastRoundTripMs: number | null;
  readonly worstRoundTripMs: number | null;
}

export interface SerialArmHealth {
  /** JOINT_NAMES order. */
  readonly servos: readonly ServoHealth[];
  readonly counts: BusCounts;
  readonly echo: boolean;
}

/** One register that configuring would change. */
export interface RegisterChange {
  readonly id: number;
  readonly register: string;
  readonly from: number;
  readonly to: number;
  readonly memory: 'eeprom' | 'sram' | 'factory';
}

/** A USB adapter as the page was allowed to use it. Two boards of one make look the same here. */
export interface SerialAdapter {
  readonly usbVendorId: number;
  readonly usbProductId: number;
}

/** Adapters that SO-100 kits come with, for the filter of the browser's list: WCH (Waveshare, FE-URT-1), Espressif, FTDI. */
export const ADAPTER_VENDORS: readonly number[] = [0x1a86, 0x303a, 0x0403];

/** Why a sweep of a joint through its range cannot be used as it is. */
export type SweepDoubt =
  | { readonly kind: 'not-moved' }
  /** Crossed the seam: turn the horn or home the joint elsewhere, and sweep again. */
  | { readonly kind: 'crossed-the-seam'; readonly jumps: number }
  /** Homed so near the encoder's end that the offset does not fit its field. */
  | { readonly kind: 'at-the-seam'; readonly steps: number }
  | { readonly kind: 'multi-turn'; readonly outside: number }
  | { readonly kind: 'narrow'; readonly span: number; readonly expected: number }
  | { readonly kind: 'wide'; readonly span: number; readonly expected: number };
