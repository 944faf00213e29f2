/**
 * The kernels that see on a CPU, on real threads, against the plain reference: a tower of SmolVLA's proportions in small. And
 * that nothing passes for them: the page is isolated, the browser has relaxed SIMD, a tower that does not fit is left to the graph.
 */
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ColumnWeights, TowerShape, TowerWeights } from '#contracts/engine.ts';
import { DOT_FORMS, kernelFunctions, TILE, type Kernels } from '#core/eyes/kernels.ts';
import { fillMatrix } from '#core/eyes/fill.ts';
import { misfit } from '#core/eyes/layout.ts';
import { instantiate, kernelModule, kernelsHold, quickestModule } from '#core/eyes/module.ts';
import { seeSlowly } from '#core/eyes/reference.ts';
import { kernel, writeModule } from '#core/eyes/wasm.ts';
import { normalNoise } from '#core/lib/random.ts';
import { ortEngine, type Ort } from '../ort-engine.ts';
import { turnTaking } from '../turn-taking.ts';
import { eyesOf, type Eyes } from './eyes.ts';

/** 144 patches are blocks of 50, 50 and 44 rows: five at a time, two and one. */
const SHAPE: TowerShape = { patches: 144, patch: 48, hidden: 64, heads: 2, layers: 3, feedForward: 160, shuffle: 2, out: 40, epsilon: 1e-6 };

function randomWeights({ patches, patch, hidden, feedForward, shuffle, out }: TowerShape): TowerWeights {
  const sizes: Readonly<Record<string, readonly [number, number]>> = { patch: [patch, hidden], qkv: [hidden, 3 * hidden], out: [hidden, hidden], fc1: [hidden, feedForward], fc2: [feedForward, hidden], connector: [shuffle ** 2 * hidden, out] };
  const seed = (name: string): number => [...name].reduce((sum, letter) => (31 * sum + letter.charCodeAt(0)) % 1_000_003, 7);
  const sizeOf = (name: string): readonly [number, number] => sizes[name.split('.').at(-1)!]!;
  return {
    matrix: async (name): Promise<ColumnWeights> => {
      const [k, n] = sizeOf(name);
      const codes = Int8Array.from(normalNoise(seed(name), k * n), (value) => Math.max(-127, Math.min(127, Math.round(40 * value))));
      return { codes, scales: normalNoise(seed(`${name} scales`), n).map((value) => (1 + 0.2 * Math.abs(value)) / (40 * Math.sqrt(k))) };
    },
    vector: async (name) => {
      if (name === 'position') return normalNoise(seed(name), patches * hidden).map((value) => value / 2);
      if (name.endsWith('.scale')) return normalNoise(seed(name), hidden).map((value) => 1 + value / 10);
      const length = /norm\d?\.bias$/.test(name) ? hidden : sizeOf(name.replace('.bias', ''))[1];
      return normalNoise(seed(name), length).map((value) => value / 10);
    },
  };
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

async function kernelsOpen(threads: number, shape = SHAPE): Promise<Eyes> {
  const eyes = await eyesOf(threads, 1)({ shape, weights: randomWeights(shape) });
  if (eyes.kind === 'graph') throw new Error(`left to the graph: ${eyes.reason}`);
  return eyes;
}

const patches = normalNoise(11, SHAPE.patches * SHAPE.patch).map((value) => Math.max(-1, Math.min(1, value / 2)));

afterEach(() => vi.unstubAllGlobals());

test('this browser has what they need', async () => {
  expect(crossOriginIsolated).toBe(true);
  for (const form of DOT_FORMS) {
    expect(WebAssembly.validate(kernelModule(form)), form).toBe(true);
    expect(kernelsHold(await WebAssembly.compile(kernelModule(form))), form).toBe(true);
  }
});

test('of two forms that hold the one that takes less time is chosen', async () => {
  const compile = vi.spyOn(WebAssembly, 'compile');
  // A clock that goes ten times as fast while the first form is timed.
  const chosen = await quickestModule({ nowMs: () => performance.now() * (compile.mock.calls.length === 1 ? 10 : 1) });
  const [first, second] = await Promise.all(compile.mock.results.map(({ value }) => value as Promise<WebAssembly.Module>));
  compile.mockRestore();
  expect(first).not.toBe(second);
  expect(chosen).toBe(second);
});

describe.each([1, 2, 3])('%s threads', (threads) => {
  let exact: Float32Array;
  beforeAll(async () => {
    exact = await seeSlowly(SHAPE, randomWeights(SHAPE), patches);
  });

  /** Rounding to 7 bits costs 0.00030 of the cosine here, in layers of 64; a head or a row at the wrong place costs tenths. */
  test('see what the reference sees, to the bit the same when asked again, and another picture otherwise', async () => {
    const eyes = await kernelsOpen(threads);
    try {
      expect(eyes.threads).toBe(threads);
      const found = await eyes.see(patches);
      expect(found.length).toBe(exact.length);
      expect(cosineOf(found, exact)).toBeGreaterThan(0.9996);
      expect(await eyes.see(patches)).toEqual(found);
      expect(cosineOf(await eyes.see(patches.map((value) => -value)), exact)).toBeLessThan(0.9);
      expect(await eyes.see(patches)).toEqual(found);
    } finally {
      eyes.dispose();
    }
  });
});

test('left to the graph, and why: no whole tiles, too few patches, a browser without relaxed SIMD, a page that is not isolated', async () => {
  const shape = { ...SHAPE, patches: 36 };
  expect(misfit(shape)).toBe('patches 36 is no multiple of 16');
  expect(await eyesOf(1, 1)({ shape, weights: randomWeights(shape) })).toEqual({ kind: 'graph', reason: 'sizes' });
  const tower = { shape: SHAPE, weights: randomWeights(SHAPE) };
  expect(await eyesOf(1)(tower)).toEqual({ kind: 'graph', reason: 'sizes' });
  vi.spyOn(WebAssembly, 'validate').mockReturnValueOnce(false);
  expect(await eyesOf(1, 1)(tower)).toEqual({ kind: 'graph', reason: 'browser' });
  vi.stubGlobal('crossOriginIsolated', false);
  expect(await eyesOf(1, 1)(tower)).toEqual({ kind: 'graph', reason: 'isolation' });
});

test('a product that forgets a digit does not hold', async () => {
  const spoiled = kernelFunctions('one').map((one) => (one.name === 'product' ? kernel('product', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], () => undefined) : one));
  expect(kernelsHold(await WebAssembly.compile(writeModule(spoiled)))).toBe(false);
});

test('what a thread throws, the look and every later one reject with', async () => {
  const real = Worker;
  const eyes = await (async () => {
    let made = 0;
    // The second of two threads begins well and fails when it is asked to look.
    vi.stubGlobal('Worker', function (address: URL, options: WorkerOptions) {
      return new real(made++ === 0 ? address : new URL('./testing/failing-eyes-thread.ts', import.meta.url), options);
    });
    return kernelsOpen(2);
  })();
  const failure = { failure: { code: 'engine/session-failed', facts: { graph: 'vision', message: expect.stringContaining('no more') } } };
  await expect(eyes.see(patches)).rejects.toMatchObject(failure);
  await expect(eyes.see(patches)).rejects.toMatchObject(failure);
  await expect(eyes.see(patches.subarray(1))).rejects.toMatchObject(failure);
});

test('a session that is let go of while it looks answers first', async () => {
  const engine = ortEngine({} as Ort, turnTaking(), null, eyesOf(2, 1));
  const session = await engine.createSession({ name: 'vision', model: new Uint8Array(), weights: [], tower: { shape: SHAPE, weights: randomWeights(SHAPE) } });
  expect(session.eyes).toEqual({ kind: 'kernels', threads: 2 });
  const looking = session.run({ patches: { type: 'float32', dims: [1, SHAPE.patches, SHAPE.patch], data: patches } }, { tokens: 'host' });
  await engine.dispose();
  const { tokens } = await looking;
  expect(tokens.dims).toEqual([1, 36, SHAPE.out]);
  expect(tokens.data.length).toBe(36 * SHAPE.out);
});

/** What a byte cannot say must not be lost: a policy whose weights went wrong is told by its plan, not played. */
test.each(['2.fc2.bias', '1.qkv.bias', '0.norm1.scale', 'position'])('a number that is none in %s comes out as none', async (spoiled) => {
  for (const none of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const right = randomWeights(SHAPE);
    // A key's for `qkv`: it reaches no sum of the rows by itself.
    const weights = { ...right, vector: async (name: string) => right.vector(name).then((values) => (name === spoiled ? values.with(name === '1.qkv.bias' ? SHAPE.hidden + 5 : 5, none) : values)) };
    const eyes = await eyesOf(2, 1)({ shape: SHAPE, weights });
    if (eyes.kind === 'graph') throw new Error(eyes.reason);
    expect((await eyes.see(patches)).every(Number.isFinite)).toBe(false);
    eyes.dispose();
  }
});

test('values that are none, and a picture that holds one, come out as none', async () => {
  const right = randomWeights(SHAPE);
  const weights = { ...right, vector: async (name: string) => right.vector(name).then((values) => (name === '1.qkv.bias' ? values.with(2 * SHAPE.hidden + 5, Number.NaN) : values)) };
  for (const [tower, picture] of [[weights, patches], [right, patches.with(77, Number.NaN)]] as const) {
    const eyes = await eyesOf(2, 1)({ shape: SHAPE, weights: tower });
    if (eyes.kind === 'graph') throw new Error(eyes.reason);
    expect((await eyes.see(picture)).every(Number.isFinite)).toBe(false);
    eyes.dispose();
  }
});

test('a picture of another size is refused', async () => {
  const eyes = await kernelsOpen(1);
  await expect(eyes.see(patches.subarray(1))).rejects.toMatchObject({ failure: { code: 'internal', facts: { message: '6911 numbers for 6912 of patches' } } });
  eyes.dispose();
});

describe.each(DOT_FORMS)('kernels by themselves, a dot product as %s instruction(s)', (form) => {
  let kernels: Kernels;
  let memory: WebAssembly.Memory;
  beforeAll(async () => {
    memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
    kernels = instantiate(await WebAssembly.compile(kernelModule(form)), memory);
  });
  const floatsAt = (at: number, count: number): Float32Array => new Float32Array(memory.buffer, at, count);

  test.each([1, 2, 3, 4, 5, 6, 7, 11])('a product of %s rows, to the last digit of whole numbers; what lies behind it stays', (rows) => {
    const [k, n] = [48, 3 * TILE];
    const bytes = new Uint8Array(memory.buffer, 0, rows * k).map((_, i) => (i * 31) % 128);
    new Uint8Array(memory.buffer, 0, rows * k).set(bytes);
    const facts = floatsAt(4096, 2 * rows);
    for (let r = 0; r < rows; r++) facts.set([0.5 * (1 + (r % 3)), r - 2], 2 * r);
    const codes = Int8Array.from({ length: k * n }, (_, i) => ((i * 53) % 255) - 127);
    const [scales, bias] = [new Float32Array(n).map((_, i) => 1 + (i % 3)), new Float32Array(n).map((_, i) => -i)];
    fillMatrix(memory.buffer, { codes: 8192, facts: 16384, k, n }, { codes, scales }, bias);
    const out = floatsAt(32768, rows * n + 4);
    out.fill(7);
    kernels.product(0, 4096, 8192, 16384, 32768, rows, k, n / TILE, 4 * n);
    const expected = Array.from({ length: rows * n }, (_, i) => {
      const [r, column] = [Math.floor(i / n), i % n];
      let sum = 0;
      for (let j = 0; j < k; j++) sum += (facts[2 * r + 1]! + facts[2 * r]! * bytes[r * k + j]!) * codes[j * n + column]!;
      return scales[column]! * sum + bias[column]!;
    });
    expect([...out.subarray(0, rows * n)]).toEqual(expected);
    expect([...out.subarray(rows * n)]).toEqual([7, 7, 7, 7]);
    kernels.productAdded(0, 4096, 8192, 16384, 32768, rows, k, n / TILE, 4 * n);
    expect([...out.subarray(0, rows * n)]).toEqual(expected.map((value) => 2 * value));
  });

  test('gelu from -20 to 20, within 3e-7 of 1 + |x|', () => {
    const x = Array.from({ length: 4000 }, (_, i) => Math.fround(i / 100 - 20));
    floatsAt(0, 4000).set(x);
    kernels.gelu(0, 4000);
    const found = floatsAt(0, 4000);
    for (const [i, value] of x.entries()) {
      const expected = (value / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)));
      expect(Math.abs(found[i]! - expected) / (1 + Math.abs(value)), `gelu(${value})`).toBeLessThan(3e-7);
    }
  });

  test('a norm of two rows, within 1e-6 of rows around 1', () => {
    const width = 48;
    const x = normalNoise(5, 2 * width).map((value, i) => 3 * value + (i < width ? 100 : -2));
    const [scale, bias] = [normalNoise(6, width), normalNoise(7, width)];
    for (const [at, values] of [[0, x], [1024, scale], [2048, bias]] as const) floatsAt(at, values.length).set(values);
    kernels.norm(0, 2, width, 1024, 2048, 4096, 1e-6);
    for (const [i, found] of floatsAt(4096, 2 * width).entries()) {
      const row = [...x.subarray(i - (i % width), i - (i % width) + width)];
      const mean = row.reduce((a, b) => a + b) / width;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
      // Around 100 a float32 has lost 7.6e-6 before anything is computed, and a mean is no nearer.
      expect(Math.abs(found - (((x[i]! - mean) / Math.sqrt(variance + 1e-6)) * scale[i % width]! + bias[i % width]!))).toBeLessThan(i < width ? 3e-5 : 1e-6);
    }
  });

  test('a row of one number, of nothing but zeros, and the largest differences: rounded, and never a number that is none', () => {
    const rows = [Array.from({ length: 16 }, () => 0), Array.from({ length: 16 }, () => -3.5), Array.from({ length: 16 }, (_, i) => (i - 8) * 1e30), Array.from({ length: 16 }, (_, i) => i * 1e-30)];
    floatsAt(0, 64).set(rows.flat());
    kernels.round(0, 64, 4, 16, 1024, 2048);
    const [codes, facts] = [new Uint8Array(memory.buffer, 1024, 64), floatsAt(2048, 8)];
    for (const [i, value] of rows.flat().entries()) {
      const [step, least] = [facts[2 * Math.floor(i / 16)]!, facts[2 * Math.floor(i / 16) + 1]!];
      expect(codes[i]).toBeLessThanOrEqual(127);
      expect(Math.abs(least + step * codes[i]! - value)).toBeLessThanOrEqual(0.51 * step);
    }
  });

  test('a share of a ten-thousandth beside a great one is kept', () => {
    const keys = 32;
    floatsAt(0, keys).fill(Math.log(1e-4)).set([0]);
    floatsAt(1024, keys).fill(1);
    kernels.shares(0, 1, keys, 1024, 1, 2048, 4096, 8192, 8256);
    const share = (key: number): number => new Uint8Array(memory.buffer, 2048, keys)[key]! * floatsAt(8192, 1)[0]! + new Uint8Array(memory.buffer, 4096, keys)[key]! * floatsAt(8256, 1)[0]!;
    const all = 1 + 31e-4;
    expect(share(0)).toBeCloseTo(1 / all, 6);
    expect(share(5) / (1e-4 / all)).toBeCloseTo(1, 0);
    expect(Array.from({ length: keys }, (_, key) => share(key)).reduce((a, b) => a + b)).toBeCloseTo(1, 2);
  });
});
