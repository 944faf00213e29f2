import { expect, it } from 'vitest';
import type { Observation } from '#contracts/observation.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { asFailure } from '#core/lib/failure.ts';
import { cameraWatch, type CameraWatch, type FirstViews } from './camera-watch.ts';

const seeing = (level: number, pan: number): Observation => ({
  pictures: { front: { camera: 'front', picture: { width: 2, height: 2, channels: 4, data: Uint8Array.from({ length: 16 }, (_, i) => (i % 4 === 3 ? 255 : level + i)) }, capturedAtMs: 0, sequence: 0 } },
  state: new Float64Array([pan, 0, 0, 0, 0, 0]) as JointUnitsVector,
  stateAtMs: 0,
  sentence: 'wave',
});
const codeOf = (watch: CameraWatch, observation: Observation, nowMs = 0) => {
  try {
    watch.look(observation, nowMs);
    return null;
  } catch (thrown) {
    return asFailure(thrown);
  }
};

it('a picture that stays while the arm moves is frozen, until it changes', () => {
  const watch = cameraWatch();
  expect(codeOf(watch, seeing(50, 0), 100)).toBeNull();
  expect(codeOf(watch, seeing(50, 0), 200)).toBeNull();
  expect(codeOf(watch, seeing(50, 1.9), 300)).toBeNull();
  expect(codeOf(watch, seeing(50, 2.1), 400)).toEqual({ code: 'observation/camera-frozen', facts: { camera: 'front', forMs: 300 } });
  expect(codeOf(watch, seeing(51, 9), 500)).toBeNull();
  expect(codeOf(watch, seeing(52, 99), 600)).toBeNull();
});

it('black is dark, and a dim room is not', () => {
  const black = seeing(0, 0);
  black.pictures['front']?.picture.data.forEach((_, i, data) => (data[i] = i % 4 === 3 ? 255 : i % 3));
  expect(codeOf(cameraWatch(), black)).toEqual({ code: 'observation/camera-dark', facts: { camera: 'front' } });
  expect(codeOf(cameraWatch(), seeing(0, 0))).toBeNull();
});

/** Two cameras of 32 x 24 pixels; each view is a pattern of its own, moved a little by `shift`. */
const views = (front: 'bars' | 'rings', wrist: 'bars' | 'rings', shift: number): Observation => {
  const look = (view: 'bars' | 'rings'): Uint8Array =>
    Uint8Array.from({ length: 32 * 24 * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % 32, Math.floor(i / 96)];
      return view === 'bars' ? 40 + 180 * (Math.sin((x + shift) / 3) > 0 ? 1 : 0) : 30 + 5 * Math.hypot(x - 16 + shift, y - 12);
    });
  const taken = (camera: string, view: 'bars' | 'rings') => ({ camera, picture: { width: 32, height: 24, channels: 3 as const, data: look(view) }, capturedAtMs: 0, sequence: 0, source: 'real' as const });
  return { ...seeing(50, 0), pictures: { front: taken('front', front), wrist: taken('wrist', wrist) } };
};

it('two cameras that changed places are told, a camera that moved is not', () => {
  const watch = cameraWatch();
  expect(codeOf(watch, views('bars', 'rings', 0))).toBeNull();
  expect(codeOf(watch, views('bars', 'rings', 2))).toBeNull();
  expect(codeOf(watch, views('bars', 'bars', 1))).toBeNull();
  expect(codeOf(watch, views('rings', 'bars', 0))).toEqual({ code: 'observation/camera-swapped', facts: { camera: 'front', other: 'wrist' } });
  expect(codeOf(cameraWatch(), views('rings', 'bars', 0))).toBeNull();
});

it('plugs that changed places between two runs are told when the next one begins, until a person chooses again', () => {
  const first: FirstViews = new Map();
  expect(codeOf(cameraWatch(first), views('bars', 'rings', 0))).toBeNull();
  const swapped = { code: 'observation/camera-swapped', facts: { camera: 'front', other: 'wrist' } };
  expect(codeOf(cameraWatch(first), views('rings', 'bars', 1))).toEqual(swapped);
  // What was refused is not learnt: asking once more does not make it right, changing the plugs back does.
  expect(codeOf(cameraWatch(first), views('rings', 'bars', 1))).toEqual(swapped);
  expect(codeOf(cameraWatch(first), views('bars', 'rings', 1))).toBeNull();
  first.delete('front');
  const watch = cameraWatch(first);
  expect(codeOf(watch, views('rings', 'bars', 1))).toBeNull();
  expect(codeOf(watch, views('bars', 'rings', 1))).toEqual(swapped);
});

it('a real camera behind its cap is dark although its sensor is noisy; the same picture of a simulated one is a dim room', () => {
  const noisy = seeing(0, 0).pictures['front'];
  if (noisy === undefined) throw new Error('no picture');
  const data = Uint8Array.from({ length: 4 * 400 }, (_, i) => (i * 7919) % 23);
  const picture = { ...noisy, picture: { width: 20, height: 20, channels: 4 as const, data } };
  expect(codeOf(cameraWatch(), { ...seeing(0, 0), pictures: { front: { ...picture, source: 'real' } } })).toEqual({ code: 'observation/camera-dark', facts: { camera: 'front' } });
  expect(codeOf(cameraWatch(), { ...seeing(0, 0), pictures: { front: picture } })).toBeNull();
});
