/** The container: round trips of every number format, and what happens to files that lie about themselves. */
import { describe, expect, it } from 'vitest';
import { FailureError } from '#core/lib/failure.ts';
import { toBfloat16, toFloat32 } from './dtypes.ts';
import { MAX_HEADER_BYTES, parseSafetensors, readFloat32, readHeader, writeSafetensors } from './safetensors.ts';
import { memorySource } from './testing/memory-source.ts';
import { safetensorsOf } from './testing/raw-safetensors.ts';

function failureOf(work: () => unknown): unknown {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof FailureError) return thrown.failure;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

describe('number formats as float32', () => {
  it('F16: normal, subnormal, zero, largest, infinite and not a number', () => {
    const halves = new Uint16Array([0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x3555]);
    expect([...toFloat32('F16', new Uint8Array(halves.buffer))]).toEqual([1, -2, 2 ** -24, -0, 65504, Infinity, -Infinity, NaN, 0.333251953125]);
  });

  it('BF16 rounds to nearest, ties to even, and comes back', () => {
    const values = new Float32Array([1, -2.5, 1.00390625, 1.01171875, 3.3895313892515355e38, 1e-40, NaN, Infinity, 0.1]);
    const back = toFloat32('BF16', toBfloat16(values));
    // 1 + 1/256 lies halfway between 1 and 1 + 1/128: even is 1. 1 + 3/256 lies halfway: even is 1 + 2/128. The smallest step is 2^-133.
    expect([...back].map((value) => (Number.isFinite(value) ? Number(value.toPrecision(7)) : value))).toEqual([
      1, -2.5, 1, 1.015625, 3.389531e38, 9.18355e-41, NaN, Infinity, 0.1000977,
    ]);
  });

  it('F64, I64, I32, U8 and BOOL', () => {
    const bytesOf = (array: Float64Array | BigInt64Array | Int32Array): Uint8Array => new Uint8Array(array.buffer);
    expect([...toFloat32('F64', bytesOf(new Float64Array([0.1, 1e300])))]).toEqual([Math.fround(0.1), Infinity]);
    expect([...toFloat32('I64', bytesOf(new BigInt64Array([-3n, 1n << 40n])))]).toEqual([-3, 2 ** 40]);
    expect([...toFloat32('I32', bytesOf(new Int32Array([-7, 1 << 30])))]).toEqual([-7, 2 ** 30]);
    expect([...toFloat32('U8', new Uint8Array([0, 255]))]).toEqual([0, 255]);
    expect([...toFloat32('BOOL', new Uint8Array([0, 1, 7]))]).toEqual([0, 1, 1]);
  });

  it('F32 from an odd byte', () => {
    const shifted = new Uint8Array(9);
    new DataView(shifted.buffer).setFloat32(1, 1.5, true);
    new DataView(shifted.buffer).setFloat32(5, -0.25, true);
    expect([...toFloat32('F32', shifted.subarray(1))]).toEqual([1.5, -0.25]);
  });
});

describe('writing and reading', () => {
  const written = writeSafetensors(
    {
      picture: { dtype: 'U8', shape: [1, 2, 3], data: new Uint8Array([1, 2, 3, 4, 5, 6]) },
      'observation.state': { dtype: 'F32', shape: [2], data: new Float32Array([1.5, -2]) },
      scalar: { dtype: 'F32', shape: [], data: new Float32Array([7]) },
      empty: { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
      half: { dtype: 'BF16', shape: [1], data: toBfloat16(new Float32Array([3])) },
      wide: { dtype: 'F64', shape: [1], data: new Float64Array([0.5]) },
    },
    { format: 'pt' },
  );

  it('comes back whole, from memory and piece by piece', async () => {
    const file = parseSafetensors(written, 'x.safetensors');
    expect(file.header.metadata).toEqual({ format: 'pt' });
    expect([...file.float32('observation.state')]).toEqual([1.5, -2]);
    expect([...file.float32('scalar')]).toEqual([7]);
    expect([...file.float32('half')]).toEqual([3]);
    expect(file.float32('empty').length).toBe(0);
    expect([...file.raw('picture').bytes]).toEqual([1, 2, 3, 4, 5, 6]);
    const source = memorySource('x.safetensors', written);
    const header = await readHeader(source);
    expect(header.tensors).toEqual(file.header.tensors);
    expect([...(await readFloat32(source, header, 'wide'))]).toEqual([0.5]);
  });

  it('aligns every tensor to its element, and gives the same bytes for the same input', () => {
    const { tensors } = parseSafetensors(written, 'x').header;
    expect((tensors.get('wide')?.begin ?? 1) % 8).toBe(0);
    expect((tensors.get('observation.state')?.begin ?? 1) % 4).toBe(0);
    const a = { dtype: 'U8', shape: [1], data: new Uint8Array([1]) } as const;
    const b = { dtype: 'F32', shape: [1], data: new Float32Array([2]) } as const;
    expect(writeSafetensors({ a, b })).toEqual(writeSafetensors({ b, a }));
  });

  it('refuses a tensor that is not there, and one larger than the caller reads', async () => {
    const source = memorySource('x.safetensors', written);
    const header = await readHeader(source);
    await expect(readFloat32(source, header, 'nobody')).rejects.toMatchObject({ failure: { code: 'checkpoint/tensor-missing', facts: { tensor: 'nobody' } } });
    await expect(readFloat32(source, header, 'observation.state', { maxBytes: 7 })).rejects.toMatchObject({ failure: { code: 'checkpoint/file-corrupt' } });
  });
});

describe('files that lie', () => {
  const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['shorter than its length field', new Uint8Array(5), 'checkpoint/file-truncated'],
    ['cut inside the header', safetensorsOf({ a: entry }, 8).subarray(0, 20), 'checkpoint/file-truncated'],
    ['cut inside the data', safetensorsOf({ a: entry }, 7), 'checkpoint/file-truncated'],
    ['longer than its tensors', safetensorsOf({ a: entry }, 9), 'checkpoint/file-corrupt'],
    ['a header that is not JSON', safetensorsOf('{"a":', 8), 'checkpoint/file-corrupt'],
    ['a header that is a list', safetensorsOf('[1]', 0), 'checkpoint/file-corrupt'],
    ['overlapping tensors', safetensorsOf({ a: entry, b: { ...entry, data_offsets: [4, 12] } }, 12), 'checkpoint/file-corrupt'],
    ['a gap between tensors', safetensorsOf({ a: entry, b: { ...entry, data_offsets: [12, 20] } }, 20), 'checkpoint/file-corrupt'],
    ['offsets that do not hold the shape', safetensorsOf({ a: { ...entry, shape: [3] } }, 8), 'checkpoint/file-corrupt'],
    ['a negative offset', safetensorsOf({ a: { ...entry, data_offsets: [-8, 0] } }, 8), 'checkpoint/file-corrupt'],
    ['a shape of fractions', safetensorsOf({ a: { ...entry, shape: [0.5] } }, 8), 'checkpoint/file-corrupt'],
    ['a shape beyond whole numbers', safetensorsOf({ a: { ...entry, shape: [2 ** 40, 2 ** 40] } }, 8), 'checkpoint/file-corrupt'],
    ['too many dimensions', safetensorsOf({ a: { ...entry, shape: [1, 1, 1, 1, 1, 1, 1, 1, 2] } }, 8), 'checkpoint/file-corrupt'],
    ['an entry without a shape', safetensorsOf({ a: { dtype: 'F32', data_offsets: [0, 8] } }, 8), 'checkpoint/file-corrupt'],
    ['metadata that is not text', safetensorsOf({ __metadata__: { a: 1 } }, 0), 'checkpoint/file-corrupt'],
    ['a number format nobody reads', safetensorsOf({ a: { ...entry, dtype: 'F8_E4M3' } }, 8), 'checkpoint/tensor-dtype'],
  ];

  it.each(cases)('%s', async (_what, bytes, code) => {
    expect(failureOf(() => parseSafetensors(bytes, 'm.safetensors'))).toMatchObject({ code });
    await expect(readHeader(memorySource('m.safetensors', bytes))).rejects.toMatchObject({ failure: { code } });
  });

  it('a header longer than the cap is refused before it is read', async () => {
    const bytes = new Uint8Array(64);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(MAX_HEADER_BYTES) + 1n, true);
    const source = memorySource('m.safetensors', bytes);
    await expect(readHeader(source)).rejects.toMatchObject({ failure: { code: 'checkpoint/file-corrupt' } });
    expect(source.readBytes()).toBe(8);
  });

  it('a truncated file says both sizes', () => {
    const whole = safetensorsOf({ a: entry }, 8);
    expect(failureOf(() => parseSafetensors(whole.subarray(0, whole.length - 3), 'm.safetensors'))).toEqual({
      code: 'checkpoint/file-truncated',
      facts: { file: 'm.safetensors', expectedBytes: whole.length, foundBytes: whole.length - 3 },
    });
  });
});
