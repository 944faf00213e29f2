/** Frames that are moved here: the newest is kept, every other one is closed, an old one is refused, a lost camera stays lost. */
import { expect, test } from 'vitest';
import { manualClock } from '#core/lib/manual-clock.ts';
import { asFailure } from '#core/lib/failure.ts';
import { cameraSources } from './camera-sources.ts';
import { realCameras, type Frame, type FrameSource } from './real-cameras.ts';

/** A camera of 2 x 2 grey pixels whose frames are pushed by the test. Counts what is open. */
function camera() {
  const open = new Set<object>();
  const waiting: ((result: { done: boolean; value?: Frame }) => void)[] = [];
  const queue: { done: boolean; value?: Frame }[] = [];
  const frame = (level: number): Frame => {
    const handle = {};
    open.add(handle);
    return {
      format: 'I420',
      displayWidth: 2,
      displayHeight: 2,
      colorSpace: { matrix: null, fullRange: true },
      allocationSize: () => 6,
      copyTo: async (into) => {
        into.set([level, level, level, level, 128, 128]);
        return [{ offset: 0, stride: 2 }, { offset: 4, stride: 1 }, { offset: 5, stride: 1 }];
      },
      clone: () => frame(level),
      close: () => open.delete(handle),
    };
  };
  const put = (result: { done: boolean; value?: Frame }): void => {
    const next = waiting.shift();
    if (next === undefined) queue.push(result);
    else next(result);
  };
  const source: FrameSource = { read: () => (queue.length > 0 ? Promise.resolve(queue.shift() as { done: boolean }) : new Promise((resolve) => waiting.push(resolve))), cancel: () => put({ done: true }) };
  return { source, open, push: (level: number) => put({ done: false, value: frame(level) }), end: () => put({ done: true }) };
}
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
const codeOf = async (work: Promise<unknown>) => work.then(() => null, asFailure);
const FRONT = 'observation.images.front';

test('a track that is not switched through yet shows nothing, and nothing of it is handed on', async () => {
  const cameras = realCameras(manualClock(1000), 500);
  const usb = camera();
  cameras.bind(FRONT, 'USB camera', usb.source);
  for (const level of [0, 0]) usb.push(level);
  await settle();
  expect(usb.open.size).toBe(0);
  expect(await codeOf(cameras.picture(FRONT))).toMatchObject({ code: 'observation/camera-failed' });
  expect(cameras.health()).toMatchObject([{ frames: 0, newestAtMs: null }]);
  // Once it has shown something, what it shows is what it sees.
  for (const level of [40, 0]) usb.push(level);
  await settle();
  expect([...(await cameras.picture(FRONT)).picture.data]).toEqual(Array.from({ length: 12 }, () => 0));
  expect(usb.open.size).toBe(1);
});

test('the newest frame wins, and every frame is closed in the end', async () => {
  const clock = manualClock(1000);
  const cameras = realCameras(clock, 500);
  const usb = camera();
  cameras.bind(FRONT, 'USB camera', usb.source);
  expect(await codeOf(cameras.picture(FRONT))).toMatchObject({ code: 'observation/camera-failed' });
  for (const level of [10, 20, 30]) usb.push(level);
  await settle();
  expect(usb.open.size).toBe(1);
  const taken = await cameras.picture(FRONT);
  expect(taken).toMatchObject({ camera: FRONT, sequence: 3, capturedAtMs: 1000, source: 'real' });
  expect([...taken.picture.data]).toEqual(Array.from({ length: 12 }, () => 30));
  expect(cameras.health()).toEqual([{ camera: FRONT, width: 2, height: 2, frames: 3, replaced: 2, newestAtMs: 1000, toldAtMs: 1000 }]);
  expect(usb.open.size).toBe(1);
  cameras.unbind(FRONT);
  await settle();
  expect(usb.open.size).toBe(0);
  expect(cameras.has(FRONT)).toBe(false);
});

test('a frame that is too old is refused, and an unplugged camera is not replaced by its last picture', async () => {
  const clock = manualClock(0);
  const cameras = realCameras(clock, 500);
  const usb = camera();
  cameras.bind(FRONT, 'USB camera', usb.source);
  usb.push(10);
  await settle();
  await clock.advanceBy(500);
  expect(await codeOf(cameras.picture(FRONT))).toBeNull();
  await clock.advanceBy(1);
  expect(await codeOf(cameras.picture(FRONT))).toEqual({ code: 'observation/camera-stale', facts: { camera: FRONT, ageMs: 501, limitMs: 500 } });
  usb.push(20);
  usb.end();
  await settle();
  expect(await codeOf(cameras.picture(FRONT))).toEqual({ code: 'observation/camera-unplugged', facts: { camera: FRONT, device: 'USB camera' } });
  expect(usb.open.size).toBe(0);
  cameras.bind(FRONT, 'USB camera', camera().source);
  expect(await codeOf(cameras.picture(FRONT))).toMatchObject({ code: 'observation/camera-failed' });
});

test('slots are filled from the real camera in them, else from the world, in the order asked for', async () => {
  const clock = manualClock(0);
  const cameras = realCameras(clock);
  const usb = camera();
  cameras.bind(FRONT, 'USB camera', usb.source);
  usb.push(7);
  await settle();
  const asked: string[] = [];
  const world = { pictures: async (wanted: readonly { key: string }[]) => wanted.map(({ key }) => (asked.push(key), { camera: key, picture: { width: 1, height: 1, channels: 4 as const, data: new Uint8Array(4) }, capturedAtMs: 0, sequence: 1 })) };
  const sources = cameraSources(world, cameras);
  const sizes = { width: 2, height: 2 };
  const pictures = await sources.pictures([{ key: 'wrist', ...sizes }, { key: FRONT, ...sizes }]);
  expect(pictures.map(({ camera: name, source }) => [name, source ?? 'simulated'])).toEqual([['wrist', 'simulated'], [FRONT, 'real']]);
  expect(asked).toEqual(['wrist']);
});
