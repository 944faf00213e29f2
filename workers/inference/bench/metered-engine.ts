/**
 * An engine that tells which graph it runs, and waits for the GPU after each where it is asked to. Knows graphs by name
 * and how much work each is; knows no model.
 */
import type { Engine, EngineDevice } from '#contracts/engine.ts';
import { graphWork, type GraphWork } from '#core/onnx/work.ts';

export interface EngineMeter {
  /** By graph name. */
  readonly work: Map<string, GraphWork>;
  /** Runs since `runs` was cleared, by graph name. */
  readonly runs: Map<string, number>;
  /** Before a run; what follows belongs to this graph. */
  enter(graph: string): void;
  /** After a run: resolves when the next may begin. */
  leave(): Promise<void>;
}

export function meteredEngine(engine: Engine, meter: EngineMeter): Engine {
  return {
    provider: engine.provider,
    async createSession(graph) {
      meter.work.set(graph.name, graphWork(graph.model));
      const session = await engine.createSession(graph);
      return {
        ...session,
        async run(feeds, fetches) {
          meter.enter(graph.name);
          meter.runs.set(graph.name, (meter.runs.get(graph.name) ?? 0) + 1);
          const outputs = await session.run(feeds, fetches);
          await meter.leave();
          return outputs;
        },
        dispose: () => session.dispose(),
      };
    },
    ...(engine.device === undefined ? {} : { device: meteredDevice(engine.device, meter) }),
    dispose: () => engine.dispose(),
  };
}

/** What is written and copied between two runs counts for the graph that ran before. */
function meteredDevice(device: EngineDevice, meter: EngineMeter): EngineDevice {
  return {
    ...device,
    async createBound(graph, inputs, manner) {
      meter.work.set(graph.name, graphWork(graph.model));
      const session = await device.createBound(graph, inputs, manner);
      return {
        ...session,
        async run() {
          meter.enter(graph.name);
          meter.runs.set(graph.name, (meter.runs.get(graph.name) ?? 0) + 1);
          await session.run();
          await meter.leave();
        },
      };
    },
  };
}
