import { describe, expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { encodeFrame, encodeSyncWrite, encodeWrite } from './packet.ts';
import { decodeRegister, encodeRegister, REGISTER_NAMES, REGISTERS } from './registers.ts';
import { servoErrorBits, servoErrors } from './servo-errors.ts';
import { decodeSignMagnitude, encodeSignMagnitude } from './sign-magnitude.ts';
import { bytes, REPLIES, REQUESTS } from './testing/vectors.ts';

describe('frames', () => {
  it.each(REQUESTS)('$what', ({ made, hex }) => expect([...made]).toEqual([...bytes(hex)]));

  it('refuse what no frame can carry', () => {
    expect(() => encodeFrame(255, 1, [])).toThrow(RangeError);
    expect(() => encodeFrame(1, 1, [256])).toThrow(RangeError);
    expect(() => encodeFrame(1, 1, [1.5])).toThrow(RangeError);
    expect(() => encodeFrame(1, 1, [-1])).toThrow(RangeError);
    expect(() => encodeWrite(1, 0, new Uint8Array(244))).toThrow(RangeError);
    expect(encodeWrite(1, 0, new Uint8Array(243)).length).toBe(250);
    expect(() => encodeSyncWrite(42, [])).toThrow(RangeError);
    expect(() => encodeSyncWrite(42, [{ id: 1, data: [1, 2] }, { id: 2, data: [1] }])).toThrow(RangeError);
  });
});

describe('sign and magnitude', () => {
  it('is not two\'s complement', () => {
    expect(encodeSignMagnitude(-100, 11)).toBe(0x0864);
    expect(decodeSignMagnitude(0x0864, 11)).toBe(-100);
    expect(decodeSignMagnitude(0x8014, 15)).toBe(-20);
    expect(decodeSignMagnitude(0x0496, 10)).toBe(-150);
    expect(Object.is(decodeSignMagnitude(0x0800, 11), 0)).toBe(true);
  });

  it('refuses to overflow, and comes back for every value that fits', () => {
    for (const bit of [10, 11, 15]) {
      const most = (1 << bit) - 1;
      for (let value = -most; value <= most; value++) if (decodeSignMagnitude(encodeSignMagnitude(value, bit), bit) !== value) throw new Error(`${value} at bit ${bit}`);
      for (const wrong of [most + 1, -most - 1, 0.5, Number.NaN]) expect(() => encodeSignMagnitude(wrong, bit)).toThrow(RangeError);
    }
    expect(() => encodeRegister('homingOffset', 2048)).toThrow(/2047/);
  });
});

describe('the control table', () => {
  it('has no two registers on one byte', () => {
    const owner = new Map<number, string>();
    for (const name of REGISTER_NAMES) {
      const { address, width } = REGISTERS[name];
      for (let at = address; at < address + width; at++) {
        expect(owner.get(at), `${name} and ${owner.get(at)} at ${at}`).toBeUndefined();
        owner.set(at, name);
      }
    }
    expect([...Array.from({ length: 40 }).keys()].filter((at) => !owner.has(at))).toEqual([]);
  });

  it('reads what the published telemetry reply says', () => {
    const data = REPLIES.find((reply) => reply.what.startsWith('everything'))?.data ?? [];
    const read = (name: Parameters<typeof decodeRegister>[0]): number => decodeRegister(name, data, 56);
    expect([read('presentPosition'), read('presentVelocity'), read('presentLoad'), read('presentVoltage'), read('presentTemperature')]).toEqual([2050, -20, -150, 73, 34]);
    expect([read('status'), read('moving'), read('presentTarget'), read('presentCurrent')]).toEqual([0, 1, 2100, 37]);
    expect(() => read('goalPosition')).toThrow(RangeError);
    expect(() => read('goalPosition2')).toThrow(RangeError);
  });

  it('writes exactly the register\'s width and comes back, for random values', () => {
    const seed = 11;
    const random = seededRandom(seed);
    for (let n = 0; n < 20_000; n++) {
      const name = REGISTER_NAMES[random.index(REGISTER_NAMES.length)] as (typeof REGISTER_NAMES)[number];
      const { width, signBit } = REGISTERS[name];
      const most = signBit === null ? 256 ** width - 1 : 2 ** signBit - 1;
      const value = signBit === null ? random.index(most + 1) : random.index(2 * most + 1) - most;
      const encoded = encodeRegister(name, value);
      expect(encoded.length).toBe(width);
      expect(decodeRegister(name, encoded), `seed ${seed}: ${name} ${value}`).toBe(value);
      expect(() => encodeRegister(name, most + 1)).toThrow(RangeError);
    }
  });
});

it('names the bits of the error byte', () => {
  expect(servoErrors(0)).toEqual([]);
  expect(servoErrors(1 | 4 | 32)).toEqual(['voltage', 'temperature', 'overload']);
  expect(servoErrors(0xc0)).toEqual([]);
  for (let bits = 0; bits < 64; bits++) expect(servoErrorBits(servoErrors(bits))).toBe(bits);
});
