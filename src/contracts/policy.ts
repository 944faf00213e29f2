/** Policies as their callers see them, whatever the family. */
import type { RobotName } from './robot.ts';
import type { ChunkTimings } from './chunk.ts';
import type { Provider } from './engine.ts';

/** Where a checkpoint comes from. */
export type PolicySource =
  /** A folder on the page's own host, e.g. `policies/pocket`. */
  | { readonly kind: 'shipped'; readonly name: string; readonly precision?: Precision }
  /** `user/model` on the Hub, at a branch, tag or commit (`main` where absent). */
  | { readonly kind: 'hub'; readonly name: string; readonly revision?: string; readonly precision?: Precision }
  /** Files a person handed over, by their path in the folder. */
  | { readonly kind: 'folder'; readonly name: string; readonly files: readonly FolderFile[]; readonly precision?: Precision }
  | { readonly kind: 'stored'; readonly name: string };

export interface FolderFile {
  /** Below the folder, with slashes: `tokenizer/tokenizer.json`. */
  readonly path: string;
  readonly blob: Blob;
}

/**
 * How weights are kept; activations are float32 in all of them but the last.
 *
 *   f32    as LeRobot computes, the reference        f16   half the bytes, widened when the graph is loaded
 *   q8     8 bits a weight in blocks of at most 32   q4    text and expert 4 bits, pictures and embeddings 8
 *   int8   8 bits a weight, a scale a column; products of whole numbers, what they read rounded to 8 bits row by row. Made for
 *          CPUs, where it is the quickest; a GPU cannot run it
 */
export const PRECISIONS = ['f32', 'f16', 'q8', 'q4', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

export interface CameraSlot {
  /** As the policy names it after its rename map. */
  readonly key: string;
  /** As the robot names it. */
  readonly robotKey: string;
  /** Size of the picture the checkpoint declares; the policy letterboxes to its own size. */
  readonly width: number;
  readonly height: number;
}

/** By the policy's camera slot (`CameraSlot.key`): the robot's camera that feeds it, null for none. */
export type CameraWiring = Readonly<Record<string, string | null>>;

/** What the joint values of a checkpoint are: LeRobot changed them twice, and no checkpoint says which it means. */
export const UNIT_ERAS = ['degrees', 'normalised', 'old-degrees'] as const;
export type UnitEra = (typeof UNIT_ERAS)[number];

/** How a policy is put to this robot: which cameras it sees through, and what its joint values are (`degrees` where absent). */
export interface PolicyFit {
  readonly wiring?: CameraWiring;
  readonly units?: UnitEra;
}

/** In the joint units of the training data, one number a column. */
export interface FeatureStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Null where the checkpoint has none. */
  readonly least: readonly number[] | null;
  readonly most: readonly number[] | null;
}

/** How a chunk is drawn: `core/policy/smolvla/heads.ts` says what each computes. */
export const ACTION_HEADS = ['flow', 'diffusion', 'bins'] as const;
export type ActionHead = (typeof ACTION_HEADS)[number];

export interface PolicyInfo {
  readonly name: string;
  readonly family: 'smolvla';
  readonly precision: Precision;
  readonly parameterCount: number;
  readonly cameras: readonly CameraSlot[];
  readonly stateSize: number;
  readonly actionSize: number;
  readonly chunkRows: number;
  readonly denoisingSteps: number;
  /** Absent: the flow, which is SmolVLA's own. */
  readonly head?: ActionHead;
  /**
   * How much of the random noise a plan begins from is kept, 0 to 1. Absent: 1, as LeRobot samples. At 0 every plan is the
   * likeliest one, always the same for the same observation.
   */
  readonly noiseScale?: number;
  readonly fps: number;
  /**
   * Features without usable statistics (`observation.state`, `action`): their values pass unscaled, as in LeRobot, so
   * actions may not be joint values. Empty for a sound checkpoint; otherwise the page says so.
   */
  readonly missingStatistics: readonly string[];
  /** What the joint values of its training were, where the checkpoint says it; absent in nothing we make. */
  readonly statistics?: { readonly state: FeatureStatistics | null; readonly action: FeatureStatistics | null };
  /** `base`: a model to be fine-tuned (smolvla_base and the like); what it puts out are no joint values. */
  readonly stage?: 'base' | 'tuned';
  /** The arm the card says it was trained on; absent where nobody says. */
  readonly robot?: RobotName;
  /** What the card says of its training; an untrained policy says so on every screen. */
  readonly training: { readonly kind: 'untrained' } | { readonly kind: 'trained'; readonly summary: string } | { readonly kind: 'unknown' };
  /** Sentences the card says it is good at. */
  readonly sentences: readonly string[];
  /** Every sentence it was taught, alternatives in braces (`touch the {red|blue} cube`), where the card lists them. */
  readonly patterns?: readonly string[];
}

/** Between two rows of numbers that should be equal: the cosine is of the angle between them. */
export interface Difference {
  readonly largest: number;
  readonly mean: number;
  readonly cosine: number;
}

/** A chunk against its reference: each joint in LeRobot joint units, and the normalised x0 as a whole. */
export interface ChunkDifference {
  readonly joints: readonly Difference[];
  readonly x0: Difference;
}

export interface PredictedChunk {
  /** chunkRows x actionSize, LeRobot joint units. */
  readonly actions: Float32Array;
  /** chunkRows x max_action_dim, normalised, after the last Euler step. */
  readonly x0: Float32Array;
  readonly timings: ChunkTimings;
  readonly provider: Provider;
}
