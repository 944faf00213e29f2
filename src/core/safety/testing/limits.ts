/** Limits of a made-up arm, unlike any real one on purpose: no test may pass because of a default. */
import type { JointLimit } from '../limits.ts';

export const TEST_LIMITS: readonly JointLimit[] = [
  { least: -1.9, most: 1.9, marginRad: 0.01, maxSpeedRadPerS: 2, maxAccelerationRadPerS2: 12 },
  { least: -1.7, most: 1.6, marginRad: 0.01, maxSpeedRadPerS: 1, maxAccelerationRadPerS2: 40 },
  { least: -0.3, most: 0.3, marginRad: 0, maxSpeedRadPerS: 3, maxAccelerationRadPerS2: 5 },
  { least: -1.6, most: 1.6, marginRad: 0.05, maxSpeedRadPerS: 2, maxAccelerationRadPerS2: 12 },
  { least: -2.8, most: 2.8, marginRad: 0.01, maxSpeedRadPerS: 0.2, maxAccelerationRadPerS2: 60 },
  { least: -0.17, most: 1.74, marginRad: 0, maxSpeedRadPerS: 1.5, maxAccelerationRadPerS2: 15 },
];
