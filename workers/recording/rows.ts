/**
 * The rows of an episode as the control loop's ticks give them: joints and targets from the arm's slot, and where everything
 * stood from the world's. Rows lie on a grid of 1 / fps; a tick belongs to the row it is nearest to, a row that no tick came
 * for repeats the one before and is counted. Knows slots and a grid; knows no picture and no file.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import { ARM_SLOT, ARM_SLOT_LENGTH, POSES_SLOT_HEADER, POSES_SLOT_HEADER_LENGTH, POSES_SLOT_LENGTH } from '#contracts/slots.ts';
import { slotField, slotReader } from '#core/lib/shared-slot.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';
import { ROW_NUMBERS } from './episode-store.ts';

export interface NewRow {
  readonly row: number;
  readonly atMs: number;
}

export interface Rows {
  /** Looks at the slots. Returns the rows that came since the last look, or why the recording cannot go on. */
  look(): { readonly rows: readonly NewRow[] } | { readonly ended: string };
  readonly count: number;
  readonly repeated: number;
  /** How far the poses of each row lie in time from its joint reading, ms. */
  readonly poseErrors: readonly number[];
  /** count x ROW_NUMBERS. */
  numbers(): Float64Array<ArrayBuffer>;
  /** count x 7 numbers a body. */
  poses(): Float64Array<ArrayBuffer>;
}

export interface RowsOptions {
  readonly arm: SharedArrayBuffer;
  readonly poses: SharedArrayBuffer;
  readonly fps: number;
  readonly bodies: number;
}

/** Rows repeated in one go, two seconds: a longer gap is no recording any more. */
const MOST_REPEATED = 60;
const FRESH = 1;

export function episodeRows({ arm, poses, fps, bodies }: RowsOptions): Rows {
  const armSlot = slotReader(arm);
  const posesSlot = slotReader(poses);
  const armRecord = new Float64Array(ARM_SLOT_LENGTH);
  const posesRecord = new Float64Array(POSES_SLOT_LENGTH);
  const numbers: Float64Array[] = [];
  const standing: Float64Array[] = [];
  const poseErrors: number[] = [];
  let repeated = 0;
  let firstAtMs: number | null = null;
  let lastTick = -1;
  let epoch: number | null = null;

  const push = (row: Float64Array, where: Float64Array, error: number): void => {
    numbers.push(row);
    standing.push(where);
    poseErrors.push(error);
  };
  return {
    look() {
      if (!armSlot.read(armRecord) || !posesSlot.read(posesRecord)) return { rows: [] };
      const one = (field: { readonly at: number }): number => armRecord[field.at] as number;
      const tick = one(ARM_SLOT.tick);
      if (tick === lastTick) return { rows: [] };
      lastTick = tick;
      // A reading that is stale, or failed, is no row; the next good one says how many are missing.
      if (one(ARM_SLOT.readingKind) !== FRESH) return { rows: [] };
      const worldEpoch = posesRecord[POSES_SLOT_HEADER.epoch.at] as number;
      epoch ??= worldEpoch;
      if (worldEpoch !== epoch) return { ended: 'The table was set anew' };
      const atMs = one(ARM_SLOT.tickAtMs);
      firstAtMs ??= atMs;
      const row = Math.round(((atMs - firstAtMs) * fps) / 1000);
      // Two ticks of one row: the later one is left out, the grid stays.
      if (row < numbers.length) return { rows: [] };
      const fill = row - numbers.length;
      if (fill > MOST_REPEATED) return { ended: `Nothing came from the arm for ${Math.round((fill * 1000) / fps)} ms` };
      const values = new Float64Array(ROW_NUMBERS);
      const target = slotField(armRecord, ARM_SLOT.target);
      values.set(radiansVectorToUnits(slotField(armRecord, ARM_SLOT.measured)), 1);
      values.set(radiansVectorToUnits(target), 1 + JOINT_COUNT);
      if (!values.every((value) => Number.isFinite(value))) return { rows: [] };
      const where = posesRecord.slice(POSES_SLOT_HEADER_LENGTH, POSES_SLOT_HEADER_LENGTH + 7 * bodies);
      const error = Math.abs((posesRecord[POSES_SLOT_HEADER.writtenAtMs.at] as number) - one(ARM_SLOT.readingAtMs));
      const rows: NewRow[] = [];
      for (let i = 0; i < fill; i++) {
        repeated++;
        const last = numbers.length - 1;
        rows.push({ row: numbers.length, atMs: firstAtMs + (numbers.length * 1000) / fps });
        push((numbers[last] as Float64Array).slice(), standing[last] as Float64Array, 1000 / fps);
      }
      rows.push({ row, atMs });
      push(values, where, error);
      return { rows };
    },
    get count() {
      return numbers.length;
    },
    get repeated() {
      return repeated;
    },
    poseErrors,
    numbers: () => {
      const all = joined(numbers, ROW_NUMBERS);
      for (let row = 0; row < numbers.length; row++) all[row * ROW_NUMBERS] = row / fps;
      return all;
    },
    poses: () => joined(standing, 7 * bodies),
  };
}

function joined(parts: readonly Float64Array[], length: number): Float64Array<ArrayBuffer> {
  const all = new Float64Array(parts.length * length);
  parts.forEach((part, i) => all.set(part, i * length));
  return all;
}
