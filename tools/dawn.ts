/**
 * WebGPU in Node, by Dawn, and onnxruntime-web on it as the page ships it: its `asyncify` build, because Node 20 has no JSPI. For
 * benches: no page runs here. Start Node with `--liftoff-only`, or V8 optimises 27 MB of WebAssembly first.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { OrtRuntime } from '#workers/inference/engine-ort-web.ts';
import { ortEngine } from '#workers/inference/ort-engine.ts';
import { turnTaking } from '#workers/inference/turn-taking.ts';
import * as ort from 'onnxruntime-web/webgpu';
import { create, globals } from 'webgpu';

/** Dawn's words for what it is made of: `backend=null` computes nothing, `backend=vulkan` a graphics card. */
export function openDawn(flags: readonly string[]): OrtRuntime & { readonly version: string } {
  Object.assign(globalThis, globals);
  const gpu = create([...flags]);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, hardwareConcurrency: 1, userAgent: 'node' }, configurable: true });
  takeSharedMemory();
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  ort.env.wasm.wasmBinary = readFileSync(createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm')).buffer as ArrayBuffer;
  const turns = turnTaking();
  return {
    build: 'asyncify',
    threads: 1,
    version: ort.env.versions.web ?? '',
    wasmEngine: () => ortEngine(ort, turns, null),
    webgpuEngine: (handle) => ortEngine(ort, turns, handle),
  };
}

/** Dawn for Node takes no view of shared memory, which onnxruntime's heap is: it gets a copy. */
function takeSharedMemory(): void {
  const queue = GPUQueue.prototype;
  const write = queue.writeBuffer;
  queue.writeBuffer = function copied(this: GPUQueue, buffer, offset, data, from?, length?) {
    const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data as ArrayBuffer);
    const unit = ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1;
    const start = (from ?? 0) * unit;
    return write.call(this, buffer, offset, Uint8Array.from(bytes.subarray(start, length === undefined ? undefined : start + length * unit)));
  };
}
