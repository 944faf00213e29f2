/** A camera that stops is told from a thread that did not look. */
import { expect, test } from 'vitest';
import { QUIET_MS, silence, SILENCE_LIMIT_MS } from './silence.ts';

const LOOK_MS = 3;

test('a camera that sends nothing has stopped after half a second of looking, and not before', () => {
  const camera = silence();
  expect(camera.look(1, 0)).toBe('sends');
  let lookedMs = 0;
  while (camera.look(1, LOOK_MS) !== 'stopped') lookedMs += LOOK_MS;
  expect(lookedMs).toBeGreaterThan(SILENCE_LIMIT_MS - 2 * LOOK_MS);
  expect(lookedMs).toBeLessThan(SILENCE_LIMIT_MS + 2 * LOOK_MS);
});

test('before that it is said once that it is quiet, and again when it has sent something in between', () => {
  const camera = silence();
  const verdicts = (): string[] => Array.from({ length: Math.floor((SILENCE_LIMIT_MS - LOOK_MS) / LOOK_MS) }, () => camera.look(1, LOOK_MS));
  camera.look(1, 0);
  const first = verdicts();
  expect(first.filter((verdict) => verdict === 'quiet')).toHaveLength(1);
  expect(Math.abs(first.indexOf('quiet') * LOOK_MS - QUIET_MS)).toBeLessThanOrEqual(LOOK_MS);
  camera.look(2, LOOK_MS);
  camera.look(1, LOOK_MS);
  expect(verdicts().filter((verdict) => verdict === 'quiet')).toHaveLength(1);
});

test('a thread that was away for two seconds does not blame the camera, whose frames it has not taken yet', () => {
  const camera = silence();
  camera.look(1, 0);
  expect(camera.look(1, 2000)).toBe('sends');
  expect(camera.look(2, LOOK_MS)).toBe('sends');
  // Away again and again, with nothing in between, is a camera that has stopped.
  const verdicts = Array.from({ length: 12 }, () => camera.look(2, 2000));
  expect(verdicts.slice(0, 10).includes('stopped')).toBe(false);
  expect(verdicts.at(-1)).toBe('stopped');
});

test('a frame now and then is enough', () => {
  const camera = silence();
  for (let sequence = 1; sequence < 50; sequence++) for (let i = 0; i < 100; i++) expect(camera.look(sequence, LOOK_MS)).not.toBe('stopped');
});
