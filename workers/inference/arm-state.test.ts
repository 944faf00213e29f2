import { expect, test } from 'vitest';
import { ARM_SLOT, ARM_SLOT_LENGTH } from '#contracts/slots.ts';
import { manualClock } from '#core/lib/manual-clock.ts';
import { createSlotMemory, slotWriter } from '#core/lib/shared-slot.ts';
import { armStateReader } from './arm-state.ts';

test('radians become joint units, fresh, stale or failed as control said', () => {
  const clock = manualClock(1000);
  const memory = createSlotMemory(ARM_SLOT_LENGTH);
  const read = armStateReader(memory, clock);
  expect(read()).toEqual({ kind: 'failed', failure: { code: 'arm/not-connected', facts: {} } });

  const writer = slotWriter(memory);
  const record = new Float64Array(ARM_SLOT_LENGTH);
  record.set([Math.PI / 2, 0, -Math.PI, 0, 0, (45 * Math.PI) / 180], ARM_SLOT.measured.at);
  record[ARM_SLOT.readingAtMs.at] = 900;
  record[ARM_SLOT.readingKind.at] = 1;
  writer.write(record);
  const fresh = read();
  expect(fresh).toMatchObject({ kind: 'fresh', atMs: 900 });
  // The gripper: 0 at -10 degrees, 100 at 100 degrees, so 45 degrees are 50.
  if (fresh.kind === 'fresh') [90, 0, -180, 0, 0, 50].forEach((value, joint) => expect(fresh.value[joint]).toBeCloseTo(value, 10));

  record[ARM_SLOT.readingKind.at] = 2;
  writer.write(record);
  expect(read()).toMatchObject({ kind: 'stale', atMs: 900, ageMs: 100 });

  record[ARM_SLOT.readingKind.at] = 0;
  writer.write(record);
  expect(read()).toMatchObject({ kind: 'failed', failure: { code: 'arm/reading-failed' } });
});
