/**
 * An engine that passes everything on and remembers what was asked of it, so that a test can hold it against what the
 * GPU saw: an operator that onnxruntime quietly placed on the CPU is a kernel missing there and a read-back too many.
 */
import type { Engine, EngineDevice } from '#contracts/engine.ts';
import { decodeModel } from '#core/onnx/model.ts';

/** Operators with a kernel of their own that no optimiser takes away (it may add a bias to one of them). */
const HEAVY = new Set(['MatMul', 'MultiHeadAttention', 'LayerNormalization', 'SkipLayerNormalization', 'SimplifiedLayerNormalization', 'SkipSimplifiedLayerNormalization', 'RotaryEmbedding']);

export interface WatchedEngine extends Engine {
  /** Heavy operators over all runs so far. */
  heavyOperators(): number;
  /** Outputs asked back into memory over all runs so far. */
  hostOutputs(): number;
  runs(): Readonly<Record<string, number>>;
  /** Milliseconds each session's creation took, and its first run. */
  costs(): readonly { readonly graph: string; readonly createMs: number; readonly firstRunMs: number }[];
}

export function watchedEngine(engine: Engine): WatchedEngine {
  let heavy = 0;
  let outputs = 0;
  const runs: Record<string, number> = {};
  const costs: { graph: string; createMs: number; firstRunMs: number }[] = [];
  const watchedDevice = (device: EngineDevice): EngineDevice => ({
    ...device,
    async createBound(graph, inputs, manner) {
      const weight = decodeModel(graph.model).nodes.filter(({ op }) => HEAVY.has(op)).length;
      const session = await device.createBound(graph, inputs, manner);
      for (const place of Object.values(session.outputs)) {
        const { read } = place;
        Object.assign(place, {
          read: () => {
            outputs++;
            return read();
          },
        });
      }
      return {
        ...session,
        async run() {
          await session.run();
          heavy += weight;
          runs[graph.name] = (runs[graph.name] ?? 0) + 1;
        },
      };
    },
  });
  return {
    provider: engine.provider,
    async createSession(graph) {
      const weight = decodeModel(graph.model).nodes.filter(({ op }) => HEAVY.has(op)).length;
      const started = performance.now();
      const session = await engine.createSession(graph);
      const cost = { graph: graph.name, createMs: performance.now() - started, firstRunMs: Number.NaN };
      costs.push(cost);
      return {
        async run(feeds, fetches) {
          const from = performance.now();
          const results = await session.run(feeds, fetches);
          if (Number.isNaN(cost.firstRunMs)) cost.firstRunMs = performance.now() - from;
          heavy += weight;
          outputs += Object.values(fetches).filter((place) => place === 'host').length;
          runs[graph.name] = (runs[graph.name] ?? 0) + 1;
          return results;
        },
        dispose: () => session.dispose(),
      };
    },
    ...(engine.device === undefined ? {} : { device: watchedDevice(engine.device) }),
    dispose: () => engine.dispose(),
    heavyOperators: () => heavy,
    hostOutputs: () => outputs,
    runs: () => runs,
    costs: () => costs,
  };
}
