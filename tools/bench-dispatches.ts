/**
 * `npm run bench:dispatches`: how many GPU kernels and submits one chunk of the 450M configuration takes, part by part, and
 * what they cost on the CPU's side alone. No GPU is needed: Dawn's null backend takes every command and computes nothing.
 *
 *   npm run bench:dispatches -- [--precision f32|f16|q8|q4] [--cameras 2] [--tokens 48] [--kernels yes|no]
 *
 * It is onnxruntime-web as the page ships it (its `asyncify` build, because Node 20 has no JSPI), on graphs written by the
 * page's own code for a checkpoint whose weights are all zero. `--kernels yes` also counts the operators of each graph.
 * Start Node with `--liftoff-only` (the npm script does), or V8 optimises 27 MB of WebAssembly first.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import type { Engine, EngineTensor, HostTensor } from '#contracts/engine.ts';
import type { PackManifest } from '#contracts/pack.ts';
import { PRECISIONS, type Precision } from '#contracts/policy.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { layOut, openPackFrom } from '#core/conversion/pack.ts';
import { decodeModel } from '#core/onnx/model.ts';
import { graphWork } from '#core/onnx/work.ts';
import { anyFamilyRecipe, loadPolicy } from '#core/policy/family.ts';
import { BASE_CONFIG, viewOf } from '../src/core/policy/testing/smolvla-base.ts';
import * as ort from 'onnxruntime-web/webgpu';
import { create, globals } from 'webgpu';

const { values: options } = parseArgs({
  options: { precision: { type: 'string', default: 'q8' }, cameras: { type: 'string', default: '2' }, tokens: { type: 'string', default: '48' }, kernels: { type: 'string', default: 'no' } },
});
const precision = PRECISIONS.find((one) => one === options.precision);
if (precision === undefined) throw new Error(`--precision takes ${PRECISIONS.join(', ')}`);
const CAMERAS = ['observation.images.camera1', 'observation.images.camera2', 'observation.images.camera3'].slice(0, Number(options.cameras));
const TOKENS = Number(options.tokens);
const LAPS = 5;

interface Counts {
  dispatches: number;
  submits: number;
  runs: number;
  ms: number;
}

const counts = new Map<string, Counts>();
let current: Counts = { dispatches: 0, submits: 0, runs: 0, ms: 0 };
/** What the three graphs hold, by name. */
const graphs = new Map<string, Uint8Array>();

const device = await nullDevice();
const engine = dawnEngine(device);
const pack = zeroPack(precision, await anyFamilyRecipe.plan(viewOf({ 'config.json': BASE_CONFIG }), precision));
const policy = await loadPolicy(pack, engine, { letterbox, clock: { nowMs: () => performance.now() }, cameras: CAMERAS });
const size = 256;
const request = {
  pictures: new Map(CAMERAS.map((camera) => [camera, { width: size, height: size, channels: 4 as const, data: new Uint8Array(size * size * 4) }])),
  state: new Float32Array(policy.info.stateSize),
  tokens: new Int32Array(TOKENS).fill(5),
  tokenMask: new Uint8Array(TOKENS).fill(1),
  noise: new Float32Array(policy.info.chunkRows * policy.noiseColumns),
};
// The first chunk makes the pipelines.
await policy.predictChunk(request);
counts.clear();
for (let lap = 0; lap < LAPS; lap++) await policy.predictChunk(request);
print(precision);
// Dawn keeps threads of its own; nothing is left to wait for.
process.exit(0);

function print(of: Precision): void {
  const { parameterCount, denoisingSteps } = policy.info;
  console.log(`SmolVLA, ${(parameterCount / 1e6).toFixed(0)} million parameters, ${of}, ${CAMERAS.length} cameras, ${TOKENS} tokens, ${denoisingSteps} steps; onnxruntime-web ${ort.env.versions.web ?? ''}, Dawn's null backend, Node ${process.version}`);
  console.log(`${'part'.padEnd(10)}${'runs'.padStart(6)}${'kernels a run'.padStart(16)}${'kernels a chunk'.padStart(18)}${'submits'.padStart(10)}${'CPU ms'.padStart(10)}${'us a kernel'.padStart(13)}${'GFLOP'.padStart(9)}`);
  const total = { dispatches: 0, submits: 0, ms: 0, flop: 0 };
  for (const [name, { dispatches, submits, runs, ms }] of counts) {
    const { flop } = graphWork(graphs.get(name)!);
    const gflop = flop === null ? null : (flop * runs) / LAPS / 1e9;
    console.log(
      `${name.padEnd(10)}${String(runs / LAPS).padStart(6)}${String(dispatches / runs).padStart(16)}${String(dispatches / LAPS).padStart(18)}${(submits / LAPS).toFixed(0).padStart(10)}${(ms / LAPS).toFixed(1).padStart(10)}${((1000 * ms) / dispatches).toFixed(0).padStart(13)}${(gflop === null ? '-' : gflop.toFixed(1)).padStart(9)}`,
    );
    total.dispatches += dispatches / LAPS;
    total.submits += submits / LAPS;
    total.ms += ms / LAPS;
    total.flop += gflop ?? 0;
  }
  console.log(`${'a chunk'.padEnd(10)}${String(total.dispatches).padStart(40)}${total.submits.toFixed(0).padStart(10)}${total.ms.toFixed(1).padStart(10)}${((1000 * total.ms) / total.dispatches).toFixed(0).padStart(13)}${total.flop.toFixed(1).padStart(9)}`);
  if (options.kernels === 'yes') {
    for (const [name, model] of graphs) {
      const ops = new Map<string, number>();
      for (const { op } of decodeModel(model).nodes) ops.set(op, (ops.get(op) ?? 0) + 1);
      console.log(`${name}: ${[...ops].sort(([, a], [, b]) => b - a).map(([op, count]) => `${count} ${op}`).join(', ')}`);
    }
  }
}

/** A device that takes every command and computes nothing, with the features that onnxruntime asks for and the self-test leaves. */
async function nullDevice(): Promise<GPUDevice> {
  Object.assign(globalThis, globals);
  const gpu = create(['backend=null']);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, hardwareConcurrency: 1, userAgent: 'node' }, configurable: true });
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('Dawn gave no null adapter');
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX, maxStorageBuffersPerShaderStage } = adapter.limits;
  const made = await adapter.requestDevice({
    requiredFeatures: adapter.features.has('shader-f16') ? ['shader-f16'] : [],
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX, maxStorageBuffersPerShaderStage },
  });
  watch(made);
  return made;
}

function watch(on: GPUDevice): void {
  const pass = GPUComputePassEncoder.prototype;
  const dispatch = pass.dispatchWorkgroups;
  pass.dispatchWorkgroups = function counted(this: GPUComputePassEncoder, ...size) {
    current.dispatches++;
    return dispatch.apply(this, size);
  };
  const queue = Object.getPrototypeOf(on.queue) as GPUQueue;
  const submit = queue.submit;
  queue.submit = function counted(this: GPUQueue, buffers) {
    current.submits++;
    return submit.call(this, buffers);
  };
  const write = queue.writeBuffer;
  // Dawn for Node takes no view of shared memory, which onnxruntime's heap is.
  queue.writeBuffer = function copied(this: GPUQueue, buffer, offset, data, from?, length?) {
    const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data as ArrayBuffer);
    const unit = ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1;
    const start = (from ?? 0) * unit;
    return write.call(this, buffer, offset, Uint8Array.from(bytes.subarray(start, length === undefined ? undefined : start + length * unit)));
  };
}

function dawnEngine(on: GPUDevice): Engine {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = readFileSync(createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm')).buffer as ArrayBuffer;
  const kept = new WeakMap<EngineTensor, ort.Tensor>();
  const toOrt = (tensor: HostTensor | EngineTensor): ort.Tensor => {
    if ('location' in tensor) return kept.get(tensor)!;
    return tensor.type === 'float32' ? new ort.Tensor('float32', tensor.data, tensor.dims) : new ort.Tensor('int64', tensor.data, tensor.dims);
  };
  return {
    provider: 'webgpu',
    async createSession(graph) {
      graphs.set(graph.name, graph.model);
      const session = await ort.InferenceSession.create(graph.model, {
        executionProviders: [{ name: 'webgpu', device: on, validationMode: 'disabled' } as ort.InferenceSession.WebGpuExecutionProviderOption],
        preferredOutputLocation: 'gpu-buffer',
        externalData: graph.weights.map(({ path, data }) => ({ path, data })),
        logSeverityLevel: 3,
      });
      return {
        async run(feeds, fetches) {
          current = counts.get(graph.name) ?? { dispatches: 0, submits: 0, runs: 0, ms: 0 };
          counts.set(graph.name, current);
          const fromMs = performance.now();
          const results = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor)])), Object.keys(fetches));
          const outputs: Record<string, HostTensor | EngineTensor> = {};
          for (const [name, place] of Object.entries(fetches)) {
            const tensor = results[name]!;
            if (place === 'host') {
              // Read back as on a real device; what comes is whatever the memory held, so the policy gets zeros.
              const read = (await tensor.getData(true)) as Float32Array;
              outputs[name] = { type: 'float32', dims: tensor.dims, data: new Float32Array(read.length) };
              continue;
            }
            const mine: EngineTensor = { location: 'engine', dims: tensor.dims, dispose: () => tensor.dispose() };
            kept.set(mine, tensor);
            outputs[name] = mine;
          }
          current.runs++;
          current.ms += performance.now() - fromMs;
          // The names and places of `outputs` are those of `fetches`; the mapped type cannot be built in steps.
          return outputs as never;
        },
        dispose: () => session.release(),
      };
    },
    dispose: async () => undefined,
  };
}

/** A pack as the converter lays it out, every byte zero. */
function zeroPack(of: Precision, plan: Awaited<ReturnType<typeof anyFamilyRecipe.plan>>): ReturnType<typeof openPackFrom> {
  const tensors = layOut(plan.tensors);
  const bytes = new Map<string, number>();
  for (const { file, offset, length, scales } of tensors) bytes.set(file, Math.max(bytes.get(file) ?? 0, offset + length, scales === undefined ? 0 : scales.offset + scales.length));
  const manifest: PackManifest = {
    format: 'vla-playground-pack',
    version: 2,
    family: plan.family,
    info: { ...plan.info, precision: of },
    settings: plan.settings,
    tensors,
    files: [...bytes].map(([file, size]) => ({ file, bytes: size, sha256: '' })),
    tokenizer: null,
  };
  return openPackFrom(manifest, new Map([...bytes].map(([file, size]) => [file, new Uint8Array(size)])));
}
