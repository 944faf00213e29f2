/**
 * Whether a GPU counts right. Knows three small computations and their answers; refuses to know why a device fails.
 *
 * Some devices give wrong numbers and no error. On Vulkan, Chromium's shader compiler does not set a variable declared
 * in a loop back to zero on each turn, and onnxruntime's attention for devices with `subgroups` leans on just that:
 * relative errors of 0.025 to 0.88 (Chromium 156, SwiftShader: 0.88). The attention it uses without `subgroups` is
 * right to 2e-7 on the same devices. So:
 *
 *   1. open a device with `subgroups`; the loop variable, then attention and matmul by onnxruntime; all right: trusted
 *   2. else open one without and do it again; attention and matmul right: trusted
 *   3. else no GPU: `engine/self-test-failed`
 *   4. on the trusted device, our own kernel that makes pictures ready; wrong: the CPU goes on making them
 *
 * The loop variable test looks at the compiler and not at `subgroups`, so it mostly goes on failing at step 2. There it
 * is told and does not decide: what a policy runs is what the other two measure. At step 1 it does decide, and ends the
 * attempt: it costs milliseconds and fails at every subgroup width, while the first attention costs the compilation of
 * its shader (2.3 s on SwiftShader) and may come out nearly right.
 */
import type { Engine, HostTensor, PatchKernel } from '#contracts/engine.ts';
import type { EngineReport, SelfTestResult } from '#contracts/inference.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { FailureError } from '#core/lib/failure.ts';
import { seededRandom } from '#core/lib/random.ts';
import { GraphBuilder } from '#core/onnx/graph.ts';
import { attention, matMul } from '#core/onnx/ops.ts';
import { patchify } from '#core/policy/smolvla/patches.ts';
import type { OrtRuntime } from './engine-ort-web.ts';
import { openGpuDevice, SUBGROUP_CHOICES, type GpuHandle, type SubgroupChoice } from './gpu-device.ts';
import { pictureKernel } from './picture-kernel.ts';
import { attentionReference, matmulReference } from './reference.ts';

/** Right kernels stay below 1e-6 here, the wrong ones seen lie above 2e-2. */
export const SELF_TEST_TOLERANCE = 1e-4;

/** A shape with a partial tile in every dimension: 48 query rows against a tile of 64, 70 keys, heads of 64. */
const ATTENTION = { queries: 48, keys: 70, heads: 5, headSize: 64 } as const;
/** Neither size is a multiple of the 32 x 32 tile; the depth is long enough that a skipped slice shows. */
const MATMUL = { rows: 45, depth: 200, columns: 77 } as const;

export type SelfTestAttempt = EngineReport['attempts'][number];

export interface TrustedGpu {
  readonly gpu: GpuHandle;
  readonly engine: Engine;
  /** How the device was opened. */
  readonly choice: SubgroupChoice;
  readonly attempts: readonly SelfTestAttempt[];
}

/** What `trustedGpu` throws, with what was found on the way. */
export class SelfTestFailure extends FailureError {
  readonly attempts: readonly SelfTestAttempt[];
  readonly adapter: EngineReport['adapter'];

  constructor(failed: SelfTestResult, attempts: readonly SelfTestAttempt[], adapter: EngineReport['adapter']) {
    super('engine/self-test-failed', { test: failed.test, expected: failed.error === null ? 'exact' : SELF_TEST_TOLERANCE, found: failed.error ?? 'different' });
    this.attempts = attempts;
    this.adapter = adapter;
  }
}

/**
 * Opens a device that has proved itself, tried in the order of `choices`. Keeps one small session on it for as long as it lives: see `engine-ort-web.ts`.
 * Rejects with `engine/no-webgpu`, `engine/self-test-failed` (a SelfTestFailure), `engine/device-lost`.
 */
export async function trustedGpu(ort: OrtRuntime, choices: readonly SubgroupChoice[] = SUBGROUP_CHOICES): Promise<TrustedGpu> {
  const attempts: SelfTestAttempt[] = [];
  for (const [tried, choice] of choices.entries()) {
    const gpu = await openGpuDevice(choice);
    const engine = ort.webgpuEngine(gpu);
    try {
      const tests = await selfTests(gpu, engine);
      const failed = tests.find((result) => refuses(result, gpu));
      attempts.push({ features: gpu.features, tests, trusted: failed === undefined });
      if (failed === undefined) {
        const { kernel, result } = await picturesTest(gpu, engine);
        attempts.push({ ...attempts.pop()!, tests: [...tests, result] });
        return { gpu, engine: { ...engine, device: { ...engine.device!, patches: kernel } }, choice, attempts };
      }
      await engine.dispose();
      gpu.close();
      if (!hasSubgroups(gpu) || tried === choices.length - 1) throw new SelfTestFailure(failed, attempts, gpu.adapter);
    } catch (thrown) {
      gpu.close();
      throw thrown;
    }
  }
  throw new Error('a device without subgroups still has them');
}

/** The results, up to the first that refuses the device. */
async function selfTests(gpu: GpuHandle, engine: Engine): Promise<readonly SelfTestResult[]> {
  const loop = await loopVariableTest(gpu.device);
  if (refuses(loop, gpu)) return [loop];
  const attended = await attentionTest(engine);
  if (refuses(attended, gpu)) return [loop, attended];
  return [loop, attended, await matmulTest(engine)];
}

function refuses(result: SelfTestResult, gpu: GpuHandle): boolean {
  return !result.passed && (result.test !== 'wgsl-loop-variable' || hasSubgroups(gpu));
}

function hasSubgroups(gpu: GpuHandle): boolean {
  return gpu.features.includes('subgroups');
}

/** A variable declared in a loop starts at zero on each turn: 1 1 1 1. The fault gives 1 2 3 4. Run on the device itself. */
async function loopVariableTest(device: GPUDevice): Promise<SelfTestResult> {
  const module = device.createShaderModule({
    label: 'self-test: loop variable',
    // The step comes from a buffer, or the compiler would unroll the loop and hide the fault.
    code: `
      @group(0) @binding(0) var<uniform> step: u32;
      @group(0) @binding(1) var<storage, read_write> found: array<f32, 4>;
      @compute @workgroup_size(1) fn main() {
        for (var k = 0u; k < 4u; k += step) {
          var fresh: f32;
          fresh += 1.0;
          found[k] = fresh;
        }
      }`,
  });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const step = device.createBuffer({ size: 4, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  const found = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  try {
    device.queue.writeBuffer(step, 0, new Uint32Array([1]));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: step } }, { binding: 1, resource: { buffer: found } }] }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(found, 0, read, 0, 16);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    const values = [...new Float32Array(read.getMappedRange())];
    return { test: 'wgsl-loop-variable', passed: values.every((value) => value === 1), error: null };
  } finally {
    for (const buffer of [step, found, read]) buffer.destroy();
  }
}

/** onnxruntime's fused attention against our own loops. */
export async function attentionTest(engine: Engine): Promise<SelfTestResult> {
  const { queries, keys, heads, headSize } = ATTENTION;
  const width = heads * headSize;
  const feeds = { query: randomTensor(1, [1, queries, width]), key: randomTensor(2, [1, keys, width]), value: randomTensor(3, [1, keys, width]) };
  const graph = new GraphBuilder('self-test-attention');
  const [query, key, value] = [graph.input('query', 'float32', feeds.query.dims), graph.input('key', 'float32', feeds.key.dims), graph.input('value', 'float32', feeds.value.dims)];
  graph.output('attended', attention(graph, query, key, value, heads, null));
  const session = await engine.createSession({ name: 'self-test-attention', model: graph.build(), weights: [] });
  const { attended } = await session.run(feeds, { attended: 'host' });
  await session.dispose();
  return judged('attention', attended, attentionReference({ query: feeds.query.data, key: feeds.key.data, value: feeds.value.data, ...ATTENTION }));
}

/** Leaves its session open: the one that keeps the provider's context of this device alive. */
async function matmulTest(engine: Engine): Promise<SelfTestResult> {
  const { rows, depth, columns } = MATMUL;
  const feeds = { left: randomTensor(4, [1, rows, depth]), right: randomTensor(5, [depth, columns]) };
  const graph = new GraphBuilder('self-test-matmul');
  graph.output('product', matMul(graph, graph.input('left', 'float32', feeds.left.dims), graph.input('right', 'float32', feeds.right.dims)));
  const session = await engine.createSession({ name: 'self-test-matmul', model: graph.build(), weights: [] });
  const { product } = await session.run(feeds, { product: 'host' });
  return judged('matmul', product, matmulReference(feeds.left.data, feeds.right.data, rows, depth, columns));
}

/** Both go up and down in size, neither side a whole number of tiles; one has a byte a channel too few for whole words. */
const PICTURES = [
  { width: 101, height: 67, channels: 3 },
  { width: 33, height: 47, channels: 4 },
] as const;
const PICTURE_FORM = { side: 64, patch: 16 } as const;

/**
 * Our own kernel that makes pictures ready, against the CPU's. It does not decide about the device: where it is off by anything
 * that can be seen, or does not run at all, pictures are made ready on the CPU.
 */
export async function picturesTest(gpu: GpuHandle, engine: Engine): Promise<{ readonly kernel: PatchKernel | null; readonly result: SelfTestResult }> {
  const { side, patch } = PICTURE_FORM;
  const place = engine.device!.place('float32', [1, (side / patch) ** 2, 3 * patch * patch]);
  try {
    const kernel = await pictureKernel(gpu.device);
    let error = 0;
    for (const [seed, { width, height, channels }] of PICTURES.entries()) {
      const random = seededRandom(seed + 6);
      const picture = { width, height, channels, data: Uint8Array.from({ length: width * height * channels }, () => random.index(256)) };
      kernel(picture, PICTURE_FORM, place);
      const { data } = await place.read();
      error = Math.max(error, relativeError(data as Float32Array, Float64Array.from(patchify(letterbox(picture, { width: side, height: side }), side, patch))));
    }
    const passed = error <= SELF_TEST_TOLERANCE && gpu.takeUncapturedError() === null;
    return { kernel: passed ? kernel : null, result: { test: 'pictures', passed, error } };
  } catch {
    const lost = gpu.lostFailure();
    if (lost !== null) throw lost;
    return { kernel: null, result: { test: 'pictures', passed: false, error: Number.POSITIVE_INFINITY } };
  } finally {
    place.dispose();
  }
}

function randomTensor(seed: number, dims: readonly number[]): HostTensor & { readonly data: Float32Array } {
  const random = seededRandom(seed);
  const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i++) data[i] = random.normal();
  return { type: 'float32', dims, data };
}

function judged(test: SelfTestResult['test'], found: HostTensor, expected: Float64Array): SelfTestResult {
  const error = found.type === 'float32' ? relativeError(found.data, expected) : Number.POSITIVE_INFINITY;
  return { test, passed: error <= SELF_TEST_TOLERANCE, error };
}

/** Largest absolute difference over the largest expected magnitude; infinite for a wrong length or a number that is none. */
export function relativeError(found: Float32Array, expected: Float64Array): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    const wanted = expected[i] as number;
    const gap = Math.abs((found[i] as number) - wanted);
    if (!Number.isFinite(gap)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, gap);
    magnitude = Math.max(magnitude, Math.abs(wanted));
  }
  return difference / magnitude;
}
