/**
 * The smallest world that moves an arm honestly: each joint goes to its target at a speed limit, limp joints sag to
 * zero. For tests of what talks to an arm; the physics have their own room.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import { ROBOT_NAMES, type RobotName } from '#contracts/robot.ts';
import { JOINTS_SLOT, JOINTS_SLOT_LENGTH, TARGETS_SLOT, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import { createSlotMemory, slotField, slotReader, slotWriter } from '#core/lib/shared-slot.ts';

export interface SimulatedWorld {
  readonly memory: { readonly targets: SharedArrayBuffer; readonly joints: SharedArrayBuffer };
  /** Moves the joints for `ms` and measures them at `atMs`. */
  advance(ms: number, atMs: number): void;
  /** Puts the arm somewhere and counts the epoch up, as a reset does. */
  reset(pose: ArrayLike<number>, atMs: number, robot?: RobotName): void;
  /** Breaks the next measurements: a number that is none. */
  breakJoint(joint: number): void;
  /** From now on this motor says it gives so much torque, N m. */
  overload(joint: number, torqueNm: number): void;
  readonly positions: readonly number[];
  /** What was last asked for, or null before the first command of this epoch. */
  readonly targets: readonly number[] | null;
  readonly torque: 'on' | 'off';
}

const MAX_SPEED_RAD_PER_S = 5;
const SAG_RAD_PER_S = 1;

/** `robot`: whose joints it says they are. */
export function simulatedWorld(start: ArrayLike<number>, atMs: number, robot: RobotName = 'so100'): SimulatedWorld {
  const memory = { targets: createSlotMemory(TARGETS_SLOT_LENGTH), joints: createSlotMemory(JOINTS_SLOT_LENGTH) };
  const reader = slotReader(memory.targets);
  const writer = slotWriter(memory.joints);
  const incoming = new Float64Array(TARGETS_SLOT_LENGTH);
  const joints = new Float64Array(JOINTS_SLOT_LENGTH);
  const position = Float64Array.from(start);
  const velocity = new Float64Array(JOINT_COUNT);
  let standing = robot;
  let epoch = 0;
  let simSeconds = 0;
  let broken: number | null = null;

  const measure = (measuredAtMs: number): void => {
    slotField(joints, JOINTS_SLOT.position).set(position);
    if (broken !== null) joints[broken] = Number.NaN;
    slotField(joints, JOINTS_SLOT.velocity).set(velocity);
    joints[JOINTS_SLOT.measuredAtMs.at] = measuredAtMs;
    joints[JOINTS_SLOT.simSeconds.at] = simSeconds;
    joints[JOINTS_SLOT.epoch.at] = epoch;
    joints[JOINTS_SLOT.robot.at] = ROBOT_NAMES.indexOf(standing);
    writer.write(joints);
  };
  const heard = (): boolean => reader.read(incoming) && incoming[TARGETS_SLOT.epoch.at] === epoch;

  measure(atMs);
  return {
    memory,
    advance(ms, nowMs) {
      const listening = heard();
      const limp = !listening || incoming[TARGETS_SLOT.torque.at] === 0;
      for (let i = 0; i < JOINT_COUNT; i++) {
        const from = position[i] as number;
        const goal = limp ? (listening ? 0 : from) : (incoming[i] as number);
        const step = ((limp ? SAG_RAD_PER_S : MAX_SPEED_RAD_PER_S) * ms) / 1000;
        position[i] = from + Math.min(step, Math.max(-step, goal - from));
        velocity[i] = ((position[i] as number) - from) / (ms / 1000);
      }
      simSeconds += ms / 1000;
      measure(nowMs);
    },
    reset(pose, nowMs, next = standing) {
      standing = next;
      position.set(Array.from(pose));
      velocity.fill(0);
      epoch++;
      measure(nowMs);
    },
    breakJoint(joint) {
      broken = joint;
    },
    overload(joint, torqueNm) {
      joints[JOINTS_SLOT.torque.at + joint] = torqueNm;
    },
    get positions() {
      return Array.from(position);
    },
    get targets() {
      return heard() ? Array.from(incoming.subarray(0, JOINT_COUNT)) : null;
    },
    get torque() {
      return heard() && incoming[TARGETS_SLOT.torque.at] === 1 ? 'on' : 'off';
    },
  };
}
