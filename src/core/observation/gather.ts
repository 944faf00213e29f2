/**
 * Camera pictures, joint state and the sentence become one observation, or a failure that names what is wrong. Knows
 * names, ages and sizes; never fills a gap: a policy that is fed an old picture or a made-up joint moves a real arm.
 */
import type { Observation } from '#contracts/observation.ts';
import type { CameraPicture } from '#contracts/picture.ts';
import type { Reading } from '#contracts/reading.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { FailureError } from '#core/lib/failure.ts';

/** What one policy needs. */
export interface ObservationNeeds {
  /** Cameras as the robot names them; each must have a fresh picture. */
  readonly cameras: readonly string[];
  readonly stateSize: number;
}

/** What there is, at `nowMs`. */
export interface Senses {
  readonly pictures: readonly CameraPicture[];
  readonly state: Reading<JointUnitsVector>;
  readonly sentence: string;
  readonly nowMs: number;
}

export interface ObservationLimits {
  readonly pictureAgeMs: number;
  readonly stateAgeMs: number;
}

/**
 * A 30 Hz camera gives a picture every 33 ms; half a second without one is a frozen camera. The control loop publishes
 * the joints every 10 to 100 ms.
 */
export const OBSERVATION_LIMITS: ObservationLimits = { pictureAgeMs: 500, stateAgeMs: 250 };

/**
 * A simulated camera takes its picture when it is asked to, so its age is the time the drawing took: on a software GPU that
 * also computes the policy, up to 1.2 s was seen. Whoever plays the chunk sees the age and has an expiry of its own.
 */
export const SIMULATED_CAMERA_LIMITS: ObservationLimits = { ...OBSERVATION_LIMITS, pictureAgeMs: 4000 };

/** Larger pictures than any camera of ours gives: a guard against a wrong size, not against a good camera. */
const MAX_PICTURE_SIDE = 8192;

/**
 * One observation; pictures are passed on as they are, the state is copied. Pictures of other cameras are left out.
 * Throws `observation/...` naming the first thing that is missing, stale or of the wrong size, and the arm's own
 * failure where the joints could not be read.
 */
export function gatherObservation(needs: ObservationNeeds, senses: Senses, limits: ObservationLimits = OBSERVATION_LIMITS): Observation {
  if (senses.sentence.trim() === '') throw new FailureError('observation/sentence-missing');
  const state = usableState(needs, senses, limits);
  const pictures: Record<string, CameraPicture> = {};
  for (const camera of needs.cameras) pictures[camera] = usablePicture(camera, senses, limits);
  return { pictures, state: state.value, stateAtMs: state.atMs, sentence: senses.sentence };
}

function usableState(needs: ObservationNeeds, { state, nowMs }: Senses, limits: ObservationLimits): { readonly value: JointUnitsVector; readonly atMs: number } {
  if (state.kind === 'failed') throw new FailureError(state.failure.code, state.failure.facts);
  const ageMs = nowMs - state.atMs;
  // A reading that calls itself stale is stale, whatever our own clock says.
  if (state.kind === 'stale' || ageMs > limits.stateAgeMs) {
    throw new FailureError('observation/state-stale', { ageMs: state.kind === 'stale' ? Math.max(ageMs, state.ageMs) : ageMs, limitMs: limits.stateAgeMs });
  }
  if (state.value.length !== needs.stateSize) throw new FailureError('observation/state-size', { expected: needs.stateSize, found: state.value.length });
  const bad = state.value.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new FailureError('arm/reading-failed', { reason: `joint ${bad + 1} reads ${state.value[bad]}` });
  return { value: state.value.slice() as JointUnitsVector, atMs: state.atMs };
}

function usablePicture(camera: string, { pictures, nowMs }: Senses, limits: ObservationLimits): CameraPicture {
  const taken = pictures.find((candidate) => candidate.camera === camera);
  if (taken === undefined) {
    const present = pictures.map((candidate) => candidate.camera).join(', ');
    throw new FailureError('observation/camera-missing', { camera, present: present === '' ? 'none' : present });
  }
  const { width, height, channels, data } = taken.picture;
  const side = (size: number): boolean => Number.isInteger(size) && size >= 1 && size <= MAX_PICTURE_SIDE;
  if (!side(width) || !side(height) || data.length !== width * height * channels) {
    throw new FailureError('observation/camera-failed', { camera, reason: `${data.length} bytes for a picture of ${width} x ${height} x ${channels}` });
  }
  const ageMs = nowMs - taken.capturedAtMs;
  if (!(ageMs <= limits.pictureAgeMs)) throw new FailureError('observation/camera-stale', { camera, ageMs, limitMs: limits.pictureAgeMs });
  return taken;
}
