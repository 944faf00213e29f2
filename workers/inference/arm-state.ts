/** The arm's joints as control last published them, in the units policies speak. Reads the slot; decides nothing. */
import type { Reading } from '#contracts/reading.ts';
import { ARM_SLOT, ARM_SLOT_LENGTH } from '#contracts/slots.ts';
import type { Clock } from '#contracts/time.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { slotField, slotReader } from '#core/lib/shared-slot.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';

const READING_FRESH = 1;
const READING_STALE = 2;

/** Reads now; a fresh array each time. Before control has written anything the arm counts as not connected. */
export function armStateReader(memory: SharedArrayBuffer, clock: Clock): () => Reading<JointUnitsVector> {
  const slot = slotReader(memory);
  const record = new Float64Array(ARM_SLOT_LENGTH);
  const one = (field: { readonly at: number }): number => record[field.at] as number;
  return (): Reading<JointUnitsVector> => {
    if (!slot.read(record)) return { kind: 'failed', failure: { code: 'arm/not-connected', facts: {} } };
    const kind = one(ARM_SLOT.readingKind);
    if (kind !== READING_FRESH && kind !== READING_STALE) return { kind: 'failed', failure: { code: 'arm/reading-failed', facts: { reason: 'control has no reading' } } };
    const value = radiansVectorToUnits(slotField(record, ARM_SLOT.measured));
    const atMs = one(ARM_SLOT.readingAtMs);
    return kind === READING_FRESH ? { kind: 'fresh', value, atMs } : { kind: 'stale', value, atMs, ageMs: clock.nowMs() - atMs };
  };
}
