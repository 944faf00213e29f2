/**
 * The checks, in the order a person reads them. Each gives one line or, for cameras, one a slot; a line that stops says what
 * would go wrong silently in a program that did not ask: a missing statistic passes values unscaled, an absent camera is
 * dropped, a state in other units is only a wobbling arm.
 */
import type { CameraWiring, FeatureStatistics, PolicyInfo, UnitEra } from '#contracts/policy.ts';
import type { RobotName } from '#contracts/robot.ts';
import type { PreflightFinding, PreflightLine } from '#contracts/preflight.ts';
import { unreachable } from '#core/lib/never.ts';
import { FARTHEST, guessUnits } from './units.ts';

export interface PreflightFacts {
  readonly policy: PolicyInfo;
  readonly tokenizer: 'present' | 'missing';
  /** What must still be fetched and what it takes on disk; 0 for a stored one. */
  readonly packBytes: number;
  readonly stored: boolean;
  readonly machine: {
    /** Room left for this page, null where the browser does not say. */
    readonly freeBytes: number | null;
    /** All memory of the machine as far as the browser tells (`deviceMemory`), null where it does not. */
    readonly memoryBytes: number | null;
  };
  readonly robot: { readonly kind: 'simulated' | 'real'; readonly name: RobotName; readonly joints: number; readonly fps: number; readonly cameras: readonly PresentCamera[] };
  /** As a person wired it; the checkpoint's own names where a slot is not in it. */
  readonly wiring: CameraWiring;
  /** The person said which units the checkpoint means. */
  readonly units: UnitEra | null;
}

export interface PresentCamera {
  readonly name: string;
  /** Null where it takes any shape it is asked for, as a simulated one does. */
  readonly size: { readonly width: number; readonly height: number } | null;
}

export function preflight(facts: PreflightFacts): PreflightLine[] {
  const { policy } = facts;
  return [
    ok('architecture/known', { family: policy.family, parameters: policy.parameterCount }),
    stage(facts),
    joints(facts),
    arm(facts),
    ...cameras(facts),
    statistics(policy),
    values(policy),
    units(facts),
    facts.tokenizer === 'present' ? ok('tokenizer/present') : stop('tokenizer/missing'),
    policy.fps === facts.robot.fps ? ok('pace/fits', { fps: policy.fps }) : note('pace/other', { fps: policy.fps, arm: facts.robot.fps }),
    disk(facts),
    memory(facts),
  ];
}

/** The first line that stands against motion, null where none does. */
export function standsAgainst(lines: readonly PreflightLine[]): PreflightLine | null {
  return lines.find(({ level }) => level === 'stop') ?? null;
}

/** Which camera feeds a slot: as wired, else the one of the checkpoint's own name where it is here. */
export function feeds(slot: PolicyInfo['cameras'][number], wiring: CameraWiring, present: readonly PresentCamera[]): string | null {
  if (slot.key in wiring) return wiring[slot.key] ?? null;
  return present.some(({ name }) => name === slot.robotKey) ? slot.robotKey : null;
}

function stage({ policy, robot }: PreflightFacts): PreflightLine {
  if (policy.stage === 'base') return robot.kind === 'real' ? stop('stage/base') : note('stage/base');
  return policy.training.kind === 'untrained' ? note('stage/untrained') : ok('stage/tuned');
}

function joints({ policy, robot }: PreflightFacts): PreflightLine {
  const fits = policy.stateSize === robot.joints && policy.actionSize === robot.joints;
  return fits ? ok('joints/fit', { count: robot.joints }) : stop('joints/other', { state: policy.stateSize, action: policy.actionSize, arm: robot.joints });
}

/** Same motors, same units, other links: what puts one arm's fingers on a cube puts the other's beside it. */
function arm({ policy: { robot: trained }, robot: { name: here } }: PreflightFacts): PreflightLine {
  if (trained === undefined) return ok('arm/not-said', { here });
  return trained === here ? ok('arm/fits', { trained, here }) : stop('arm/other', { trained, here });
}

/** Wider or taller than trained by a third changes what the policy sees: the letterbox then shows another part of the table. */
const ASPECT_FACTOR = 1.34;

function cameras({ policy, robot, wiring }: PreflightFacts): PreflightLine[] {
  const taken = new Set<string>();
  const lines = policy.cameras.map((slot): PreflightLine => {
    const camera = feeds(slot, wiring, robot.cameras);
    // The checkpoint wants a camera by a name that is not here: that is no decision to leave it out.
    if (camera === null) return slot.key in wiring ? note('camera/left-out', { slot: slot.key }) : stop('camera/unknown', { slot: slot.key, camera: slot.robotKey });
    const here = robot.cameras.find(({ name }) => name === camera);
    if (here === undefined) return stop('camera/unknown', { slot: slot.key, camera });
    if (taken.has(camera)) return stop('camera/shared', { slot: slot.key, camera });
    taken.add(camera);
    const factor = here.size === null ? 1 : slot.width / slot.height / (here.size.width / here.size.height);
    if (here.size !== null && (factor > ASPECT_FACTOR || factor < 1 / ASPECT_FACTOR)) {
      return note('camera/shape', { slot: slot.key, camera, trained: `${slot.width} x ${slot.height}`, here: `${here.size.width} x ${here.size.height}` });
    }
    return ok('camera/fed', { slot: slot.key, camera, width: slot.width, height: slot.height });
  });
  return taken.size === 0 ? [...lines, stop('camera/none', { slots: policy.cameras.length })] : lines;
}

function statistics({ missingStatistics, stage: stageOf }: PolicyInfo): PreflightLine {
  if (missingStatistics.length === 0) return ok('statistics/complete');
  const features = missingStatistics.join(', ');
  // A base model never had any: its line `stage` says what that means, and it may be looked at in simulation.
  return stageOf === 'base' ? note('statistics/missing', { features }) : stop('statistics/missing', { features });
}

/** A joint that hardly moved in training, in any of the units: its noise would be blown up to whole turns. */
const LEAST_SPREAD = 1e-3;

function values({ statistics: said }: PolicyInfo): PreflightLine {
  for (const [feature, found] of Object.entries(said ?? {})) {
    if (found === null) continue;
    const flat = found.std.findIndex((spread) => spread < LEAST_SPREAD);
    if (flat >= 0) return note('values/flat', { feature, column: flat, spread: found.std[flat]! });
    const far = farthest(found);
    if (far !== null) return stop('values/far', { feature, ...far });
  }
  return ok('values/plausible');
}

function farthest({ mean, least, most }: FeatureStatistics): { readonly column: number; readonly value: number } | null {
  for (const list of [mean, least ?? [], most ?? []]) {
    const column = list.findIndex((value) => Math.abs(value) > FARTHEST);
    if (column >= 0) return { column, value: list[column]! };
  }
  return null;
}

function units({ policy, robot, units: confirmed }: PreflightFacts): PreflightLine {
  switch (confirmed) {
    case 'degrees':
      return ok('units/confirmed', { units: confirmed });
    case 'old-degrees':
      return ok('units/converted');
    case 'normalised':
      // A share of the recording arm's range, which no checkpoint carries: with another arm's range the pose is only similar.
      return robot.kind === 'simulated' ? note('units/approximate') : stop('units/normalised');
    case null: {
      if (policy.stage === 'base') return note('units/unclear');
      const found = policy.statistics?.state ?? policy.statistics?.action ?? null;
      const guess = found === null ? 'unclear' : guessUnits(found);
      return guess === 'degrees' ? ok('units/degrees') : stop(`units/${guess}`);
    }
    default:
      return unreachable(confirmed);
  }
}

function disk({ packBytes, stored, machine: { freeBytes } }: PreflightFacts): PreflightLine {
  const neededBytes = stored ? 0 : packBytes;
  if (freeBytes === null) return note('disk/unknown', { neededBytes });
  return freeBytes >= neededBytes ? ok('disk/enough', { neededBytes, freeBytes }) : stop('disk/full', { neededBytes, freeBytes });
}

function memory({ packBytes, machine: { memoryBytes } }: PreflightFacts): PreflightLine {
  // The weights, once more while they are uploaded, and the browser beside them.
  return memoryBytes !== null && packBytes * 2 + 1e9 > memoryBytes ? note('memory/tight', { packBytes, memoryBytes }) : ok('memory/enough', { packBytes });
}

function ok(finding: PreflightFinding, facts: PreflightLine['facts'] = {}): PreflightLine {
  return { check: checkOf(finding), level: 'ok', finding, facts };
}

function note(finding: PreflightFinding, facts: PreflightLine['facts'] = {}): PreflightLine {
  return { check: checkOf(finding), level: 'note', finding, facts };
}

function stop(finding: PreflightFinding, facts: PreflightLine['facts'] = {}): PreflightLine {
  return { check: checkOf(finding), level: 'stop', finding, facts };
}

function checkOf(finding: PreflightFinding): PreflightLine['check'] {
  // Every finding is named `<check>/<what>`.
  return finding.slice(0, finding.indexOf('/')) as PreflightLine['check'];
}
