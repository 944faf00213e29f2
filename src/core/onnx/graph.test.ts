/**
 * Graphs written here are read back unchanged, refuse shapes that do not fit, and compute on ONNX Runtime what each
 * operator's sentence in `ops.ts` says, against the same sentence written out in plain loops.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, HostTensor, WeightFile } from '#contracts/engine.ts';
import { normalNoise } from '#core/lib/random.ts';
import { createNodeEngine } from '../../../tools/engine-ort-node.ts';
import { GraphBuilder, elements, type Value } from './graph.ts';
import { decodeModel } from './model.ts';
import * as ops from './ops.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine();
});
afterAll(() => engine.dispose());

/** Runs a one-output graph on float32 inputs. */
async function compute(inputs: Readonly<Record<string, HostTensor>>, write: (g: GraphBuilder, values: Readonly<Record<string, Value>>) => Value, weights: readonly WeightFile[] = []): Promise<Float32Array> {
  const g = new GraphBuilder('test');
  const values: Record<string, Value> = {};
  for (const [name, { type, dims }] of Object.entries(inputs)) values[name] = g.input(name, type, dims);
  g.output('out', write(g, values));
  const session = await engine.createSession({ name: 'test', model: g.build(), weights });
  const { out } = await session.run(inputs, { out: 'host' });
  await session.dispose();
  if (out.type !== 'float32') throw new Error('not float32');
  return out.data;
}

function noise(seed: number, ...dims: number[]): HostTensor & { readonly type: 'float32' } {
  return { type: 'float32', dims, data: normalNoise(seed, elements(dims)) };
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 2e-6): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(Math.abs(found[i]! - expected[i]!), `element ${i}`).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(expected[i]!)));
}

/** Row r of a matrix with `width` columns. */
function row(data: Float32Array, width: number, r: number): number[] {
  return [...data.subarray(r * width, (r + 1) * width)];
}

describe('rounded rows', () => {
  /** In whole numbers by hand: what the operators must give to the bit of a float32 sum. */
  const [rows, k, n] = [7, 48, 5];
  const codes = Int8Array.from({ length: k * n }, (_, i) => ((i * 37) % 255) - 127);
  const scales = Float32Array.of(0.5, 0.01, 3, 1e-4, 1);
  const product = (x: HostTensor & { readonly type: 'float32' }): Promise<Float32Array> =>
    compute({ x }, (g, values) => {
      const matrix = {
        codes: g.external({ name: 'codes', type: 'int8', shape: [k, n], file: 'w', offset: 0, length: k * n }),
        scales: g.external({ name: 'scales', shape: [n], file: 'w', offset: 256, length: 4 * n }),
      };
      return ops.matMulRounded(g, ops.roundedRows(g, values['x']!), matrix);
    }, [{ path: 'w', data: new Uint8Array(Buffer.concat([new Uint8Array(codes.buffer), Buffer.alloc(256 - k * n), new Uint8Array(scales.buffer)])) }]);

  it('are summed in whole numbers, each row with a scale of its own', async () => {
    const x = noise(4, 1, rows, k);
    // Rows of very different size: with one scale for all the small ones would be lost.
    for (let i = 0; i < x.data.length; i++) x.data[i]! *= 10 ** (Math.floor(i / k) - 3);
    const expected: number[] = [];
    for (let r = 0; r < rows; r++) {
      const values = row(x.data, k, r);
      const step = Math.max(...values.map(Math.abs)) / 127;
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (const [i, value] of values.entries()) sum += Math.round(value / step) * codes[i * n + column]!;
        expected.push(sum * step * scales[column]!);
      }
    }
    const found = await product(x);
    // A number that lies within a rounding of the middle between two steps may go either way: one step of one number.
    for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value), String(i)).toBeLessThanOrEqual(1e-5 * Math.abs(value) + 1e-6 * 10 ** (Math.floor(i / n) - 3));
  });

  it('of zeros give zeros', async () => {
    expect([...(await product({ type: 'float32', dims: [1, rows, k], data: new Float32Array(rows * k) }))].every((value) => value === 0)).toBe(true);
  });
});

describe('the file', () => {
  it('is read back as it was written', () => {
    const g = new GraphBuilder('small');
    const x = g.input('x', 'float32', [1, 2, 4]);
    const w = g.external({ name: 'w', shape: [4, 3], file: 'weights', offset: 64, length: 48 });
    expect(g.external({ name: 'w', shape: [4, 3], file: 'weights', offset: 64, length: 48 })).toEqual(w);
    g.output('y', ops.silu(g, ops.matMul(g, x, w)));
    const model = decodeModel(g.build());
    expect(model.inputs).toEqual([{ name: 'x', type: 'float32', dims: [1, 2, 4] }]);
    expect(model.outputs).toEqual([{ name: 'y', type: 'float32', dims: [1, 2, 3] }]);
    expect(model.initializers).toEqual([{ name: 'w', type: 'float32', dims: [4, 3], place: { kind: 'external', file: 'weights', offset: 64, length: 48 } }]);
    expect(model.nodes.map((node) => `${node.domain}/${node.op}`)).toEqual(['/MatMul', 'com.microsoft/QuickGelu', '/Identity']);
    expect(model.nodes[1]!.attributes).toEqual({ alpha: { kind: 'float', value: 1 } });
  });

  it('refuses shapes that do not fit, naming the operator', () => {
    const g = new GraphBuilder('wrong');
    const x = g.input('x', 'float32', [1, 2, 4]);
    expect(() => ops.matMul(g, x, g.input('w', 'float32', [3, 4]))).toThrow('MatMul: [1, 2, 4] [3, 4]');
    expect(() => ops.split(g, x, [1, 2])).toThrow('Split 1+2');
    expect(() => ops.reshape(g, x, [3, 3])).toThrow('Reshape');
    expect(() => g.input('x', 'float32', [1])).toThrow('two values called "x"');
    expect(() => g.input('z', 'float32', [0])).toThrow('z: shape [0]');
  });
});

describe('operators on ONNX Runtime', () => {
  it('reads external weights at their offset', async () => {
    const g = new GraphBuilder('external');
    const x = g.input('x', 'float32', [1, 2]);
    g.output('y', ops.matMul(g, x, g.external({ name: 'w', shape: [2, 2], file: 'weights', offset: 64, length: 16 })));
    const bytes = new Uint8Array(80);
    new Float32Array(bytes.buffer, 64, 4).set([1, 2, 3, 4]);
    for (const data of [bytes, new Blob([bytes])]) {
      const session = await engine.createSession({ name: 'external', model: g.build(), weights: [{ path: 'weights', data }] });
      const { y } = await session.run({ x: { type: 'float32', dims: [1, 2], data: Float32Array.of(10, 1) } }, { y: 'host' });
      expect([...y.data]).toEqual([13, 24]);
      await session.dispose();
    }
  });

  it('a graph that ONNX Runtime refuses is engine/session-failed with the graph’s name', async () => {
    await expect(engine.createSession({ name: 'broken', model: Uint8Array.of(1, 2, 3), weights: [] })).rejects.toMatchObject({
      failure: { code: 'engine/session-failed', facts: { graph: 'broken' } },
    });
  });

  it('tensors kept by the engine feed the next run', async () => {
    const g = new GraphBuilder('double');
    const x = g.input('x', 'float32', [2]);
    g.output('y', ops.add(g, x, x));
    const session = await engine.createSession({ name: 'double', model: g.build(), weights: [] });
    const { y } = await session.run({ x: { type: 'float32', dims: [2], data: Float32Array.of(1, 2) } }, { y: 'engine' });
    expect(y.location).toBe('engine');
    const again = await session.run({ x: y }, { y: 'host' });
    expect([...again.y.data]).toEqual([4, 8]);
    y.dispose();
  });

  it('norms: layer norm and RMS norm, alone and with their skip', async () => {
    const x = noise(1, 1, 3, 8);
    const skip = noise(2, 1, 3, 8);
    const scale = noise(3, 8);
    const bias = noise(4, 8);
    const plain = (values: readonly number[], kind: 'layer' | 'rms'): number[] => {
      const mean = kind === 'layer' ? values.reduce((a, b) => a + b, 0) / 8 : 0;
      const square = values.reduce((a, b) => a + (b - mean) ** 2, 0) / 8;
      return values.map((v, i) => ((v - mean) / Math.sqrt(square + 1e-3)) * scale.data[i]! + (kind === 'layer' ? bias.data[i]! : 0));
    };
    const rows = [0, 1, 2];
    const sums = rows.map((r) => row(x.data, 8, r).map((v, i) => v + skip.data[8 * r + i]!));
    expectClose(await compute({ x, scale, bias }, (g, v) => ops.layerNorm(g, v['x']!, v['scale']!, v['bias']!, 1e-3)), rows.flatMap((r) => plain(row(x.data, 8, r), 'layer')));
    expectClose(await compute({ x, scale }, (g, v) => ops.rmsNorm(g, v['x']!, v['scale']!, 1e-3)), rows.flatMap((r) => plain(row(x.data, 8, r), 'rms')));
    const skipped = { x, skip, scale };
    expectClose(await compute(skipped, (g, v) => ops.skipRmsNorm(g, v['x']!, v['skip']!, v['scale']!, 1e-3).normed), sums.flatMap((s) => plain(s, 'rms')));
    expectClose(await compute(skipped, (g, v) => ops.skipRmsNorm(g, v['x']!, v['skip']!, v['scale']!, 1e-3).sum), sums.flat());
    const linearBias = noise(5, 8);
    const biased = sums.map((s) => s.map((v, i) => v + linearBias.data[i]!));
    const layer = (g: GraphBuilder, v: Readonly<Record<string, Value>>) => ops.skipLayerNorm(g, v['x']!, v['skip']!, { scale: v['scale']!, bias: v['bias']!, epsilon: 1e-3 }, v['linearBias']!);
    expectClose(await compute({ x, skip, scale, bias, linearBias }, (g, v) => layer(g, v).normed), biased.flatMap((s) => plain(s, 'layer')));
    expectClose(await compute({ x, skip, scale, bias, linearBias }, (g, v) => layer(g, v).sum), biased.flat());
  });

  it('activations: tanh gelu with bias, and silu', async () => {
    const x = noise(6, 1, 4, 16);
    const bias = noise(7, 16);
    const gelu = (v: number): number => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
    expectClose(await compute({ x, bias }, (g, v) => ops.fastGelu(g, v['x']!, v['bias']!)), [...x.data].map((v, i) => gelu(v + bias.data[i % 16]!)));
    expectClose(await compute({ x }, (g, v) => ops.silu(g, v['x']!)), [...x.data].map((v) => v / (1 + Math.exp(-v))));
  });

  it('rotary embedding: half-split, any positions, every head', async () => {
    const x = noise(8, 1, 3, 8); // 2 heads of 4
    const positions = { type: 'int64', dims: [1, 3], data: BigInt64Array.of(4n, 0n, 4n) } as const;
    const angles = Array.from({ length: 5 }, (_, p) => [p, p / 7]);
    const cos = { type: 'float32', dims: [5, 2], data: Float32Array.from(angles.flat(), Math.cos) } as const;
    const sin = { type: 'float32', dims: [5, 2], data: Float32Array.from(angles.flat(), Math.sin) } as const;
    const expected = [4, 0, 4].flatMap((p, r) =>
      [0, 1].flatMap((head) => {
        const [a0, a1, b0, b1] = row(x.data, 4, 2 * r + head) as [number, number, number, number];
        const [c0, c1] = angles[p]!.map(Math.cos) as [number, number];
        const [s0, s1] = angles[p]!.map(Math.sin) as [number, number];
        return [a0 * c0 - b0 * s0, a1 * c1 - b1 * s1, b0 * c0 + a0 * s0, b1 * c1 + a1 * s1];
      }),
    );
    expectClose(await compute({ x, positions, cos, sin }, (g, v) => ops.rotary(g, v['x']!, v['positions']!, v['cos']!, v['sin']!)), expected);
  });

  it('attention: two heads, other lengths of query and key, with a bias that hides keys and without', async () => {
    const [queries, keys, heads, size] = [3, 5, 2, 4];
    const q = noise(9, 1, queries, heads * size);
    const k = noise(10, 1, keys, heads * size);
    const v = noise(11, 1, keys, heads * size);
    const bias = noise(12, 1, 1, queries, keys);
    for (let i = 0; i < queries; i++) bias.data[i * keys + 1] = -1e9;
    const expected = (withBias: 'bias' | 'none'): number[] => {
      const out = Array.from({ length: queries * heads * size }, () => 0);
      for (let i = 0; i < queries; i++) {
        for (let h = 0; h < heads; h++) {
          const logits = Array.from({ length: keys }, (_, j) => {
            let dot = 0;
            for (let d = 0; d < size; d++) dot += q.data[(i * heads + h) * size + d]! * k.data[(j * heads + h) * size + d]!;
            return dot / Math.sqrt(size) + (withBias === 'bias' ? bias.data[i * keys + j]! : 0);
          });
          const most = Math.max(...logits);
          const weights = logits.map((logit) => Math.exp(logit - most));
          const total = weights.reduce((a, b) => a + b, 0);
          for (let d = 0; d < size; d++) out[(i * heads + h) * size + d] = weights.reduce((sum, w, j) => sum + (w / total) * v.data[(j * heads + h) * size + d]!, 0);
        }
      }
      return out;
    };
    expectClose(await compute({ q, k, v, bias }, (g, x) => ops.attention(g, x['q']!, x['k']!, x['v']!, heads, x['bias']!)), expected('bias'));
    expectClose(await compute({ q, k, v }, (g, x) => ops.attention(g, x['q']!, x['k']!, x['v']!, heads, null)), expected('none'));
  });
});
