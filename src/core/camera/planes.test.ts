/** Frames of cameras against what OpenCV, the reader LeRobot records with, makes of the same bytes. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { planesToRgb, type FramePlanes } from './planes.ts';

interface PlanesCase {
  readonly format: 'I420' | 'NV12';
  readonly width: number;
  readonly height: number;
  readonly planes: string;
  readonly rgb: string;
}
const golden = JSON.parse(readFileSync(new URL('testing/planes.json', import.meta.url), 'utf8')) as { readonly cases: readonly PlanesCase[] };
const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

function planes(format: 'I420' | 'NV12', width: number, height: number, data: Uint8Array): FramePlanes {
  const light = width * height;
  const layout = format === 'I420' ? [{ offset: 0, stride: width }, { offset: light, stride: width / 2 }, { offset: light * 1.25, stride: width / 2 }] : [{ offset: 0, stride: width }, { offset: light, stride: width }];
  return { format, width, height, data, layout, matrix: 'bt601', range: 'limited' };
}

it.each(golden.cases)('equals OpenCV to the byte: $format', ({ format, width, height, planes: data, rgb }) => {
  expect(golden.cases.length).toBe(2);
  const picture = planesToRgb(planes(format, width, height, bytes(data)));
  expect(picture).toMatchObject({ width, height, channels: 3 });
  expect([...picture.data]).toEqual([...bytes(rgb)]);
});

it('takes rows that are padded, and swaps blue and red where they are swapped', () => {
  const data = new Uint8Array([9, 9, 1, 2, 3, 0, 4, 5, 6, 0, 9, 9, 7, 8, 9, 0, 10, 11, 12, 0]);
  const frame: FramePlanes = { format: 'BGRA', width: 2, height: 2, data, layout: [{ offset: 2, stride: 10 }], matrix: 'bt601', range: 'full' };
  expect([...planesToRgb(frame).data]).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
});

it('white is white and black is black in every range and matrix', () => {
  for (const matrix of ['bt601', 'bt709'] as const) {
    for (const [range, least, most] of [['limited', 16, 235], ['full', 0, 255]] as const) {
      const level = (y: number): number[] => [...planesToRgb({ ...planes('I420', 2, 2, new Uint8Array([y, y, y, y, 128, 128])), matrix, range }).data];
      expect(level(least)).toEqual(Array.from({ length: 12 }, () => 0));
      expect(level(most)).toEqual(Array.from({ length: 12 }, () => 255));
    }
  }
});

it('refuses planes that are cut short', () => {
  expect(() => planesToRgb(planes('I420', 4, 4, new Uint8Array(20)))).toThrow(RangeError);
});
