/** When the stage draws: always on a GPU, two fifths of the time with a software renderer. */
import { expect, test } from 'vitest';
import { createPace, isSoftwareRenderer } from './pace.ts';

test('a GPU may always draw, at most two pixels a CSS pixel', () => {
  const pace = createPace('gpu', () => 3);
  pace.drawn(0, 500, 'moving');
  expect(pace.mayDraw(0.1, 'moving')).toBe(true);
  expect(pace.pixelRatio('moving')).toBe(2);
  expect(pace.wantsCrisp()).toBe(false);
});

test('a software renderer takes at most two fifths of the time', () => {
  const pace = createPace('software', () => 1);
  pace.drawn(1000, 40, 'moving');
  expect(pace.mayDraw(1099, 'moving')).toBe(false);
  expect(pace.mayDraw(1100, 'moving')).toBe(true);
  // The first frame compiles shaders: that must not freeze the view for seconds.
  pace.drawn(2000, 1400, 'moving');
  expect(pace.mayDraw(3699, 'moving')).toBe(false);
  expect(pace.mayDraw(3700, 'moving')).toBe(true);
});

test('slow frames make it coarser, quick ones finer again, and standing still crisp', () => {
  const pace = createPace('software', () => 1);
  const first = pace.pixelRatio('moving');
  for (let i = 0; i < 10; i++) pace.drawn(i * 1000, 200, 'moving');
  const coarse = pace.pixelRatio('moving');
  expect(coarse).toBeLessThan(first);
  expect(coarse).toBeGreaterThanOrEqual(0.4);
  expect(pace.wantsCrisp()).toBe(true);
  // The last movement was at 9000: crisp comes only after a rest.
  expect(pace.mayDraw(9500, 'still')).toBe(true);
  expect(pace.mayDraw(9349, 'still')).toBe(false);
  expect(pace.pixelRatio('still')).toBe(1.5);
  pace.drawn(9600, 300, 'still');
  expect(pace.wantsCrisp()).toBe(false);
  for (let i = 0; i < 10; i++) pace.drawn(20_000 + i * 100, 5, 'moving');
  expect(pace.pixelRatio('moving')).toBe(1);
});

test('statistics count frames and give the middle of the times', () => {
  const pace = createPace('gpu', () => 1);
  expect(pace.statistics()).toEqual({ renderer: 'gpu', framesDrawn: 0, drawMs: null, pixelRatio: 1, crisp: false });
  for (const ms of [1, 2, 3, 4, 100]) pace.drawn(0, ms, 'moving');
  expect(pace.statistics()).toEqual({ renderer: 'gpu', framesDrawn: 5, drawMs: { p50: 3, p95: 100 }, pixelRatio: 1, crisp: true });
});

test('software renderers are known by their names', () => {
  for (const name of ['ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)', 'llvmpipe (LLVM 15.0.7, 256 bits)', 'Microsoft Basic Render Driver']) expect(isSoftwareRenderer(name)).toBe(true);
  for (const name of ['ANGLE (NVIDIA GeForce RTX 3060 Direct3D11)', 'Apple M2', 'Mesa Intel(R) UHD Graphics 620']) expect(isSoftwareRenderer(name)).toBe(false);
});
