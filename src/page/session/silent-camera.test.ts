import { expect, test } from 'vitest';
import { silentCameras } from './silent-camera.ts';

test('a camera that sends is left alone', () => {
  const cameras = silentCameras();
  for (let k = 0; k < 50; k++) expect(cameras.told('front', k, k * 250)).toBe('none');
});

test('silent for a second memory is tidied, for two and three it gets another stream, and then nothing more is tried', () => {
  const cameras = silentCameras();
  cameras.told('front', 7, 0);
  const remedies = Array.from({ length: 40 }, (_, k) => [(k + 1) * 250, cameras.told('front', 7, (k + 1) * 250)] as const).filter(([, remedy]) => remedy !== 'none');
  expect(remedies).toEqual([
    [1000, 'tidy'],
    [2000, 'tidy, then another stream'],
    [3000, 'tidy, then another stream'],
  ]);
});

test('one new frame and the count begins anew; a taker that was started again, with fewer frames, too', () => {
  const cameras = silentCameras();
  cameras.told('front', 7, 0);
  expect(cameras.told('front', 7, 1000)).toBe('tidy');
  expect(cameras.stillSilent('front')).toBe(true);
  expect(cameras.told('front', 8, 1200)).toBe('none');
  expect(cameras.stillSilent('front')).toBe(false);
  expect(cameras.told('front', 8, 2100)).toBe('none');
  expect(cameras.told('front', 8, 2200)).toBe('tidy');
  expect(cameras.told('front', 1, 2300)).toBe('none');
  expect(cameras.stillSilent('front')).toBe(false);
});

test('each camera has a count of its own, and one that was shut is forgotten', () => {
  const cameras = silentCameras();
  cameras.told('front', 1, 0);
  cameras.told('wrist', 1, 900);
  expect(cameras.told('front', 1, 1000)).toBe('tidy');
  expect(cameras.told('wrist', 1, 1000)).toBe('none');
  cameras.forget('front');
  expect(cameras.stillSilent('front')).toBe(false);
  expect(cameras.told('front', 1, 9000)).toBe('none');
});
