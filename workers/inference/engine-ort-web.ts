/**
 * The one file that names onnxruntime-web: it turns it into an `Engine`. Knows builds, threads, session options and
 * the ways this runtime fails; refuses to know any model and to decide which provider is used.
 *
 *   build      wasm (gzipped)   computes on           needs
 *   jspi       4.1 MB           WebGPU and CPU        WebAssembly.Suspending (Chrome >= 137)
 *   asyncify   6.6 MB           WebGPU and CPU        -
 *   wasm       3.7 MB           CPU                   -
 *
 * All three hold the same CPU kernels, so a page that has loaded one build never loads a second: the `wasm` engine runs
 * on whatever build is there (`README.md` has the speeds).
 *
 * What this runtime does that is not obvious (1.30, each seen in its source):
 *   - options of the WebGPU provider are dropped without a word when it is named by a string: always an object here;
 *   - where an output stays (memory or GPU buffer) is fixed when the session is made. Our contract chooses per run, so
 *     all outputs of a WebGPU session stay in GPU buffers and those wanted by the host are read back one by one;
 *   - with outputs bound to GPU buffers every input must be fed, which the contract asks for anyway;
 *   - releasing the last session of a device kills the provider's context for that device, and a later session on it
 *     fails; `self-test.ts` keeps one small session open as long as the device lives;
 *   - its threads load the script that holds this code again, under the name `em-pthread`. The dynamic imports below
 *     keep it in a script of its own, so that they do not load our worker's entry.
 */
import type { Engine, EngineSession, EngineTensor, GraphFile, HostTensor, Provider } from '#contracts/engine.ts';
import type { EngineReport } from '#contracts/inference.ts';
import type * as OrtModule from 'onnxruntime-web';
import asyncifyWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import jspiWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import plainWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import type { GpuHandle } from './gpu-device.ts';
import { steadyBlob } from './steady-blob.ts';
import { turnTaking, type TurnTaking } from './turn-taking.ts';

export type OrtBuild = EngineReport['build'];

type Ort = typeof OrtModule;
type OrtSession = OrtModule.InferenceSession;
type OrtTensor = OrtModule.Tensor;

/** More threads than this bring little for matrices of a few hundred rows and take cores from the arm and the cameras. */
const MAX_THREADS = 8;

const BUILDS: Readonly<Record<OrtBuild, { readonly wasmUrl: string; readonly load: () => Promise<Ort> }>> = {
  jspi: { wasmUrl: jspiWasmUrl, load: () => import('onnxruntime-web/jspi') },
  asyncify: { wasmUrl: asyncifyWasmUrl, load: () => import('onnxruntime-web/webgpu') },
  wasm: { wasmUrl: plainWasmUrl, load: () => import('onnxruntime-web/wasm') },
};

/** onnxruntime, loaded. One a worker. */
export interface OrtRuntime {
  readonly build: OrtBuild;
  /** Threads of the CPU kernels, this one included. 1 without cross-origin isolation. */
  readonly threads: number;
  wasmEngine(): Engine;
  /** Only on the builds `jspi` and `asyncify`. The device stays the caller's: disposing the engine does not close it. */
  webgpuEngine(gpu: GpuHandle): Engine;
}

/** The build that can compute on a GPU in this browser. */
export function gpuBuild(): Exclude<OrtBuild, 'wasm'> {
  return 'Suspending' in WebAssembly ? 'jspi' : 'asyncify';
}

/** How many threads this page may use: all cores up to 8 where it is cross-origin isolated, else this one alone. */
export function availableThreads(): number {
  return globalThis.crossOriginIsolated ? Math.max(1, Math.min(navigator.hardwareConcurrency, MAX_THREADS)) : 1;
}

/**
 * Loads a build: its script and its WebAssembly, from this page's own host. `onBytes` hears of the download; the bytes
 * counted are uncompressed, the total is null where the server does not say.
 * Rejects with `engine/unavailable` (engine, reason).
 */
export async function loadOrt(options: {
  readonly build: OrtBuild;
  readonly threads: number;
  readonly onBytes?: (doneBytes: number, totalBytes: number | null) => void;
}): Promise<OrtRuntime> {
  const { build, threads } = options;
  const { wasmUrl, load } = BUILDS[build];
  try {
    const [ort, binary] = await Promise.all([load(), fetchCounted(wasmUrl, options.onBytes)]);
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.proxy = false;
    ort.env.logLevel = 'error';
    ort.env.wasm.wasmBinary = binary;
    return runtime(ort, build, threads);
  } catch (thrown) {
    const facts = asFailure(thrown).facts;
    throw new FailureError('engine/unavailable', { engine: build, reason: String(facts['message'] ?? facts['reason'] ?? 'unknown') });
  }
}

/**
 * The bytes, counted while they come. Left to itself onnxruntime streams them from their address, which no one can watch;
 * watching first and letting it fetch again downloads twice in a private window, whose cache is too small for them. What
 * streaming would save is at most 0.3 s of compiling.
 */
async function fetchCounted(url: string, onBytes: ((doneBytes: number, totalBytes: number | null) => void) | undefined): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new Error(`${response.status} ${url}`);
  // The length of a compressed response counts compressed bytes, ours are not.
  const declared = response.headers.get('content-encoding') === null ? response.headers.get('content-length') : null;
  const total = declared === null ? null : Number(declared);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  const reader = response.body.getReader();
  for (;;) {
    const part = await reader.read();
    if (part.done) break;
    done += part.value.byteLength;
    parts.push(part.value);
    onBytes?.(done, total);
  }
  return new Blob(parts).arrayBuffer();
}

function runtime(ort: Ort, build: OrtBuild, threads: number): OrtRuntime {
  // One queue for all sessions of a build: they share one WebAssembly instance.
  const turns = turnTaking();
  return {
    build,
    threads,
    wasmEngine: () => engine(ort, turns, 'wasm', null),
    webgpuEngine(gpu) {
      if (build === 'wasm') throw new FailureError('engine/unavailable', { engine: 'webgpu', reason: 'this build has no WebGPU provider' });
      return engine(ort, turns, 'webgpu', gpu);
    },
  };
}

function engine(ort: Ort, turns: TurnTaking, provider: Provider, gpu: GpuHandle | null): Engine {
  const open = new Set<EngineSession>();
  return {
    provider,
    createSession: async (graph) => {
      const session = await guarded(gpu, graph.name, () => turns.take(() => createSession(ort, graph, gpu)));
      const wrapped: EngineSession = wrapSession(ort, turns, graph.name, session, gpu, () => open.delete(wrapped));
      open.add(wrapped);
      return wrapped;
    },
    dispose: async () => {
      // A set may lose members while it is walked.
      for (const session of open) await session.dispose();
    },
  };
}

async function createSession(ort: Ort, graph: GraphFile, gpu: GpuHandle | null): Promise<OrtSession> {
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
  });
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

function throwIfLost(gpu: GpuHandle | null): void {
  const lost = gpu?.lostFailure() ?? null;
  if (lost !== null) throw lost;
}

/** Between a read that fails because the device is going and `device.lost`: below 1 ms idle, over 200 ms once at a load of 30. */
const LOSS_IS_TOLD_WITHIN_MS = 2000;

/**
 * `work`, with every way it can end told by a FailureError. A lost device ends it at once: a call into onnxruntime that
 * waits for that device may never return.
 */
async function guarded<T>(gpu: GpuHandle | null, graph: string, work: () => Promise<T>): Promise<T> {
  try {
    return await (gpu === null ? work() : unlessLost(gpu, work()));
  } catch (thrown) {
    if (thrown instanceof FailureError) throw thrown;
    // A dying device rejects its pending reads a moment before it says that it is lost.
    if (gpu !== null) await lostOr(gpu, LOSS_IS_TOLD_WITHIN_MS);
    throw gpu?.lostFailure() ?? new FailureError('engine/session-failed', { graph, message: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}

/** Resolves when the device is lost, and after this long at the latest. */
function lostOr(gpu: GpuHandle, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      stopListening();
      resolve();
    }, limitMs);
    const stopListening = gpu.onLost(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function unlessLost<T>(gpu: GpuHandle, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopListening = gpu.onLost(reject);
    work.then(resolve, reject).finally(stopListening);
  });
}
