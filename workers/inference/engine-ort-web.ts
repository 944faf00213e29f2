/**
 * Which build of onnxruntime-web a browser gets, and how it is loaded. Knows builds, threads and addresses; what is done with
 * a loaded one is in `ort-engine.ts`. Refuses to decide which provider is used.
 *
 *   build      wasm (gzipped)   computes on           needs
 *   jspi       4.1 MB           WebGPU and CPU        WebAssembly.Suspending (Chrome >= 137)
 *   asyncify   6.6 MB           WebGPU and CPU        -
 *   wasm       3.7 MB           CPU                   -
 *
 * All three hold the same CPU kernels, so a page that has loaded one build never loads a second: the `wasm` engine runs
 * on whatever build is there (`README.md` has the speeds).
 *
 * Its threads load the script that holds this code again, under the name `em-pthread`. The dynamic imports below keep it in a
 * script of its own, so that they do not load our worker's entry.
 */
import type { Engine } from '#contracts/engine.ts';
import type { EngineReport } from '#contracts/inference.ts';
import asyncifyWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import jspiWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import plainWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import { eyesOf } from './eyes/eyes.ts';
import type { GpuHandle } from './gpu-device.ts';
import { ortEngine, type Ort } from './ort-engine.ts';
import { turnTaking } from './turn-taking.ts';

export type OrtBuild = EngineReport['build'];

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
  /** Towers of at least so many patches are looked at by our own kernels, where they fit (`eyes/eyes.ts`). */
  wasmEngine(smallestTower?: number): Engine;
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
    wasmEngine: (smallestTower) => ortEngine(ort, turns, null, eyesOf(threads, smallestTower)),
    webgpuEngine(gpu) {
      if (build === 'wasm') throw new FailureError('engine/unavailable', { engine: 'webgpu', reason: 'this build has no WebGPU provider' });
      return ortEngine(ort, turns, gpu);
    },
  };
}
