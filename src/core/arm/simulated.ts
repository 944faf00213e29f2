/**
 * The arm in the simulation: two shared slots, one to the world with targets, one back with joints. Knows nothing of
 * physics; the world on the other side may be a worker or a loop in this thread.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { Reading } from '#contracts/reading.ts';
import { JOINTS_SLOT, TARGETS_SLOT } from '#contracts/slots.ts';
import { FailureError } from '#core/lib/failure.ts';
import { slotField, slotReader, slotWriter } from '#core/lib/shared-slot.ts';
import { FRESH_FOR_MS, type Arm, type CommandStamp, type JointReadings } from './arm.ts';

export interface SimulatedArmMemory {
  readonly targets: SharedArrayBuffer;
  readonly joints: SharedArrayBuffer;
}

export function simulatedArm(memory: SimulatedArmMemory): Arm {
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

  return {
    kind: 'simulated',
    read(nowMs): Reading<JointReadings> {
      if (!open) return { kind: 'failed', failure: { code: 'arm/not-connected', facts: {} } };
      if (!joints.read(incoming)) return failed('the world has not measured anything yet');
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
      engaged = true;
      slotField(outgoing, TARGETS_SLOT.targets).set(at.positions);
      publish(stamp);
    },
    async release(stamp) {
      if (!open) throw new FailureError('arm/not-connected');
      engaged = false;
      publish(stamp);
    },
    send(command, stamp) {
      if (!open || !engaged) throw new FailureError('arm/not-connected', { engaged });
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
