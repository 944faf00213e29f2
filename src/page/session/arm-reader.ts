/**
 * The arm as it is this instant, read from shared memory: for drawing at frame rate, for `state()`, and for filling
 * the arm store. Radians become LeRobot joint units here. Knows no store and asks no worker.
 */
import { CONTROL_MODES, type ControlMode } from '#contracts/control.ts';
import { ARM_SLOT, ARM_SLOT_LENGTH } from '#contracts/slots.ts';
import { slotField, slotReader } from '#core/lib/shared-slot.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';

export interface ArmSnapshot {
  readonly mode: ControlMode;
  readonly tick: number;
  readonly tickAtMs: number;
  /** LeRobot joint units; null where the reading failed. */
  readonly measured: readonly number[] | null;
  readonly readingAtMs: number | null;
  /** Null before an arm was connected. */
  readonly target: readonly number[] | null;
  readonly limited: readonly boolean[];
  readonly rowsLeft: number;
  /** Of the world that control's last command was made for; null without an arm. */
  readonly epoch: number | null;
}

/** Null before control has published its first tick. */
export function armReader(memory: SharedArrayBuffer): () => ArmSnapshot | null {
  const reader = slotReader(memory);
  const record = new Float64Array(ARM_SLOT_LENGTH);
  return () => {
    if (!reader.read(record)) return null;
    const readable = number(record, ARM_SLOT.readingKind) !== 0;
    return {
      mode: CONTROL_MODES[number(record, ARM_SLOT.mode)] ?? 'disconnected',
      tick: number(record, ARM_SLOT.tick),
      tickAtMs: number(record, ARM_SLOT.tickAtMs),
      measured: readable ? unitsOf(slotField(record, ARM_SLOT.measured)) : null,
      readingAtMs: readable ? number(record, ARM_SLOT.readingAtMs) : null,
      target: Number.isNaN(record[ARM_SLOT.target.at]) ? null : unitsOf(slotField(record, ARM_SLOT.target)),
      limited: [...slotField(record, ARM_SLOT.limited)].map((flag) => flag !== 0),
      rowsLeft: number(record, ARM_SLOT.rowsLeft),
      epoch: Number.isNaN(record[ARM_SLOT.epoch.at]) ? null : number(record, ARM_SLOT.epoch),
    };
  };
}

export function unitsOf(radians: ArrayLike<number>): readonly number[] {
  return [...radiansVectorToUnits(radians)];
}

function number(record: Float64Array, field: { readonly at: number }): number {
  return record[field.at] ?? Number.NaN;
}
