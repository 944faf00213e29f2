/**
 * The world between its slots: before every batch of steps the newest targets are read, after it joints and poses are
 * published. Knows the slots' layout; refuses to know who sets the pace.
 *
 * A target made for another epoch is ignored: it was computed for the world before the last reset, and following it
 * would make the arm move by itself.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import { ROBOT_NAMES } from '#contracts/robot.ts';
import type { ResetRequest, SceneDescription } from '#contracts/scene.ts';
import { JOINTS_SLOT, JOINTS_SLOT_LENGTH, POSES_SLOT_HEADER, POSES_SLOT_HEADER_LENGTH, POSES_SLOT_LENGTH, POSES_SLOT_MAX_BODIES, TARGETS_SLOT, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import type { Clock } from '#contracts/time.ts';
import type { SharedMemory } from '#contracts/worker.ts';
import { FailureError } from '#core/lib/failure.ts';
import { slotField, slotReader, slotWriter } from '#core/lib/shared-slot.ts';
import type { World } from '#core/world/world.ts';

export interface Room {
  readonly world: World;
  /** A fresh scene, published at once. Throws what `World.reset` throws, and then the room is empty until the next reset. */
  reset(request: ResetRequest): SceneDescription;
  /** As `reset`, for a scene described by the caller and an arm that starts at `start` (radians) instead of at home. */
  load(scene: SceneDescription, start: ArrayLike<number>): SceneDescription;
  /** Reads the targets, takes `steps` steps, publishes. Throws FailureError `world/physics`. */
  advance(steps: number): void;
  /** Says again, with the time of now, how everything stands: a world that is paused can still be read. */
  publish(): void;
  /** Poses of this instant, 7 numbers a body: a copy. */
  poses(): Float64Array;
}

export function createRoom(world: World, memory: Pick<SharedMemory, 'targets' | 'joints' | 'poses'>, clock: Clock): Room {
  const targets = slotReader(memory.targets);
  const joints = slotWriter(memory.joints);
  const poses = slotWriter(memory.poses);
  const incoming = new Float64Array(TARGETS_SLOT_LENGTH);
  const jointsRecord = new Float64Array(JOINTS_SLOT_LENGTH);
  const posesRecord = new Float64Array(POSES_SLOT_LENGTH);

  const obey = (): void => {
    if (!targets.read(incoming) || incoming[TARGETS_SLOT.epoch.at] !== world.epoch) return;
    const wanted = slotField(incoming, TARGETS_SLOT.targets);
    world.setTorque(incoming[TARGETS_SLOT.torque.at] === 1 ? 'on' : 'off');
    world.setTargets(wanted);
  };
  const publish = (): void => {
    const nowMs = clock.nowMs();
    const bodyCount = world.bodies.names.length;
    if (bodyCount > POSES_SLOT_MAX_BODIES) throw new FailureError('control/out-of-range', { what: 'bodies', found: bodyCount, least: JOINT_COUNT + 1, most: POSES_SLOT_MAX_BODIES });
    slotField(jointsRecord, JOINTS_SLOT.position).set(world.positions());
    slotField(jointsRecord, JOINTS_SLOT.velocity).set(world.velocities());
    slotField(jointsRecord, JOINTS_SLOT.torque).set(world.torques());
    jointsRecord[JOINTS_SLOT.measuredAtMs.at] = nowMs;
    jointsRecord[JOINTS_SLOT.simSeconds.at] = world.simSeconds;
    jointsRecord[JOINTS_SLOT.epoch.at] = world.epoch;
    jointsRecord[JOINTS_SLOT.robot.at] = ROBOT_NAMES.indexOf(world.scene.robot.name);
    joints.write(jointsRecord);
    posesRecord[POSES_SLOT_HEADER.writtenAtMs.at] = nowMs;
    posesRecord[POSES_SLOT_HEADER.simSeconds.at] = world.simSeconds;
    posesRecord[POSES_SLOT_HEADER.epoch.at] = world.epoch;
    posesRecord[POSES_SLOT_HEADER.bodyCount.at] = bodyCount;
    world.readPoses(posesRecord, POSES_SLOT_HEADER_LENGTH);
    poses.write(posesRecord);
  };

  return {
    world,
    reset(request) {
      const description = world.reset(request);
      publish();
      return description;
    },
    load(scene, start) {
      const description = world.load(scene);
      world.placeArm(start);
      publish();
      return description;
    },
    advance(steps) {
      obey();
      world.step(steps);
      publish();
    },
    publish,
    poses() {
      const copy = new Float64Array(7 * world.bodies.names.length);
      world.readPoses(copy);
      return copy;
    },
  };
}
