/**
 * What a policy asks of whoever runs its ONNX graphs. `core/policy` writes graphs and knows no runtime; the inference
 * worker (onnxruntime-web), the command line (onnxruntime-node) and the tests each hand it an `Engine`.
 *
 * A tensor either sits in ordinary memory (`HostTensor`) or stays where the engine computed it (`EngineTensor`), so
 * that the KV cache and the noisy actions need no read-back between graphs. Each EngineTensor is disposed by the one
 * who asked for it.
 *
 * An engine with a device offers more than that: memory in fixed places (`EngineDevice`). A session bound to places neither
 * allocates nor uploads anything when it runs, and its commands may be recorded once and played again.
 */
import type { Picture } from './picture.ts';

/** Which provider computes. `webgpu` and `wasm` are onnxruntime-web's, `cpu` is onnxruntime-node's. */
export type Provider = 'webgpu' | 'wasm' | 'cpu';

export type HostTensor =
  | { readonly type: 'float32'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'int64'; readonly dims: readonly number[]; readonly data: BigInt64Array };

/** A tensor the engine keeps; opaque to the policy. */
export interface EngineTensor {
  readonly location: 'engine';
  readonly dims: readonly number[];
  dispose(): void;
}

export interface WeightFile {
  /** The `location` the graph's external data names. */
  readonly path: string;
  readonly data: Uint8Array | Blob;
}

export interface GraphFile {
  /** For messages and profiles: `vision`, `prefix`, `step`. */
  readonly name: string;
  /** ONNX protobuf, weights external. */
  readonly model: Uint8Array;
  readonly weights: readonly WeightFile[];
  /** What this graph computes, said without one, for an engine that has kernels of its own for it. Input `patches`, output `tokens`. */
  readonly tower?: VisionTower;
}

/** A vision transformer with a connector behind it (`core/policy/smolvla/graphs/vision.ts` is the same as a graph). */
export interface VisionTower {
  readonly shape: TowerShape;
  readonly weights: TowerWeights;
}

export interface TowerShape {
  /** Rows of the picture, a square number. */
  readonly patches: number;
  /** Numbers of one. */
  readonly patch: number;
  readonly hidden: number;
  readonly heads: number;
  readonly layers: number;
  readonly feedForward: number;
  /** So many by so many patches become one token. */
  readonly shuffle: number;
  /** Numbers of a token. */
  readonly out: number;
  /** Of the layer norms. */
  readonly epsilon: number;
}

/**
 * Names: matrices `patch`, `connector` and of layer l `l.qkv`, `l.out`, `l.fc1`, `l.fc2`; vectors `position` [patches, hidden], the
 * matrices' `l.qkv.bias` and so on, the norms' `l.norm1.scale`, `l.norm1.bias`, `l.norm2...`, `norm...`.
 */
export interface TowerWeights {
  matrix(name: string): Promise<ColumnWeights>;
  vector(name: string): Promise<Float32Array>;
}

/** A matrix [inputs, outputs], row-major: signed bytes, each times its column's scale. */
export interface ColumnWeights {
  readonly codes: Int8Array;
  readonly scales: Float32Array;
}

/**
 * Who looks at the pictures of a policy whose tower could be computed by our own kernels: they, or the graph, and then why. `browser`:
 * no relaxed SIMD; `isolation`: no memory for several threads; `processor`: its dot product came out different; `sizes`: no whole
 * tiles, or so few patches that threads would wait longer than they spare.
 */
export type EyesReport = { readonly kind: 'kernels'; readonly threads: number } | EyesRefusal;
export type EyesRefusal = { readonly kind: 'graph'; readonly reason: 'browser' | 'isolation' | 'processor' | 'sizes' };

export interface EngineSession {
  /** Of a graph that came with a tower; absent otherwise. */
  readonly eyes?: EyesReport;
  /**
   * One run. Every graph input must be in `feeds`; `fetches` names the outputs wanted and where they should stay.
   * Rejects with a FailureError (`engine/device-lost`, `engine/session-failed`).
   */
  run<Fetches extends Readonly<Record<string, 'host' | 'engine'>>>(
    feeds: Readonly<Record<string, HostTensor | EngineTensor>>,
    fetches: Fetches,
  ): Promise<{ [Name in keyof Fetches]: Fetches[Name] extends 'host' ? HostTensor : EngineTensor }>;
  dispose(): Promise<void>;
}

/** Memory on the device that stays where it is, and keeps what is in it until that is replaced. Its content is never promised to begin with. */
export interface EnginePlace {
  readonly type: HostTensor['type'];
  readonly dims: readonly number[];
  /** Whatever is run or copied after this sees the new numbers, whatever before it the old ones. */
  write(data: HostTensor['data']): void;
  /** What is in it after all that was asked for before. */
  read(): Promise<HostTensor>;
  dispose(): void;
}

/** `recorded`: the first run's commands are kept, and later runs play them again. */
export type RunManner = 'plain' | 'recorded';

export interface BoundSession {
  /** Of every output, by name: the session's own, gone with it. Nothing is in them before the first run. */
  readonly outputs: Readonly<Record<string, EnginePlace>>;
  /** From the places it is bound to into its own. Resolves when the device has been told, not when it is done. Rejects as `EngineSession.run`. */
  run(): Promise<void>;
  dispose(): Promise<void>;
}

export interface EngineDevice {
  /** `software`: the CPU computes what a GPU should, so much longer than commands take that recording them brings nothing. */
  readonly kind: 'hardware' | 'software';
  place(type: HostTensor['type'], dims: readonly number[]): EnginePlace;
  /** The whole of `from`, or as many of its numbers from `row` times their count on as `to` holds. In order with writes and runs. */
  copy(moves: readonly { readonly from: EnginePlace; readonly row?: number; readonly to: EnginePlace }[]): void;
  /** `inputs`: a place for every input, by name; outputs of another session too. Rejects for `recorded` where the graph cannot be. */
  createBound(graph: GraphFile, inputs: Readonly<Record<string, EnginePlace>>, manner: RunManner): Promise<BoundSession>;
  /** A picture made into what a vision graph reads, by a kernel that has shown that it equals the CPU; null where it has not. */
  readonly patches: PatchKernel | null;
}

/** `into` [1, (side / patch)^2, 3 patch^2]: letterboxed into side x side, in -1..1, cut into patches. */
export type PatchKernel = (picture: Picture, form: { readonly side: number; readonly patch: number }, into: EnginePlace) => void;

export interface Engine {
  readonly provider: Provider;
  /** Sessions are created and run one at a time: onnxruntime-web throws on two concurrent creations. */
  createSession(graph: GraphFile): Promise<EngineSession>;
  /** Absent where the engine has no memory of its own. */
  readonly device?: EngineDevice;
  dispose(): Promise<void>;
}
