/** The simulated cameras in a real browser: repeatable to the byte, sensitive to what they should see, honest when lost. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Picture } from '#contracts/picture.ts';
import type { SceneDescription } from '#contracts/scene.ts';
import { asFailure } from '#core/lib/failure.ts';
import { linkPoses } from '#core/robots/kinematics.ts';
import { FRONT_CAMERA, sceneFor, WRIST_CAMERA } from '#core/scene/description.ts';
import { createCameraRenderer, type CameraRenderer } from './cameras.ts';

const SIZE = 96;
const open: CameraRenderer[] = [];

afterEach(() => {
  for (const renderer of open.splice(0)) renderer.dispose();
});

function camera(description: SceneDescription, canvas = new OffscreenCanvas(1, 1)): CameraRenderer {
  const renderer = createCameraRenderer({ description, canvas });
  open.push(renderer);
  return renderer;
}

function poses(description: SceneDescription, angles: readonly number[] = description.robot.homePose): Float64Array {
  const all = [...linkPoses(description.robot, angles), ...description.objects.map((object) => object.pose)];
  return Float64Array.from(all.flatMap((pose) => [...pose.position, ...pose.rotation]));
}

function differingBytes(a: Picture, b: Picture): number {
  return a.data.reduce((sum, value, i) => sum + (value === b.data[i] ? 0 : 1), 0);
}

/** Pixels whose hue is clearly `channel`: it exceeds both others by 60 of 255. */
function pixelsOf(picture: Picture, channel: 0 | 1 | 2): number {
  let count = 0;
  for (let i = 0; i < picture.data.length; i += 4) {
    const [r, g, b] = picture.data.subarray(i, i + 3);
    const rgb = [r ?? 0, g ?? 0, b ?? 0];
    const own = rgb[channel] ?? 0;
    if (rgb.every((value, c) => c === channel || own - value > 60)) count += 1;
  }
  return count;
}

test('the same poses give the same bytes, twice and from another renderer', () => {
  const description = sceneFor({ task: 'any', seed: 3 });
  const first = camera(description);
  const second = camera(description);
  for (const key of [FRONT_CAMERA, WRIST_CAMERA]) {
    const a = first.render(key, SIZE, SIZE, poses(description));
    // Something else in between, in another size: nothing of it may be left over.
    first.render(key, 160, 120, poses(description, [0.4, 0, 0, 0, 0, 1]));
    const b = first.render(key, SIZE, SIZE, poses(description));
    const c = second.render(key, SIZE, SIZE, poses(description));
    expect(a.data.length).toBe(SIZE * SIZE * 4);
    expect(differingBytes(a, b)).toBe(0);
    expect(differingBytes(a, c)).toBe(0);
    expect(new Set(a.data).size).toBeGreaterThan(60);
  }
});

test('rows run from the top: the wall is above the table', () => {
  const description = sceneFor({ task: 'any', seed: 3 });
  const { data } = camera(description).render(FRONT_CAMERA, SIZE, SIZE, poses(description));
  const pixel = (row: number): number[] => [...data.subarray((row * SIZE + 2) * 4, (row * SIZE + 2) * 4 + 4)];
  const top = pixel(2);
  const bottom = pixel(SIZE - 3);
  // The wall is bluish grey, wood is warm.
  expect((top[2] ?? 0) - (top[0] ?? 0)).toBeGreaterThan(5);
  expect((bottom[0] ?? 0) - (bottom[2] ?? 0)).toBeGreaterThan(5);
  expect(top[3]).toBe(255);
});

test('the three cubes can be told apart in a picture of 96 x 96', () => {
  const description = sceneFor({ task: 'any', seed: 3 });
  const picture = camera(description).render(FRONT_CAMERA, SIZE, SIZE, poses(description));
  for (const channel of [0, 1, 2] as const) expect(pixelsOf(picture, channel)).toBeGreaterThanOrEqual(12);
});

test('lights off, another seed and another posture each change the picture', () => {
  const bright = sceneFor({ task: 'any', seed: 3 });
  const renderer = camera(bright);
  const before = renderer.render(FRONT_CAMERA, SIZE, SIZE, poses(bright));
  const moved = renderer.render(FRONT_CAMERA, SIZE, SIZE, poses(bright, [0.3, 0, 0.2, 1, -1, 0.5]));
  expect(differingBytes(before, moved)).toBeGreaterThan(1000);

  const dark = sceneFor({ task: 'any', seed: 3, lightLevel: 0 });
  renderer.setScene(dark);
  const night = renderer.render(FRONT_CAMERA, SIZE, SIZE, poses(dark));
  const mean = (picture: Picture): number => picture.data.reduce((sum, value, i) => sum + (i % 4 === 3 ? 0 : value), 0) / (SIZE * SIZE * 3);
  expect(mean(night)).toBeLessThan(mean(before) / 3);
  expect(mean(night)).toBeGreaterThan(2);

  const other = sceneFor({ task: 'any', seed: 4 });
  renderer.setScene(other);
  expect(differingBytes(before, renderer.render(FRONT_CAMERA, SIZE, SIZE, poses(other)))).toBeGreaterThan(500);

  renderer.setScene(bright);
  expect(differingBytes(before, renderer.render(FRONT_CAMERA, SIZE, SIZE, poses(bright)))).toBe(0);
});

test('milliseconds a picture are reported by camera', () => {
  const description = sceneFor({ task: 'any', seed: 3 });
  const renderer = camera(description);
  expect(renderer.pictureMs()).toEqual({});
  for (let i = 0; i < 5; i++) {
    const at = poses(description, [i * 0.01, 0, 0, 1, 0, 0]);
    renderer.render(FRONT_CAMERA, SIZE, SIZE, at);
    renderer.render(WRIST_CAMERA, SIZE, SIZE, at);
  }
  const ms = renderer.pictureMs();
  expect(Object.keys(ms).sort()).toEqual([FRONT_CAMERA, WRIST_CAMERA]);
  for (const value of Object.values(ms)) expect(value).toBeGreaterThan(0);

  // What nothing has been drawn for is no reading any more.
  const later = performance.now() + 11_000;
  const clock = vi.spyOn(performance, 'now').mockReturnValue(later);
  expect(renderer.pictureMs()).toEqual({});
  clock.mockRestore();
});

test('a lost context is a failed camera, and works again once it is back', async () => {
  const description = sceneFor({ task: 'any', seed: 3 });
  const canvas = new OffscreenCanvas(1, 1);
  const renderer = camera(description, canvas);
  const before = renderer.render(FRONT_CAMERA, SIZE, SIZE, poses(description));
  const extension = canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context');
  if (extension === null || extension === undefined) throw new Error('this browser cannot lose a context on purpose');
  extension.loseContext();
  expect(failureOf(() => renderer.render(FRONT_CAMERA, SIZE, SIZE, poses(description)))).toEqual({ code: 'world/context-lost', facts: { camera: 'all' } });
  expect(renderer.isLost()).toBe(true);

  const restored = new Promise((resolve) => canvas.addEventListener('webglcontextrestored', resolve, { once: true }));
  // The browser delivers "lost" first; restoring is allowed only after it.
  await new Promise((resolve) => setTimeout(resolve, 50));
  extension.restoreContext();
  await restored;
  expect(renderer.isLost()).toBe(false);
  expect(differingBytes(before, renderer.render(FRONT_CAMERA, SIZE, SIZE, poses(description)))).toBe(0);
});

test('bad requests are refused by name', () => {
  const description = sceneFor({ task: 'any', seed: 3 });
  const renderer = camera(description);
  expect(failureOf(() => renderer.render('observation.images.left', SIZE, SIZE, poses(description))).code).toBe('observation/camera-missing');
  for (const side of [0, -1, 1.5, Number.NaN, 100_000]) {
    expect(failureOf(() => renderer.render(FRONT_CAMERA, side, SIZE, poses(description))).code).toBe('control/out-of-range');
  }
  expect(() => renderer.render(FRONT_CAMERA, SIZE, SIZE, new Float64Array(7))).toThrow(RangeError);
});

test('no WebGL is a failure with a reason', () => {
  const canvas = new OffscreenCanvas(1, 1);
  // A canvas that already has a context of another kind gives no WebGL one.
  canvas.getContext('2d');
  const failure = failureOf(() => createCameraRenderer({ description: sceneFor({ task: 'any', seed: 3 }), canvas }));
  expect(failure.code).toBe('world/no-webgl');
  expect(failure.facts.reason).toContain('WebGL 2');
});

function failureOf(work: () => unknown): ReturnType<typeof asFailure> {
  try {
    work();
  } catch (thrown) {
    return asFailure(thrown);
  }
  throw new Error('nothing was thrown');
}

test('a picture read later is the picture read at once, also while others are on their way', async () => {
  const description = sceneFor({ task: 'any', seed: 3 });
  const renderer = camera(description);
  const elsewhere = poses(description, [0.4, 0, 0, 0, 0, 1]);
  const expected = [renderer.render(FRONT_CAMERA, SIZE, SIZE, poses(description)), renderer.render(WRIST_CAMERA, 160, 120, poses(description)), renderer.render(FRONT_CAMERA, SIZE, SIZE, elsewhere)];
  const taken = await Promise.all([renderer.capture(FRONT_CAMERA, SIZE, SIZE, poses(description)), renderer.capture(WRIST_CAMERA, 160, 120, poses(description)), renderer.capture(FRONT_CAMERA, SIZE, SIZE, elsewhere)]);
  taken.forEach((picture, i) => expect(differingBytes(picture, expected[i] as Picture), `picture ${i}`).toBe(0));
});

test('a context lost while a picture is on its way is a failed camera', async () => {
  const canvas = new OffscreenCanvas(1, 1);
  const description = sceneFor({ task: 'any', seed: 3 });
  const renderer = camera(description, canvas);
  const taken = renderer.capture(FRONT_CAMERA, SIZE, SIZE, poses(description));
  canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context')?.loseContext();
  const failure = await taken.then(
    () => null,
    (thrown: unknown) => asFailure(thrown),
  );
  expect(failure).toEqual({ code: 'world/context-lost', facts: { camera: 'all' } });
});
