/**
 * A leader arm: limp motors that a person moves, read and never driven. It knows its own calibration, so that what it tells is an angle of
 * the joint and not a step of its encoder. The only thing it ever writes is torque off; whether that is needed is asked first.
 * Where the follower goes with this is not decided here.
 */
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { Reading } from '#contracts/reading.ts';
import type { ArmCalibration } from '#contracts/serial.ts';
import type { Clock } from '#contracts/time.ts';
import type { JointRadians } from '#contracts/units.ts';
import { FailureError } from '#core/lib/failure.ts';
import { calibrationInServos } from './calibrate.ts';
import { readRegister } from './configure.ts';
import type { Bus } from './feetech/bus.ts';
import { decodeRegister, REGISTERS, TICKS_PER_TURN } from './feetech/registers.ts';
import { jointScale } from './joint-scale.ts';
import { scanBus } from './scan.ts';

export interface Leader {
  readonly calibration: ArmCalibration;
  /** The newest pose, radians about the calibrated middle, and how old it is. Never throws. */
  read(nowMs: number): Reading<JointRadians>;
  /** Asks all six once. */
  sample(): Promise<void>;
}

/** A hand moves a joint by a few degrees in this time; older than this it leads nobody. */
export const LEADER_FRESH_MS = 250;
const POSITION = REGISTERS.presentPosition;
const TORQUE_OFF_FRAMES = 3;
const MIDDLE_STEPS = 2047;

/**
 * Looks, and changes nothing unless a motor holds: then torque is switched off and read back. Rejects with `arm/servo-lost`, `arm/refused` (no
 * calibration), `arm/torque-still-on`.
 */
export async function openLeader(bus: Bus, clock: Clock, baud: number): Promise<Leader> {
  const ids = JOINT_NAMES.map((_, i) => i + 1);
  const scan = await scanBus(bus, { clock, baud, expectedIds: ids });
  const silent = scan.servos.find((servo) => servo.answer !== 'ok');
  if (silent !== undefined) throw new FailureError('arm/servo-lost', { id: silent.id, joint: JOINT_NAMES[silent.id - 1] ?? String(silent.id), reason: silent.answer });
  const calibration = calibrationInServos(scan);
  // As delivered: no offset and a whole turn everywhere. The roll and the trigger tell nothing of it.
  const bare = calibration === null ? JOINT_NAMES[0] : JOINT_NAMES.slice(0, 4).find((name) => calibration[name].rangeMax - calibration[name].rangeMin >= TICKS_PER_TURN - 1);
  if (calibration === null || bare !== undefined) throw new FailureError('arm/refused', { finding: 'range-full-turn', id: bare === undefined ? 1 : JOINT_NAMES.indexOf(bare) + 1, joint: bare ?? JOINT_NAMES[0] });
  await makeLimp(bus, ids);

  const scales = JOINT_NAMES.map((name, i) => jointScale(i, calibration[name]));
  let newest: { readonly value: JointRadians; readonly atMs: number } | null = null;
  let silence: string | null = null;
  return {
    calibration,
    read(nowMs) {
      if (newest === null) return { kind: 'failed', failure: { code: 'arm/reading-failed', facts: { reason: silence ?? 'the leader has not been read yet' } } };
      const ageMs = nowMs - newest.atMs;
      const value = newest.value.slice() as JointRadians;
      return ageMs <= LEADER_FRESH_MS ? { kind: 'fresh', value, atMs: newest.atMs } : { kind: 'stale', value, atMs: newest.atMs, ageMs };
    },
    async sample() {
      const replies = await bus.syncRead(ids, POSITION.address, POSITION.width, { attempts: 2 });
      const steps = replies.map((reply) => (reply.kind === 'ok' ? decodeRegister('presentPosition', reply.data) : null));
      const missing = steps.findIndex((step) => step === null);
      // Five joints of now and one of before are a pose that nobody showed.
      if (missing >= 0) {
        silence = `motor ${missing + 1} of the leader does not answer`;
        return;
      }
      newest = { value: Float64Array.from(steps, (step, i) => scales[i]?.toRadians(step ?? MIDDLE_STEPS) ?? 0) as JointRadians, atMs: clock.nowMs() };
    },
  };
}

async function makeLimp(bus: Bus, ids: readonly number[]): Promise<void> {
  const holding = async (): Promise<number[]> => {
    const found: number[] = [];
    for (const id of ids) if ((await readRegister(bus, id, 'torqueEnable')) !== 0) found.push(id);
    return found;
  };
  if ((await holding()).length === 0) return;
  for (let n = 0; n < TORQUE_OFF_FRAMES; n++) await bus.broadcastWrite(REGISTERS.torqueEnable.address, [0]);
  const still = await holding();
  if (still.length > 0) throw new FailureError('arm/torque-still-on', { ids: still.join(', ') });
}
