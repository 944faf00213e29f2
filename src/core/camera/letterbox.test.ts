/** The letterbox against pictures and tensors that LeRobot's own code made (`testing/letterbox.json`). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Picture } from '#contracts/picture.ts';
import { letterbox, placeLetterbox } from './letterbox.ts';

interface GoldenCase {
  readonly name: string;
  readonly picture: { readonly width: number; readonly height: number; readonly rgb: string };
  readonly expected: { readonly width: number; readonly height: number; readonly float32: string };
}

const golden = JSON.parse(readFileSync(new URL('testing/letterbox.json', import.meta.url), 'utf8')) as readonly GoldenCase[];

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

function withAlpha(picture: Picture): Picture {
  const data = new Uint8Array(picture.width * picture.height * 4);
  for (let i = 0; i < picture.width * picture.height; i++) {
    data.set(picture.data.subarray(3 * i, 3 * i + 3), 4 * i);
    data[4 * i + 3] = i % 256;
  }
  return { ...picture, channels: 4, data };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? NaN))), 0);
}

describe('letterbox', () => {
  it.each(golden)('equals LeRobot on $name', ({ picture, expected }) => {
    const rgb: Picture = { width: picture.width, height: picture.height, channels: 3, data: bytes(picture.rgb) };
    const wanted = new Float32Array(bytes(expected.float32).buffer);
    // One float32 step near 1 is 1.2e-7; PyTorch may contract its multiply-adds differently.
    expect(largestDifference(letterbox(rgb, expected), wanted)).toBeLessThanOrEqual(5e-7);
    expect(letterbox(withAlpha(rgb), expected)).toEqual(letterbox(rgb, expected));
  });

  it('covers pictures that are wider, taller and the same shape as the target', () => {
    expect(golden.length).toBe(7);
    expect(placeLetterbox({ width: 640, height: 480 }, { width: 512, height: 512 })).toEqual({ width: 512, height: 384, left: 0, top: 128 });
    expect(placeLetterbox({ width: 1280, height: 720 }, { width: 512, height: 512 })).toEqual({ width: 512, height: 288, left: 0, top: 224 });
    expect(placeLetterbox({ width: 256, height: 256 }, { width: 512, height: 512 })).toEqual({ width: 512, height: 512, left: 0, top: 0 });
    expect(placeLetterbox({ width: 480, height: 640 }, { width: 512, height: 512 })).toEqual({ width: 384, height: 512, left: 128, top: 0 });
  });

  it('leaves a picture of the target size as it is, scaled to [-1, 1]', () => {
    const data = new Uint8Array([0, 51, 255, 255, 0, 102]);
    const tensor = letterbox({ width: 2, height: 1, channels: 3, data }, { width: 2, height: 1 });
    expect([...tensor].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([-1, 1, -0.6, -1, 1, -0.2]);
  });

  it('refuses a picture whose bytes do not match its size, and one too thin to survive', () => {
    expect(() => letterbox({ width: 4, height: 4, channels: 3, data: new Uint8Array(47) }, { width: 8, height: 8 })).toThrow(RangeError);
    expect(() => letterbox({ width: 0, height: 4, channels: 3, data: new Uint8Array(0) }, { width: 8, height: 8 })).toThrow(RangeError);
    expect(() => placeLetterbox({ width: 1, height: 1000 }, { width: 512, height: 512 })).toThrow(RangeError);
  });
});
