/**
 * The most this machine can be seen to do: one large matrix product, one large copy. Knows nothing of a policy. A ceiling
 * is a measurement like any other, not the figure of a data sheet: the best of a few runs, sizes grown until a run takes
 * long enough to be timed.
 *
 * The GPU's product is done twice, by onnxruntime and by a kernel of our own (64 x 64 tiles, 4 x 4 sums a thread), because
 * the better of two is the truer ceiling; the own one is checked against sums on the CPU before its time counts.
 */
import type { BenchCeilings } from '#contracts/bench.ts';
import type { Engine } from '#contracts/engine.ts';
import { FailureError } from '#core/lib/failure.ts';
import { seededRandom } from '#core/lib/random.ts';
import { GraphBuilder } from '#core/onnx/graph.ts';
import { matMul } from '#core/onnx/ops.ts';

const RUNS = 4;
/** A run this long is far above the clock's 0.1 ms and what a submit costs. */
const LONG_ENOUGH_MS = 25;
const MATMUL = { least: 256, most: 4096 } as const;
const COPY = { least: 4 << 20, most: 256 << 20 } as const;
/** Of what a product of two unit-variance rows may be off by, relative to 1. */
const TOLERANCE = 1e-3;

export async function measureCeilings(engine: Engine, device: GPUDevice | null): Promise<BenchCeilings> {
  const matmul = await growing(MATMUL, 2, (size) => runtimeMatmulMs(engine, device, size));
  const copy = device === null ? await growing(COPY, 4, cpuCopyMs) : await growing({ least: COPY.least, most: Math.min(COPY.most, device.limits.maxBufferSize) }, 4, (bytes) => gpuCopyMs(device, bytes));
  const gflop = (2 * matmul.size ** 3) / 1e9;
  return {
    matmulSize: matmul.size,
    runtimeGflops: gflop / (matmul.ms / 1000),
    ownGflops: device === null ? null : gflop / ((await ownMatmulMs(device, matmul.size)) / 1000),
    copyBytes: copy.size,
    copyGbps: (2 * copy.size) / 1e9 / (copy.ms / 1000),
  };
}

/** The first size that takes long enough, or the largest. */
async function growing(range: { readonly least: number; readonly most: number }, factor: number, measure: (size: number) => Promise<number>): Promise<{ readonly size: number; readonly ms: number }> {
  for (let size = range.least; ; size *= factor) {
    const ms = await measure(size);
    if (ms >= LONG_ENOUGH_MS || size * factor > range.most) return { size, ms };
  }
}

async function best(run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    const fromMs = performance.now();
    await run();
    // The first one compiles and allocates.
    if (i > 0) least = Math.min(least, performance.now() - fromMs);
  }
  return least;
}

/** Entries of standard deviation 1 / sqrt(size): a product of two such matrices is again one. */
function matrix(seed: number, size: number): Float32Array<ArrayBuffer> {
  const random = seededRandom(seed);
  const scale = Math.sqrt(3 / size);
  return Float32Array.from({ length: size * size }, () => random.between(-scale, scale));
}

async function runtimeMatmulMs(engine: Engine, device: GPUDevice | null, size: number): Promise<number> {
  const graph = new GraphBuilder('ceiling');
  const left = graph.input('left', 'float32', [size, size]);
  const right = graph.external({ name: 'right', shape: [size, size], file: 'ceiling', offset: 0, length: size * size * 4 });
  graph.output('product', matMul(graph, left, right));
  const weights = [{ path: 'ceiling', data: new Uint8Array(matrix(2, size).buffer) }];
  const session = await engine.createSession({ name: 'ceiling', model: graph.build(), weights });
  try {
    // The left side is a product itself, so that it lies where the engine computes and no upload is timed.
    let last = (await session.run({ left: { type: 'float32', dims: [size, size], data: matrix(1, size) } }, { product: 'engine' })).product;
    const ms = await best(async () => {
      const next = (await session.run({ left: last }, { product: 'engine' })).product;
      await device?.queue.onSubmittedWorkDone();
      last.dispose();
      last = next;
    });
    last.dispose();
    return ms;
  } finally {
    await session.dispose();
  }
}

function cpuCopyMs(bytes: number): Promise<number> {
  const from = new Uint8Array(bytes).fill(1);
  const to = new Uint8Array(bytes);
  return best(async () => to.set(from));
}

async function gpuCopyMs(device: GPUDevice, bytes: number): Promise<number> {
  const from = device.createBuffer({ size: bytes, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
  const to = device.createBuffer({ size: bytes, usage: GPUBufferUsage.COPY_DST });
  try {
    // Memory that nobody has written may be no memory yet, and quick to copy.
    const clearing = device.createCommandEncoder();
    clearing.clearBuffer(from);
    device.queue.submit([clearing.finish()]);
    return await best(async () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
    });
  } finally {
    from.destroy();
    to.destroy();
  }
}

const OWN_MATMUL = `
  @group(0) @binding(0) var<storage, read> left: array<f32>;
  @group(0) @binding(1) var<storage, read> right: array<vec4<f32>>;
  @group(0) @binding(2) var<storage, read_write> product: array<vec4<f32>>;
  @group(0) @binding(3) var<uniform> size: u32;
  // 16 columns of the left tile, turned, and 16 rows of the right one.
  var<workgroup> a: array<array<f32, 64>, 16>;
  var<workgroup> b: array<array<vec4<f32>, 16>, 16>;

  @compute @workgroup_size(16, 16) fn main(@builtin(workgroup_id) tile: vec3<u32>, @builtin(local_invocation_id) at: vec3<u32>, @builtin(local_invocation_index) i: u32) {
    var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
    for (var k = 0u; k < size; k += 16u) {
      for (var j = 0u; j < 4u; j++) {
        let e = i + 256u * j;
        a[e % 16u][e / 16u] = left[(64u * tile.y + e / 16u) * size + k + e % 16u];
      }
      b[i / 16u][i % 16u] = right[((k + i / 16u) * size + 64u * tile.x) / 4u + i % 16u];
      workgroupBarrier();
      for (var c = 0u; c < 16u; c++) {
        let row = b[c][at.x];
        s0 += a[c][4u * at.y] * row;
        s1 += a[c][4u * at.y + 1u] * row;
        s2 += a[c][4u * at.y + 2u] * row;
        s3 += a[c][4u * at.y + 3u] * row;
      }
      workgroupBarrier();
    }
    let out = ((64u * tile.y + 4u * at.y) * size + 64u * tile.x) / 4u + at.x;
    product[out] = s0;
    product[out + size / 4u] = s1;
    product[out + size / 2u] = s2;
    product[out + 3u * size / 4u] = s3;
  }`;

/** `size` is a multiple of 64. Rejects with `engine/self-test-failed` when the product is not right. */
async function ownMatmulMs(device: GPUDevice, size: number): Promise<number> {
  const bytes = size * size * 4;
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module: device.createShaderModule({ label: 'ceiling', code: OWN_MATMUL }) } });
  const buffer = (length: number, usage: number): GPUBuffer => device.createBuffer({ size: length, usage });
  const [left, right] = [matrix(1, size), matrix(2, size)];
  const buffers = [buffer(bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST), buffer(bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST), buffer(bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC), buffer(16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST)];
  const row = buffer(size * 4, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  try {
    device.queue.writeBuffer(buffers[0]!, 0, left);
    device.queue.writeBuffer(buffers[1]!, 0, right);
    device.queue.writeBuffer(buffers[3]!, 0, new Uint32Array([size]));
    const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: buffers.map((one, binding) => ({ binding, resource: { buffer: one } })) });
    const ms = await best(async () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(size / 64, size / 64);
      pass.end();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
    });
    // A row in the middle of a tile, against sums in float64.
    const checked = Math.floor(size / 2) + 5;
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffers[2]!, checked * size * 4, row, 0, size * 4);
    device.queue.submit([encoder.finish()]);
    await row.mapAsync(GPUMapMode.READ);
    const found = new Float32Array(row.getMappedRange());
    for (let column = 0; column < size; column++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += left[checked * size + k]! * right[k * size + column]!;
      const off = Math.abs(found[column]! - sum) * Math.sqrt(size);
      if (!(off <= TOLERANCE)) throw new FailureError('engine/self-test-failed', { test: 'matmul', expected: TOLERANCE, found: off });
    }
    return ms;
  } finally {
    for (const one of [...buffers, row]) one.destroy();
  }
}
