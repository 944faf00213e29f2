/** The arm's state as every other thread reads it: one record of `ARM_SLOT` a tick. Knows the layout, decides nothing. */
import { CONTROL_MODES, type ControlMode } from '#contracts/control.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { Reading } from '#contracts/reading.ts';
import { ARM_SLOT } from '#contracts/slots.ts';
import type { JointReadings } from '#core/arm/arm.ts';
import { slotField, slotWriter } from '#core/lib/shared-slot.ts';

export interface ArmRecord {
  readonly tick: number;
  readonly nowMs: number;
  readonly mode: ControlMode;
  /** Null without an arm. */
  readonly reading: Reading<JointReadings> | null;
  readonly wanted: ArrayLike<number> | null;
  readonly target: ArrayLike<number> | null;
  readonly limitedJoints: readonly number[];
  readonly rowsLeft: number;
  /** Null without an arm. */
  readonly epoch: number | null;
}

const READING_KINDS = { failed: 0, fresh: 1, stale: 2 } as const;

export function armRecordWriter(memory: SharedArrayBuffer): (record: ArmRecord) => void {
  const writer = slotWriter(memory);
  const numbers = new Float64Array(writer.length);
  const put = (field: { readonly at: number; readonly count: number }, values: ArrayLike<number> | null): void => {
    if (values === null) slotField(numbers, field).fill(Number.NaN);
    else slotField(numbers, field).set(values);
  };
  const limited = new Float64Array(JOINT_COUNT);
  return ({ tick, nowMs, mode, reading, wanted, target, limitedJoints, rowsLeft, epoch }) => {
    const known = reading === null || reading.kind === 'failed' ? null : reading;
    put(ARM_SLOT.measured, known === null ? null : known.value.position);
    put(ARM_SLOT.readingAtMs, known === null ? null : [known.atMs]);
    put(ARM_SLOT.readingKind, [reading === null ? READING_KINDS.failed : READING_KINDS[reading.kind]]);
    put(ARM_SLOT.wanted, wanted);
    put(ARM_SLOT.target, target);
    put(ARM_SLOT.tick, [tick]);
    put(ARM_SLOT.tickAtMs, [nowMs]);
    put(ARM_SLOT.mode, [CONTROL_MODES.indexOf(mode)]);
    put(ARM_SLOT.rowsLeft, [rowsLeft]);
    put(ARM_SLOT.epoch, epoch === null ? null : [epoch]);
    limited.fill(0);
    for (const joint of limitedJoints) limited[joint] = 1;
    put(ARM_SLOT.limited, limited);
    writer.write(numbers);
  };
}
