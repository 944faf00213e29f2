/**
 * The tower in plain TypeScript, number by number: what the kernels are tested against. Slow (a minute for one picture of SmolVLA's size)
 * and clear. Weights are the same signed bytes; what stands between the products is not rounded.
 */
import type { ColumnWeights, TowerShape, TowerWeights } from '#contracts/engine.ts';

type Row = Float64Array;

/** Patches [patches, patch] to tokens [tokens, out]. */
export async function seeSlowly(shape: TowerShape, weights: TowerWeights, patches: Float32Array): Promise<Float32Array> {
  const { hidden, heads, layers, shuffle, epsilon } = shape;
  const dense = async (x: readonly Row[], name: string, bias: 'bias' | 'none'): Promise<Row[]> =>
    product(x, await weights.matrix(name), bias === 'bias' ? await weights.vector(`${name}.bias`) : null);
  const norm = async (x: readonly Row[], name: string): Promise<Row[]> => {
    const [scale, bias] = [await weights.vector(`${name}.scale`), await weights.vector(`${name}.bias`)];
    return x.map((row) => {
      const mean = sum(row) / hidden;
      const variance = sum(row.map((value) => (value - mean) ** 2)) / hidden;
      return row.map((value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * scale[i]! + bias[i]!);
    });
  };
  const position = rowsOf(await weights.vector('position'), hidden);
  let x = plus(await dense(rowsOf(patches, shape.patch), 'patch', 'none'), position);
  for (let l = 0; l < layers; l++) {
    const qkv = await dense(await norm(x, `${l}.norm1`), `${l}.qkv`, 'bias');
    x = plus(x, await dense(attention(qkv, hidden, heads), `${l}.out`, 'bias'));
    const inner = await dense(await norm(x, `${l}.norm2`), `${l}.fc1`, 'bias');
    x = plus(x, await dense(inner.map((row) => row.map(gelu)), `${l}.fc2`, 'bias'));
  }
  const seen = await norm(x, 'norm');
  const across = Math.sqrt(shape.patches);
  const tokens: Row[] = [];
  for (let top = 0; top < across; top += shuffle) {
    for (let left = 0; left < across; left += shuffle) {
      const parts = Array.from({ length: shuffle ** 2 }, (_, i) => seen[(top + Math.floor(i / shuffle)) * across + left + (i % shuffle)]!);
      tokens.push(Float64Array.from(parts.flatMap((row) => [...row])));
    }
  }
  return Float32Array.from((await dense(tokens, 'connector', 'none')).flatMap((row) => [...row]));
}

/** softmax(q k' / sqrt(size)) v, head by head, of rows [q | k | v]. */
function attention(qkv: readonly Row[], hidden: number, heads: number): Row[] {
  const size = hidden / heads;
  return qkv.map((row) => {
    const out = new Float64Array(hidden);
    for (let from = 0; from < hidden; from += size) {
      const scores = qkv.map((other) => sum(row.subarray(from, from + size).map((value, i) => value * other[hidden + from + i]!)) / Math.sqrt(size));
      const most = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - most));
      const all = shares.reduce((total, share) => total + share, 0);
      for (const [other, share] of shares.entries()) for (let i = from; i < from + size; i++) out[i]! += (share / all) * qkv[other]![2 * hidden + i]!;
    }
    return out;
  });
}

function product(x: readonly Row[], { codes, scales }: ColumnWeights, bias: Float32Array | null): Row[] {
  const n = scales.length;
  return x.map((row) => {
    const out = new Float64Array(n);
    for (const [k, value] of row.entries()) for (let column = 0; column < n; column++) out[column]! += value * codes[k * n + column]!;
    return out.map((value, column) => value * scales[column]! + (bias?.[column] ?? 0));
  });
}

function gelu(x: number): number {
  return (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

function plus(a: readonly Row[], b: readonly Row[]): Row[] {
  return a.map((row, r) => row.map((value, i) => value + b[r]![i]!));
}

function rowsOf(values: Float32Array, width: number): Row[] {
  return Array.from({ length: values.length / width }, (_, row) => Float64Array.from(values.subarray(row * width, (row + 1) * width)));
}

function sum(values: Row): number {
  return values.reduce((total, value) => total + value, 0);
}
