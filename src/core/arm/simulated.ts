/**
 * The arm in the simulation: two shared slots, one to the world with targets, one back with joints. Knows nothing of
 * physics; the world on the other side may be a worker or a loop in this thread.
 *
 * The world says whose joints it measures. Where that is not the arm this one was opened as, nothing is read and nothing is sent: what
 * the gate allows one body may throw another's finger into the table.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { Reading } from '#contracts/reading.ts';
import { ROBOT_NAMES, type RobotDescription } from '#contracts/robot.ts';
import { JOINTS_SLOT, TARGETS_SLOT } from '#contracts/slots.ts';
import { FailureError } from '#core/lib/failure.ts';
import { slotField, slotReader, slotWriter } from '#core/lib/shared-slot.ts';
import { FRESH_FOR_MS, type Arm, type CommandStamp, type JointReadings } from './arm.ts';

export interface SimulatedArmMemory {
  readonly targets: SharedArrayBuffer;
  readonly joints: SharedArrayBuffer;
}

export function simulatedArm(memory: SimulatedArmMemory, robot: RobotDescription): Arm {
  const targets = slotWriter(memory.targets);
  const joints = slotReader(memory.joints);
  const outgoing = new Float64Array(targets.length);
  const incoming = new Float64Array(joints.length);
  let engaged = false;
  let open = true;

  const publish = (stamp: CommandStamp): void => {
    slotField(outgoing, TARGETS_SLOT.writtenAtMs)[0] = stamp.atMs;
    slotField(outgoing, TARGETS_SLOT.tick)[0] = stamp.tick;
    slotField(outgoing, TARGETS_SLOT.torque)[0] = engaged ? 1 : 0;
    slotField(outgoing, TARGETS_SLOT.epoch)[0] = incoming[JOINTS_SLOT.epoch.at] as number;
    targets.write(outgoing);
  };
  /** Whose joints were measured last, where they are another arm's. */
  const stranger = (): string | null => {
    const found = ROBOT_NAMES[incoming[JOINTS_SLOT.robot.at] as number];
    return found === robot.name ? null : (found ?? 'unknown');
  };
  const requireOwn = (): void => {
    const found = stranger();
    if (found !== null) throw new FailureError('arm/other-body', { wanted: robot.name, found });
  };

  return {
    kind: 'simulated',
    robot,
    read(nowMs): Reading<JointReadings> {
      if (!open) return { kind: 'failed', failure: { code: 'arm/not-connected', facts: {} } };
      if (!joints.read(incoming)) return failed('the world has not measured anything yet');
      const other = stranger();
      if (other !== null) return { kind: 'failed', failure: { code: 'arm/other-body', facts: { wanted: robot.name, found: other } } };
      const position = slotField(incoming, JOINTS_SLOT.position).slice();
      const velocity = slotField(incoming, JOINTS_SLOT.velocity).slice();
      const joint = firstBad(position, velocity);
      if (joint !== null) return failed(`joint ${joint} is not finite`);
      const atMs = incoming[JOINTS_SLOT.measuredAtMs.at] as number;
      const value = { position, velocity, torque: slotField(incoming, JOINTS_SLOT.torque).slice(), epoch: incoming[JOINTS_SLOT.epoch.at] as number };
      const ageMs = nowMs - atMs;
      return ageMs <= FRESH_FOR_MS ? { kind: 'fresh', value, atMs } : { kind: 'stale', value, atMs, ageMs };
    },
    async engage(at, stamp) {
      if (!open) throw new FailureError('arm/not-connected');
      joints.read(incoming);
      requireOwn();
      engaged = true;
      slotField(outgoing, TARGETS_SLOT.targets).set(at.positions);
      publish(stamp);
    },
    async release(stamp) {
      if (!open) throw new FailureError('arm/not-connected');
      engaged = false;
      if (stranger() === null) publish(stamp);
    },
    send(command, stamp) {
      if (!open || !engaged) throw new FailureError('arm/not-connected', { engaged });
      requireOwn();
      slotField(outgoing, TARGETS_SLOT.targets).set(command.positions);
      publish(stamp);
    },
    async close() {
      open = false;
    },
  };
}

function firstBad(position: Float64Array, velocity: Float64Array): number | null {
  for (let i = 0; i < JOINT_COUNT; i++) if (!Number.isFinite(position[i]) || !Number.isFinite(velocity[i])) return i;
  return null;
}

function failed(reason: string): Reading<never> {
  return { kind: 'failed', failure: { code: 'arm/reading-failed', facts: { reason } } };
}
