/**
 * A loaded policy as the loops see it, whatever its family. Knows what goes in and what comes out of one prediction;
 * knows no graph, no weight and no clock of its own.
 */
import type { ChunkTimings } from '#contracts/chunk.ts';
import type { EyesReport, Provider, RunManner } from '#contracts/engine.ts';
import type { Picture } from '#contracts/picture.ts';
import type { CameraWiring, PolicyInfo } from '#contracts/policy.ts';

/**
 * Pixels to the policy's own picture: resized with its aspect ratio kept, padded, scaled to -1..1. Gives
 * 3 x height x width float32, channel first. `core/camera` has the exact one; the rooms meet only where they are composed.
 */
export type Letterbox = (picture: Picture, size: { readonly width: number; readonly height: number }) => Float32Array | Promise<Float32Array>;

/** How a sentence becomes token ids for this policy. The tokenizer itself is somebody else's. */
export interface TextRules {
  /** Appended where the sentence does not end with it. */
  readonly ending: string;
  /** Most tokens the policy takes; longer sentences are cut by the tokenizer (on the side its own config says). */
  readonly maxTokens: number;
  /** `max_length` pads on the right to maxTokens. Padding is masked and changes nothing in the result. */
  readonly padding: 'longest' | 'max_length';
  readonly truncation: 'on' | 'off';
}

export interface ChunkRequest {
  /** By camera, as the robot names it (the policy's own names are taken too). Missing cameras are simply absent. */
  readonly pictures: ReadonlyMap<string, Picture>;
  /** LeRobot joint units, `info.stateSize` values. */
  readonly state: Float32Array;
  readonly tokens: ArrayLike<number>;
  /** 1 where a token is real, 0 where it is padding; as long as `tokens`. */
  readonly tokenMask: ArrayLike<number>;
  /** Standard normal, `info.chunkRows` x `noiseColumns`, row-major. An input, so that a chunk can be had again. */
  readonly noise: Float32Array;
  /** Denoising steps, fewer than the checkpoint's own for a quicker, coarser chunk; its own where absent. */
  readonly steps?: number;
  /** Asked at every denoising step; absent: the policy's own velocity. A head of bins has no steps and asks nobody (`info.head`). */
  readonly guide?: Guide;
}

/**
 * May bend the velocity of a denoising step, as real-time chunking does. Gets x and v, rows x `noiseColumns`, normalised, at
 * flow time `t` (1 is noise, 0 the clean chunk); gives the velocity to use, same size. x and v are its to read, not to keep.
 */
export type Guide = (step: { readonly noisy: Float32Array; readonly velocity: Float32Array; readonly t: number; readonly columns: number }) => Float32Array;

/** An intermediate value, named and shaped as LeRobot's own. */
export interface MidTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

export interface PolicyChunk {
  /** chunkRows x actionSize, LeRobot joint units. */
  readonly actions: Float32Array;
  /** chunkRows x noiseColumns, normalised, after the last Euler step. */
  readonly x0: Float32Array;
  /**
   * Wall time by stage. On WebGPU a stage ends when its work is handed to the GPU, so most of the computing is counted
   * in `denoiseMs`, whose end waits for the result; `totalMs` is true everywhere.
   */
  readonly timings: Omit<ChunkTimings, 'observeMs'>;
  /** Empty unless the policy was loaded to show its intermediate values. */
  readonly mids: ReadonlyMap<string, MidTensor>;
}

export interface Policy {
  readonly info: PolicyInfo;
  readonly provider: Provider;
  readonly text: TextRules;
  /** Null where the tower can only be a graph: on a GPU, and with weights in another form than 8-bit columns. */
  readonly eyes: EyesReport | null;
  /** Columns of the noise (the checkpoint's padded action width). */
  readonly noiseColumns: number;
  /**
   * One action chunk. Calls must not overlap. Rejects with a FailureError: `observation/camera-missing` when no
   * camera of the policy is present, `observation/state-size`, `observation/sentence-too-long`,
   * `checkpoint/tensor-shape` for a noise of the wrong size, `policy/output-not-finite`, and what the engine throws.
   */
  predictChunk(request: ChunkRequest): Promise<PolicyChunk>;
  /** A picture of a camera that shows the very bytes it showed last is not seen again; after this every one is, once. */
  forget(): void;
  /** Releases the sessions; the engine itself is the caller's. */
  dispose(): Promise<void>;
}

export interface LoadOptions {
  readonly letterbox: Letterbox;
  readonly clock: { nowMs(): number };
  /** Robot names of the cameras that will ever be fed; shorter is faster. All the checkpoint declares where absent. */
  readonly cameras?: readonly string[];
  /** Which robot camera feeds which of the policy's own slots, null for none; the checkpoint's own rename map where absent. */
  readonly wiring?: CameraWiring;
  /**
   * What stands between the products of the vision and prefix graphs: `float16` only where the engine's GPU has it, and for
   * weights in blocks. The expert's steps are float32 always: they are a sixth of the work and add up. `float32` where absent.
   */
  readonly activations?: 'float32' | 'float16';
  /** `all` reads intermediate values back, for comparisons with LeRobot; slower. `none` where absent. */
  readonly mids?: 'none' | 'all';
  /** On an engine with a device. `plain` where absent: `recorded` is for those who have seen that it changes nothing. */
  readonly manner?: RunManner;
}
