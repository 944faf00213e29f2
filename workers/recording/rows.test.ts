/** One row for each tick of the control loop, whatever this thread missed; ticks that the loop left out are counted. */
import { expect, test } from 'vitest';
import type { TickReport } from '#contracts/control.ts';
import { ARM_SLOT, ARM_SLOT_LENGTH, POSES_SLOT_HEADER, POSES_SLOT_LENGTH } from '#contracts/slots.ts';
import { createSlotMemory, slotWriter } from '#core/lib/shared-slot.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';
import { episodeRows } from './rows.ts';

const PERIOD = 1000 / 30;

function bench() {
  const [arm, poses] = [createSlotMemory(ARM_SLOT_LENGTH), createSlotMemory(POSES_SLOT_LENGTH)];
  const [armSlot, posesSlot] = [slotWriter(arm), slotWriter(poses)];
  const rows = episodeRows({ arm, poses, fps: 30, bodies: 1 });
  const tickReport = (tick: number): TickReport => ({ tick, atMs: 1000 + tick * PERIOD + (tick % 3), periodMs: PERIOD, mode: 'manual', wanted: null, target: [0.01 * tick, 0, 0, 0, 0, 0.2], measured: [0.01 * tick - 0.005, 0, 0, 0, 0, 0.2], rules: [] });
  return {
    rows,
    tickReport,
    /** The tick as it stands in the slots, and the poses that were published with its reading. */
    publish(tick: number, change: { readonly kind?: number; readonly epoch?: number } = {}) {
      const report = tickReport(tick);
      const record = new Float64Array(ARM_SLOT_LENGTH);
      record.set(report.measured ?? [], ARM_SLOT.measured.at);
      record.set(report.target, ARM_SLOT.target.at);
      record[ARM_SLOT.readingAtMs.at] = report.atMs - 4;
      record[ARM_SLOT.readingKind.at] = change.kind ?? 1;
      record[ARM_SLOT.tick.at] = tick;
      record[ARM_SLOT.tickAtMs.at] = report.atMs;
      armSlot.write(record);
      const standing = new Float64Array(POSES_SLOT_LENGTH);
      standing[POSES_SLOT_HEADER.writtenAtMs.at] = report.atMs - 2;
      standing[POSES_SLOT_HEADER.epoch.at] = change.epoch ?? 1;
      standing[4] = tick;
      posesSlot.write(standing);
      return rows.look();
    },
  };
}
const column = (numbers: Float64Array, at: number): number[] => Array.from({ length: numbers.length / 13 }, (_, row) => numbers[13 * row + at] as number);
const unitsOfPan = (radians: number): number => radiansVectorToUnits([radians, 0, 0, 0, 0, 0])[0] as number;

test('a thread that looks late loses no row of the control loop', () => {
  const { rows, publish, tickReport } = bench();
  expect(publish(0)).toEqual({ rows: [{ row: 0, atMs: 1000 }] });
  expect(rows.look()).toEqual({ rows: [] });
  // Ticks 1 and 2 were not seen; their joints are told of later.
  expect(publish(3)).toMatchObject({ rows: [{ row: 1 }, { row: 2 }, { row: 3 }] });
  rows.take([0, 1, 2].map((tick) => tickReport(tick)));
  rows.take([2, 3].map((tick) => tickReport(tick)));
  expect(rows.lateTicks).toBe(0);
  const numbers = rows.numbers();
  expect(column(numbers, 0)).toEqual([0, 1 / 30, 2 / 30, 3 / 30]);
  expect(column(numbers, 7)).toEqual([0, 0.01, 0.02, 0.03].map((radians) => expect.closeTo(unitsOfPan(radians), 9) as number));
  expect(column(numbers, 1)[2]).toBeCloseTo(unitsOfPan(0.015), 9);
  // The poses are those of the look, and how far they lie from their row is kept.
  expect([...rows.poses()].filter((_, i) => i % 7 === 0)).toEqual([0, 3, 3, 3]);
  expect(rows.poseErrors.map(Math.round)).toEqual([2, 65, 31, 2]);
});

test('ticks that the control loop left out are counted and not made up', () => {
  const { rows, publish, tickReport } = bench();
  // Tick 2 came 100 ms after tick 1: two were left out.
  const late = { ...tickReport(2), atMs: tickReport(1).atMs + 3 * PERIOD };
  for (const tick of [0, 1, 2]) publish(tick);
  rows.take([tickReport(0), tickReport(1), late]);
  expect([rows.count, rows.lateTicks]).toEqual([3, 2]);
  expect(column(rows.numbers(), 0)).toEqual([0, 1 / 30, 2 / 30]);
  expect(column(rows.numbers(), 7)).toEqual([0, 0.01, 0.02].map((radians) => expect.closeTo(unitsOfPan(radians), 9) as number));
});

test('a stale reading is no row; a new table and a long silence end the episode', () => {
  const first = bench();
  first.publish(0);
  expect(first.publish(1, { kind: 2 })).toEqual({ rows: [] });
  expect(first.publish(2)).toMatchObject({ rows: [{ row: 1 }, { row: 2 }] });
  expect(first.publish(3, { epoch: 2 })).toEqual({ ended: 'The table was set anew' });
  const second = bench();
  second.publish(0);
  expect(second.publish(90)).toMatchObject({ ended: expect.stringContaining('Nothing came from the arm') as string });
});
