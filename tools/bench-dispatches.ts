/**
 * `npm run bench:dispatches`: how many GPU kernels and submits one chunk of the 450M configuration takes, part by part, what they
 * cost on the CPU's side alone, told one by one and played from a recording, and the GPU memory that is asked for. No GPU is
 * needed: Dawn's null backend takes every command and computes nothing.
 *
 *   npm run bench:dispatches -- [--precision f32|f16|q8|q4] [--cameras 2] [--tokens 48] [--kernels yes|no] [--laps 5]
 *
 * It is the page's own engine on onnxruntime-web as the page ships it (`dawn.ts`), on graphs written by the page's own code for a
 * checkpoint whose weights are all zero. `--kernels yes` also counts the operators of each graph. Start Node with `--liftoff-only` (the npm script does), or V8 optimises 27 MB of WebAssembly first.
 */
import { parseArgs } from 'node:util';
import type { Engine, EnginePlace, RunManner } from '#contracts/engine.ts';
import type { PackManifest } from '#contracts/pack.ts';
import { PRECISIONS, type Precision } from '#contracts/policy.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { layOut, openPackFrom } from '#core/conversion/pack.ts';
import { decodeModel } from '#core/onnx/model.ts';
import { graphWork } from '#core/onnx/work.ts';
import { anyFamilyRecipe, loadPolicy } from '#core/policy/family.ts';
import { watchGpu } from '#workers/inference/bench/gpu-watch.ts';
import { gpuHandle } from '#workers/inference/gpu-device.ts';
import { pictureKernel } from '#workers/inference/picture-kernel.ts';
import { BASE_CONFIG, viewOf } from '../src/core/policy/testing/smolvla-base.ts';
import { openDawn } from './dawn.ts';

const { values: options } = parseArgs({
  options: {
    precision: { type: 'string', default: 'q8' },
    cameras: { type: 'string', default: '2' },
    tokens: { type: 'string', default: '48' },
    kernels: { type: 'string', default: 'no' },
    laps: { type: 'string', default: '5' },
  },
});
const precision = PRECISIONS.find((one) => one === options.precision);
if (precision === undefined) throw new Error(`--precision takes ${PRECISIONS.join(', ')}`);
const CAMERAS = ['observation.images.camera1', 'observation.images.camera2', 'observation.images.camera3'].slice(0, Number(options.cameras));
const TOKENS = Number(options.tokens);
const LAPS = Number(options.laps);

interface Runs {
  runs: number;
  ms: number;
}

/** Of each graph. What it told the GPU is counted by `watch`. */
const runs = new Map<string, Runs>();
/** What is told outside of a run: writes into places and copies between them. */
const BETWEEN = 'between';
/** What the three graphs hold, by name. */
const graphs = new Map<string, Uint8Array>();

const runtime = openDawn(['backend=null']);
const watch = watchGpu();
const pack = zeroPack(precision, await anyFamilyRecipe.plan(viewOf({ 'config.json': BASE_CONFIG }), precision));
// One after the other, each on a device of its own: so the page proves a recording.
for (const manner of ['plain', 'recorded'] as const) await measure(manner);
console.log(`\nGPU memory, the most there was while a recording was made ready to be proved: ${megabytes(watch.peakBytes)}; left ${megabytes(watch.liveBytes)}`);
if (options.kernels === 'yes') {
  for (const [name, model] of graphs) {
    const ops = new Map<string, number>();
    for (const { op } of decodeModel(model).nodes) ops.set(op, (ops.get(op) ?? 0) + 1);
    console.log(`${name}: ${[...ops].sort(([, a], [, b]) => b - a).map(([op, count]) => `${count} ${op}`).join(', ')}`);
  }
}
// Dawn keeps threads of its own; nothing is left to wait for.
process.exit(0);

async function measure(manner: RunManner): Promise<void> {
  const { engine, close } = await nullEngine();
  const policy = await loadPolicy(pack, engine, { letterbox, clock: { nowMs: () => performance.now() }, cameras: CAMERAS, manner });
  const { info } = policy;
  if (manner === 'plain') console.log(`SmolVLA, ${(info.parameterCount / 1e6).toFixed(0)} million parameters, ${precision}, ${CAMERAS.length} cameras, ${TOKENS} tokens, ${info.denoisingSteps} steps; onnxruntime-web ${runtime.version}, Dawn's null backend, Node ${process.version}`);
  const loadedBytes = watch.liveBytes;
  const size = 256;
  const request = {
    pictures: new Map(CAMERAS.map((camera) => [camera, { width: size, height: size, channels: 4 as const, data: new Uint8Array(size * size * 4) }])),
    state: new Float32Array(info.stateSize),
    tokens: new Int32Array(TOKENS).fill(5),
    tokenMask: new Uint8Array(TOKENS).fill(1),
    noise: new Float32Array(info.chunkRows * policy.noiseColumns),
  };
  let liveBytes = 0;
  // Two chunks make the pipelines and the recording.
  for (let lap = -2; lap < LAPS; lap++) {
    if (lap === 0) {
      watch.take();
      runs.clear();
      liveBytes = watch.liveBytes;
    }
    watch.enter(BETWEEN);
    policy.forget();
    await policy.predictChunk(request);
  }
  if (watch.liveBytes !== liveBytes) throw new Error(`${LAPS} chunks left ${watch.liveBytes - liveBytes} bytes of GPU memory behind`);
  print(manner, `GPU memory ${megabytes(watch.liveBytes)}, after loading ${megabytes(loadedBytes)}`);
  await policy.dispose();
  await close();
}

function print(manner: RunManner, bytes: string): void {
  console.log(`\n${manner === 'plain' ? 'told kernel by kernel' : 'played from a recording'}; ${bytes}`);
  console.log(`${'part'.padEnd(10)}${'runs'.padStart(6)}${'kernels a run'.padStart(16)}${'kernels a chunk'.padStart(18)}${'submits'.padStart(10)}${'up kB'.padStart(10)}${'CPU ms'.padStart(10)}${'us a kernel'.padStart(13)}${'GFLOP'.padStart(9)}`);
  const total = { dispatches: 0, submits: 0, ms: 0, upBytes: 0, flop: 0 };
  for (const [name, { dispatches, submits, uploadBytes: upBytes }] of watch.take()) {
    const { runs: times, ms } = runs.get(name) ?? { runs: 0, ms: 0 };
    const model = graphs.get(name);
    const flop = model === undefined ? 0 : graphWork(model).flop;
    const gflop = flop === null ? null : (flop * times) / LAPS / 1e9;
    const cells = [
      String(times / LAPS).padStart(6),
      (times === 0 ? '-' : String(dispatches / times)).padStart(16),
      String(dispatches / LAPS).padStart(18),
      (submits / LAPS).toFixed(0).padStart(10),
      (upBytes / LAPS / 1000).toFixed(1).padStart(10),
      (times === 0 ? '-' : (ms / LAPS).toFixed(1)).padStart(10),
      (dispatches === 0 ? '-' : ((1000 * ms) / dispatches).toFixed(1)).padStart(13),
      (gflop === null ? '-' : gflop.toFixed(1)).padStart(9),
    ];
    console.log(`${name.padEnd(10)}${cells.join('')}`);
    total.dispatches += dispatches / LAPS;
    total.submits += submits / LAPS;
    total.ms += ms / LAPS;
    total.upBytes += upBytes / LAPS;
    total.flop += gflop ?? 0;
  }
  console.log(`${'a chunk'.padEnd(10)}${String(total.dispatches).padStart(40)}${total.submits.toFixed(0).padStart(10)}${(total.upBytes / 1000).toFixed(1).padStart(10)}${total.ms.toFixed(1).padStart(10)}${((1000 * total.ms) / total.dispatches).toFixed(1).padStart(13)}${total.flop.toFixed(1).padStart(9)}`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The page's engine on a device that takes every command and computes nothing, with the features that onnxruntime asks for and the self-test leaves. */
async function nullEngine(): Promise<{ readonly engine: Engine; close(): Promise<void> }> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error('Dawn gave no null adapter');
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX, maxStorageBuffersPerShaderStage } = adapter.limits;
  const features: GPUFeatureName[] = adapter.features.has('shader-f16') ? ['shader-f16'] : [];
  const device = await adapter.requestDevice({
    requiredFeatures: features,
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX, maxStorageBuffersPerShaderStage },
  });
  const made = runtime.webgpuEngine(gpuHandle(device, adapter, features));
  return {
    // The self-test's own kernel: on a real device it has proved itself by now.
    engine: watchedEngine({ ...made, device: { ...made.device!, patches: await pictureKernel(device) } }),
    async close() {
      await made.dispose();
      device.destroy();
    },
  };
}

/** Tells which graph runs; what is read back is whatever the memory held, so the policy gets zeros. */
function watchedEngine(made: Engine): Engine {
  const device = made.device!;
  const zeros = (place: EnginePlace): EnginePlace => {
    const { type, dims, read } = place;
    return Object.assign(place, { read: async () => ({ type, dims, data: new Float32Array((await read()).data.length) }) });
  };
  return {
    ...made,
    device: {
      ...device,
      async createBound(graph, inputs, manner) {
        graphs.set(graph.name, graph.model);
        const session = await device.createBound(graph, inputs, manner);
        for (const place of Object.values(session.outputs)) zeros(place);
        return {
          ...session,
          async run() {
            const told = runs.get(graph.name) ?? { runs: 0, ms: 0 };
            runs.set(graph.name, told);
            watch.enter(graph.name);
            const fromMs = performance.now();
            await session.run();
            told.runs++;
            told.ms += performance.now() - fromMs;
            watch.enter(BETWEEN);
          },
        };
      },
    },
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
