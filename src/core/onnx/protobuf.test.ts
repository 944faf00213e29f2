/** The wire format, against byte strings from the protobuf documentation and against itself. */
import { describe, expect, it } from 'vitest';
import { MessageWriter, readFields } from './protobuf.ts';

describe('protobuf wire format', () => {
  it('writes 150 in field 1 as 08 96 01, and "testing" in field 2 as the documentation shows', () => {
    expect([...new MessageWriter().int(1, 150).finish()]).toEqual([0x08, 0x96, 0x01]);
    expect([...new MessageWriter().text(2, 'testing').finish()]).toEqual([0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
  });

  it('writes negative numbers in ten bytes of two’s complement', () => {
    expect([...new MessageWriter().int(1, -2).finish()]).toEqual([0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
  });

  it('reads back every kind of field', () => {
    const bytes = new MessageWriter().int(1, 0).int(3, 2n ** 63n - 1n).float(20, 0.25).bytes(300, Uint8Array.of(1, 2)).finish();
    const fields = [...readFields(bytes)];
    expect(fields.map((field) => [field.number, field.wire])).toEqual([
      [1, 'varint'],
      [3, 'varint'],
      [20, 'fixed32'],
      [300, 'bytes'],
    ]);
    expect(fields[1]!.value).toBe(2n ** 63n - 1n);
    expect(fields[3]!.value).toEqual(Uint8Array.of(1, 2));
  });

  it('says where a message ends too early', () => {
    expect(() => [...readFields(Uint8Array.of(0x12, 0x07, 0x74))]).toThrow(/ends at 3, wanted 9/);
    expect(() => [...readFields(Uint8Array.of(0x0b))]).toThrow(/wire type 3/);
  });
});
