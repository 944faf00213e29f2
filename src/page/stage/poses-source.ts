/**
 * The newest body poses, as the world publishes them. Knows the record's layout; refuses records that belong to
 * another scene (another number of bodies) and says whether anything moved, so that a still room is not drawn again.
 */
import { POSES_SLOT_HEADER, POSES_SLOT_HEADER_LENGTH } from '#contracts/slots.ts';
import { slotReader } from '#core/lib/shared-slot.ts';

/**
 * A fiftieth of a millimetre, or 40 microradians: a twentieth of a screen pixel at the first view. A resting arm trembles
 * by less (solver and friction), and a software renderer would never get to draw its crisp still picture.
 */
const LEAST_CHANGE = 2e-5;

export interface PosesSource {
  /** 7 numbers a body when something moved since the last call, else null. The view is reused. */
  moved(bodyCount: number): Float64Array | null;
  /** The next call hands out the newest record whether or not it moved. */
  forget(): void;
}

export function posesSource(memory: SharedArrayBuffer): PosesSource {
  const reader = slotReader(memory);
  const record = new Float64Array(reader.length);
  const bodies = record.subarray(POSES_SLOT_HEADER_LENGTH);
  const shown = new Float64Array(bodies.length).fill(Number.NaN);
  let seen = 0;
  return {
    moved(bodyCount) {
      const sequence = reader.sequence();
      if (sequence === seen) return null;
      if (!reader.read(record)) return null;
      seen = sequence;
      if (record[POSES_SLOT_HEADER.bodyCount.at] !== bodyCount) return null;
      const used = bodies.subarray(0, bodyCount * 7);
      if (used.some((value) => !Number.isFinite(value))) return null;
      // NaN in `shown` compares as moved.
      if (used.every((value, i) => Math.abs(value - (shown[i] ?? Number.NaN)) < LEAST_CHANGE)) return null;
      shown.set(used);
      return used;
    },
    forget() {
      seen = 0;
      shown.fill(Number.NaN);
    },
  };
}
