/**
 * The `Engine` of the command line and the tests: onnxruntime-node on the CPU. Knows ONNX Runtime's Node binding and no
 * model. Nothing in the page imports this.
 */
import * as ort from 'onnxruntime-node';
import type { Engine, EngineSession, EngineTensor, GraphFile, HostTensor } from '#contracts/engine.ts';
import { FailureError } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';

export interface NodeEngineOptions {
  /** Threads inside one operator; ONNX Runtime chooses where absent. */
  readonly threads?: number;
}

/** Sessions and runs are `engine/session-failed` (facts: graph, message) when ONNX Runtime refuses them. */
export function createNodeEngine(options: NodeEngineOptions = {}): Promise<Engine> {
  const sessions = new Set<NodeSession>();
  return Promise.resolve({
    provider: 'cpu',
    createSession: async (graph) => {
      const session = await NodeSession.create(graph, options, (closed) => sessions.delete(closed));
      sessions.add(session);
      return session;
    },
    dispose: async () => {
      for (const session of sessions) await session.dispose();
    },
  });
}

class NodeTensor implements EngineTensor {
  readonly location = 'engine';
  readonly tensor: ort.Tensor;

  constructor(tensor: ort.Tensor) {
    this.tensor = tensor;
  }

  get dims(): readonly number[] {
    return this.tensor.dims;
  }

  dispose(): void {
    this.tensor.dispose();
  }
}

class NodeSession implements EngineSession {
  private readonly session: ort.InferenceSession;
  private readonly graph: string;
  private readonly onClose: (session: NodeSession) => void;

  private constructor(session: ort.InferenceSession, graph: string, onClose: (session: NodeSession) => void) {
    this.session = session;
    this.graph = graph;
    this.onClose = onClose;
  }

  static async create(graph: GraphFile, options: NodeEngineOptions, onClose: (session: NodeSession) => void): Promise<NodeSession> {
    const externalData = await Promise.all(graph.weights.map(async ({ path, data }) => ({ path, data: data instanceof Uint8Array ? data : new Uint8Array(await data.arrayBuffer()) })));
    try {
      const session = await ort.InferenceSession.create(graph.model, {
        executionProviders: ['cpu'],
        externalData,
        logSeverityLevel: 3,
        // Processors with AVX2 and without 8-bit dot products add pairs of products in 16 bits, which overflow: x0 of the golden sets came out
        // at a cosine of 0.94 to 0.99 instead of 0.999. With this onnxruntime takes a slower kernel there; elsewhere it changes nothing.
        extra: { session: { x64quantprecision: '1' } },
        ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
      });
      return new NodeSession(session, graph.name, onClose);
    } catch (thrown) {
      throw failed(graph.name, thrown);
    }
  }

  async run<Fetches extends Readonly<Record<string, 'host' | 'engine'>>>(
    feeds: Readonly<Record<string, HostTensor | EngineTensor>>,
    fetches: Fetches,
  ): Promise<{ [Name in keyof Fetches]: Fetches[Name] extends 'host' ? HostTensor : EngineTensor }> {
    const inputs: Record<string, ort.Tensor> = {};
    for (const [name, tensor] of Object.entries(feeds)) inputs[name] = toOrt(tensor);
    let outputs: ort.InferenceSession.OnnxValueMapType;
    try {
      outputs = await this.session.run(inputs, Object.keys(fetches));
    } catch (thrown) {
      throw failed(this.graph, thrown);
    }
    const results: Record<string, HostTensor | EngineTensor> = {};
    for (const [name, where] of Object.entries(fetches)) {
      const tensor = outputs[name];
      if (tensor === undefined) throw failed(this.graph, new Error(`no output ${name}`));
      results[name] = where === 'engine' ? new NodeTensor(tensor) : toHost(this.graph, name, tensor);
    }
    // The record was filled name by name from `fetches`, which TypeScript cannot follow through a mapped type.
    return results as { [Name in keyof Fetches]: Fetches[Name] extends 'host' ? HostTensor : EngineTensor };
  }

  async dispose(): Promise<void> {
    this.onClose(this);
    await this.session.release();
  }
}

function toOrt(tensor: HostTensor | EngineTensor): ort.Tensor {
  if ('location' in tensor) {
    if (!(tensor instanceof NodeTensor)) throw new Error('a tensor of another engine');
    return tensor.tensor;
  }
  switch (tensor.type) {
    case 'float32':
      return new ort.Tensor('float32', tensor.data, tensor.dims);
    case 'int64':
      return new ort.Tensor('int64', tensor.data, tensor.dims);
    default:
      return unreachable(tensor);
  }
}

function toHost(graph: string, name: string, tensor: ort.Tensor): HostTensor {
  const { data, dims } = tensor;
  if (data instanceof Float32Array) return { type: 'float32', dims, data };
  if (data instanceof BigInt64Array) return { type: 'int64', dims, data };
  throw failed(graph, new Error(`output ${name} is ${tensor.type}`));
}

function failed(graph: string, thrown: unknown): FailureError {
  return new FailureError('engine/session-failed', { graph, message: thrown instanceof Error ? thrown.message : String(thrown) });
}
