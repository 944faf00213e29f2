/**
 * Six servos on a bus as an `Arm`. Calls return at once: `send` keeps the newest goal, `read` hands out the newest
 * reading, and between them one cycle at a time runs on the wire:
 *
 *   sync read of 15 bytes from 56 (14 bytes out, 126 in) ─► sync write of six goals (26 bytes)      1.66 ms at 1 Mbaud
 *
 * What it never does: queue goals (the newest replaces the one that has not gone out), write a goal outside the calibrated range,
 * write a goal to a servo that is limp or protects itself, switch torque on before the servo's goal is where it stands, or make up a
 * reading. A reading is as old as its oldest joint.
 *
 * A servo that reports overload, over-current or heat has let go or will. LeRobot's loop does not look at these bits, and a
 * new goal clears an overload, so that a loop defeats the protection thirty times a second. Here a servo is read before it is
 * written to, a goal that has not changed is sent three times and then not for three seconds, and the bits latch: that servo is
 * sent no more goals until the arm is engaged again, `send` throws once, and `faults` says so until then.
 *
 * A supply that broke down for a moment resets the servos, and they come back limp without an error bit. So twice a second the torque
 * switches are read too; one that is off while the arm should hold is a fault like the others, and that servo is sent nothing.
 */
import { GRIPPER_INDEX, JOINT_COUNT, JOINT_NAMES } from '#contracts/joints.ts';
import type { ArmKind } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';
import type { Reading } from '#contracts/reading.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { ArmCalibration, SerialArmHealth, ServoError, ServoHealth } from '#contracts/serial.ts';
import type { Clock } from '#contracts/time.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { SafeCommand } from '#core/safety/safe-command.ts';
import { FRESH_FOR_MS, type Arm, type JointReadings } from '../arm.ts';
import { GRIPPER_TORQUE_LIMIT, readRegister, requireRegister, writeRegister } from './configure.ts';
import type { Bus, ServoReply } from './feetech/bus.ts';
import { decodeRegister, encodeRegister, REGISTERS } from './feetech/registers.ts';
import { servoErrors } from './feetech/servo-errors.ts';
import { jointScale } from './joint-scale.ts';

export interface SerialArmOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly robot: RobotDescription;
  readonly calibration: ArmCalibration;
  readonly kind: Extract<ArmKind, 'serial' | 'virtual'>;
  /** Radians added to each joint's reading, JOINT_NAMES order; none unless told. */
  readonly trimRad?: ArrayLike<number>;
  /** Live torque limits once engaged, 0.1 % of stall, JOINT_NAMES order. 1000, the gripper 500, unless told. */
  readonly torqueLimits?: readonly number[];
}

export interface SerialArm extends Arm {
  health(): SerialArmHealth;
  faults(): readonly Failure[];
  relieve(joint: number): void;
  examine(): Promise<void>;
  ranges(): readonly { readonly least: number; readonly most: number }[];
  /** One cycle of reading, waited for. */
  refresh(): Promise<void>;
}

const TELEMETRY_FROM = REGISTERS.presentPosition.address;
const TELEMETRY_BYTES = 15;
/** The bytes for it take 0.6 ms at 1 Mbaud; a limp arm of 0.3 m falls 0.3 m in a quarter of a second anyway. */
const TORQUE_LOOK_EVERY_MS = 500;
/** More than the 2 s (2.54 at most) after which an overload or too much current counts. */
const TELL_AGAIN_MS = 3000;
/** A write to several servos is not acknowledged; that it is lost three times in a row is a broken line. */
const TELL_TIMES = 3;
/** Bits that cut torque by the factory's unloading condition (44). */
const TRIPPING: readonly ServoError[] = ['temperature', 'current', 'overload'];

/** Torque while the servos take over, 0.1 %: enough to hold a folded arm, too little to throw it. */
const SOFT_TORQUE = 200;
const TORQUE_STEPS = 4;
const TORQUE_STEP_MS = 40;
/** 98 steps are 8.6 degrees. Further than this from the goal just after switching on, something is wrong. */
const START_STEPS = 98;
const TORQUE_OFF_FRAMES = 3;

const STEPS_AMPERES = 0.0065;
/** Spec: 8 kg cm a ampere. */
const NEWTON_METRES_PER_AMPERE = 0.785;

interface Joint {
  readonly id: number;
  readonly scale: ReturnType<typeof jointScale>;
  readonly rangeMin: number;
  readonly rangeMax: number;
  readonly torqueLimit: number;
  last: { readonly atMs: number; readonly position: number; readonly velocity: number; readonly torque: number; readonly health: ServoHealth } | null;
  /** The goal it was sent last, steps. */
  told: number | null;
  /** How often in a row. */
  times: number;
  tripped: readonly ServoError[];
  limp: 'yes' | 'no';
  /** Goals go to it though it protects itself. */
  relieved: 'yes' | 'no';
}

export function serialArm(options: SerialArmOptions): SerialArm {
  const { bus, clock, calibration } = options;
  const joints = JOINT_NAMES.map((name, i): Joint => {
    const motor = calibration[name];
    return {
      id: motor.id,
      scale: jointScale(i, motor, options.trimRad?.[i] ?? 0),
      rangeMin: motor.rangeMin,
      rangeMax: motor.rangeMax,
      torqueLimit: options.torqueLimits?.[i] ?? (i === GRIPPER_INDEX ? GRIPPER_TORQUE_LIMIT : 1000),
      last: null,
      told: null,
      times: 0,
      tripped: [],
      limp: 'no',
      relieved: 'no',
    };
  });
  const ids = joints.map((joint) => joint.id);
  let engaged = false;
  let open = true;
  let goals: readonly number[] | null = null;
  let readWanted = false;
  let cycling: Promise<void> | null = null;
  let torqueLookedAtMs = Number.NEGATIVE_INFINITY;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  const unsaid: Failure[] = [];

  const usable = (): void => {
    if (!open) throw new FailureError('arm/not-connected');
    if (!bus.open) throw new FailureError('arm/port-lost', { reason: 'unplugged' });
  };

  const take = (joint: Joint, index: number, reply: ServoReply): void => {
    if (reply.kind === 'lost') return;
    const at = (name: Parameters<typeof decodeRegister>[0]): number => decodeRegister(name, reply.data, TELEMETRY_FROM);
    const errors = servoErrors(reply.errors | at('status'));
    const load = at('presentLoad') / 1000;
    const amperes = Math.abs(at('presentCurrent')) * STEPS_AMPERES;
    const positionTicks = at('presentPosition');
    const way = Math.sign(joint.scale.toRadiansPerS(1));
    joint.last = {
      atMs: reply.atMs,
      position: joint.scale.toRadians(positionTicks),
      velocity: joint.scale.toRadiansPerS(at('presentVelocity')),
      // The servo measures no torque; the current says how hard it works and the duty's sign which way.
      torque: Math.sign(load) * way * amperes * NEWTON_METRES_PER_AMPERE,
      health: { id: joint.id, atMs: reply.atMs, positionTicks, load, volts: at('presentVoltage') / 10, celsius: at('presentTemperature'), amperes, moving: at('moving') === 1, errors },
    };
    const tripping = errors.filter((error) => TRIPPING.includes(error));
    if (engaged && joint.tripped.length === 0 && tripping.length > 0) {
      joint.tripped = tripping;
      unsaid.push(faultOf(joint, index));
    }
  };

  const writeGoals = async (): Promise<void> => {
    const positions = goals;
    goals = null;
    if (positions === null || !engaged) return;
    const nowMs = clock.nowMs();
    const again = nowMs - toldAtMs >= TELL_AGAIN_MS;
    if (again) toldAtMs = nowMs;
    const entries = joints.flatMap((joint, i) => {
      if (joint.limp === 'yes' || (joint.tripped.length > 0 && joint.relieved === 'no')) return [];
      const steps = joint.scale.toTicks(positions[i] as number);
      joint.times = steps === joint.told ? joint.times + 1 : 1;
      joint.told = steps;
      if (joint.times > TELL_TIMES && !again) return [];
      return [{ id: joint.id, data: encodeRegister('goalPosition', steps) }];
    });
    if (entries.length > 0) await bus.syncWrite(REGISTERS.goalPosition.address, entries, { onlyIf: () => engaged });
  };

  const lookAtTorque = async (): Promise<void> => {
    if (!engaged || clock.nowMs() - torqueLookedAtMs < TORQUE_LOOK_EVERY_MS) return;
    torqueLookedAtMs = clock.nowMs();
    const replies = await bus.syncRead(ids, REGISTERS.torqueEnable.address, REGISTERS.torqueEnable.width, { attempts: 1 });
    if (!engaged) return;
    joints.forEach((joint, i) => {
      const reply = replies[i];
      if (reply?.kind !== 'ok' || joint.limp === 'yes' || decodeRegister('torqueEnable', reply.data) !== 0) return;
      joint.limp = 'yes';
      if (joint.tripped.length === 0) unsaid.push(limpOf(joint, i));
    });
  };

  const cycle = async (): Promise<void> => {
    while (open && bus.open && (goals !== null || readWanted)) {
      if (!readWanted) {
        await writeGoals();
        continue;
      }
      readWanted = false;
      const replies = await bus.syncRead(ids, TELEMETRY_FROM, TELEMETRY_BYTES, { attempts: 1 });
      joints.forEach((joint, i) => take(joint, i, replies[i] as ServoReply));
      // Only now: a goal that went out first would have cleared what a servo had to say.
      await writeGoals();
      // Some answered: the silent ones are asked by name. None answered: asking six times more would only take time.
      const missing = joints.filter((_, i) => replies[i]?.kind === 'lost');
      if (missing.length === JOINT_COUNT) continue;
      for (const joint of missing) {
        take(joint, joints.indexOf(joint), await bus.read(joint.id, TELEMETRY_FROM, TELEMETRY_BYTES, { attempts: 1 }));
        await writeGoals();
      }
      await lookAtTorque();
    }
  };

  const kick = (): Promise<void> => {
    // Only a lost line throws here, and the next call says so.
    cycling ??= Promise.resolve()
      .then(cycle)
      .catch(() => undefined)
      .finally(() => {
        cycling = null;
      });
    return cycling;
  };

  let lettingGo: Promise<void> | null = null;
  const letGo = async (): Promise<void> => {
    engaged = false;
    goals = null;
    for (let n = 0; n < TORQUE_OFF_FRAMES; n++) await bus.broadcastWrite(REGISTERS.torqueEnable.address, [0], { urgency: 'urgent' });
    const holding: number[] = [];
    for (const { id } of joints) {
      // One servo that is silent or in fault must not keep the others from being let go.
      for (let attempt = 0; attempt < 2; attempt++) {
        const torque = await readRegister(bus, id, 'torqueEnable').catch(() => null);
        if (torque === 0) break;
        if (attempt === 1) holding.push(id);
        else await writeRegister(bus, id, 'torqueEnable', 0).catch(() => undefined);
      }
    }
    if (holding.length > 0) throw new FailureError('arm/torque-still-on', { ids: holding.join(', ') });
  };

  const syncWriteEach = async (name: 'torqueEnable' | 'torqueLimit' | 'goalPosition', values: readonly number[]): Promise<void> => {
    await bus.syncWrite(REGISTERS[name].address, joints.map((joint, i) => ({ id: joint.id, data: encodeRegister(name, values[i] as number) })));
    for (const [i, joint] of joints.entries()) await requireRegister(bus, joint.id, name, values[i] as number);
  };

  /** Throws `arm/moved-at-start` when a joint stands too far from the goal it is about to hold. */
  const requireNear = async (held: readonly number[]): Promise<void> => {
    for (const [i, joint] of joints.entries()) {
      const steps = Math.abs((await readRegister(bus, joint.id, 'presentPosition')) - (held[i] as number));
      if (steps > START_STEPS) throw new FailureError('arm/moved-at-start', { id: joint.id, joint: JOINT_NAMES[i] ?? null, steps, limit: START_STEPS });
    }
  };

  /** Goal where it stands, weak, torque on, then stronger in steps. Each is read back before the next. */
  const takeHold = async (at: SafeCommand): Promise<void> => {
    const held = at.positions.map((position, i) => (joints[i] as Joint).scale.toTicks(position));
    await requireNear(held);
    const soft = joints.map((joint) => Math.min(SOFT_TORQUE, joint.torqueLimit));
    await syncWriteEach('torqueLimit', soft);
    await syncWriteEach('goalPosition', held);
    await syncWriteEach('torqueEnable', joints.map(() => 1));
    await requireNear(held);
    for (let step = 1; step <= TORQUE_STEPS; step++) {
      await clock.sleepUntil(clock.nowMs() + TORQUE_STEP_MS);
      await bus.syncWrite(
        REGISTERS.torqueLimit.address,
        joints.map((joint, i) => ({ id: joint.id, data: encodeRegister('torqueLimit', Math.round((soft[i] as number) + ((joint.torqueLimit - (soft[i] as number)) * step) / TORQUE_STEPS)) })),
      );
    }
    for (const joint of joints) await requireRegister(bus, joint.id, 'torqueLimit', joint.torqueLimit);
    await requireNear(held);
  };

  return {
    kind: options.kind,
    robot: options.robot,
    read(nowMs): Reading<JointReadings> {
      if (!open) return failed('arm/not-connected');
      if (!bus.open) return failed('arm/port-lost', { reason: 'unplugged' });
      readWanted = true;
      void kick();
      const silent = joints.findIndex((joint) => joint.last === null);
      if (silent >= 0) return failed('arm/servo-lost', { id: joints[silent]?.id ?? 0, joint: JOINT_NAMES[silent] ?? '', reason: 'silent' });
      const lasts = joints.map((joint) => joint.last).filter((last) => last !== null);
      const atMs = Math.min(...lasts.map((last) => last.atMs));
      const value: JointReadings = {
        position: Float64Array.from(lasts, (last) => last.position),
        velocity: Float64Array.from(lasts, (last) => last.velocity),
        torque: Float64Array.from(lasts, (last) => last.torque),
        epoch: 0,
        temperatureC: Float64Array.from(lasts, (last) => last.health.celsius ?? Number.NaN),
        // The lowest: the last servo of a thin chain sees the dip first.
        voltageV: Math.min(...lasts.map((last) => last.health.volts ?? Number.POSITIVE_INFINITY)),
      };
      const ageMs = nowMs - atMs;
      return ageMs <= FRESH_FOR_MS ? { kind: 'fresh', value, atMs } : { kind: 'stale', value, atMs, ageMs };
    },
    async engage(at) {
      usable();
      // Until it holds again nothing latches: what a servo still reports belongs to before.
      engaged = false;
      goals = null;
      for (const joint of joints) {
        joint.told = null;
        joint.tripped = [];
        joint.limp = 'no';
        joint.relieved = 'no';
      }
      unsaid.length = 0;
      await takeHold(at);
      if (!open) throw new FailureError('arm/not-connected');
      engaged = true;
      torqueLookedAtMs = clock.nowMs();
    },
    async release() {
      usable();
      const now = letGo();
      lettingGo = now.catch(() => undefined);
      await now;
    },
    send(command) {
      if (!open || !engaged) throw new FailureError('arm/not-connected', { engaged });
      if (!bus.open) throw new FailureError('arm/port-lost', { reason: 'unplugged' });
      goals = command.positions;
      void kick();
      const fault = unsaid.shift();
      if (fault !== undefined) throw new FailureError(fault.code, fault.facts);
    },
    async close() {
      open = false;
      engaged = false;
      goals = null;
      // Torque that is being cut is cut, and looked at, before the line goes: two seconds at most, where every servo is silent.
      await lettingGo;
      await bus.close();
    },
    health: () => ({
      servos: joints.map((joint) => joint.last?.health ?? { id: joint.id, atMs: null, positionTicks: null, load: null, volts: null, celsius: null, amperes: null, moving: null, errors: [] }),
      counts: bus.counts(),
      echo: bus.echo === true,
    }),
    faults: () => [
      ...(open && !bus.open ? [{ code: 'arm/port-lost', facts: { reason: 'unplugged' } } as const] : []),
      ...joints.flatMap((joint, i) => (joint.tripped.length > 0 ? [faultOf(joint, i)] : joint.limp === 'yes' ? [limpOf(joint, i)] : [])),
    ],
    async examine() {
      torqueLookedAtMs = Number.NEGATIVE_INFINITY;
      // A line that is lost is said by `faults` already.
      await lookAtTorque().catch(() => undefined);
    },
    ranges: () =>
      joints.map(({ scale, rangeMin, rangeMax }) => {
        const ends = [scale.toRadians(rangeMin), scale.toRadians(rangeMax)];
        return { least: Math.min(...ends), most: Math.max(...ends) };
      }),
    relieve(index) {
      const joint = joints[index];
      if (joint !== undefined) joint.relieved = 'yes';
    },
    async refresh() {
      readWanted = true;
      await kick();
    },
  };
}

function faultOf(joint: Joint, index: number): Failure {
  return { code: 'arm/servo-fault', facts: { id: joint.id, joint: JOINT_NAMES[index] ?? '', errors: joint.tripped.join(', ') } };
}

function limpOf(joint: Joint, index: number): Failure {
  return { code: 'arm/servo-limp', facts: { id: joint.id, joint: JOINT_NAMES[index] ?? '' } };
}

function failed(code: Failure['code'], facts: Failure['facts'] = {}): Reading<never> {
  return { kind: 'failed', failure: { code, facts } };
}
