/**
 * From checkpoint to pack: the words that `core/conversion` (which knows bytes and no model) and a policy family
 * (which knows its model and no bytes) share. The family's recipe is handed to the converter as a value.
 *
 *   checkpoint files ──► CheckpointView ──► recipe.plan() ──► PackPlan ──► converter streams tensors ──► pack
 *                        (headers only)                                    (one planned tensor at a time)
 */
import type { ColumnWeights } from './engine.ts';
import type { PolicyInfo, Precision } from './policy.ts';

export type TensorDtype = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'U8' | 'BOOL';

export interface TensorHeader {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
}

/** What a recipe may look at before any weight is read: parsed JSON files and tensor headers. */
export interface CheckpointView {
  /** Name shown to people, e.g. `policies/pocket` or `user/my-policy`. */
  readonly name: string;
  /** Small JSON files by name: `config.json`, `policy_preprocessor.json`, `vlm_config.json`, `card.json`... Untrusted. */
  readonly json: ReadonlyMap<string, unknown>;
  /** Tensors of `model.safetensors`. */
  readonly tensors: ReadonlyMap<string, TensorHeader>;
  /** Small state tensors named by the processor files, already read: `observation.state.mean` and so on, float32. */
  readonly statistics: ReadonlyMap<string, Float32Array>;
  /** Reads one small tensor at once (statistics inside `model.safetensors` of old checkpoints), float32; at most 1 MiB. */
  readSmall(tensor: string): Promise<Float32Array>;
}

export interface PlannedTensor {
  /** Name in the pack. */
  readonly name: string;
  /**
   * Which weight file it goes to; one a graph, and `host` for what the runner itself reads (embedding rows, biases). The
   * converter cuts a large one into parts: `prefix`, `prefix.1`, `prefix.2`.
   */
  readonly file: string;
  readonly shape: readonly number[];
  /** Source tensors, read as float32 and handed to `make` in this order. */
  readonly sources: readonly string[];
  /** Pure. Absent = the single source as it is, and then it is read, kept and written in slabs of rows. */
  readonly make?: (sources: readonly Float32Array[]) => Float32Array;
  /** F32 where absent. */
  readonly storage?: TensorStorage;
}

/**
 * How a tensor's numbers are written. `blocks`: a matrix [rows, columns] whose rows are cut into blocks of `block` numbers,
 * each number kept in `bits` bits and multiplied by its block's float32 scale; as `MatMulNBits` reads it, where rows are the
 * outputs of the product. `columns` must be a multiple of `block`. `columns`: a matrix [rows, width] of signed bytes, each
 * multiplied by its column's float32 scale, where columns are the outputs; it is made as a whole, never in slabs.
 */
export type TensorStorage =
  | { readonly kind: 'F32' }
  | { readonly kind: 'F16' }
  | { readonly kind: 'blocks'; readonly bits: 4 | 8; readonly block: number }
  | { readonly kind: 'columns'; readonly width: number };

export interface PackPlan {
  readonly family: PolicyInfo['family'];
  readonly info: PolicyInfo;
  /** The family's own settings as JSON: architecture, normalisation, steps... Read back by the family alone. */
  readonly settings: unknown;
  readonly tensors: readonly PlannedTensor[];
}

export interface FamilyRecipe {
  readonly family: PolicyInfo['family'];
  /** Rejects with a FailureError (`checkpoint/...`) naming what is wrong. */
  plan(checkpoint: CheckpointView, precision: Precision): Promise<PackPlan>;
}

export interface PackTensor {
  readonly name: string;
  readonly file: string;
  readonly shape: readonly number[];
  /** Little-endian; offsets a multiple of 64. */
  readonly storage: TensorStorage;
  readonly offset: number;
  /** Bytes of the numbers, without scales. */
  readonly length: number;
  /** Where the scales lie: of `blocks` one float32 a block, row by row; of `columns` one a column. */
  readonly scales?: { readonly offset: number; readonly length: number };
}

export interface PackManifest {
  readonly format: 'vla-playground-pack';
  readonly version: 2;
  readonly family: PolicyInfo['family'];
  readonly info: PolicyInfo;
  readonly settings: unknown;
  readonly tensors: readonly PackTensor[];
  /** Size and sha-256 of each weight file. */
  readonly files: readonly { readonly file: string; readonly bytes: number; readonly sha256: string }[];
  /** `tokenizer.json` and `tokenizer_config.json` as text, where the checkpoint carries them. */
  readonly tokenizer: { readonly json: string; readonly config: string | null } | null;
}

/** A pack opened for running, wherever its bytes lie. */
export interface OpenPack {
  readonly manifest: PackManifest;
  /** The names of a weight file's parts, in order. */
  parts(file: string): readonly string[];
  /** A whole part of a weight file, by its name in `manifest.files`: a Blob (OPFS) stays on disk until the engine reads it. */
  weights(file: string): Promise<Uint8Array | Blob>;
  /** One tensor, float32 whatever it is stored as. */
  tensor(name: string): Promise<Float32Array>;
  /** A matrix that is kept in `columns`, as it is kept. */
  columns(name: string): Promise<ColumnWeights>;
  /** Rows `[first, first + count)` of a 2-D tensor, without reading the rest. */
  rows(name: string, first: number, count: number): Promise<Float32Array>;
}
