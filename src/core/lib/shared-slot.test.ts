import { describe, expect, it } from 'vitest';
import { TARGETS_SLOT, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import { createSlotMemory, slotField, slotReader, slotWriter } from './shared-slot.ts';

describe('shared slot', () => {
  it('has nothing to read before the first write, then the newest record', () => {
    const memory = createSlotMemory(3);
    const reader = slotReader(memory);
    const writer = slotWriter(memory);
    const into = new Float64Array([7, 7, 7]);
    expect(reader.read(into)).toBe(false);
    expect([...into]).toEqual([7, 7, 7]);
    expect(reader.sequence()).toBe(0);
    writer.write(new Float64Array([1, 2, 3]));
    writer.write(new Float64Array([4, Number.NaN, -0]));
    expect(reader.read(into)).toBe(true);
    expect(into[0]).toBe(4);
    expect(into[1]).toBeNaN();
    expect(Object.is(into[2], -0)).toBe(true);
    expect(reader.sequence()).toBe(2);
  });

  it('is whole for a reader whose writer stands still in the middle of the next record', () => {
    const memory = createSlotMemory(2);
    slotWriter(memory).write(new Float64Array([5, 6]));
    // The next record would go to bank 0, which begins after the two header words.
    new Int32Array(memory)[2] = 12345;
    const into = new Float64Array(2);
    expect(slotReader(memory).read(into)).toBe(true);
    expect([...into]).toEqual([5, 6]);
  });

  it('survives the sequence number running over', () => {
    const memory = createSlotMemory(1);
    new Int32Array(memory)[0] = 0x7fffffff;
    const writer = slotWriter(memory);
    const into = new Float64Array(1);
    for (const value of [1, 2, 3]) {
      writer.write(new Float64Array([value]));
      expect(slotReader(memory).read(into)).toBe(true);
      expect(into[0]).toBe(value);
    }
  });

  it('refuses records, rooms and memory of another size', () => {
    const memory = createSlotMemory(3);
    expect(() => slotWriter(memory).write(new Float64Array(2))).toThrow(RangeError);
    expect(() => slotReader(memory).read(new Float64Array(4))).toThrow(RangeError);
    expect(() => slotReader(new SharedArrayBuffer(64))).toThrow(RangeError);
    expect(() => createSlotMemory(0)).toThrow(RangeError);
  });

  it('names fields as views into the record', () => {
    const record = new Float64Array(TARGETS_SLOT_LENGTH);
    slotField(record, TARGETS_SLOT.targets).set([1, 2, 3, 4, 5, 6]);
    slotField(record, TARGETS_SLOT.torque)[0] = 1;
    expect([...record]).toEqual([1, 2, 3, 4, 5, 6, 0, 1, 0, 0]);
  });
});
