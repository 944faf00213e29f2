/**
 * A made-up observation, always the same for one policy, so that two engines, two precisions or two programs can be asked the
 * same thing and their chunks compared. Knows seeds and sizes; means nothing.
 */
import type { Observation } from '#contracts/observation.ts';
import type { CameraPicture } from '#contracts/picture.ts';
import type { PolicyInfo } from '#contracts/policy.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { FailureError } from '#core/lib/failure.ts';
import { normalNoise, seededRandom } from '#core/lib/random.ts';

/** Of the observation, and of the noise its chunk begins with. */
export const SAMPLE_SEED = 20_260;
const SAMPLE_SENTENCE = 'pick up the red cube';

/** Every camera the policy knows, at its own size, full of seeded noise: no value that a wrong kernel could get right by luck. */
export function sampleObservation(info: PolicyInfo, seed: number): Observation {
  const random = seededRandom(seed);
  const pictures: Record<string, CameraPicture> = {};
  for (const { robotKey, width, height } of info.cameras) {
    const data = Uint8Array.from({ length: width * height * 4 }, () => random.index(256));
    pictures[robotKey] = { camera: robotKey, picture: { width, height, channels: 4, data }, capturedAtMs: 0, sequence: 0 };
  }
  if (info.cameras.length === 0) throw new FailureError('checkpoint/config', { field: 'cameras', expected: 'at least one', found: 0 });
  const state = Float64Array.from({ length: info.stateSize }, () => random.between(-20, 20)) as JointUnitsVector;
  return { pictures, state, stateAtMs: 0, sentence: info.sentences[0] ?? SAMPLE_SENTENCE };
}

/** The noise a chunk of it begins with, as the policy wants it: rows of `columns` numbers. */
export function sampleNoise({ chunkRows, noiseScale = 1 }: PolicyInfo, columns: number): Float32Array {
  return normalNoise(SAMPLE_SEED, chunkRows * columns).map((value) => noiseScale * value);
}
