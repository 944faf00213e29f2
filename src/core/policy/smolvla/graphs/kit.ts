/**
 * What the three graphs share: a graph under construction, the pack's weights by name, and the target that decides how
 * a matrix product is written. Knows where a precision would make a difference; knows no layer.
 */
import type { PackManifest } from '#contracts/pack.ts';
import { unreachable } from '#core/lib/never.ts';
import { GraphBuilder, type Value } from '#core/onnx/graph.ts';
import { linear, mul, reshape, attention, silu } from '#core/onnx/ops.ts';

/**
 * How weights and products are laid out. `ref-f32`: float32 throughout, plain MatMul; runs on every provider and is what
 * all faster forms are measured against.
 */
export type GraphTarget = 'ref-f32';

export interface GraphKit {
  readonly g: GraphBuilder;
  readonly target: GraphTarget;
  /** A weight of the pack, e.g. `text.0.norm1.scale`. */
  weight(name: string): Value;
  /** x times the matrix `<name>.weight`, plus `<name>.bias` if asked for. x [..., in] gives [..., out]. */
  dense(x: Value, name: string, bias?: 'bias' | 'none'): Value;
}

export function graphKit(graphName: string, manifest: PackManifest, target: GraphTarget): GraphKit {
  const g = new GraphBuilder(graphName);
  const byName = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
  const weight = (name: string): Value => {
    const tensor = byName.get(name);
    if (tensor === undefined) throw new Error(`the pack ${manifest.info.name} has no ${name}`);
    return g.external(tensor);
  };
  return {
    g,
    target,
    weight,
    dense: (x, name, bias = 'none') => {
      switch (target) {
        case 'ref-f32':
          return linear(g, x, weight(`${name}.weight`), bias === 'bias' ? weight(`${name}.bias`) : null);
        default:
          return unreachable(target);
      }
    },
  };
}

/** down(silu(gate x) * up x), without the residual. */
export function gatedMlp(kit: GraphKit, x: Value, name: string): Value {
  const gate = silu(kit.g, kit.dense(x, `${name}.gate`));
  return kit.dense(mul(kit.g, gate, kit.dense(x, `${name}.up`)), `${name}.down`);
}

/**
 * Attention with more query heads than key heads. q [1, Q, heads x size] in the head order of
 * `groupedHeadOrder`, k and v [1, K, kvHeads x size], bias [1, 1, Q x heads / kvHeads, K]; gives q's shape.
 */
export function groupedAttention(kit: GraphKit, q: Value, k: Value, v: Value, kvHeads: number, bias: Value): Value {
  const kv = k.dims[2]!;
  const group = q.dims[2]! / kv;
  const rows = reshape(kit.g, q, [1, q.dims[1]! * group, kv]);
  return reshape(kit.g, attention(kit.g, rows, k, v, kvHeads, bias), q.dims);
}
