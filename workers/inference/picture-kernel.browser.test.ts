/** The kernel that makes pictures ready, against the CPU's clear version, on a real device and pictures that fit nothing evenly. */
import { beforeAll, expect, test } from 'vitest';
import type { EngineDevice, PatchKernel } from '#contracts/engine.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { seededRandom } from '#core/lib/random.ts';
import { patchify } from '#core/policy/smolvla/patches.ts';
import { deviceMemory } from './device-memory.ts';
import { openGpuDevice, type GpuHandle } from './gpu-device.ts';
import { pictureKernel } from './picture-kernel.ts';

let gpu: GpuHandle;
let memory: Pick<EngineDevice, 'place'>;
let kernel: PatchKernel;
beforeAll(async () => {
  gpu = await openGpuDevice('without-subgroups');
  memory = deviceMemory(gpu);
  kernel = await pictureKernel(gpu.device);
});

test.each([
  { width: 640, height: 480, channels: 4, side: 512, patch: 16 },
  { width: 96, height: 96, channels: 4, side: 96, patch: 16 },
  { width: 256, height: 256, channels: 4, side: 512, patch: 16 },
  { width: 641, height: 359, channels: 3, side: 512, patch: 16 },
  { width: 123, height: 457, channels: 3, side: 64, patch: 8 },
  { width: 7, height: 5, channels: 3, side: 40, patch: 10 },
  { width: 1, height: 1, channels: 4, side: 32, patch: 16 },
] as const)('$width x $height x $channels into $side, patches of $patch, equals letterbox and patchify', async ({ width, height, channels, side, patch }) => {
  const random = seededRandom(width);
  // Slopes with noise on them, as a photograph has; alpha is noise and must change nothing.
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (((i / channels) % width) + 3 * (i % channels) + random.index(40)) % 256);
  const picture = { width, height, channels, data };
  const place = memory.place('float32', [1, (side / patch) ** 2, 3 * patch * patch]);
  kernel(picture, { side, patch }, place);
  const found = (await place.read()).data as Float32Array;
  place.dispose();
  const expected = patchify(letterbox(picture, { width: side, height: side }), side, patch);
  expect(found.length).toBe(expected.length);
  const off = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0);
  console.log(`${width} x ${height} x ${channels} into ${side}: off by ${off.toExponential(1)}`);
  // 1e-3 would do; a step of a byte is 8e-3.
  expect(off).toBeLessThan(2e-5);
  expect(gpu.takeUncapturedError()).toBeNull();
});

test('a picture whose bytes do not match its size is refused, as on the CPU', () => {
  const place = memory.place('float32', [1, 4, 768]);
  expect(() => kernel({ width: 4, height: 4, channels: 4, data: new Uint8Array(63) }, { side: 32, patch: 16 }, place)).toThrow(RangeError);
  place.dispose();
});
