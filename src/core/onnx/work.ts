/**
 * How much work a graph is: operations of its products and attentions, and bytes of the weights it reads. Follows shapes
 * through the operators that `ops.ts` writes; refuses to guess: a product of a shape that it could not follow makes the
 * whole count null.
 *
 *   [.., M, K] x [K, N]           2 M K N        a multiplication and an addition each
 *   attention, Q queries, T keys  4 Q T width    scores, and values weighted by them
 */
import { elements } from './graph.ts';
import { decodeModel, type OnnxModel, type OnnxNode } from './model.ts';

export interface GraphWork {
  readonly flop: number | null;
  readonly weightBytes: number;
}

export function graphWork(model: Uint8Array): GraphWork {
  const graph = decodeModel(model);
  let weightBytes = 0;
  for (const { place } of graph.initializers) weightBytes += place.kind === 'external' ? place.length : place.bytes.length;
  return { flop: flopOf(graph), weightBytes };
}

type Dims = readonly number[];

function flopOf(graph: OnnxModel): number | null {
  const dims = new Map<string, Dims>();
  for (const { name, dims: known } of [...graph.inputs, ...graph.initializers]) dims.set(name, known);
  let flop = 0;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => dims.get(name));
    const cost = costOf(node, inputs);
    if (cost === null) return null;
    flop += cost;
    for (const [i, shape] of shapesOf(node, inputs, graph).entries()) {
      const name = node.outputs[i];
      if (name !== undefined && name !== '' && shape !== null) dims.set(name, shape);
    }
  }
  return flop;
}

/** Null where a shape that it needs is not known. */
function costOf(node: OnnxNode, inputs: readonly (Dims | undefined)[]): number | null {
  const { op, attributes } = node;
  const [a, b] = inputs;
  switch (op) {
    case 'MatMul':
    case 'MatMulIntegerToFloat':
      return a === undefined || b === undefined ? null : 2 * elements(a) * b.at(-1)!;
    case 'MatMulNBits': {
      const n = attributes['N'];
      return a === undefined || n?.kind !== 'int' ? null : 2 * elements(a) * n.value;
    }
    case 'MatMulNBitsMlp': {
      const n = attributes['N'];
      return a === undefined || n?.kind !== 'int' ? null : 4 * elements(a) * n.value;
    }
    case 'MultiHeadAttention': {
      // Keys that were kept come before the new ones: [1, heads, rows, size], input 6.
      const past = node.inputs[6] === undefined ? 0 : inputs[6]?.at(-2);
      return a === undefined || b === undefined || past === undefined ? null : 4 * elements(a) * (past + b.at(-2)!);
    }
    default:
      return 0;
  }
}

function shapesOf(node: OnnxNode, inputs: readonly (Dims | undefined)[], graph: OnnxModel): readonly (Dims | null)[] {
  const [a, b] = inputs;
  if (a === undefined) return [];
  switch (node.op) {
    case 'MatMul':
    case 'MatMulIntegerToFloat':
      return [b === undefined ? null : [...a.slice(0, -1), b.at(-1)!]];
    case 'MatMulNBits':
    case 'MatMulNBitsMlp': {
      const n = node.attributes['N'];
      return [n?.kind === 'int' ? [...a.slice(0, -1), n.value] : null];
    }
    case 'Reshape':
      return [wholeNumbers(graph, node.inputs[1])];
    case 'Transpose': {
      const order = node.attributes['perm'];
      return [order?.kind === 'ints' ? order.value.map((axis) => a[axis]!) : null];
    }
    case 'Split':
      return (wholeNumbers(graph, node.inputs[1]) ?? []).map((size) => [...a.slice(0, -1), size]);
    case 'Concat': {
      const axis = node.attributes['axis'];
      if (axis?.kind !== 'int' || inputs.some((one) => one === undefined)) return [null];
      return [a.map((size, i) => (i === axis.value ? inputs.reduce((sum, one) => sum + one![i]!, 0) : size))];
    }
    case 'ReduceMax':
      // As `roundedRows` writes it: of each row, and the axis is gone.
      return [a.slice(0, -1)];
    case 'Add':
    case 'Max':
    case 'Mul':
      return [b === undefined ? null : broadcast(a, b)];
    case 'Abs':
    case 'Cast':
    case 'Identity':
    case 'QuantizeLinear':
    case 'LayerNormalization':
    case 'SimplifiedLayerNormalization':
    case 'FastGelu':
    case 'QuickGelu':
    case 'RotaryEmbedding':
    case 'MultiHeadAttention':
      return [a];
    case 'SkipLayerNormalization':
    case 'SkipSimplifiedLayerNormalization':
      return [a, null, null, a];
    default:
      return [null];
  }
}

function broadcast(a: Dims, b: Dims): Dims {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const lead = long.length - short.length;
  return long.map((size, i) => (i < lead ? size : Math.max(size, short[i - lead]!)));
}

/** The value of a small int64 constant. */
function wholeNumbers(graph: OnnxModel, name: string | undefined): number[] | null {
  const found = graph.initializers.find((one) => one.name === name);
  if (found?.type !== 'int64' || found.place.kind !== 'inline') return null;
  return [...new BigInt64Array(found.place.bytes.slice().buffer)].map(Number);
}
