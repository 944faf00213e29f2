/**
 * The four profiles, and the door through which a profile comes in. What is handed in may be a file from anywhere: it is
 * checked field by field against ceilings that no profile passes, and a file may only make things stricter. Knows numbers;
 * what they do is in `rules/`.
 */
import { PROFILE_FORMAT, PROFILE_NAMES, type MotionProfile, type ProfileName, type ProfileSource, type SafetyBox, type SafetyProfile } from '#contracts/safety.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import { FailureError } from '#core/lib/failure.ts';
import { limitsOf, type JointLimit } from './limits.ts';
import type { Body } from './shape/body.ts';
import { METAL_SERVO, SIMULATED_SERVO } from './rules/lead.ts';
import type { ShapeLimits } from './shape/path-check.ts';

/** The simulated arm may follow its policies: the scripted expert's fastest point moves at 0.23 m/s. */
const SIMULATED: MotionProfile = {
  armSpeedRadPerS: 2,
  armAccelerationRadPerS2: 12,
  armJerkRadPerS3: 400,
  gripperSpeedRadPerS: 1.5,
  gripperAccelerationRadPerS2: 15,
  gripperJerkRadPerS3: 600,
  marginRad: 0.01,
  linkSpeedMPerS: 0.25,
  rampSeconds: 0.5,
  holdToRun: 'off',
  surroundings: 'hold',
};

/** Metal. A person's hand pulls back in half a second: at 0.1 m/s that is 5 cm. */
const FIRST_REAL: MotionProfile = {
  ...SIMULATED,
  armSpeedRadPerS: 0.8,
  armAccelerationRadPerS2: 6,
  armJerkRadPerS3: 120,
  gripperSpeedRadPerS: 1,
  marginRad: 0.05,
  linkSpeedMPerS: 0.1,
  rampSeconds: 1.5,
  holdToRun: 'on',
  surroundings: 'latch',
};

const FIRST_MOTION: SafetyProfile = {
  format: PROFILE_FORMAT,
  version: 1,
  name: 'first-motion',
  revision: 0,
  lock: 'open',
  simulated: SIMULATED,
  real: FIRST_REAL,
  tableClearanceM: 0.001,
  selfClearanceM: 0.012,
  workspace: null,
  keepOut: [],
  torqueShare: 0.8,
  maxTemperatureC: 55,
};

export const PROFILES: Readonly<Record<ProfileName, SafetyProfile>> = {
  'first-motion': FIRST_MOTION,
  classroom: { ...FIRST_MOTION, name: 'classroom', lock: 'locked' },
  // Commanded: a servo that follows steps was measured up to 9 % faster in free air (`evidence/soak.md`), so 225 stays below 250 mm/s.
  owner: { ...FIRST_MOTION, name: 'owner', real: { ...FIRST_REAL, armSpeedRadPerS: 2, armAccelerationRadPerS2: 12, armJerkRadPerS3: 400, gripperSpeedRadPerS: 1.5, linkSpeedMPerS: 0.225 }, torqueShare: 0.9, maxTemperatureC: 60 },
  research: {
    ...FIRST_MOTION,
    name: 'research',
    simulated: { ...SIMULATED, armSpeedRadPerS: 4, armAccelerationRadPerS2: 25, armJerkRadPerS3: 1500, linkSpeedMPerS: 1, rampSeconds: 0.25 },
    real: { ...FIRST_REAL, armSpeedRadPerS: 3, armAccelerationRadPerS2: 20, armJerkRadPerS3: 800, gripperSpeedRadPerS: 2, linkSpeedMPerS: 0.5, rampSeconds: 0.5, holdToRun: 'off' },
    torqueShare: 1,
    maxTemperatureC: 65,
  },
};

/** least, most, and which way is looser: +1 more is, -1 less is. */
type Bound = readonly [least: number, most: number, looser: 1 | -1];

const MOTION_BOUNDS: Readonly<Record<Exclude<keyof MotionProfile, 'holdToRun' | 'surroundings'>, Bound>> = {
  armSpeedRadPerS: [0.05, 5, 1],
  armAccelerationRadPerS2: [0.5, 40, 1],
  armJerkRadPerS3: [5, 4000, 1],
  gripperSpeedRadPerS: [0.05, 2.5, 1],
  gripperAccelerationRadPerS2: [0.5, 40, 1],
  gripperJerkRadPerS3: [5, 4000, 1],
  marginRad: [0, 0.5, -1],
  linkSpeedMPerS: [0.01, 1, 1],
  rampSeconds: [0, 10, -1],
};

const PROFILE_BOUNDS = {
  // The shoulder turns 16.5 mm above the table; more could never be kept.
  tableClearanceM: [0, 0.016, -1],
  selfClearanceM: [0, 0.05, -1],
  torqueShare: [0.1, 1, 1],
  maxTemperatureC: [30, 65, 1],
} as const satisfies Readonly<Record<string, Bound>>;

/** More boxes than this cost more than a tick has. */
const MOST_BOXES = 8;
const FARTHEST_M = 2;

/** What came in, as a profile; the name of one is enough. Throws FailureError `safety/profile-invalid` with the field. Unknown fields are dropped. */
export function readProfile(untrusted: unknown): SafetyProfile {
  const named = PROFILE_NAMES.find((known) => known === untrusted);
  if (named !== undefined) return PROFILES[named];
  const from = record(untrusted, 'profile');
  if (from['format'] !== PROFILE_FORMAT) throw invalid('format', PROFILE_FORMAT, from['format']);
  if (from['version'] !== 1) throw invalid('version', '1', from['version']);
  const name = PROFILE_NAMES.find((known) => known === from['name']);
  if (name === undefined) throw invalid('name', PROFILE_NAMES.join(', '), from['name']);
  const lock = from['lock'];
  if (lock !== 'open' && lock !== 'locked') throw invalid('lock', 'open or locked', lock);
  const boxes = from['keepOut'];
  if (!Array.isArray(boxes) || boxes.length > MOST_BOXES) throw invalid('keepOut', `a list of at most ${MOST_BOXES} boxes`, boxes);
  return {
    format: PROFILE_FORMAT,
    version: 1,
    name,
    revision: bounded(from, 'revision', [0, Number.MAX_SAFE_INTEGER, 1]),
    lock: name === 'classroom' ? 'locked' : lock,
    simulated: readMotion(from['simulated'], 'simulated'),
    real: readMotion(from['real'], 'real'),
    tableClearanceM: bounded(from, 'tableClearanceM', PROFILE_BOUNDS.tableClearanceM),
    selfClearanceM: bounded(from, 'selfClearanceM', PROFILE_BOUNDS.selfClearanceM),
    workspace: from['workspace'] === null ? null : readBox(from['workspace'], 'workspace'),
    keepOut: boxes.map((box, i) => readBox(box, `keepOut.${i}`)),
    torqueShare: bounded(from, 'torqueShare', PROFILE_BOUNDS.torqueShare),
    maxTemperatureC: bounded(from, 'maxTemperatureC', PROFILE_BOUNDS.maxTemperatureC),
  };
}

/**
 * The profile to use from now on. Throws `safety/locked` where the current one is locked and the server is not asking,
 * and `safety/would-loosen` with the field where a file is looser than the current one anywhere.
 */
export function replaceProfile(current: SafetyProfile, next: SafetyProfile, source: ProfileSource): SafetyProfile {
  if (current.lock === 'locked' && source !== 'server') throw new FailureError('safety/locked', { profile: current.name });
  // A server, too, may lock and tighten, and no more: an address may be a link from anybody.
  if (source !== 'person') {
    const field = firstLooser(current, next);
    if (field !== null) throw new FailureError('safety/would-loosen', { field });
  }
  return next;
}

/** The first field in which `next` allows more than `current`; null when it is at least as strict everywhere. */
export function firstLooser(current: SafetyProfile, next: SafetyProfile): string | null {
  for (const arm of ['simulated', 'real'] as const) {
    for (const [field, [, , looser]] of Object.entries(MOTION_BOUNDS) as [keyof typeof MOTION_BOUNDS, Bound][]) {
      if ((next[arm][field] - current[arm][field]) * looser > 0) return `${arm}.${field}`;
    }
    if (current[arm].holdToRun === 'on' && next[arm].holdToRun === 'off') return `${arm}.holdToRun`;
    if (current[arm].surroundings === 'latch' && next[arm].surroundings === 'hold') return `${arm}.surroundings`;
  }
  for (const [field, [, , looser]] of Object.entries(PROFILE_BOUNDS) as [keyof typeof PROFILE_BOUNDS, Bound][]) {
    if ((next[field] - current[field]) * looser > 0) return field;
  }
  if (current.lock === 'locked' && next.lock === 'open') return 'lock';
  if (current.workspace !== null && (next.workspace === null || !contains(current.workspace, next.workspace))) return 'workspace';
  if (!current.keepOut.every((box) => next.keepOut.some((other) => contains(other, box)))) return 'keepOut';
  return null;
}

/** The joints' limits under a profile. */
export function jointLimits(robot: RobotDescription, motion: MotionProfile): JointLimit[] {
  return limitsOf(robot, {
    arm: { marginRad: motion.marginRad, maxSpeedRadPerS: motion.armSpeedRadPerS, maxAccelerationRadPerS2: motion.armAccelerationRadPerS2, maxJerkRadPerS3: motion.armJerkRadPerS3 },
    gripper: { maxSpeedRadPerS: motion.gripperSpeedRadPerS, maxAccelerationRadPerS2: motion.gripperAccelerationRadPerS2, maxJerkRadPerS3: motion.gripperJerkRadPerS3 },
  });
}

/** The limits of the arm's body under a profile, as simulated or as metal. The table top is the plane z = 0 on which the base stands. */
export function shapeLimits(robot: RobotDescription, body: Body, profile: SafetyProfile, arm: 'simulated' | 'real'): ShapeLimits {
  return {
    body,
    robot,
    linkSpeedMPerS: profile[arm].linkSpeedMPerS,
    servo: arm === 'simulated' ? SIMULATED_SERVO : METAL_SERVO,
    floorM: profile.tableClearanceM,
    keepOut: profile.keepOut,
    workspace: profile.workspace,
    selfClearanceM: profile.selfClearanceM,
  };
}

function readMotion(untrusted: unknown, path: string): MotionProfile {
  const from = record(untrusted, path);
  const numbers = Object.fromEntries(Object.entries(MOTION_BOUNDS).map(([field, bound]) => [field, bounded(from, field, bound, path)])) as Record<keyof typeof MOTION_BOUNDS, number>;
  const { holdToRun, surroundings } = from;
  if (holdToRun !== 'on' && holdToRun !== 'off') throw invalid(`${path}.holdToRun`, 'on or off', holdToRun);
  if (surroundings !== 'hold' && surroundings !== 'latch') throw invalid(`${path}.surroundings`, 'hold or latch', surroundings);
  return { ...numbers, holdToRun, surroundings };
}

function readBox(untrusted: unknown, path: string): SafetyBox {
  const from = record(untrusted, path);
  const corner = (field: 'least' | 'most'): readonly [number, number, number] => {
    const values: unknown = from[field];
    if (!Array.isArray(values) || values.length !== 3 || !values.every((x) => typeof x === 'number' && Math.abs(x) <= FARTHEST_M)) throw invalid(`${path}.${field}`, `three numbers within ${FARTHEST_M} m`, values);
    return values as unknown as readonly [number, number, number];
  };
  const box = { least: corner('least'), most: corner('most') };
  if (box.least.some((x, i) => x >= (box.most[i] as number))) throw invalid(path, 'least below most', JSON.stringify(untrusted));
  return box;
}

function record(untrusted: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof untrusted !== 'object' || untrusted === null || Array.isArray(untrusted)) throw invalid(path, 'an object', untrusted);
  return untrusted as Readonly<Record<string, unknown>>;
}

function bounded(from: Readonly<Record<string, unknown>>, field: string, [least, most]: Bound, path?: string): number {
  const value = from[field];
  if (typeof value !== 'number' || !(value >= least && value <= most)) throw invalid(path === undefined ? field : `${path}.${field}`, `${least} to ${most}`, value);
  return value;
}

function invalid(field: string, expected: string, found: unknown): FailureError {
  return new FailureError('safety/profile-invalid', { field, expected, found: String(found).slice(0, 80) });
}

function contains(outer: SafetyBox, inner: SafetyBox): boolean {
  return outer.least.every((x, i) => x <= (inner.least[i] as number)) && outer.most.every((x, i) => x >= (inner.most[i] as number));
}
