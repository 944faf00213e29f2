import { expect, it } from 'vitest';
import type { Observation } from '#contracts/observation.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { asFailure } from '#core/lib/failure.ts';
import { cameraWatch, type CameraWatch } from './camera-watch.ts';

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
