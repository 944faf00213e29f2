/**
 * The arms this worker can open, by kind. The virtual arm is the whole serial path with virtual servos at its end, and
 * behind those the simulated arm on the table: held where it stands, as a real one that was in use a moment ago.
 */
import type { ArmKind } from '#contracts/control.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import { JOINTS_SLOT, JOINTS_SLOT_LENGTH } from '#contracts/slots.ts';
import type { Clock } from '#contracts/time.ts';
import type { Arm } from '#core/arm/arm.ts';
import { connectSerialArm } from '#core/arm/serial/connect.ts';
import { simulatedArm, type SimulatedArmMemory } from '#core/arm/simulated.ts';
import { virtualArm } from '#core/arm/virtual/virtual-arm.ts';
import { worldPlant } from '#core/arm/virtual/world-plant.ts';
import { FailureError } from '#core/lib/failure.ts';
import { slotReader } from '#core/lib/shared-slot.ts';

export interface ArmsParts {
  readonly memory: SimulatedArmMemory;
  readonly clock: Clock;
  readonly robot: RobotDescription;
}

/** Servo firmware, when nobody asks: 100 Hz. */
const FIRMWARE_MS = 10;
/** A world that is just being built measures within this. */
const FIRST_MEASUREMENT_MS = 3000;

/** The simulated arm at once, the virtual one later. Throws `arm/unsupported`; rejects with `arm/reading-failed`, or as `connectSerialArm`. */
export function openArm(kind: ArmKind, parts: ArmsParts): Arm | Promise<Arm> {
  if (kind === 'simulated') return simulatedArm(parts.memory);
  if (kind === 'virtual') return openVirtual(parts);
  throw new FailureError('arm/unsupported', { kind });
}

async function openVirtual({ memory, clock, robot }: ArmsParts): Promise<Arm> {
  const joints = slotReader(memory.joints);
  const record = new Float64Array(JOINTS_SLOT_LENGTH);
  const limitMs = clock.nowMs() + FIRST_MEASUREMENT_MS;
  while (!joints.read(record)) {
    if (clock.nowMs() >= limitMs) throw new FailureError('arm/reading-failed', { reason: 'the world has not measured anything yet' });
    await clock.sleepUntil(clock.nowMs() + FIRMWARE_MS);
  }
  const servos = virtualArm({ clock, plant: worldPlant(memory, clock), state: 'held' });
  const firmware = servos.run(FIRMWARE_MS);
  const { arm } = await connectSerialArm({ link: servos.link, clock, calibration: servos.calibration, robot, kind: 'virtual', configure: 'write' }).catch((thrown: unknown) => {
    firmware.stop();
    throw thrown;
  });

  /**
   * A reset puts the joints elsewhere, and no wire tells a servo so: here somebody has to. Until a reading from after it has
   * come over the wire the old epoch is told, and goals, which are for the place before, are not passed on.
   */
  let told = record[JOINTS_SLOT.epoch.at] as number;
  let seen = told;
  let resetAtMs = Number.NEGATIVE_INFINITY;
  const noticeReset = (nowMs: number): void => {
    joints.read(record);
    const epoch = record[JOINTS_SLOT.epoch.at] as number;
    if (epoch === seen) return;
    seen = epoch;
    resetAtMs = nowMs;
    servos.yieldToPlant();
  };
  return {
    ...arm,
    read(nowMs) {
      noticeReset(nowMs);
      const reading = arm.read(nowMs);
      if (reading.kind === 'failed') return reading;
      if (reading.atMs >= resetAtMs) told = seen;
      return { ...reading, value: { ...reading.value, epoch: told } };
    },
    send(command, stamp) {
      if (told === seen) arm.send(command, stamp);
    },
    async close() {
      firmware.stop();
      await arm.close();
    },
  };
}
