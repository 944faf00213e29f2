/**
 * The hardware check: a list of steps for the person who has the arm in front of them. Each asks where a person must look, waits, and
 * asserts what the page can measure itself; all of it goes into a log that can be handed on. Runs on the virtual arm too, where it
 * pulls the cable itself. It moves one joint at a time, by five degrees, through the same gate as everything.
 */
import { GRIPPER_INDEX, JOINT_COUNT, JOINT_NAMES } from '#contracts/joints.ts';
import type { Fact, Failure } from '#contracts/failure.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import type { ArmSnapshot } from './arm-reader.ts';
import type { Session } from './session.ts';

export const CHECK_STEPS = ['connect', 'readings', 'stillness', 'each-joint', 'stop', 'gripper', 'go-on', 'cable', 'again', 'lower'] as const;
export type CheckStep = (typeof CHECK_STEPS)[number];

export interface CheckEntry {
  readonly step: CheckStep;
  readonly outcome: 'passed' | 'failed' | 'left-out';
  readonly seconds: number;
  /** What was measured, and what the person said. */
  readonly facts: Readonly<Record<string, Fact>>;
  /** Why it failed; null where it did not. */
  readonly failure: Failure | null;
}

export interface CheckLog {
  readonly format: 'vla-playground-hardware-check';
  readonly version: 1;
  readonly app: string;
  readonly arm: 'serial' | 'virtual';
  readonly startedAt: string;
  readonly userAgent: string;
  readonly entries: readonly CheckEntry[];
}

export type Answer = 'yes' | 'no';

export interface CheckParts {
  readonly session: Session;
  readonly kind: 'serial' | 'virtual';
  readonly appVersion: string;
  /** Shown to the person; settles with what they press. */
  readonly ask: (step: CheckStep) => Promise<Answer>;
  readonly onEntry: (entries: readonly CheckEntry[]) => void;
}

const MOVE_UNITS = 5;
const FOLLOWED_UNITS = 2;
const STILL_UNITS = 1;
const SETTLE_MS = 600;
const STILL_MS = 2000;
const MOVE_LIMIT_MS = 8000;
const OPEN_UNITS = 85;
const CABLE_LIMIT_MS = 60_000;
const LEAST_VOLTS = 4.5;
const STOPPED_RAD = 0.03;
/** Of the largest difference over all joints. */
const EITHER_UNIT = ' degrees (of the gripper, percent)';

/** Goes through all steps; one that fails ends it, and the arm is held where it is. */
export async function runHardwareCheck({ session, kind, appVersion, ask, onEntry }: CheckParts): Promise<CheckLog> {
  const entries: CheckEntry[] = [];
  const startedAt = new Date().toISOString();

  const measured = (): readonly number[] => {
    const snapshot: ArmSnapshot | null = session.readArm();
    if (snapshot === null || snapshot.measured === null) throw new FailureError('arm/reading-failed', { reason: 'no reading' });
    return snapshot.measured;
  };
  /** `found` against `wanted`, both with their unit; the other facts are for the log. */
  const require = (condition: boolean, what: string, found: string, wanted: string, facts: Readonly<Record<string, Fact>> = {}): void => {
    if (!condition) throw new FailureError('arm/check-failed', { what, found, wanted, ...facts });
  };
  const until = async (limitMs: number, done: () => boolean): Promise<boolean> => {
    for (let waitedMs = 0; waitedMs < limitMs; waitedMs += 50) {
      if (done()) return true;
      await pause(50);
    }
    return done();
  };

  const steps: Readonly<Record<CheckStep, () => Promise<Readonly<Record<string, Fact>>>>> = {
    async connect() {
      if (session.stores.robot.getState().connected === null) await session.connectServos(kind);
      const connected = session.stores.robot.getState().connected;
      return { findings: connected?.findings.map((finding) => finding.code).join(', ') ?? '', changed: connected?.changed.length ?? 0 };
    },
    async readings() {
      await until(MOVE_LIMIT_MS, () => session.stores.robot.getState().health !== null);
      const health = session.stores.robot.getState().health;
      // A motor that did not say is left out and missed by its number, not taken for 0 V.
      const volts = health?.servos.flatMap((servo) => servo.volts ?? []) ?? [];
      const celsius = health?.servos.flatMap((servo) => servo.celsius ?? []) ?? [];
      const facts = { leastVolts: volts.length === 0 ? null : Math.min(...volts), hottestC: celsius.length === 0 ? null : Math.max(...celsius), lost: health?.counts.lost ?? null, retries: health?.counts.retries ?? null, roundTripMs: health?.counts.lastRoundTripMs ?? null };
      require(volts.length === JOINT_COUNT && facts.leastVolts !== null && facts.leastVolts >= LEAST_VOLTS, 'The lowest voltage of the six motors', facts.leastVolts === null ? 'nothing' : `${facts.leastVolts} V from ${volts.length}`, `${LEAST_VOLTS} V or more from ${JOINT_COUNT}`, facts);
      return facts;
    },
    async stillness() {
      const before = measured();
      await pause(STILL_MS);
      const drift = furthest(before, measured());
      require(drift <= STILL_UNITS, 'The furthest a joint moved while holding', `${round(drift)}${EITHER_UNIT}`, `at most ${STILL_UNITS}`);
      return { drift: round(drift) };
    },
    async 'each-joint'() {
      const facts: Record<string, Fact> = {};
      for (let joint = 0; joint < JOINT_COUNT; joint++) {
        const from = measured();
        const limit = session.stores.arm.getState().limits[joint];
        const by = limit !== undefined && (from[joint] as number) + MOVE_UNITS > limit.most - MOVE_UNITS ? -MOVE_UNITS : MOVE_UNITS;
        await session.nudge(joint, by);
        const goal = (from[joint] as number) + by;
        const arrived = await until(MOVE_LIMIT_MS, () => Math.abs((measured()[joint] as number) - goal) <= FOLLOWED_UNITS);
        const off = Math.abs((measured()[joint] as number) - goal);
        facts[JOINT_NAMES[joint] as string] = round(off);
        require(arrived, `How far ${JOINT_NAMES[joint] as string} stopped from its goal`, `${round(off)}${unit(joint)}`, `at most ${FOLLOWED_UNITS}${unit(joint)}`, facts);
        await session.nudge(joint, -by);
        await until(MOVE_LIMIT_MS, () => Math.abs((measured()[joint] as number) - (from[joint] as number)) <= FOLLOWED_UNITS);
      }
      return facts;
    },
    async stop() {
      await session.nudge(0, 4 * MOVE_UNITS);
      await pause(500);
      const stop = await session.stop();
      const facts = { confirmedAfterMs: Math.round(stop.confirmedAfterMs), ticksToFreeze: stop.frozenTick - stop.acknowledgedTick, driftDeg: stop.driftRad === null ? null : round((stop.driftRad * 180) / Math.PI) };
      require(stop.driftRad !== null && stop.driftRad < STOPPED_RAD, 'The furthest a joint moved after Stop', facts.driftDeg === null ? 'nothing' : `${facts.driftDeg}°`, `less than ${round((STOPPED_RAD * 180) / Math.PI)}°`, facts);
      return facts;
    },
    async gripper() {
      await session.openGripper();
      const opened = await until(MOVE_LIMIT_MS, () => (measured()[GRIPPER_INDEX] as number) >= OPEN_UNITS);
      const facts = { gripper: round(measured()[GRIPPER_INDEX] as number) };
      require(opened, 'The gripper', `${facts.gripper} % open`, `${OPEN_UNITS} % or more`, facts);
      return facts;
    },
    async 'go-on'() {
      await until(MOVE_LIMIT_MS, () => session.readArm()?.mode === 'stopped');
      // The fingers count as open a little before they come to rest, and that last little is not of *Go on*.
      await pause(SETTLE_MS);
      const before = measured();
      await session.resume();
      await pause(1000);
      const moved = furthest(before, measured());
      require(moved <= STILL_UNITS, 'The furthest a joint moved on Go on', `${round(moved)}${EITHER_UNIT}`, `at most ${STILL_UNITS}`);
      return { moved: round(moved) };
    },
    async cable() {
      await session.nudge(0, -2 * MOVE_UNITS);
      if (kind === 'virtual') await session.virtualFault('unplug');
      const noticed = await until(CABLE_LIMIT_MS, () => session.stores.arm.getState().failure?.code === 'arm/port-lost');
      require(noticed, 'The lost cable', `no word of it for ${CABLE_LIMIT_MS / 1000} s`, 'word of it within a second or so');
      return { mode: session.readArm()?.mode ?? '' };
    },
    async again() {
      if (kind === 'virtual') await session.virtualFault('none');
      await session.leaveServos();
      await session.connectServos(kind);
      return { mode: session.readArm()?.mode ?? '' };
    },
    async lower() {
      await session.leaveServos();
      return { kind: session.stores.arm.getState().kind };
    },
  };

  for (const step of CHECK_STEPS) {
    const began = performance.now();
    const put = (outcome: CheckEntry['outcome'], facts: CheckEntry['facts'], failure: Failure | null = null): void => {
      entries.push({ step, outcome, seconds: round((performance.now() - began) / 1000), facts, failure });
      onEntry([...entries]);
    };
    const said = await ask(step);
    if (said === 'no') {
      put('left-out', { person: said });
      if (step === 'connect' || step === 'each-joint') break;
      continue;
    }
    try {
      put('passed', { person: said, ...(await steps[step]()) });
    } catch (thrown) {
      put('failed', { person: said }, asFailure(thrown));
      break;
    }
  }
  return { format: 'vla-playground-hardware-check', version: 1, app: appVersion, arm: kind, startedAt, userAgent: navigator.userAgent, entries };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function furthest(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? value))));
}

function unit(joint: number): string {
  return joint === GRIPPER_INDEX ? ' %' : '°';
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
