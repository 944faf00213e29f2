/**
 * The virtual servos that come with the page: the simulated arm behind them, a port in the browser's shape before them, a hand that can
 * move limp joints, and faults to order. They keep their EEPROM for as long as the page lives.
 */
import type { VirtualFault } from '#contracts/robot-setup.ts';
import { ROBOT_NAMES, type RobotDescription } from '#contracts/robot.ts';
import type { Clock } from '#contracts/time.ts';
import { JOINTS_SLOT, JOINTS_SLOT_LENGTH } from '#contracts/slots.ts';
import type { Arm } from '#core/arm/arm.ts';
import { simulatedArm, type SimulatedArmMemory } from '#core/arm/simulated.ts';
import { virtualArm, virtualPlant, type VirtualArm } from '#core/arm/virtual/virtual-arm.ts';
import { virtualPorts } from '#core/arm/virtual/virtual-port.ts';
import { worldPlant, type WorldPlant } from '#core/arm/virtual/world-plant.ts';
import { FailureError } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import { slotReader } from '#core/lib/shared-slot.ts';
import { SO100 } from '#core/robots/so100.ts';
import { ownPorts, type PortHost } from './serial-port.ts';

export interface VirtualBench {
  readonly ports: Pick<PortHost, 'open'>;
  readonly on: boolean;
  /**
   * Firmware runs, and the simulated arm is the servos'. They take over holding it, as an arm that was in use a moment ago. Rejects with
   * `arm/reading-failed` when the world measures nothing, and with `arm/other-body` when another arm than this one stands on the table.
   */
  switchOn(robot: RobotDescription): Promise<void>;
  /** Whose servos they are. */
  readonly robot: RobotDescription;
  /** The simulated arm is somebody else's. */
  switchOff(): void;
  hand(pose: readonly number[] | null): void;
  /** The simulated arm itself, for a mirror of a real one; only while the virtual servos do not have it. */
  simulated(robot: RobotDescription): Arm;
  /** A second arm of software servos: limp, its joints wherever a hand put them. Made when first asked for. */
  readonly leader: VirtualLeader;
  fault(fault: VirtualFault): void;
  /** An arm over these servos that knows when the world put it elsewhere. */
  watching(arm: Arm): Arm;
}

export interface VirtualLeader {
  readonly ports: PortHost;
  /** A hand carries the joints here at a hand's pace, radians. */
  put(pose: readonly number[]): void;
}

/** Servo firmware, when nobody asks: 100 Hz. */
const FIRMWARE_MS = 10;
/** A world that is just being built measures within this. */
const FIRST_MEASUREMENT_MS = 3000;
/** Far above the 28 ms after which an answer counts as none. */
const DELAY_MS = 60;
/** A hand's pace, radians a second. */
const LEADER_HAND = 3;
const HOT_C = 72;
const SUPPLY_V = 12.1;
const BROWN_OUT_V = 3;
const BROWN_OUT_MS = 120;
const ELBOW = 3;

export function virtualBench(memory: SimulatedArmMemory, clock: Clock): VirtualBench {
  const joints = slotReader(memory.joints);
  const record = new Float64Array(JOINTS_SLOT_LENGTH);
  let made: { readonly robot: RobotDescription; readonly plant: WorldPlant; readonly servos: VirtualArm; readonly ports: PortHost } | null = null;
  let firmware: { stop(): void } | null = null;

  /** Made when first needed: they drive the simulated arm from their first moment on. Another arm has other servos. */
  const servosOf = (robot: RobotDescription): NonNullable<typeof made> => {
    if (made?.robot === robot) return made;
    switchOff();
    const plant = worldPlant(memory, clock, robot);
    const servos = virtualArm({ clock, plant, robot, state: 'held' });
    made = { robot, plant, servos, ports: ownPorts(virtualPorts(servos)) };
    return made;
  };
  const switchOff = (): void => {
    firmware?.stop();
    firmware = null;
    made?.plant.hand(null);
  };
  const servosNow = (): VirtualArm => {
    if (made === null) throw new FailureError('arm/not-connected');
    return made.servos;
  };

  let leader: VirtualLeader | null = null;

  return {
    simulated: (robot) => simulatedArm(memory, robot),
    get robot() {
      return made?.robot ?? LEADER_ROBOT;
    },
    get leader() {
      return (leader ??= virtualLeader(clock));
    },
    ports: { open: async (adapter, baud) => servosOf(made?.robot ?? LEADER_ROBOT).ports.open(adapter, baud) },
    get on() {
      return firmware !== null;
    },
    async switchOn(robot) {
      const limitMs = clock.nowMs() + FIRST_MEASUREMENT_MS;
      while (!joints.read(record)) {
        if (clock.nowMs() >= limitMs) throw new FailureError('arm/reading-failed', { reason: 'the world has not measured anything yet' });
        await clock.sleepUntil(clock.nowMs() + FIRMWARE_MS);
      }
      const found = ROBOT_NAMES[record[JOINTS_SLOT.robot.at] as number];
      if (found !== robot.name) throw new FailureError('arm/other-body', { wanted: robot.name, found: found ?? 'unknown' });
      const { servos } = servosOf(robot);
      if (firmware !== null) return;
      servos.hold();
      firmware = servos.run(FIRMWARE_MS);
    },
    switchOff,
    hand: (pose) => made?.plant.hand(pose),
    fault(fault) {
      const servos = servosNow();
      const every = { id: null, times: Number.POSITIVE_INFINITY };
      switch (fault) {
        case 'unplug':
          servos.unplug();
          return;
        case 'overload':
          servos.servo(ELBOW).jam('jammed');
          return;
        case 'hot':
          servos.servo(ELBOW).setTemperature(HOT_C);
          return;
        case 'brown-out':
          servos.setSupply(BROWN_OUT_V);
          void clock.sleepUntil(clock.nowMs() + BROWN_OUT_MS).then(() => servos.setSupply(SUPPLY_V));
          return;
        case 'chain':
          servos.breakChainAfter(ELBOW);
          return;
        case 'drop':
          servos.faults.add({ ...every, fault: { kind: 'drop' } });
          return;
        case 'corrupt':
          servos.faults.add({ ...every, fault: { kind: 'corrupt' } });
          return;
        case 'delay':
          servos.faults.add({ ...every, fault: { kind: 'delay', ms: DELAY_MS } });
          return;
        case 'duplicate':
          servos.faults.add({ ...every, fault: { kind: 'duplicate' } });
          return;
        case 'wrong-id':
          servos.faults.add({ ...every, fault: { kind: 'wrong-id', id: 9 } });
          return;
        case 'none':
          servos.faults.clear();
          servos.breakChainAfter(Number.POSITIVE_INFINITY);
          servos.setSupply(SUPPLY_V);
          for (const servo of servos.servos) {
            servo.setTemperature(30);
            servo.jam('free');
          }
          servos.plug();
          return;
        default:
          unreachable(fault);
      }
    },
    watching: (arm) => watchResets(arm, () => {
      joints.read(record);
      const found = ROBOT_NAMES[record[JOINTS_SLOT.robot.at] as number] ?? 'unknown';
      return { epoch: record[JOINTS_SLOT.epoch.at] as number, stranger: found === arm.robot.name ? null : found };
    }, () => servosNow().yieldToPlant()),
  };
}

/** The leader that comes with the page. LeRobot's units are one for both arms, so it leads either. */
export const LEADER_ROBOT = SO100;

/** Six servos that turn nothing but their own horns. They stand where the arm on the table begins. */
function virtualLeader(clock: Clock): VirtualLeader {
  const plant = virtualPlant();
  const servos = virtualArm({ clock, plant, state: 'calibrated' });
  servos.run(FIRMWARE_MS);
  let wanted: readonly number[] = plant.angles;
  let carrying: 'yes' | 'no' = 'no';
  const carry = async (): Promise<void> => {
    if (carrying === 'yes') return;
    carrying = 'yes';
    const step = (LEADER_HAND * FIRMWARE_MS) / 1000;
    while (plant.angles.some((angle, i) => angle !== wanted[i])) {
      await clock.sleepUntil(clock.nowMs() + FIRMWARE_MS);
      plant.angles.forEach((angle, i) => {
        const gap = (wanted[i] ?? angle) - angle;
        plant.put(i, Math.abs(gap) <= step ? angle + gap : angle + Math.sign(gap) * step);
      });
      if (plant.angles.every((angle, i) => Math.abs(angle - (wanted[i] ?? angle)) < 1e-9)) break;
    }
    carrying = 'no';
  };
  return {
    ports: ownPorts(virtualPorts(servos)),
    put(pose) {
      wanted = pose;
      void carry();
    },
  };
}

/**
 * A reset puts the joints elsewhere, and no wire tells a servo so: here somebody has to. Until a reading from after it has
 * come over the wire the old epoch is told, and goals, which are for the place before, are not passed on.
 */
function watchResets(arm: Arm, worldNow: () => { readonly epoch: number; readonly stranger: string | null }, yieldToPlant: () => void): Arm {
  let told = worldNow().epoch;
  let seen = told;
  let resetAtMs = Number.NEGATIVE_INFINITY;
  const noticeReset = (nowMs: number): void => {
    const { epoch } = worldNow();
    if (epoch === seen) return;
    seen = epoch;
    resetAtMs = nowMs;
    yieldToPlant();
  };
  return {
    ...arm,
    read(nowMs) {
      noticeReset(nowMs);
      const { stranger } = worldNow();
      if (stranger !== null) return { kind: 'failed', failure: { code: 'arm/other-body', facts: { wanted: arm.robot.name, found: stranger } } };
      const reading = arm.read(nowMs);
      if (reading.kind === 'failed') return reading;
      if (reading.atMs >= resetAtMs) told = seen;
      return { ...reading, value: { ...reading.value, epoch: told } };
    },
    send(command, stamp) {
      if (told === seen) arm.send(command, stamp);
    },
  };
}
