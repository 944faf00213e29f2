/**
 * The rows of an episode: one a tick of the control loop, as LeRobot's own recorder has it. When a tick begins is seen in the
 * arm's slot, at once, and with it where everything stood; what the joints did in it comes a little later with the control loop's
 * own reports, of which none is ever missed. Where the loop was late and left ticks out no row is made up: they are counted. Knows
 * slots and ticks; knows no picture and no file.
 */
import type { TickReport } from '#contracts/control.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import { ARM_SLOT, ARM_SLOT_LENGTH, POSES_SLOT_HEADER, POSES_SLOT_HEADER_LENGTH, POSES_SLOT_LENGTH } from '#contracts/slots.ts';
import { slotField, slotReader } from '#core/lib/shared-slot.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';

/** Seconds from the first row, then six of the state, six of the action, LeRobot joint units. */
export const ROW_NUMBERS = 13;

export interface NewRow {
  readonly row: number;
  readonly atMs: number;
}

export interface Rows {
  /** Looks at the slots. Returns the rows that came since the last look, or why the recording cannot go on. */
  look(): { readonly rows: readonly NewRow[] } | { readonly ended: string };
  /** The control loop's own account, in order. */
  take(ticks: readonly TickReport[]): void;
  readonly count: number;
  /** Ticks that the control loop left out: time in which nothing was commanded, and that no row shows. */
  readonly lateTicks: number;
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

/** A longer silence of the arm is no recording any more. */
const MOST_SILENT_MS = 2000;
const FRESH = 1;

export function episodeRows({ arm, poses, fps, bodies }: RowsOptions): Rows {
  const armSlot = slotReader(arm);
  const posesSlot = slotReader(poses);
  const armRecord = new Float64Array(ARM_SLOT_LENGTH);
  const posesRecord = new Float64Array(POSES_SLOT_LENGTH);
  /** As seen in the slot; null where this thread was late. */
  const seen: (Float64Array | null)[] = [];
  const told = new Map<number, Float64Array>();
  const standing: Float64Array[] = [];
  const poseErrors: number[] = [];
  let firstTick: number | null = null;
  let lastTick = -1;
  let lastAtMs = Number.POSITIVE_INFINITY;
  let epoch: number | null = null;
  let toldUpTo: { readonly tick: number; readonly atMs: number } | null = null;
  let lateTicks = 0;

  const jointsOf = (measured: ArrayLike<number>, target: ArrayLike<number>): Float64Array | null => {
    const values = new Float64Array(ROW_NUMBERS);
    values.set(radiansVectorToUnits(measured), 1);
    values.set(radiansVectorToUnits(target), 1 + JOINT_COUNT);
    return values.every((value) => Number.isFinite(value)) ? values : null;
  };
  return {
    take(ticks) {
      if (firstTick === null) return;
      for (const { tick, atMs, measured, target } of ticks) {
        if (tick < firstTick || (toldUpTo !== null && tick <= toldUpTo.tick)) continue;
        if (toldUpTo !== null) lateTicks += Math.max(0, Math.round(((atMs - toldUpTo.atMs) * fps) / 1000) - (tick - toldUpTo.tick));
        toldUpTo = { tick, atMs };
        const values = measured === null ? null : jointsOf(measured, target);
        if (values !== null) told.set(tick - firstTick, values);
      }
    },
    look() {
      if (!armSlot.read(armRecord) || !posesSlot.read(posesRecord)) return { rows: [] };
      const one = (field: { readonly at: number }): number => armRecord[field.at] as number;
      const tick = one(ARM_SLOT.tick);
      if (tick === lastTick) return { rows: [] };
      lastTick = tick;
      // A reading that is stale, or failed, is waited out: the row has the joints of the one before.
      if (one(ARM_SLOT.readingKind) !== FRESH) return { rows: [] };
      const worldEpoch = posesRecord[POSES_SLOT_HEADER.epoch.at] as number;
      epoch ??= worldEpoch;
      if (worldEpoch !== epoch) return { ended: 'The table was set anew' };
      const atMs = one(ARM_SLOT.tickAtMs);
      const values = jointsOf(slotField(armRecord, ARM_SLOT.measured), slotField(armRecord, ARM_SLOT.target));
      if (values === null) return { rows: [] };
      firstTick ??= tick;
      if (atMs - lastAtMs > MOST_SILENT_MS) return { ended: `Nothing came from the arm for ${Math.round(atMs - lastAtMs)} ms` };
      lastAtMs = atMs;
      const row = tick - firstTick;
      if (row < seen.length) return { rows: [] };
      const where = posesRecord.slice(POSES_SLOT_HEADER_LENGTH, POSES_SLOT_HEADER_LENGTH + 7 * bodies);
      const writtenAtMs = posesRecord[POSES_SLOT_HEADER.writtenAtMs.at] as number;
      const rows: NewRow[] = [];
      // Ticks that passed while this thread did not look: things stand as they do now, and the distance in time says so.
      for (let next = seen.length; next <= row; next++) {
        const rowAtMs = atMs - ((row - next) * 1000) / fps;
        rows.push({ row: next, atMs: rowAtMs });
        seen.push(next === row ? values : null);
        standing.push(where);
        poseErrors.push(Math.abs(writtenAtMs - (next === row ? one(ARM_SLOT.readingAtMs) : rowAtMs)));
      }
      return { rows };
    },
    get count() {
      return seen.length;
    },
    get lateTicks() {
      return lateTicks;
    },
    poseErrors,
    numbers: () => {
      const all = new Float64Array(seen.length * ROW_NUMBERS);
      let last = seen[0] as Float64Array;
      seen.forEach((values, row) => {
        last = told.get(row) ?? values ?? last;
        all.set(last, row * ROW_NUMBERS);
        all[row * ROW_NUMBERS] = row / fps;
      });
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
