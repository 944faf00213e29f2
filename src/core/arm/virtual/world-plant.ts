/**
 * The simulated arm as a plant: the servos' goals go into the targets slot, its joints and torques come out of the joints
 * slot, so that the arm behind the wire is the one on the table, with its cameras and cubes. It is the only writer of
 * the targets slot while it is used.
 *
 * The slot has one torque switch for the whole arm and a servo has one of its own. The switch is on while any servo
 * holds; a limp joint among holding ones is sent after itself, so that it yields but does not fall.
 *
 * A person's hand can be put on a limp arm: it carries the joints where it is told, at a hand's pace.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import { ROBOT_NAMES, type RobotDescription } from '#contracts/robot.ts';
import { JOINTS_SLOT, TARGETS_SLOT } from '#contracts/slots.ts';
import type { Clock } from '#contracts/time.ts';
import { slotField, slotReader, slotWriter } from '#core/lib/shared-slot.ts';
import type { SimulatedArmMemory } from '../simulated.ts';
import type { JointPlant } from './plant.ts';

/** STS3215 at 12 V. */
const STALL_TORQUE_NM = 2.94;

/** Radians a second: slower than the simulated motors that stand in for the hand. */
const HAND_SPEED = 3.5;

export interface WorldPlant extends JointPlant {
  /** Radians, JOINT_NAMES order; null takes the hand away. A motor that holds is stronger than the hand. */
  hand(pose: ArrayLike<number> | null): void;
}

export function worldPlant(memory: SimulatedArmMemory, clock: Clock, robot: RobotDescription): WorldPlant {
  const targets = slotWriter(memory.targets);
  const joints = slotReader(memory.joints);
  const outgoing = new Float64Array(targets.length);
  const incoming = new Float64Array(joints.length);
  let tick = 0;
  let wanted: ArrayLike<number> | null = null;
  let carried: Float64Array | null = null;

  /** Where the hand has the joints now: on its way, never in one jump. */
  const carry = (seconds: number): Float64Array => {
    carried ??= slotField(incoming, JOINTS_SLOT.position).slice();
    for (let i = 0; i < JOINT_COUNT; i++) {
      const gap = (wanted?.[i] ?? (carried[i] as number)) - (carried[i] as number);
      carried[i] = (carried[i] as number) + Math.sign(gap) * Math.min(Math.abs(gap), HAND_SPEED * seconds);
    }
    return carried;
  };

  return {
    hand(pose) {
      wanted = pose;
      carried = null;
    },
    drive(drives, seconds) {
      // Before the world has measured there is no epoch to speak of, and no arm to move.
      if (!joints.read(incoming)) return;
      // Servos of one arm turn no joint of another: where the table holds another, nothing reaches it.
      if (ROBOT_NAMES[incoming[JOINTS_SLOT.robot.at] as number] !== robot.name) return;
      const goals = slotField(outgoing, TARGETS_SLOT.targets);
      const held = drives.some((drive) => drive.goal !== null && drive.strength > 0);
      const hand = !held && wanted !== null ? carry(seconds) : null;
      if (held) carried = null;
      for (let i = 0; i < JOINT_COUNT; i++) goals[i] = hand?.[i] ?? drives[i]?.goal ?? (incoming[JOINTS_SLOT.position.at + i] as number);
      outgoing[TARGETS_SLOT.torque.at] = held || hand !== null ? 1 : 0;
      outgoing[TARGETS_SLOT.writtenAtMs.at] = clock.nowMs();
      outgoing[TARGETS_SLOT.tick.at] = ++tick;
      outgoing[TARGETS_SLOT.epoch.at] = incoming[JOINTS_SLOT.epoch.at] as number;
      targets.write(outgoing);
    },
    sense(joint) {
      joints.read(incoming);
      const torque = incoming[JOINTS_SLOT.torque.at + joint] as number;
      return {
        angle: incoming[JOINTS_SLOT.position.at + joint] as number,
        speed: incoming[JOINTS_SLOT.velocity.at + joint] as number,
        load: Math.max(-1, Math.min(1, torque / STALL_TORQUE_NM)),
      };
    },
  };
}
