/**
 * One round of the proof: a random profile, tick, start and adversary; ticks; a Stop; the frozen end. Every command goes to
 * the judge. The same seed gives the same round, in the short test and in the long proof.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { MotionProfile, SafetyBox, SafetyProfile } from '#contracts/safety.ts';
import { seededRandom, type Random } from '#core/lib/random.ts';
import { SO100 } from '#core/robots/so100.ts';
import { createGate, type Gate, type Passed } from '../gate.ts';
import { jointLimits, PROFILES, shapeLimits } from '../profile.ts';
import { NEAR_M, linkPairs } from '../rules/self-collision.ts';
import { distanceFromBox, distanceInside } from '../rules/keep-out.ts';
import { lowest } from '../rules/table.ts';
import { createBody, type Body, type Placement } from '../shape/body.ts';
import { ADVERSARIES, adversary, stateAge, type Adversary } from './adversary.ts';
import { judge, type Worst } from './judge.ts';

/** What is proven for: its description, its body, room for one pose of it. Made once an arm. */
interface Proven {
  readonly robot: RobotDescription;
  readonly body: Body;
  readonly placed: Placement;
}

const proven = new Map<RobotDescription, Proven>();

function provenFor(robot: RobotDescription): Proven {
  const known = proven.get(robot);
  if (known !== undefined) return known;
  const body = createBody(robot);
  const made = { robot, body, placed: body.placement() };
  proven.set(robot, made);
  return made;
}

export interface RoundReport {
  readonly ticks: number;
  readonly adversary: Adversary;
  readonly rules: Readonly<Record<string, number>>;
  /** Ticks with a wish that was not met and no rule that says why. Must be 0. */
  readonly unnamed: number;
  readonly stopTicks: number;
}

export interface RoundOptions {
  readonly ticks: number;
  readonly judgeBody: 'looked-at' | 'left-out';
  /** The SO-100 unless told. */
  readonly robot?: RobotDescription;
  /** Fixed for rounds in the world, which runs at 30 Hz under the simulated profile. */
  readonly inWorld?: { command(positions: readonly number[]): void; begin(start: ArrayLike<number>): void; measured(): ArrayLike<number> };
}

export function playRound(seed: number, worst: Worst, options: RoundOptions): RoundReport {
  const random = seededRandom(seed);
  const subject = provenFor(options.robot ?? SO100);
  const { robot, body } = subject;
  const inWorld = options.inWorld !== undefined;
  const tickSeconds = inWorld ? 1 / 30 : 1 / (10 + random.index(91));
  const profile = inWorld ? PROFILES['first-motion'] : randomProfile(random);
  const arm = random.uniform() < 0.5 || inWorld ? 'simulated' : 'real';
  const motion = profile[arm];
  const start = legalStart(random, profile, subject);
  const limits = jointLimits(robot, motion);
  const gate = createGate({ limits, tickSeconds, staleAfterMs: 250, rampSeconds: motion.rampSeconds, shape: shapeLimits(robot, body, profile, arm) }, start);
  const look = judge(robot, { joints: limits, linkSpeedMPerS: motion.linkSpeedMPerS, floorM: profile.tableClearanceM, workspace: profile.workspace, keepOut: profile.keepOut }, tickSeconds, worst, `seed ${seed}`, options.judgeBody);
  const begun = Array.from(gate.positions());
  look(begun);
  look(begun);
  options.inWorld?.begin(begun);

  const kind = ADVERSARIES[random.index(ADVERSARIES.length)] as Adversary;
  let wants = adversary(kind, robot, random);
  const follow = follower(seededRandom(seed + 1), begun);
  const rules: Record<string, number> = {};
  let unnamed = 0;
  let ticks = 0;
  const take = (passed: Passed, wished: 'something' | 'nothing'): void => {
    look(passed.command.positions);
    options.inWorld?.command(passed.command.positions);
    for (const rule of passed.rules) rules[rule] = (rules[rule] ?? 0) + 1;
    if (wished === 'something' && passed.limitedJoints.length > 0 && passed.rules.length === 0) unnamed++;
    ticks++;
  };
  for (let tick = 0; tick < options.ticks; tick++) {
    if (random.uniform() < 0.01) wants = adversary(ADVERSARIES[random.index(ADVERSARIES.length)] as Adversary, robot, random);
    const nothing = random.uniform() < 0.01;
    const slow = random.uniform() < 0.05 ? { slow: { share: random.between(-0.2, 1.2), by: 'temperature' as const } } : {};
    const measured = options.inWorld === undefined ? follow(gate.positions()) : options.inWorld.measured();
    const passed = gate.pass(nothing ? null : wants(tick, gate.positions()), { stateAgeMs: inWorld ? 0 : stateAge(random), measured, ...slow });
    take(passed, nothing ? 'nothing' : 'something');
  }
  const stopTicks = stop(gate, limits, tickSeconds, seed, (passed) => take(passed, 'nothing'));
  return { ticks, adversary: kind, rules, unnamed, stopTicks };
}

/** An arm that is behind where it is told to be, that something holds and lets go, and that sometimes nobody has read. */
function follower(random: Random, start: readonly number[]): (told: ArrayLike<number>) => ArrayLike<number> | null {
  let at = Float64Array.from(start);
  let share = 0.5;
  return (told) => {
    const u = random.uniform();
    if (u < 0.01) share = 0;
    else if (u < 0.03) share = random.between(0.2, 1);
    at = at.map((p, i) => p + share * ((told[i] as number) - p));
    if (u > 0.999) return new Float64Array(JOINT_COUNT).fill(Number.NaN);
    return u > 0.99 ? null : at;
  };
}

/** Stop: still within the time the slowest joint needs, then frozen to the bit whatever the state reading does. */
function stop(gate: Gate, limits: ReturnType<typeof jointLimits>, tickSeconds: number, seed: number, take: (passed: Passed) => void): number {
  // Braking at full, twice the time to get there by jerk, one tick of overshoot each.
  const most = Math.max(...limits.map((l) => Math.ceil(l.maxSpeedRadPerS / (l.maxAccelerationRadPerS2 * tickSeconds)) + 3 * Math.ceil(l.maxAccelerationRadPerS2 / ((l.maxJerkRadPerS3 ?? Number.POSITIVE_INFINITY) * tickSeconds)) + 3));
  let ticks = 0;
  while (!gate.still) {
    take(gate.pass(null, { stateAgeMs: 0 }));
    if (++ticks > most) throw new Error(`seed ${seed}: still moving ${ticks} ticks after the stop`);
  }
  const frozen = Array.from(gate.positions());
  for (let i = 0; i < 10; i++) {
    const passed = gate.pass(null, { stateAgeMs: i % 3 === 0 ? null : 0 });
    if (!passed.command.positions.every((p, j) => Object.is(p, frozen[j]))) throw new Error(`seed ${seed}: moved after the freeze`);
    take(passed);
  }
  return ticks;
}

function randomProfile(random: Random): SafetyProfile {
  const base = Object.values(PROFILES)[random.index(4)] as SafetyProfile;
  const vary = (motion: MotionProfile): MotionProfile => ({
    ...motion,
    armSpeedRadPerS: motion.armSpeedRadPerS * random.between(0.3, 1.2),
    armAccelerationRadPerS2: motion.armAccelerationRadPerS2 * random.between(0.3, 1.5),
    armJerkRadPerS3: motion.armJerkRadPerS3 * 10 ** random.between(-0.7, 0.7),
    linkSpeedMPerS: motion.linkSpeedMPerS * random.between(0.2, 1),
    rampSeconds: random.uniform() < 0.3 ? 0 : motion.rampSeconds,
  });
  const u = random.uniform();
  const workspace: SafetyBox | null = u < 0.2 ? { least: [-0.3, -0.45, 0.002], most: [0.3, 0.2, 0.35] } : null;
  const x = random.between(-0.25, 0.25);
  const keepOut: SafetyBox[] = u > 0.8 ? [{ least: [x, -0.4, 0], most: [x + 0.08, -0.22, random.between(0.05, 0.3)] }] : [];
  return { ...base, simulated: vary(base.simulated), real: vary(base.real), tableClearanceM: random.between(0, 0.015), workspace, keepOut };
}

/** A pose that keeps every promise, drawn anew until there is one; the home pose where that is hopeless. */
function legalStart(random: Random, profile: SafetyProfile, { robot, body, placed }: Proven): readonly number[] {
  const pairs = linkPairs(body, robot, profile.selfClearanceM);
  const found = new Float64Array(pairs.count).fill(NEAR_M);
  for (let tries = 0; tries < 50; tries++) {
    const share = random.uniform();
    const pose = Array.from({ length: JOINT_COUNT }, (_, i) => {
      const joint = robot.joints[i] as (typeof robot.joints)[number];
      const home = robot.homePose[i] as number;
      return home + share * (random.between(joint.least, joint.most) - home);
    });
    body.place(pose, placed);
    if (lowest(placed.points) < profile.tableClearanceM) continue;
    if (profile.workspace !== null && distanceInside(placed.points, profile.workspace) < 0) continue;
    if (profile.keepOut.some((box) => distanceFromBox(body, placed, box) < 0)) continue;
    pairs.distances(placed, found);
    const needed = pairs.neededAt(pose);
    if (found.every((d, p) => d >= (needed[p] as number))) return pose;
  }
  return robot.restPose;
}
