/** Why the arm is slower than it is told, what the limits are, and what they are good for: every sentence of the safety panels. */
import type { ChunkReduction } from '#contracts/chunk.ts';
import { GRIPPER_INDEX, JOINT_NAMES } from '#contracts/joints.ts';
import type { SafetyRule } from '#contracts/control.ts';
import type { MotionProfile, ProfileName, SafetyProfile } from '#contracts/safety.ts';
import { JOINT_LABELS, RULE_LABELS } from './labels.ts';
import { milliseconds } from './numbers.ts';

export const GATE = {
  heading: 'Wanted and allowed',
  strip: 'The last four seconds. Full bars: what the plan wanted, tick by tick. Green: what the arm was allowed. Amber: what a limit took away. Red: what was refused.',
  wanted: 'wanted',
  allowed: 'allowed',
  limited: 'taken away',
  refused: 'refused',
  free: 'Nothing is held back.',
  shadow: 'Rehearsal: the plan is shown, nothing is sent.',
} as const;

export interface WhyFacts {
  readonly rule: SafetyRule;
  /** Index in JOINT_NAMES; null where it is about the whole arm. */
  readonly joint: number | null;
  /** In force for the arm in use; null before it is known. */
  readonly profile: SafetyProfile | null;
  readonly motion: MotionProfile | null;
}

const degrees = (radians: number): string => `${Math.round((radians * 180) / Math.PI)}°`;

/** One sentence: what the arm does about it, and why. The word before the colon says how much of a stop it is. */
export function whyLimited({ rule, joint, motion, profile }: WhyFacts): string {
  const name = joint === null ? 'A joint' : JOINT_LABELS[JOINT_NAMES[joint] ?? 'gripper'];
  const gripper = joint === GRIPPER_INDEX;
  switch (rule) {
    case 'link-speed':
      return motion === null ? 'Slowed: a part of the arm would move too fast.' : `Slowed: a part of the arm would move faster than ${Math.round(1000 * motion.linkSpeedMPerS)} mm/s.`;
    case 'speed':
      return motion === null ? `Slowed: ${name} would turn too fast.` : `Slowed: ${name} would turn faster than ${degrees(gripper ? motion.gripperSpeedRadPerS : motion.armSpeedRadPerS)} a second.`;
    case 'acceleration':
      return `Eased: ${name} would change its speed too suddenly.`;
    case 'jerk':
      return `Eased: ${name} would start or stop with a jolt.`;
    case 'ramp':
      return 'Slowed: out of rest every motion starts gently.';
    case 'range':
      return `Held back: ${name} is at the end of its range.`;
    case 'lead':
      return 'Waiting: something holds the arm back, and it must not spring when it comes free.';
    case 'table':
      return 'Held back: the arm would come too near the table.';
    case 'workspace':
      return 'Held back: the arm would leave the workspace.';
    case 'keep-out':
      return 'Held back: the arm would enter a keep-out box.';
    case 'self-collision':
      return 'Held back: the arm would touch itself.';
    case 'temperature':
      return profile === null ? 'Slowed: a motor is warm.' : `Slowed to half: a motor is near ${profile.maxTemperatureC} °C.`;
    case 'disagreement':
      return 'Slowed to half: this plan disagrees with the one before.';
    default:
      return `Held back: ${RULE_LABELS[rule]}.`;
  }
}

/** The arm brakes and stands, and why; rules that a person can end say how. */
export function whyHeld(rule: SafetyRule): string {
  switch (rule) {
    case 'finite':
      return 'Holding: the plan has a number that is none.';
    case 'stale-state':
      return 'Holding: nobody knows where the arm is. Its last reading is too old.';
    case 'page-silent':
      return 'Holding: this page did not answer for a second.';
    case 'tab-hidden':
      return 'Holding: this tab was hidden. What is not seen does not move.';
    case 'hold-to-run':
      return 'Holding: keep “Hold to run” pressed, and the arm moves.';
    case 'stall':
      return 'Stopped: a joint pushes hard and gets nowhere.';
    case 'torque':
      return 'Stopped: a motor is overloaded.';
    case 'temperature':
      return 'Stopped: a motor is too hot.';
    case 'voltage':
      return 'Stopped: the supply voltage is too low.';
    case 'disagreement':
      return 'Stopped: this plan disagrees with the one before. Look at the arm; Go on when you trust it.';
    case 'range':
      return 'Holding: the plan asks for a joint a whole turn out of its range.';
    default:
      return `Holding: ${RULE_LABELS[rule]}.`;
  }
}

export const LIMITS = {
  heading: 'Limits',
  choose: 'Profile',
  hints: {
    'first-motion': 'What a page starts with that does not know you. A real arm: 100 mm/s, and only while you hold a key.',
    classroom: 'As first motion, and locked. Nobody unlocks it on this page.',
    owner: 'For somebody who knows this arm. A real arm: 225 mm/s, while you hold a key.',
    research: 'Fast, no key. For somebody beside the power switch.',
  } satisfies Readonly<Record<ProfileName, string>>,
  locked: 'Locked by the lesson.',
  save: 'Save as a file',
  open: 'Open a file',
  openHint: 'A file can make limits stricter, never looser, and never moves anything.',
  show: 'Show in the 3-D view',
  workspace: 'Workspace',
  everywhere: 'everywhere the arm reaches',
  add: 'Set a workspace',
  remove: 'Remove it',
  drag: 'Drag its knobs in the 3-D view, or type centimetres.',
  notNow: 'The limits change only while the arm stands still.',
  bounds: ['left', 'right', 'front', 'back', 'floor', 'top'],
  pupil: 'What a determined pupil can still do',
} as const;

/** Shown where a lesson has locked the limits, and to whoever wonders whether to lock them. */
export const PUPIL_LINES: readonly string[] = [
  'Clear this site’s data, or use a private window or another browser: then the page starts with first motion, which is no faster than the lock.',
  'Open this page from another address, or change its files: then it is not this page.',
  'Drive a real arm with another program: no page can forbid that. Only the power switch and the teacher can.',
  'They cannot loosen the limits from the address, a file, a checkpoint or the console; Stop works whatever they do.',
];

export function limitsLine(motion: MotionProfile): string {
  return `${Math.round(1000 * motion.linkSpeedMPerS)} mm/s anywhere on the arm, ${degrees(motion.armSpeedRadPerS)} a second at a joint${motion.holdToRun === 'on' ? ', only while you hold the key' : ''}`;
}

export const METER = {
  heading: 'Do plans agree?',
  none: 'Compared when the second plan of a run arrives.',
  notCalibrated: 'Not calibrated',
  calibrate: 'Calibrate',
  calibrateHint: (runs: number, seconds: number): string => `Plays ${runs} runs of ${seconds} s on tables of their own with the sentence above. Do it only where you have seen this policy do well: what it does now becomes what counts as normal.`,
  calibrating: (done: number, of: number): string => `Calibrating: ${done} of ${of} runs. Stop ends it.`,
  forget: 'Forget',
  ask: 'Ask with other noise',
  asking: 'Asking',
  doubt: 'When plans disagree',
  doubts: { nothing: 'only show it', slow: 'slow to half', ask: 'stop and ask me' },
} as const;

export function meterLine(mean: number, calibration: { readonly limit: number; readonly count: number; readonly coverage: number } | null): string {
  const found = `${mean.toFixed(1)} between this plan and the one before`;
  if (calibration === null) return `${found}. ${METER.notCalibrated}: whether that is much is not known.`;
  const limit = `good runs stay under ${calibration.limit.toFixed(1)} in ${Math.round(100 * calibration.coverage)} of 100 (n = ${calibration.count})`;
  return mean > calibration.limit ? `${found}: more than usual; ${limit}.` : `${found}; ${limit}.`;
}

export function spreadLine(value: number, count: number): string {
  return `${count} plans for this moment, each from other noise, spread by ${value.toFixed(1)} (degrees, per joint).`;
}

export const FAULTS = {
  heading: 'What stopped or held the arm',
  none: 'Nothing yet.',
  save: 'Save the log',
  saveHint: 'with joints, pictures, limits and versions',
  clear: 'Clear',
  kinds: { latched: 'stopped', held: 'held', stop: 'Stop pressed', failure: 'fault' },
} as const;

export const BUDGET = {
  heading: 'Plan in time',
  none: 'Shown when a plan has been made.',
  join: 'Plans joined by',
  joins: { latest_only: 'the newest alone', weighted_average: '70 % newest', average: 'half and half', conservative: '30 % newest', real_time: 'real-time chunking' },
  joinNoSteps: 'This head draws a plan in one pass: there is no step to guide, so the newest plan stands alone.',
  joinHint: 'How the old plan becomes the new one. A jump at the seam is the commonest jerk.',
} as const;

/** Whether plans arrive before the one in hand is played out. */
export function budgetLine(latencyMs: number, budgetMs: number): string {
  if (latencyMs <= budgetMs) return `A plan takes ${milliseconds(latencyMs)} of the ${milliseconds(budgetMs)} it has: the arm need not wait.`;
  return `A plan takes ${milliseconds(latencyMs)} and has ${milliseconds(budgetMs)}: the arm waits ${milliseconds(latencyMs - budgetMs)} for each.`;
}

/** What a run gives up on a slow machine; never silent. */
export function reductionLine({ steps, cameras }: ChunkReduction, all: { readonly steps: number; readonly cameras: number }): string {
  const without = [...(steps < all.steps ? [`${steps} of ${all.steps} denoising steps`] : []), ...(cameras.length < all.cameras ? [`${cameras.length} of ${all.cameras} cameras`] : [])];
  return `This computer is too slow for whole plans: it plans with ${without.join(' and ')}, which is coarser. The run file says so, too.`;
}

export function seamLine(seam: number, played: number): string {
  return `Last seam: ${seam.toFixed(1)}° apart${Math.abs(seam - played) < 0.05 ? '' : `, ${played.toFixed(1)}° as played`}.`;
}

export const SHADOW = { label: 'Rehearse: show the plan, move nothing' } as const;
