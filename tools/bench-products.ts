/**
 * In which form a product is quickest on the WASM provider: every form that onnxruntime-web has a CPU kernel for, at the
 * shapes of SmolVLA-450M and of the pocket policy, in headless Chromium, with one thread and with two.
 *
 *   npx tsx tools/bench-products.ts [--threads 1,2] [--laps 7] [--only vision]
 *
 * Prints the best time of a run, GFLOP/s and the error against float32 (in parts of the result's size; what is multiplied is
 * standard normal). Says too how fast the rest of a transformer is there, which no form of product makes faster.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from '@playwright/test';
import { encode } from '#core/conversion/encode.ts';
import { normalNoise } from '#core/lib/random.ts';
import { elements, GraphBuilder, type Value } from '#core/onnx/graph.ts';
import type { Attribute, ElementType } from '#core/onnx/model.ts';
import { attention, fastGelu, matMul, matMulBlocks, matMulRounded, mul, roundedRows, silu, skipLayerNorm, type ColumnMatrix } from '#core/onnx/ops.ts';
import { CHROMIUM_FLAGS, ensureChromium } from './chromium.ts';
import { serve } from './serve.ts';

const { values: options } = parseArgs({ options: { threads: { type: 'string', default: '1,2' }, laps: { type: 'string', default: '7' }, only: { type: 'string', default: '' } } });
const LAPS = Number(options.laps);
const ORT = resolve(import.meta.dirname, '../node_modules/onnxruntime-web/dist');

/** A weight as bytes in the graph's one weight file. */
interface Written {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

class WeightFile {
  private readonly parts: Uint8Array[] = [];
  private end = 0;

  add(g: GraphBuilder, { name, type, shape, bytes }: Written): Value {
    const value = g.external({ name, type, shape, file: 'w', offset: this.end, length: bytes.length });
    const padded = new Uint8Array(Math.ceil(bytes.length / 64) * 64);
    padded.set(bytes);
    this.parts.push(padded);
    this.end += padded.length;
    return value;
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.parts));
  }
}

const bytesOf = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const int = (value: number): Attribute => ({ kind: 'int', value });
const only = (values: readonly Value[]): Value => values[0]!;

/** [K, N] of a matrix kept as [N, K]. */
function turned(rows: Float32Array, n: number, k: number): Float32Array {
  const out = new Float32Array(n * k);
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) out[j * n + i] = rows[i * k + j]!;
  return out;
}

type Form = (g: GraphBuilder, x: Value, file: WeightFile, rows: Float32Array, n: number, k: number) => Value;

function inBlocks(bits: 4 | 8, accuracy: 0 | 4): Form {
  return (g, x, file, rows, n, k) => {
    const block = k % 32 === 0 ? 32 : 16;
    const { bytes, scales } = encode({ kind: 'blocks', bits, block }, rows);
    const codes = file.add(g, { name: 'codes', type: 'uint8', shape: [n, k / block, (block * bits) / 8], bytes });
    const factors = file.add(g, { name: 'scales', type: 'float32', shape: [(n * k) / block], bytes: bytesOf(scales) });
    if (accuracy === 0) return matMulBlocks(g, x, codes, factors, { bits, block });
    const attributes = { K: int(k), N: int(n), bits: int(bits), block_size: int(block), accuracy_level: int(accuracy) };
    return only(g.node('MatMulNBits', [x, codes, factors], [[...x.dims.slice(0, -1), n]], { domain: 'com.microsoft', attributes }));
  };
}

function inColumns(g: GraphBuilder, file: WeightFile, rows: Float32Array, n: number, k: number): ColumnMatrix {
  const { bytes, scales } = encode({ kind: 'columns', width: n }, turned(rows, n, k));
  return {
    codes: file.add(g, { name: 'codes', type: 'int8', shape: [k, n], bytes }),
    scales: file.add(g, { name: 'scales', type: 'float32', shape: [n], bytes: bytesOf(scales) }),
  };
}

const FORMS: Readonly<Record<string, Form>> = {
  'MatMul float32': (g, x, file, rows, n, k) => matMul(g, x, file.add(g, { name: 'w', type: 'float32', shape: [k, n], bytes: bytesOf(turned(rows, n, k)) })),
  'MatMulNBits 8': inBlocks(8, 0),
  'MatMulNBits 8, level 4': inBlocks(8, 4),
  'MatMulNBits 4': inBlocks(4, 0),
  'MatMulNBits 4, level 4': inBlocks(4, 4),
  'DynamicQuantizeMatMul': (g, x, file, rows, n, k) => {
    const { codes, scales } = inColumns(g, file, rows, n, k);
    return only(g.node('DynamicQuantizeMatMul', [x, codes, scales], [[...x.dims.slice(0, -1), n]], { domain: 'com.microsoft' }));
  },
  'rows rounded': (g, x, file, rows, n, k) => matMulRounded(g, roundedRows(g, x), inColumns(g, file, rows, n, k)),
};

const SHAPES: readonly (readonly [what: string, m: number, k: number, n: number])[] = [
  ['vision qkv', 1024, 768, 2304],
  ['vision fc1', 1024, 768, 3072],
  ['vision fc2', 1024, 3072, 768],
  ['vision connector', 64, 12288, 960],
  ['text qkv', 177, 960, 1600],
  ['text gate', 177, 960, 2560],
  ['text down', 177, 2560, 960],
  ['expert gate', 50, 720, 2048],
  ['expert down', 50, 2048, 720],
  ['expert o', 50, 960, 720],
  ['pocket vision fc1', 64, 192, 768],
  ['pocket vision fc2', 64, 768, 192],
  ['pocket text gate', 57, 192, 512],
  ['pocket expert gate', 32, 144, 384],
  ['pocket expert down', 32, 384, 144],
];

/** What stands between the products. */
const REST: readonly (readonly [what: string, flop: number, write: (g: GraphBuilder) => Value])[] = [
  ['attention of 1024 patches, 12 heads', 4 * 1024 * 1024 * 768, (g) => {
    const [q, k, v] = ['q', 'k', 'v'].map((name) => g.input(name, 'float32', [1, 1024, 768]));
    return attention(g, q!, k!, v!, 12, null);
  }],
  ['gelu of 1024 x 3072', 0, (g) => fastGelu(g, g.input('x', 'float32', [1, 1024, 3072]), null)],
  ['silu of 177 x 2560', 0, (g) => silu(g, g.input('x', 'float32', [1, 177, 2560]))],
  ['norm of 1024 x 768 with its residual', 0, (g) => {
    const [x, skip] = ['x', 'y'].map((name) => g.input(name, 'float32', [1, 1024, 768]));
    const vector = (name: string): Value => g.constant(name, [768], new Float32Array(768).fill(1));
    const { normed, sum } = skipLayerNorm(g, x!, skip!, { scale: vector('scale'), bias: vector('bias'), epsilon: 1e-6 }, null);
    return mul(g, normed, sum);
  }],
];

/** In the page: runs a graph and gives the best milliseconds and the result. */
async function runInPage(page: Page, model: Uint8Array, weights: Uint8Array | null, feeds: Readonly<Record<string, { readonly dims: readonly number[]; readonly seed: number }>>, folder: string): Promise<{ readonly ms: number; readonly result: Float32Array }> {
  writeFileSync(join(folder, 'model'), model);
  writeFileSync(join(folder, 'weights'), weights ?? new Uint8Array());
  for (const [name, { dims, seed }] of Object.entries(feeds)) writeFileSync(join(folder, `feed.${name}`), bytesOf(normalNoise(seed, elements(dims))));
  const { ms, result } = await page.evaluate(
    async ({ names, laps, external }) => {
      const bench = (globalThis as unknown as { readonly ort: { readonly Tensor: new (type: string, data: Float32Array, dims: readonly number[]) => unknown; readonly InferenceSession: { create(model: Uint8Array, options: unknown): Promise<{ run(feeds: unknown): Promise<Record<string, { readonly data: Float32Array }>>; release(): Promise<void> }> } } }).ort;
      // Not by a function of its own: tsx names functions by a helper that this page does not have.
      const [file, weights] = await Promise.all(['model', 'weights'].map(async (path) => new Uint8Array(await (await fetch(path, { cache: 'no-store' })).arrayBuffer())));
      const session = await bench.InferenceSession.create(file!, {
        executionProviders: ['wasm'],
        enableCpuMemArena: true,
        enableMemPattern: true,
        externalData: external ? [{ path: 'w', data: weights! }] : [],
      });
      const feeds: Record<string, unknown> = {};
      for (const [name, dims] of names) feeds[name] = new bench.Tensor('float32', new Float32Array(await (await fetch(`feed.${name}`, { cache: 'no-store' })).arrayBuffer()), dims);
      let best = Number.POSITIVE_INFINITY;
      let last = new Float32Array();
      for (let lap = -2; lap < laps; lap++) {
        const from = performance.now();
        const found = await session.run(feeds);
        if (lap >= 0) best = Math.min(best, performance.now() - from);
        last = found['out']!.data as Float32Array<ArrayBuffer>;
      }
      const result = Array.from(last);
      await session.release();
      return { ms: best, result };
    },
    { names: Object.entries(feeds).map(([name, { dims }]) => [name, [...dims]] as const), laps: LAPS, external: weights !== null },
  );
  return { ms, result: Float32Array.from(result) };
}

/** Root mean square of the difference over that of the reference. */
function relativeError(found: Float32Array, reference: Float32Array): number {
  let [miss, size] = [0, 0];
  for (const [i, value] of reference.entries()) {
    miss += (found[i]! - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(miss / size);
}

const folder = mkdtempSync(join(tmpdir(), 'bench-products-'));
for (const file of ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm']) copyFileSync(join(ORT, file), join(folder, file));
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>bench</title>');
const { version } = JSON.parse(readFileSync(join(ORT, '../package.json'), 'utf8')) as { readonly version: string };
const server = await serve({ folder });
const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS] });
try {
  console.log(`onnxruntime-web ${version}, Chromium ${browser.version()}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores; best of ${LAPS}`);
  for (const threads of options.threads.split(',').map(Number)) {
    const page = await browser.newPage();
    await page.goto(server.url);
    await page.evaluate(async (count) => {
      const address = `${location.origin}/ort.wasm.min.mjs`;
      const loaded = (await import(address)) as { readonly env: { readonly wasm: { numThreads: number } } };
      loaded.env.wasm.numThreads = count;
      Object.assign(globalThis, { ort: loaded });
    }, threads);
    console.log(`\n${threads} ${threads === 1 ? 'thread' : 'threads'}`);
    for (const [what, m, k, n] of SHAPES) {
      if (!what.includes(options.only)) continue;
      const rows = normalNoise(2, n * k);
      let reference: Float32Array | null = null;
      console.log(`${what}, [${m}, ${k}] x [${k}, ${n}]`);
      for (const [form, write] of Object.entries(FORMS)) {
        const g = new GraphBuilder('product');
        const file = new WeightFile();
        g.output('out', write(g, g.input('x', 'float32', [m, k]), file, rows, n, k));
        const { ms, result } = await runInPage(page, g.build(), file.bytes(), { x: { dims: [m, k], seed: 1 } }, folder);
        reference ??= result;
        console.log(`  ${form.padEnd(24)} ${ms.toFixed(2).padStart(8)} ms ${((2 * m * k * n) / 1e6 / ms).toFixed(1).padStart(7)} GFLOP/s   error ${(100 * relativeError(result, reference)).toFixed(2)} %`);
      }
    }
    for (const [what, flop, write] of REST) {
      if (options.only !== '' && !what.includes(options.only)) continue;
      const g = new GraphBuilder('rest');
      g.output('out', write(g));
      const names = what.startsWith('attention') ? ['q', 'k', 'v'] : what.startsWith('norm') ? ['x', 'y'] : ['x'];
      const width = what.startsWith('gelu') ? 3072 : what.startsWith('silu') ? 2560 : 768;
      const dims = [1, what.startsWith('silu') ? 177 : 1024, width];
      const { ms } = await runInPage(page, g.build(), null, Object.fromEntries(names.map((name, i) => [name, { dims, seed: i + 1 }])), folder);
      console.log(`${what}: ${ms.toFixed(2)} ms${flop === 0 ? '' : `, ${(flop / 1e6 / ms).toFixed(1)} GFLOP/s`}`);
    }
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
