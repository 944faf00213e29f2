/**
 * An arm that is a recording: its joints are where they were, when they were. Takes commands as any arm does and moves
 * nothing with them; how far what it is told lies from what it did is kept, because that difference is what a
 * replay is for. After the last frame, and in gaps, its readings grow stale like those of an arm that fell silent.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { Reading } from '#contracts/reading.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { SafeCommand } from '#core/safety/safe-command.ts';
import { FRESH_FOR_MS, type Arm, type JointReadings } from './arm.ts';

export interface ReplayFrame {
  /** On the clock of whoever reads. */
  readonly atMs: number;
  /** Radians, JOINT_NAMES order. */
  readonly position: ArrayLike<number>;
  readonly velocity: ArrayLike<number>;
  readonly torque: ArrayLike<number>;
}

export interface FrameSource {
  /** The newest frame measured at or before `nowMs`; null before the first. */
  newest(nowMs: number): ReplayFrame | null;
}

export interface ReplayArm extends Arm {
  readonly holding: boolean;
  /** Largest |commanded - recorded| of any joint so far, radians; 0 before the first command. */
  readonly deviationRad: number;
}

/** Frames in order of time, times counted from the first; the first is played at `startMs`. Throws a RangeError when they are not. */
export function recordedFrames(frames: readonly ReplayFrame[], startMs: number): FrameSource {
  const zero = frames[0]?.atMs ?? 0;
  const shifted = frames.map((frame) => ({ ...frame, atMs: frame.atMs - zero + startMs }));
  shifted.forEach((frame, i) => {
    if (frame.position.length !== JOINT_COUNT) throw new RangeError(`frame ${i} has ${frame.position.length} joints`);
    if (i > 0 && frame.atMs < (shifted[i - 1]?.atMs ?? 0)) throw new RangeError(`frame ${i} goes back in time`);
  });
  return {
    newest(nowMs) {
      let low = 0;
      let high = shifted.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((shifted[middle]?.atMs ?? Infinity) <= nowMs) low = middle + 1;
        else high = middle;
      }
      return shifted[low - 1] ?? null;
    },
  };
}

export function replayArm(source: FrameSource, robot: RobotDescription): ReplayArm {
  let engaged = false;
  let open = true;
  let deviationRad = 0;
  const compare = (command: SafeCommand, nowMs: number): void => {
    const frame = source.newest(nowMs);
    if (frame === null) return;
    for (let i = 0; i < JOINT_COUNT; i++) deviationRad = Math.max(deviationRad, Math.abs((command.positions[i] as number) - (frame.position[i] as number)));
  };
  return {
    kind: 'replay',
    robot,
    read(nowMs): Reading<JointReadings> {
      if (!open) return { kind: 'failed', failure: { code: 'arm/not-connected', facts: {} } };
      const frame = source.newest(nowMs);
      if (frame === null) return { kind: 'failed', failure: { code: 'arm/reading-failed', facts: { reason: 'the recording has not begun' } } };
      const { atMs } = frame;
      const value = { position: Float64Array.from(frame.position), velocity: Float64Array.from(frame.velocity), torque: Float64Array.from(frame.torque), epoch: 0 };
      const ageMs = nowMs - atMs;
      return ageMs <= FRESH_FOR_MS ? { kind: 'fresh', value, atMs } : { kind: 'stale', value, atMs, ageMs };
    },
    async engage(at, stamp) {
      if (!open) throw new FailureError('arm/not-connected');
      engaged = true;
      compare(at, stamp.atMs);
    },
    async release() {
      if (!open) throw new FailureError('arm/not-connected');
      engaged = false;
    },
    send(command, stamp) {
      if (!open || !engaged) throw new FailureError('arm/not-connected', { engaged });
      compare(command, stamp.atMs);
    },
    async close() {
      open = false;
    },
    get holding() {
      return open && engaged;
    },
    get deviationRad() {
      return deviationRad;
    },
  };
}
