/**
 * A loaded onnxruntime-web as an `Engine`. Knows session options and the ways this runtime fails; refuses to know builds, any
 * model, and which provider is used.
 *
 * What this runtime does that is not obvious (1.30, each seen in its source):
 *   - options of the WebGPU provider are dropped without a word when it is named by a string: always an object here;
 *   - where an output stays (memory or GPU buffer) is fixed when the session is made. Our contract chooses per run, so
 *     all outputs of a WebGPU session stay in GPU buffers and those wanted by the host are read back one by one;
 *   - with outputs bound to GPU buffers every input must be fed, which the contract asks for anyway;
 *   - releasing the last session of a device kills the provider's context for that device, and a later session on it
 *     fails; `self-test.ts` keeps one small session open as long as the device lives;
 *   - a session that records its commands (`enableGraphCapture`) takes its places at the first run and ignores those handed to
 *     later ones. After that run it has let go of the handles of our buffers, so it can play and nothing else: a run that is told
 *     kernel by kernel (`gpu_graph_id: -1`) fails, and so does every later run where an output is a buffer of ours. Hence its
 *     outputs are its own, and whoever wants both manners makes two sessions;
 *   - an input and an output in one place fail in the kernel that uses both, so they are never the same (`EngineDevice`).
 */
import type { BoundSession, Engine, EngineDevice, EnginePlace, EngineSession, EngineTensor, GraphFile, HostTensor, RunManner } from '#contracts/engine.ts';
import type * as OrtModule from 'onnxruntime-web';
import { FailureError } from '#core/lib/failure.ts';
import { decodeModel } from '#core/onnx/model.ts';
import { bufferOf, deviceMemory } from './device-memory.ts';
import type { Eyes, OpenEyes } from './eyes/eyes.ts';
import type { GpuHandle } from './gpu-device.ts';
import { guarded, throwIfLost } from './lost-device.ts';
import { steadyBlob } from './steady-blob.ts';
import type { TurnTaking } from './turn-taking.ts';

export type Ort = typeof OrtModule;
type OrtSession = OrtModule.InferenceSession;
type OrtTensor = OrtModule.Tensor;

/** On the CPU where `gpu` is null. The device stays the caller's: disposing the engine does not close it. */
export function ortEngine(ort: Ort, turns: TurnTaking, gpu: GpuHandle | null, openEyes: OpenEyes | null = null): Engine {
  const open = new Set<{ dispose(): Promise<void> }>();
  return {
    provider: gpu === null ? 'wasm' : 'webgpu',
    createSession: async (graph) => {
      const eyes = graph.tower === undefined || openEyes === null ? null : await openEyes(graph.tower);
      const onDispose = (): void => void open.delete(made);
      const ofGraph = async (): Promise<EngineSession> => wrapSession(ort, turns, graph.name, await guarded(gpu, graph.name, () => turns.take(() => createSession(ort, graph, gpu, {}))), gpu, onDispose);
      const made: EngineSession = eyes?.kind === 'kernels' ? eyesSession(ort, turns, graph, eyes, onDispose) : { ...(await ofGraph()), ...(eyes === null ? {} : { eyes }) };
      open.add(made);
      return made;
    },
    ...(gpu === null ? {} : { device: engineDevice(ort, turns, gpu, open) }),
    dispose: async () => {
      // A set may lose members while it is walked.
      for (const session of open) await session.dispose();
    },
  };
}

function engineDevice(ort: Ort, turns: TurnTaking, gpu: GpuHandle, open: Set<{ dispose(): Promise<void> }>): EngineDevice {
  return {
    kind: gpu.kind,
    ...deviceMemory(gpu),
    patches: null,
    async createBound(graph, inputs, manner) {
      const bound: BoundSession = await bindSession(ort, turns, graph, inputs, manner, gpu, () => open.delete(bound));
      open.add(bound);
      return bound;
    },
  };
}

async function createSession(ort: Ort, graph: GraphFile, gpu: GpuHandle | null, more: OrtModule.InferenceSession.SessionOptions): Promise<OrtSession> {
  throwIfLost(gpu);
  return ort.InferenceSession.create(graph.model, {
    // 'wgpuOnly': errors surface on the device (`takeUncapturedError`), without the extra round trip a run that
    // onnxruntime's own error scopes ('basic') cost.
    executionProviders: gpu === null ? ['wasm'] : [{ name: 'webgpu', device: gpu.device, validationMode: 'wgpuOnly' } as OrtModule.InferenceSession.WebGpuExecutionProviderOption],
    // On the CPU one block of memory a run, planned ahead for our static shapes: the pocket policy's best chunk of 14 took
    // 90 ms with it and 156 without, the median 208 and 221.
    ...(gpu === null ? { enableCpuMemArena: true, enableMemPattern: true } : { preferredOutputLocation: 'gpu-buffer' as const }),
    externalData: graph.weights.map(({ path, data }) => ({ path, data: data instanceof Blob ? steadyBlob(data) : data })),
    logSeverityLevel: 3,
    ...more,
  });
}

async function bindSession(ort: Ort, turns: TurnTaking, graph: GraphFile, inputs: Readonly<Record<string, EnginePlace>>, manner: RunManner, gpu: GpuHandle, onDispose: () => void): Promise<BoundSession> {
  const session = await guarded(gpu, graph.name, () => turns.take(() => createSession(ort, graph, gpu, manner === 'recorded' ? { enableGraphCapture: true } : {})));
  const memory = deviceMemory(gpu);
  /** Where a recording writes: buffers of onnxruntime's own, which it names after its first run. */
  const own = new Map<string, GPUBuffer>();
  const outputs: Record<string, EnginePlace> = {};
  for (const { name, type, dims } of decodeModel(graph.model).outputs) {
    if (type !== 'float32' && type !== 'int64') throw new FailureError('engine/session-failed', { graph: graph.name, message: `${name} is ${type}` });
    outputs[name] = manner === 'plain' ? memory.place(type, dims) : memory.foreignPlace(type, dims, () => own.get(name) ?? null);
  }
  const tensorsOf = (places: Readonly<Record<string, EnginePlace>>): Record<string, OrtTensor> =>
    Object.fromEntries(Object.entries(places).map(([name, place]) => [name, ort.Tensor.fromGpuBuffer(bufferOf(place), { dataType: place.type, dims: place.dims })]));
  let feeds: Record<string, OrtTensor> | null = null;
  const fetches = manner === 'plain' ? tensorsOf(outputs) : null;
  let disposed = false;
  return {
    outputs,
    run: () =>
      guarded(gpu, graph.name, () =>
        turns.take(async () => {
          throwIfLost(gpu);
          if (disposed) throw new FailureError('engine/session-failed', { graph: graph.name, message: 'the session is disposed' });
          gpu.takeUncapturedError();
          feeds ??= tensorsOf(inputs);
          const results = await (fetches === null ? session.run(feeds) : session.run(feeds, fetches));
          if (fetches === null) {
            for (const [name, tensor] of Object.entries(results)) {
              own.set(name, tensor.gpuBuffer as GPUBuffer);
              // A reference only: what it refers to is bound for as long as the session lives.
              tensor.dispose();
            }
          }
          const gpuError = gpu.takeUncapturedError();
          if (gpuError !== null) throw new Error(gpuError);
        }),
      ),
    async dispose() {
      if (disposed) return;
      disposed = true;
      onDispose();
      for (const place of Object.values(outputs)) place.dispose();
      if (gpu.lostFailure() !== null) return;
      await guarded(gpu, graph.name, () => turns.take(() => session.release()));
    },
  };
}

function wrapSession(ort: Ort, turns: TurnTaking, graph: string, session: OrtSession, gpu: GpuHandle | null, onDispose: () => void): EngineSession {
  let disposed = false;
  return {
    async run(feeds, fetches) {
      const outputs = await guarded(gpu, graph, () =>
        turns.take(async () => {
          throwIfLost(gpu);
          if (disposed) throw new FailureError('engine/session-failed', { graph, message: 'the session is disposed' });
          return runOnce(ort, session, gpu, feeds, fetches);
        }),
      );
      return outputs as never; // The names and places of `outputs` are those of `fetches`; the mapped type cannot be built in steps.
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      onDispose();
      // Nothing to release on a lost device, and asking for it may wait for ever.
      if (gpu !== null && gpu.lostFailure() !== null) return;
      await guarded(gpu, graph, () => turns.take(() => session.release()));
    },
  };
}

/** A session without a graph: its one input is `patches`, its one output `tokens`. */
function eyesSession(ort: Ort, turns: TurnTaking, graph: GraphFile, eyes: Eyes, onDispose: () => void): EngineSession {
  return {
    eyes: { kind: 'kernels', threads: eyes.threads },
    async run(feeds, fetches) {
      const { patches } = feeds;
      if (patches === undefined || 'location' in patches || patches.type !== 'float32') throw new FailureError('internal', { message: `${graph.name} was not fed patches` });
      const tokens = await turns.take(() => eyes.see(patches.data));
      const dims = [1, tokens.length / graph.tower!.shape.out, graph.tower!.shape.out];
      const outputs: Record<string, HostTensor | EngineTensor> = {};
      for (const [name, place] of Object.entries(fetches)) {
        if (name !== 'tokens') throw new FailureError('internal', { message: `${graph.name} has no output ${name}` });
        outputs[name] = place === 'engine' ? keep(new ort.Tensor('float32', tokens, dims)) : { type: 'float32', dims, data: tokens };
      }
      return outputs as never; // As in `wrapSession`.
    },
    // After the look that may be going on: its threads would end in the middle, and nobody would ever answer it.
    dispose: () =>
      turns.take(async () => {
        onDispose();
        eyes.dispose();
      }),
  };
}

async function runOnce(
  ort: Ort,
  session: OrtSession,
  gpu: GpuHandle | null,
  feeds: Readonly<Record<string, HostTensor | EngineTensor>>,
  fetches: Readonly<Record<string, 'host' | 'engine'>>,
): Promise<Record<string, HostTensor | EngineTensor>> {
  const inputs: Record<string, OrtTensor> = {};
  for (const [name, tensor] of Object.entries(feeds)) inputs[name] = toOrt(ort, tensor);
  gpu?.takeUncapturedError();
  const results = await session.run(inputs, Object.keys(fetches));
  const outputs: Record<string, HostTensor | EngineTensor> = {};
  await Promise.all(
    Object.entries(fetches).map(async ([name, place]) => {
      const tensor = results[name];
      if (tensor === undefined) throw new Error(`no output ${name}`);
      outputs[name] = place === 'engine' ? keep(tensor) : await readBack(tensor);
    }),
  );
  const gpuError = gpu?.takeUncapturedError() ?? null;
  if (gpuError !== null) throw new Error(gpuError);
  return outputs;
}

/** Runtime tensors behind the `EngineTensor`s we handed out; nobody outside can reach one. */
const kept = new WeakMap<EngineTensor, OrtTensor>();

function keep(tensor: OrtTensor): EngineTensor {
  const mine: EngineTensor = {
    location: 'engine',
    dims: tensor.dims,
    dispose: () => {
      if (!kept.delete(mine)) return;
      tensor.dispose();
    },
  };
  kept.set(mine, tensor);
  return mine;
}

function toOrt(ort: Ort, tensor: HostTensor | EngineTensor): OrtTensor {
  if ('location' in tensor) {
    const mine = kept.get(tensor);
    if (mine === undefined) throw new Error('a tensor of another engine, or disposed');
    return mine;
  }
  switch (tensor.type) {
    case 'float32':
      return new ort.Tensor('float32', tensor.data, tensor.dims);
    case 'int64':
      return new ort.Tensor('int64', tensor.data, tensor.dims);
  }
}

async function readBack(tensor: OrtTensor): Promise<HostTensor> {
  const data: unknown = await tensor.getData(true);
  const dims = tensor.dims;
  if (data instanceof Float32Array) return { type: 'float32', dims, data };
  if (data instanceof BigInt64Array) return { type: 'int64', dims, data };
  throw new Error(`an output of type ${tensor.type}`);
}
