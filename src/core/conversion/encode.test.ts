/** Encoding: what is lost is what the form must lose, the layout is MatMulNBits' own, and halves round as IEEE says. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { toFloat32 } from './dtypes.ts';
import { decode, encode } from './encode.ts';

function normal(count: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform()));
}

describe('blocks', () => {
  it.each([
    [8, 32, 0.006],
    [8, 16, 0.006],
    [4, 32, 0.083],
    [4, 16, 0.073],
  ] as const)('%i bits in blocks of %i lose at most %f of normal numbers', (bits, block, most) => {
    const storage = { kind: 'blocks', bits, block } as const;
    const values = normal(8192, 7);
    const { bytes, scales } = encode(storage, values);
    expect(bytes.length).toBe((8192 * bits) / 8);
    expect(scales.length).toBe(8192 / block);
    const back = decode(storage, bytes, scales);
    const error = Math.sqrt(values.reduce((sum, value, i) => sum + (value - back[i]!) ** 2, 0) / values.reduce((sum, value) => sum + value ** 2, 0));
    expect(error).toBeLessThan(most);
    expect(error).toBeGreaterThan(most / 3);
  });

  it('put the earlier number into the low half of a byte, around 8', () => {
    const values = new Float32Array(16);
    values[0] = -8;
    values[1] = 3;
    const { bytes, scales } = encode({ kind: 'blocks', bits: 4, block: 16 }, values);
    expect(scales[0]).toBe(1);
    expect(bytes.slice(0, 2)).toEqual(Uint8Array.of(11 << 4, 8 | (8 << 4)));
  });

  it('of 4 bits keep what fits exactly, and no other scale in reach does better by much', () => {
    const storage = { kind: 'blocks', bits: 4, block: 16 } as const;
    const lattice = Float32Array.from({ length: 32 }, (_, i) => 0.25 * ((i % 16) - 8));
    const exact = encode(storage, lattice);
    expect(decode(storage, exact.bytes, exact.scales)).toEqual(lattice);
    const values = normal(1600, 5);
    const { bytes, scales } = encode(storage, values);
    const back = decode(storage, bytes, scales);
    let [ours, best] = [0, 0];
    for (let from = 0; from < values.length; from += 16) {
      const block = values.subarray(from, from + 16);
      ours += block.reduce((sum, value, i) => sum + (value - back[from + i]!) ** 2, 0);
      const extreme = block.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
      // Two hundred scales, of both signs: the yardstick of what a scale alone can do.
      const errors = Array.from({ length: 200 }, (_, n) => {
        const scale = ((n % 2 === 0 ? -1 : 1) * extreme * (0.6 + n / 250)) / 8;
        return block.reduce((sum, value) => sum + (value - scale * Math.max(-8, Math.min(7, Math.round(value / scale)))) ** 2, 0);
      });
      best += Math.min(...errors);
    }
    expect(ours / best).toBeGreaterThan(0.99);
    expect(ours / best).toBeLessThan(1.15);
  });

  it('of zeros stay zeros', () => {
    for (const bits of [4, 8] as const) {
      const storage = { kind: 'blocks', bits, block: 32 } as const;
      const { bytes, scales } = encode(storage, new Float32Array(64));
      expect([...decode(storage, bytes, scales)].every((value) => value === 0)).toBe(true);
    }
  });
});

describe('columns', () => {
  it('of normal numbers lose at most 1 %, and no number more than half a step of its column', () => {
    const storage = { kind: 'columns', width: 16 } as const;
    const values = normal(8192, 3).map((value, i) => value * 10 ** ((i % 16) % 3));
    const { bytes, scales } = encode(storage, values);
    expect([bytes.length, scales.length]).toEqual([8192, 16]);
    const back = decode(storage, bytes, scales);
    for (const [i, value] of values.entries()) expect(Math.abs(value - back[i]!), String(i)).toBeLessThanOrEqual(0.50001 * scales[i % 16]!);
    const error = Math.sqrt(values.reduce((sum, value, i) => sum + (value - back[i]!) ** 2, 0) / values.reduce((sum, value) => sum + value ** 2, 0));
    expect(error).toBeLessThan(0.01);
    expect(error).toBeGreaterThan(0.003);
  });

  it('meet the largest of either sign exactly, round to nearest, and of zeros stay zeros', () => {
    const storage = { kind: 'columns', width: 3 } as const;
    const { bytes, scales } = encode(storage, Float32Array.of(-127, 254, 0, 2.6, -5.1, 0, -2.4, 4.9, 0));
    expect([...scales]).toEqual([1, 2, 0]);
    expect([...new Int8Array(bytes.buffer)]).toEqual([-127, 127, 0, 3, -3, 0, -2, 2, 0]);
    expect([...decode(storage, bytes, scales)]).toEqual([-127, 254, 0, 3, -6, 0, -2, 4, 0]);
  });
});

describe('halves', () => {
  it('round trip every half there is', () => {
    const bits = Uint16Array.from({ length: 0x7c00 }, (_, i) => i);
    const values = toFloat32('F16', new Uint8Array(bits.buffer));
    const { bytes } = encode({ kind: 'F16' }, values);
    expect(new Uint16Array(bytes.buffer)).toEqual(bits);
    expect(decode({ kind: 'F16' }, bytes, new Float32Array())).toEqual(values);
  });

  it('round ties to even, and stop at the largest', () => {
    const step = 2 ** -10;
    const { bytes } = encode({ kind: 'F16' }, Float32Array.of(1 + step / 2, 1 + 1.5 * step, -1e6, 2 ** -25, 1.5 * 2 ** -24));
    expect([...toFloat32('F16', bytes)]).toEqual([1, 1 + 2 * step, -65504, 0, 2 ** -23]);
  });
});
