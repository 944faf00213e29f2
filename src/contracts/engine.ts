/**
 * What a policy asks of whoever runs its ONNX graphs. `core/policy` writes graphs and knows no runtime; the inference
 * worker (onnxruntime-web), the command line (onnxruntime-node) and the tests each hand it an `Engine`.
 *
 * A tensor either sits in ordinary memory (`HostTensor`) or stays where the engine computed it (`EngineTensor`), so
 * that the KV cache and the noisy actions need no read-back between graphs. Each EngineTensor is disposed by the one
 * who asked for it.
 */

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
}

export interface EngineSession {
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

export interface Engine {
  readonly provider: Provider;
  /** Sessions are created and run one at a time: onnxruntime-web throws on two concurrent creations. */
  createSession(graph: GraphFile): Promise<EngineSession>;
  dispose(): Promise<void>;
}
