/**
 * What the three graphs share: a graph under construction, and the pack's weights by name, each multiplied with in the
 * form it is kept in. Knows where a precision would make a difference; knows no layer.
 */
import type { Provider } from '#contracts/engine.ts';
import type { PackManifest, PackTensor } from '#contracts/pack.ts';
import { unreachable } from '#core/lib/never.ts';
import { GraphBuilder, type Value } from '#core/onnx/graph.ts';
import {
  add,
  attention,
  cachedAttention,
  cast,
  gatedBlocks,
  linear,
  matMulBlocks,
  matMulRounded,
  mul,
  reshape,
  rotary,
  roundedRows,
  silu,
  split,
  type BlockForm,
  type BlockMatrix,
  type Cache,
  type ColumnMatrix,
  type Float,
  type RoundedRows,
} from '#core/onnx/ops.ts';

export interface GraphKit {
  readonly g: GraphBuilder;
  /** What stands between the products. */
  readonly activations: Float;
  /** A weight of the pack in the type of the activations, e.g. `text.0.norm1.scale`. */
  weight(name: string): Value;
  /** x times the matrix `<name>.weight`, plus `<name>.bias` if asked for. x [..., in] gives [..., out]. */
  dense(x: Value, name: string, bias?: 'bias' | 'none'): Value;
  /** silu(x times `<gate>.weight`) times (x times `<up>.weight`). */
  gated(x: Value, gate: string, up: string): Value;
}

/**
 * How a product is written follows from how the pack keeps the matrix, so one set of graphs serves every precision: float32
 * [in, out] by MatMul, the reference; float16 widened first; blocks [out, in] by MatMulNBits; columns [in, out] by whole
 * numbers, what they read rounded row by row. `activations`: float16 halves what a graph moves and is for GPUs that have it; a
 * matrix that is not kept in blocks is multiplied with in float32 all the same, for MatMul sums in the type of its inputs.
 * `provider` is who will run the graph: the only place where graphs differ by it is `gated`.
 */
export function graphKit(graphName: string, manifest: PackManifest, provider: Provider, activations: Float = 'float32'): GraphKit {
  const g = new GraphBuilder(graphName);
  const byName = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
  const tensorOf = (name: string): PackTensor => {
    const tensor = byName.get(name);
    if (tensor === undefined) throw new Error(`the pack ${manifest.info.name} has no ${name}`);
    return tensor;
  };
  const weightAs = (name: string, type: Float): Value => {
    const { storage, shape, file, offset, length } = tensorOf(name);
    switch (storage.kind) {
      case 'F32':
        return cast(g, g.external({ name, shape, file, offset, length }), type);
      case 'F16':
        return cast(g, g.external({ name, type: 'float16', shape, file, offset, length }), type);
      case 'blocks':
      case 'columns':
        throw new Error(`${name} is kept in ${storage.kind}: it can only be multiplied with`);
      default:
        return unreachable(storage);
    }
  };
  const weight = (name: string): Value => weightAs(name, activations);
  /** A matrix as its codes and scales, null where the pack keeps it otherwise. */
  const inBlocks = (name: string): (BlockMatrix & { readonly form: BlockForm }) | null => {
    const { storage, shape, file, offset, length, scales } = tensorOf(name);
    if (storage.kind !== 'blocks' || scales === undefined) return null;
    const { bits, block } = storage;
    const [rows = 0, columns = 0] = shape;
    const blocks = columns / block;
    const codes = g.external({ name, type: 'uint8', shape: [rows, blocks, (block * bits) / 8], file, offset, length });
    return { codes, scales: cast(g, g.external({ name: `${name}.scales`, shape: [rows * blocks], file, ...scales }), activations), form: storage };
  };
  const inColumns = (name: string): ColumnMatrix | null => {
    const { storage, shape, file, offset, length, scales } = tensorOf(name);
    if (storage.kind !== 'columns' || scales === undefined) return null;
    return { codes: g.external({ name, type: 'int8', shape, file, offset, length }), scales: g.external({ name: `${name}.scales`, shape: [storage.width], file, ...scales }) };
  };
  /** What several products read is rounded once. */
  const rounded = new Map<string, RoundedRows>();
  const roundedOnce = (x: Value): RoundedRows => {
    const known = rounded.get(x.name) ?? roundedRows(g, x);
    rounded.set(x.name, known);
    return known;
  };
  /** x times the matrix, plus `bias` where there is one. */
  const product = (x: Value, name: string, bias: Value | null): Value => {
    const blocks = inBlocks(name);
    if (blocks !== null) return matMulBlocks(g, x, blocks.codes, blocks.scales, blocks.form, bias);
    const columns = inColumns(name);
    if (columns === null) return cast(g, linear(g, cast(g, x, 'float32'), weightAs(name, 'float32'), bias === null ? null : cast(g, bias, 'float32')), activations);
    const found = reshape(g, matMulRounded(g, roundedOnce(x), columns), [...x.dims.slice(0, -1), columns.codes.dims[1]!]);
    return bias === null ? found : add(g, found, bias);
  };
  const dense: GraphKit['dense'] = (x, name, bias = 'none') => product(x, `${name}.weight`, bias === 'bias' ? weight(`${name}.bias`) : null);
  return {
    g,
    activations,
    weight,
    dense,
    gated: (x, gate, up) => {
      const both = provider === 'webgpu' ? { gate: inBlocks(`${gate}.weight`), up: inBlocks(`${up}.weight`) } : null;
      if (both === null || both.gate === null || both.up === null) return mul(g, silu(g, dense(x, gate)), dense(x, up));
      return gatedBlocks(g, x, both.gate, both.up, both.gate.form);
    },
  };
}

/** down(silu(gate x) * up x), without the residual. */
export function gatedMlp(kit: GraphKit, x: Value, name: string): Value {
  return kit.dense(kit.gated(x, `${name}.gate`, `${name}.up`), `${name}.down`);
}

/**
 * Attention with more query heads than key heads. q [1, Q, heads x size] in the head order of
 * `groupedHeadOrder`, k and v [1, K, kvHeads x size], bias [1, 1, Q x heads / kvHeads, K]; gives q's shape.
 */
export function groupedAttention({ g }: GraphKit, q: Value, k: Value, v: Value, kvHeads: number, bias: Value): Value {
  return reshape(g, attention(g, groupedRows(g, q, k), k, v, kvHeads, bias), q.dims);
}

/** The same with `past` [1, kvHeads, P, size] before k and v, if any, and with the rows of both kept for others. */
export function groupedCachedAttention({ g }: GraphKit, q: Value, k: Value, v: Value, kvHeads: number, bias: Value, past: Cache | null): { readonly attended: Value; readonly cache: Cache } {
  const { attended, cache } = cachedAttention(g, groupedRows(g, q, k), k, v, kvHeads, bias, past);
  return { attended: reshape(g, attended, q.dims), cache };
}

function groupedRows(g: GraphBuilder, q: Value, k: Value): Value {
  const kv = k.dims[2]!;
  return reshape(g, q, [1, (q.dims[1]! * q.dims[2]!) / kv, kv]);
}

/** cos and sin of `ropeTables`. */
export interface Angles {
  readonly cos: Value;
  readonly sin: Value;
}

/**
 * One product [1, rows, q + 2 kv] to queries, keys and values, the first two turned to their positions, in two kernels and
 * not three. A row is seen as q / kv + 2 slots of kv numbers, and all of them are turned, each to its own position of
 * `slotPositions`: the values' is 0, where the angles are 0 and turning changes no bit.
 */
export function turnedParts({ g }: GraphKit, qkv: Value, kv: number, positions: Value, { cos, sin }: Angles): { readonly q: Value; readonly k: Value; readonly v: Value } {
  const width = qkv.dims[2]!;
  const slots = rotary(g, reshape(g, qkv, [qkv.dims[1]!, width / kv, kv]), positions, cos, sin);
  const [q, k, v] = split(g, reshape(g, slots, qkv.dims), [width - 2 * kv, kv, kv]);
  return { q: q!, k: k!, v: v! };
}
