/**
 * Which joint units a checkpoint was trained in, guessed from its statistics: LeRobot changed them twice and no checkpoint
 * says which it means. Columns 0 to 4 are the arm's joints, the last one the gripper, 0 to 100 in all three.
 *
 *   old-degrees   before June 2025: zero is the arm stretched out, so that lift and elbow live between 0 and 190
 *   normalised    then, until 0.4.4: -100 to 100 of each joint's recorded range
 *   degrees       since: from the middle of the recorded range; what this project speaks
 *
 * Degrees and normalised values overlap: an arm whose joints stay within 100 could be either. Then it is not clear, and a
 * person must say.
 */
import type { FeatureStatistics, UnitEra } from '#contracts/policy.ts';

/** No joint of an SO-100 can be beyond this in any of the units. */
export const FARTHEST = 280;
/** A normalised value cannot leave -100..100; statistics computed from video-rate data keep a rounding's distance. */
const NORMALISED_BOUND = 100.5;

export function guessUnits({ mean, std, least, most }: FeatureStatistics): UnitEra | 'unclear' {
  const arm = mean.slice(0, -1);
  // Without extremes, three standard deviations stand for them.
  const low = arm.map((value, i) => least?.[i] ?? value - 2 * std[i]!);
  const high = arm.map((value, i) => most?.[i] ?? value + 2 * std[i]!);
  const lift = 1;
  const elbow = 2;
  // Zero stretched out: both are bent all the time, so their middles are large and they hardly go below 0.
  if ((mean[lift] ?? 0) > 80 && (mean[elbow] ?? 0) > 80 && (low[lift] ?? 0) > -20 && (low[elbow] ?? 0) > -20) return 'old-degrees';
  if (low.some((value) => value < -NORMALISED_BOUND) || high.some((value) => value > NORMALISED_BOUND)) return 'degrees';
  return 'unclear';
}
