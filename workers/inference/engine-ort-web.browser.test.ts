/** The Engine contract on the real runtime: same answers on both providers, and every way to fail told by its code. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Engine, EngineSession, GraphFile, HostTensor } from '#contracts/engine.ts';
import type { FailureError } from '#core/lib/failure.ts';
import { GraphBuilder } from '#core/onnx/graph.ts';
import { add, matMul } from '#core/onnx/ops.ts';
import { availableThreads, loadOrt, type OrtRuntime } from './engine-ort-web.ts';
import { openGpuDevice, type GpuHandle } from './gpu-device.ts';
import { countDispatches } from './testing/count-dispatches.ts';

const SIZE = 8;

/** y = x w + x, with w [8, 8] in a file of its own: w[i][j] = i - j. */
function graph(): GraphFile {
  const weights = new Float32Array(SIZE * SIZE);
  for (let i = 0; i < SIZE; i++) for (let j = 0; j < SIZE; j++) weights[i * SIZE + j] = i - j;
  const g = new GraphBuilder('test');
  const x = g.input('x', 'float32', [1, SIZE]);
  const w = g.external({ name: 'w', shape: [SIZE, SIZE], file: 'test.bin', offset: 64, length: weights.byteLength });
  g.output('y', add(g, matMul(g, x, w), x));
  const file = new Uint8Array(64 + weights.byteLength);
  file.set(new Uint8Array(weights.buffer), 64);
  return { name: 'test', model: g.build(), weights: [{ path: 'test.bin', data: new Blob([file]) }] };
}

const input: HostTensor = { type: 'float32', dims: [1, SIZE], data: Float32Array.from({ length: SIZE }, (_, i) => i + 1) };

function expected(x: readonly number[]): number[] {
  return x.map((own, j) => own + x.reduce((sum, value, i) => sum + value * (i - j), 0));
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  const thrown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  return (thrown as FailureError | null)?.failure;
}

let ort: OrtRuntime;
beforeAll(async () => {
  ort = await loadOrt({ build: 'jspi', threads: availableThreads() });
});

test('the download is counted, threads follow the isolation', async () => {
  const seen: number[] = [];
  const plain = await loadOrt({ build: 'wasm', threads: availableThreads(), onBytes: (done) => seen.push(done) });
  expect(plain.threads).toBe(Math.min(navigator.hardwareConcurrency, 8));
  expect(plain.threads).toBeGreaterThan(1);
  expect(seen.length).toBeGreaterThan(1);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  expect(seen.at(-1)).toBeGreaterThan(10_000_000);
  const session = await plain.wasmEngine().createSession(graph());
  expect([...(await session.run({ x: input }, { y: 'host' })).y.data]).toEqual(expected([1, 2, 3, 4, 5, 6, 7, 8]));
  expect(() => plain.webgpuEngine(undefined as never)).toThrow('engine/unavailable');
});

describe.each(['wasm', 'webgpu'] as const)('%s', (provider) => {
  let engine: Engine;
  let gpu: GpuHandle | null = null;
  let session: EngineSession;
  beforeAll(async () => {
    gpu = provider === 'webgpu' ? await openGpuDevice('without-subgroups') : null;
    engine = gpu === null ? ort.wasmEngine() : ort.webgpuEngine(gpu);
    session = await engine.createSession(graph());
  });

  test('computes, and tensors that stay in the engine feed the next run', async () => {
    expect(engine.provider).toBe(provider);
    const count = gpu === null ? null : countDispatches(gpu.device);
    const first = await session.run({ x: input }, { y: 'engine' });
    expect(first.y.dims).toEqual([1, SIZE]);
    const second = await session.run({ x: first.y }, { y: 'host' });
    count?.stop();
    const once = expected([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...second.y.data]).toEqual(expected(once));
    // MatMul and Add become one Gemm: at least one dispatch a run, or nothing ran on the device.
    if (count !== null) expect(count.dispatches()).toBeGreaterThanOrEqual(2);
    first.y.dispose();
    first.y.dispose();
    expect(await failureOf(session.run({ x: first.y }, { y: 'host' }))).toMatchObject({ code: 'engine/session-failed', facts: { graph: 'test' } });
  });

  test('sessions asked for at once are made one after another, runs too', async () => {
    const sessions = await Promise.all([engine.createSession(graph()), engine.createSession(graph()), engine.createSession(graph())]);
    const runs = await Promise.all(sessions.flatMap((each) => [each.run({ x: input }, { y: 'host' }), each.run({ x: input }, { y: 'host' })]));
    for (const run of runs) expect([...run.y.data]).toEqual(expected([1, 2, 3, 4, 5, 6, 7, 8]));
    await Promise.all(sessions.map((each) => each.dispose()));
    expect(await failureOf(sessions[0]?.run({ x: input }, { y: 'host' }) ?? Promise.resolve())).toMatchObject({ code: 'engine/session-failed' });
  });

  test('a broken graph and a missing input say which graph, and leave the engine working', async () => {
    const broken = { ...graph(), name: 'broken', model: new Uint8Array([1, 2, 3]) };
    expect(await failureOf(engine.createSession(broken))).toMatchObject({ code: 'engine/session-failed', facts: { graph: 'broken' } });
    const noWeights = { ...graph(), name: 'no-weights', weights: [] };
    expect(await failureOf(engine.createSession(noWeights))).toMatchObject({ code: 'engine/session-failed', facts: { graph: 'no-weights' } });
    expect(await failureOf(session.run({}, { y: 'host' }))).toMatchObject({ code: 'engine/session-failed', facts: { graph: 'test' } });
    expect([...(await session.run({ x: input }, { y: 'host' })).y.data]).toEqual(expected([1, 2, 3, 4, 5, 6, 7, 8]));
  });
});

test('a lost device fails what is in flight and everything after, and the other provider goes on', async () => {
  const gpu = await openGpuDevice('without-subgroups');
  const engine = ort.webgpuEngine(gpu);
  const session = await engine.createSession(graph());
  await session.run({ x: input }, { y: 'host' });
  const inFlight = failureOf(Promise.all(Array.from({ length: 50 }, () => session.run({ x: input }, { y: 'host' }))));
  gpu.device.destroy();
  expect(await inFlight).toMatchObject({ code: 'engine/device-lost', facts: { reason: 'destroyed' } });
  expect(await failureOf(session.run({ x: input }, { y: 'host' }))).toMatchObject({ code: 'engine/device-lost' });
  expect(await failureOf(engine.createSession(graph()))).toMatchObject({ code: 'engine/device-lost' });
  await session.dispose();
  const cpu = await ort.wasmEngine().createSession(graph());
  expect([...(await cpu.run({ x: input }, { y: 'host' })).y.data]).toEqual(expected([1, 2, 3, 4, 5, 6, 7, 8]));
});

test.each(['plain', 'recorded'] as const)('in fixed places, %s: what is written next is what is computed with, and one session reads what another wrote', async (manner) => {
  const gpu = await openGpuDevice('without-subgroups');
  const engine = ort.webgpuEngine(gpu);
  const anchor = await engine.createSession(graph());
  const device = engine.device!;
  expect(device.kind).toBe('software');
  const x = device.place('float32', [1, SIZE]);
  const first = await device.createBound(graph(), { x }, manner);
  const second = await device.createBound(graph(), { x: first.outputs['y']! }, manner);
  const table = device.place('float32', [2, SIZE]);
  table.write(Float32Array.from({ length: 2 * SIZE }, (_, i) => i));
  for (let round = 0; round < 4; round++) {
    const values = Array.from({ length: SIZE }, (_, i) => i + round);
    if (round % 2 === 0) x.write(Float32Array.from(values));
    else device.copy([{ from: table, row: 1, to: x }]);
    await first.run();
    await second.run();
    const once = expected(round % 2 === 0 ? values : Array.from({ length: SIZE }, (_, i) => SIZE + i));
    expect([...(await first.outputs['y']!.read()).data]).toEqual(once);
    expect([...(await second.outputs['y']!.read()).data]).toEqual(expected(once));
  }
  await second.dispose();
  await first.dispose();
  expect(await failureOf(first.run())).toMatchObject({ code: 'engine/session-failed', facts: { graph: 'test' } });
  expect(await failureOf(first.outputs['y']!.read())).toMatchObject({ code: 'engine/session-failed' });
  expect(() => x.write(new Float32Array(3))).toThrow('3 numbers for a place of 8');
  expect([...(await anchor.run({ x: input }, { y: 'host' })).y.data]).toEqual(expected([1, 2, 3, 4, 5, 6, 7, 8]));
  const third = await device.createBound(graph(), { x }, manner);
  await third.run();
  gpu.device.destroy();
  await gpu.device.lost;
  expect(await failureOf(third.run())).toMatchObject({ code: 'engine/device-lost' });
  expect(await failureOf(third.outputs['y']!.read())).toMatchObject({ code: 'engine/device-lost' });
  await third.dispose();
});

test('while one session is open, sessions come and go on its device', async () => {
  const gpu = await openGpuDevice('without-subgroups');
  const engine = ort.webgpuEngine(gpu);
  const anchor = await engine.createSession(graph());
  for (let round = 0; round < 3; round++) {
    const session = await engine.createSession(graph());
    expect([...(await session.run({ x: input }, { y: 'host' })).y.data]).toEqual(expected([1, 2, 3, 4, 5, 6, 7, 8]));
    await session.dispose();
  }
  expect([...(await anchor.run({ x: input }, { y: 'host' })).y.data]).toEqual(expected([1, 2, 3, 4, 5, 6, 7, 8]));
});
