/**
 * Episodes on disk: what an expert or a policy did, with everything a LeRobotDataset needs and everything needed to
 * have the episode again. One shard holds many episodes: a safetensors file (gzipped), so that the training recipe
 * reads it with the library everybody has, and nothing is lost (pictures are kept byte for byte).
 *
 *   tensors of a shard (E episodes, T ticks in all, P picture instants in all, C cameras by short name)
 *     episode.first_tick   I32 [E]        episode e owns ticks first_tick[e] .. first_tick[e+1]
 *     episode.first_shot   I32 [E]        and picture instants first_shot[e] .. first_shot[e+1]
 *     state                F32 [T,6]      LeRobot joint units, measured at the tick
 *     action               F32 [T,6]      LeRobot joint units, what the gate let through at the tick
 *     wanted               F32 [T,6]      what expert or policy asked for, before the gate
 *     shot.tick            I32 [P]        the tick a picture instant belongs to, counted in the shard
 *     pictures.<short>     U8 [P,H,W,3]   RGB, e.g. pictures.front, pictures.wrist
 *     cubes                F32 [T,4,3]    positions, CUBE_COLOURS order, metres; NaN where that cube is not on the table
 *     grip                 F32 [T,3]      grip point, metres
 *   metadata: `episodes` = JSON of EpisodeCard[], `shard` = JSON of ShardCard
 */
import type { TaskGoal, TaskVerdict, WordingSplit } from './task.ts';

export interface ShardCard {
  readonly format: 'vla-playground-episodes';
  readonly version: 1;
  readonly fps: number;
  readonly cameras: readonly { readonly key: string; readonly short: string; readonly width: number; readonly height: number }[];
  /** A picture instant every so many ticks; 1 = every tick. */
  readonly pictureEveryTicks: number;
  readonly versions: Readonly<Record<string, string>>;
}

export interface EpisodeCard {
  readonly seed: number;
  readonly goal: TaskGoal;
  readonly sentence: string;
  readonly split: WordingSplit;
  readonly sceneHash: string;
  readonly source: string;
  readonly verdict: TaskVerdict;
  readonly ticks: number;
  /** Noise put on the expert's targets so that recoveries are shown; 0 = none. Joint units. */
  readonly injectedNoise: number;
}
