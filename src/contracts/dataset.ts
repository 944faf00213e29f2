/**
 * A LeRobot dataset as the page knows it: what `meta/info.json` says, and one episode's rows. Versions 3.0 (read and written) and
 * 2.1 (read). Values are as they stand in the files: LeRobot joint units of whatever era the dataset is from.
 */

export interface DatasetFeature {
  /** `float32`, `int64`, `video`, `image` and others. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly names: readonly string[] | null;
}

export interface DatasetInfo {
  readonly version: 'v3.0' | 'v2.1';
  readonly robotType: string | null;
  readonly fps: number;
  readonly episodes: number;
  readonly frames: number;
  readonly features: Readonly<Record<string, DatasetFeature>>;
  /** Keys of the features that are pictures, `observation.images.<name>`. */
  readonly cameras: readonly string[];
}

/**
 * What the numbers of a joint mean. LeRobot wrote degrees for the arm joints, with another zero, before it wrote -100..100, and
 * writes degrees again since 0.4.4; the gripper is 0..100 in the last two. A file does not say which.
 */
export const UNIT_ERAS = ['degrees', 'range', 'unknown'] as const;
export type UnitEra = (typeof UNIT_ERAS)[number];

export interface DatasetVideo {
  readonly path: string;
  /** Where this episode begins and ends in the file, seconds. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

export interface DatasetEpisode {
  readonly index: number;
  readonly task: string;
  readonly rows: number;
  readonly fps: number;
  /** rows x 6, JOINT_NAMES order. */
  readonly state: Float32Array;
  readonly action: Float32Array;
  /** Seconds from the episode's first frame. */
  readonly timestamps: Float32Array;
  readonly videos: Readonly<Record<string, DatasetVideo>>;
}

/** Of one feature, one number a component: what LeRobot normalises with. Pictures: of each colour, 0..1. */
export interface FeatureStatistics {
  readonly min: readonly number[];
  readonly max: readonly number[];
  readonly mean: readonly number[];
  /** Over all values, not over a sample of them. */
  readonly std: readonly number[];
  readonly count: number;
  /** `q01 q10 q50 q90 q99`. */
  readonly quantiles: Readonly<Record<QuantileName, readonly number[]>>;
}

export const QUANTILES = { q01: 0.01, q10: 0.1, q50: 0.5, q90: 0.9, q99: 0.99 } as const;
export type QuantileName = keyof typeof QUANTILES;
