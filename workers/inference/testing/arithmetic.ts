/** What a policy made of a few lines of arithmetic says about itself: one camera of four pixels, six joints, two rows. */
import type { PolicyInfo } from '#contracts/policy.ts';

export const FRONT = 'observation.images.front';
export const ARITHMETIC: PolicyInfo = {
  name: 'arithmetic',
  family: 'smolvla',
  precision: 'f32',
  parameterCount: 1,
  cameras: [{ key: FRONT, robotKey: FRONT, width: 2, height: 2 }],
  stateSize: 6,
  actionSize: 6,
  chunkRows: 2,
  denoisingSteps: 1,
  fps: 30,
  missingStatistics: [],
  training: { kind: 'unknown' },
  sentences: [],
};
