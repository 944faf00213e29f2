/** What an observation refuses, by name. */
import { describe, expect, it } from 'vitest';
import type { CameraPicture } from '#contracts/picture.ts';
import type { Reading } from '#contracts/reading.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { FailureError } from '#core/lib/failure.ts';
import { gatherObservation, OBSERVATION_LIMITS, type Senses } from './gather.ts';

const NOW = 10_000;
const needs = { cameras: ['observation.images.front', 'observation.images.wrist'], stateSize: 6 };

function picture(camera: string, changes: { readonly capturedAtMs?: number; readonly bytes?: number } = {}): CameraPicture {
  return { camera, picture: { width: 4, height: 2, channels: 4, data: new Uint8Array(changes.bytes ?? 32) }, capturedAtMs: changes.capturedAtMs ?? NOW - 20, sequence: 1 };
}

const joints = (...values: readonly number[]): JointUnitsVector => Float64Array.from(values) as JointUnitsVector;
const fresh: Reading<JointUnitsVector> = { kind: 'fresh', value: joints(1, 2, 3, 4, 5, 6), atMs: NOW - 10 };

function gather(changes: Partial<Senses> = {}) {
  const pictures = needs.cameras.map((camera) => picture(camera));
  return gatherObservation(needs, { pictures, state: fresh, sentence: 'wave hello', nowMs: NOW, ...changes });
}

function failureOf(changes: Partial<Senses>): unknown {
  try {
    gather(changes);
  } catch (thrown) {
    if (thrown instanceof FailureError) return thrown.failure;
    throw thrown;
  }
  return null;
}

describe('an observation', () => {
  it('holds the cameras asked for, a copy of the joints, and the sentence as it was typed', () => {
    const state = joints(1, 2, 3, 4, 5, 6);
    const observation = gather({ pictures: [picture('other'), ...needs.cameras.map((camera) => picture(camera))], state: { kind: 'fresh', value: state, atMs: NOW }, sentence: ' Wave!' });
    expect(Object.keys(observation.pictures)).toEqual(needs.cameras);
    state[0] = 99;
    expect([...observation.state]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(observation.sentence).toBe(' Wave!');
  });

  it('is refused without a camera, saying which are there', () => {
    expect(failureOf({ pictures: [picture('observation.images.front')] })).toEqual({
      code: 'observation/camera-missing',
      facts: { camera: 'observation.images.wrist', present: 'observation.images.front' },
    });
    expect(failureOf({ pictures: [] })).toMatchObject({ facts: { present: 'none' } });
  });

  it('is refused with a picture that is too old, and taken with one just young enough', () => {
    const [front, wrist] = needs.cameras;
    const at = (ageMs: number): Partial<Senses> => ({ pictures: [picture(front), picture(wrist, { capturedAtMs: NOW - ageMs })] });
    expect(failureOf(at(OBSERVATION_LIMITS.pictureAgeMs))).toBeNull();
    expect(failureOf(at(OBSERVATION_LIMITS.pictureAgeMs + 1))).toEqual({ code: 'observation/camera-stale', facts: { camera: wrist, ageMs: 501, limitMs: 500 } });
    expect(failureOf(at(NaN))).toMatchObject({ code: 'observation/camera-stale' });
  });

  it('is refused with a picture whose bytes are not its size', () => {
    const [front, wrist] = needs.cameras;
    expect(failureOf({ pictures: [picture(front, { bytes: 31 }), picture(wrist)] })).toMatchObject({ code: 'observation/camera-failed', facts: { camera: front } });
  });

  it('is refused with joints that are old, of another count, not numbers, or could not be read', () => {
    expect(failureOf({ state: { ...fresh, atMs: NOW - 250 } })).toBeNull();
    expect(failureOf({ state: { ...fresh, atMs: NOW - 251 } })).toEqual({ code: 'observation/state-stale', facts: { ageMs: 251, limitMs: 250 } });
    expect(failureOf({ state: { kind: 'stale', value: fresh.value, atMs: NOW, ageMs: 40 } })).toMatchObject({ code: 'observation/state-stale', facts: { ageMs: 40 } });
    expect(failureOf({ state: { ...fresh, value: joints(1, 2) } })).toEqual({ code: 'observation/state-size', facts: { expected: 6, found: 2 } });
    expect(failureOf({ state: { ...fresh, value: joints(1, 2, NaN, 4, 5, 6) } })).toEqual({ code: 'arm/reading-failed', facts: { reason: 'joint 3 reads NaN' } });
    expect(failureOf({ state: { kind: 'failed', failure: { code: 'arm/not-connected', facts: {} } } })).toEqual({ code: 'arm/not-connected', facts: {} });
  });

  it('is refused without words', () => {
    expect(failureOf({ sentence: ' \n' })).toEqual({ code: 'observation/sentence-missing', facts: {} });
  });
});
