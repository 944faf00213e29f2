/**
 * The operators we emit, one function each: what it computes, the shapes it takes and gives. Knows operators, not
 * models. Fused forms (`com.microsoft`) are written directly, because ONNX Runtime's own optimiser does not find RMS
 * norms, rotary embeddings or attention in a graph by itself, and because each operator saved is one GPU dispatch less.
 *
 * A shape that does not fit throws a plain Error: graphs are written by our own code.
 */
import { elements, type GraphBuilder, type Value } from './graph.ts';
import { ELEMENT_CODES, type Attribute } from './model.ts';

const MICROSOFT = 'com.microsoft';

function fail(op: string, ...values: (Value | null)[]): never {
  throw new Error(`${op}: ${values.map((value) => (value === null ? 'none' : `[${value.dims.join(', ')}]`)).join(' ')}`);
}

function int(value: number): Attribute {
  return { kind: 'int', value };
}

function float(value: number): Attribute {
  return { kind: 'float', value };
}

function only(values: readonly Value[]): Value {
  return values[0]!;
}

/** x [..., M, K] times w [K, N] gives [..., M, N]. */
export function matMul(g: GraphBuilder, x: Value, w: Value): Value {
  if (w.dims.length !== 2 || x.dims.at(-1) !== w.dims[0]) fail('MatMul', x, w);
  return only(g.node('MatMul', [x, w], [[...x.dims.slice(0, -1), w.dims[1]!]]));
}

export type Float = 'float32' | 'float16';

/** The same numbers in another type; as they are where they have it already. Of a constant: once, when the graph is loaded. */
export function cast(g: GraphBuilder, x: Value, type: Float): Value {
  return x.type === type ? x : only(g.node('Cast', [x], [x.dims], { attributes: { to: int(ELEMENT_CODES[type]) } }, type));
}

/**
 * x [..., M, K] times the transpose of a matrix [N, K] kept in blocks: codes [N, K / block, block bits / 8] of unsigned bytes
 * around 128 or 8, and a scale a block [N K / block]; plus bias [N], or none. Gives [..., M, N]. Sums in float32.
 */
export function matMulBlocks(g: GraphBuilder, x: Value, codes: Value, scales: Value, { bits, block }: BlockForm, bias: Value | null = null): Value {
  const { n, k } = blockSizes('MatMulNBits', x, { codes, scales }, { bits, block });
  if (bias !== null && bias.dims.join() !== String(n)) fail('MatMulNBits bias', codes, bias);
  const attributes = { K: int(k), N: int(n), bits: int(bits), block_size: int(block) };
  // Between the scales and the bias two inputs are left out: zero points and an order of groups.
  return only(g.node('MatMulNBits', bias === null ? [x, codes, scales] : [x, codes, scales, null, null, bias], [[...x.dims.slice(0, -1), n]], { domain: MICROSOFT, attributes }));
}

export interface BlockForm {
  readonly bits: 4 | 8;
  readonly block: number;
}

/** A matrix [N, K] kept in blocks, as `matMulBlocks` reads it. */
export interface BlockMatrix {
  readonly codes: Value;
  readonly scales: Value;
}

/**
 * silu(x gate') (x up') of two matrices [N, K] kept in the same form. x [..., M, K] gives [..., M, N]. Only onnxruntime's
 * WebGPU provider has this operator, where it spares one kernel of the four that the same takes in single operators.
 */
export function gatedBlocks(g: GraphBuilder, x: Value, gate: BlockMatrix, up: BlockMatrix, form: BlockForm): Value {
  const { n, k } = blockSizes('MatMulNBitsMlp', x, gate, form);
  if (up.codes.dims.join() !== gate.codes.dims.join()) fail('MatMulNBitsMlp', gate.codes, up.codes);
  blockSizes('MatMulNBitsMlp', x, up, form);
  // 4 is what MatMulNBits takes where nothing is said, and what lets both choose the same kernels.
  const attributes = { K: int(k), N: int(n), bits: int(form.bits), block_size: int(form.block), accuracy_level: int(4), activation: { kind: 'string', value: 'silu' } } as const;
  // Left out: a residual and a norm before the products, and the biases of both.
  return only(g.node('MatMulNBitsMlp', [x, null, null, gate.codes, gate.scales, null, up.codes, up.scales], [[...x.dims.slice(0, -1), n]], { domain: MICROSOFT, attributes }));
}

function blockSizes(op: string, x: Value, { codes, scales }: BlockMatrix, { bits, block }: BlockForm): { readonly n: number; readonly k: number } {
  const [n, blocks, bytes] = codes.dims;
  const k = x.dims.at(-1)!;
  if (n === undefined || blocks === undefined || blocks * block !== k || bytes !== (block * bits) / 8 || scales.dims.join() !== String(n * blocks)) return fail(op, x, codes, scales);
  return { n, k };
}

/** A matrix [K, N] of signed bytes and a scale a column [N]. */
export interface ColumnMatrix {
  readonly codes: Value;
  readonly scales: Value;
}

/** Rows [M, K] of unsigned bytes around 128, and a scale a row [M]. */
export interface RoundedRows {
  readonly codes: Value;
  readonly scales: Value;
}

/**
 * x [..., M, K] rounded row by row: the number farthest from 0 is met by 127 steps, so a row of large numbers costs the others
 * nothing. onnxruntime's own operator for this (DynamicQuantizeMatMul) has one scale for all rows: as quick, and 15 to 25 %
 * further off on normal numbers already.
 */
export function roundedRows(g: GraphBuilder, x: Value): RoundedRows {
  const columns = x.dims.at(-1)!;
  const rows = elements(x.dims) / columns;
  const flat = reshape(g, x, [rows, columns]);
  const sizes = only(g.node('Abs', [flat], [flat.dims]));
  const most = only(g.node('ReduceMax', [sizes, g.constant('axes', [1], BigInt64Array.of(-1n))], [[rows]], { attributes: { keepdims: int(0) } }));
  // A row of zeros has a scale that is not 0, for it is divided by; a whole number of times it is still 0.
  const scales = max(g, mul(g, most, g.constant('127th', [1], Float32Array.of(1 / 127))), g.constant('least', [1], Float32Array.of(LEAST_SCALE)));
  const zeros = g.constant('zeros', [rows], new Uint8Array(rows).fill(SIGNED_ZERO));
  return { codes: only(g.node('QuantizeLinear', [flat, scales, zeros], [flat.dims], { attributes: { axis: int(0) } }, 'uint8')), scales };
}

/** What stands for 0 where a signed number is kept in an unsigned byte. */
const SIGNED_ZERO = 128;
const LEAST_SCALE = 1e-30;

/** Rounded rows [M, K] times [K, N], summed in whole numbers; gives float32 [M, N]. Only on CPU providers. */
export function matMulRounded(g: GraphBuilder, x: RoundedRows, w: ColumnMatrix): Value {
  const [rows, k] = x.codes.dims;
  const n = w.codes.dims[1];
  if (rows === undefined || n === undefined || w.codes.dims[0] !== k || w.scales.dims.join() !== String(n)) return fail('MatMulIntegerToFloat', x.codes, w.codes, w.scales);
  const inputs = [x.codes, w.codes, g.constant('one', [1], Float32Array.of(1)), w.scales, g.constant('zero', [1], Uint8Array.of(SIGNED_ZERO))];
  const product = only(g.node('MatMulIntegerToFloat', inputs, [[rows, n]], { domain: MICROSOFT }, 'float32'));
  // The operator takes one scale for all rows: theirs come after.
  return mul(g, product, reshape(g, x.scales, [rows, 1]));
}

/** x w + b, with b [N] or none. */
export function linear(g: GraphBuilder, x: Value, w: Value, b: Value | null): Value {
  const product = matMul(g, x, w);
  return b === null ? product : add(g, product, b);
}

/** Elementwise with broadcasting: the shorter shape's dims equal the other's last ones, or are 1. */
function elementwise(g: GraphBuilder, op: 'Add' | 'Max' | 'Mul', a: Value, b: Value): Value {
  const [long, short] = a.dims.length >= b.dims.length ? [a, b] : [b, a];
  const lead = long.dims.length - short.dims.length;
  const dims = long.dims.map((dim, i) => {
    const other = i < lead ? 1 : short.dims[i - lead]!;
    if (dim !== other && dim !== 1 && other !== 1) fail(op, a, b);
    return Math.max(dim, other);
  });
  return only(g.node(op, [a, b], [dims]));
}

export function add(g: GraphBuilder, a: Value, b: Value): Value {
  return elementwise(g, 'Add', a, b);
}

export function mul(g: GraphBuilder, a: Value, b: Value): Value {
  return elementwise(g, 'Mul', a, b);
}

/** The larger of both. */
export function max(g: GraphBuilder, a: Value, b: Value): Value {
  return elementwise(g, 'Max', a, b);
}

/** The same numbers in another shape; no data moves. */
export function reshape(g: GraphBuilder, x: Value, dims: readonly number[]): Value {
  if (elements(x.dims) !== elements(dims)) throw new Error(`Reshape: [${x.dims.join(', ')}] to [${dims.join(', ')}]`);
  const shape = g.constant('shape', [dims.length], BigInt64Array.from(dims, BigInt));
  return only(g.node('Reshape', [x, shape], [dims], {}, x.type));
}

export function transpose(g: GraphBuilder, x: Value, order: readonly number[]): Value {
  const dims = order.map((axis) => x.dims[axis]!);
  return only(g.node('Transpose', [x], [dims], { attributes: { perm: { kind: 'ints', value: order } } }));
}

export function concat(g: GraphBuilder, values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (first === undefined) throw new Error('Concat of nothing');
  if (values.length === 1) return first;
  for (const value of values) {
    if (value.dims.length !== first.dims.length || value.dims.some((dim, i) => i !== axis && dim !== first.dims[i])) fail('Concat', ...values);
  }
  const dims = first.dims.map((dim, i) => (i === axis ? values.reduce((sum, value) => sum + value.dims[axis]!, 0) : dim));
  return only(g.node('Concat', values, [dims], { attributes: { axis: int(axis) } }));
}

/** Cuts the last axis into pieces of the given sizes. */
export function split(g: GraphBuilder, x: Value, sizes: readonly number[]): Value[] {
  const axis = x.dims.length - 1;
  if (sizes.reduce((sum, size) => sum + size, 0) !== x.dims[axis]) fail(`Split ${sizes.join('+')}`, x);
  const pieces = g.constant('sizes', [sizes.length], BigInt64Array.from(sizes, BigInt));
  return g.node('Split', [x, pieces], sizes.map((size) => [...x.dims.slice(0, -1), size]), { attributes: { axis: int(axis) } });
}

/** (x - mean) / sqrt(variance + epsilon) * scale + bias over the last axis. */
export function layerNorm(g: GraphBuilder, x: Value, scale: Value, bias: Value, epsilon: number): Value {
  needVector('LayerNormalization', x, scale);
  needVector('LayerNormalization', x, bias);
  return only(g.node('LayerNormalization', [x, scale, bias], [x.dims], { attributes: { axis: int(-1), epsilon: float(epsilon) } }));
}

/** sum = x + skip (+ linearBias), and the layer norm of the sum, in one kernel. */
export function skipLayerNorm(
  g: GraphBuilder,
  x: Value,
  skip: Value,
  norm: { readonly scale: Value; readonly bias: Value; readonly epsilon: number },
  linearBias: Value | null,
): { readonly normed: Value; readonly sum: Value } {
  needSame('SkipLayerNormalization', x, skip);
  needVector('SkipLayerNormalization', x, norm.scale);
  const inputs = [x, skip, norm.scale, norm.bias, ...(linearBias === null ? [] : [linearBias])];
  const [normed, sum] = g.node('SkipLayerNormalization', inputs, [x.dims, null, null, x.dims], {
    domain: MICROSOFT,
    attributes: { epsilon: float(norm.epsilon) },
  });
  return { normed: normed!, sum: sum! };
}

/** x / sqrt(mean(x^2) + epsilon) * scale over the last axis (RMS norm). */
export function rmsNorm(g: GraphBuilder, x: Value, scale: Value, epsilon: number): Value {
  needVector('SimplifiedLayerNormalization', x, scale);
  // Registered by ONNX Runtime in ONNX's own domain, unlike its Skip form.
  return only(g.node('SimplifiedLayerNormalization', [x, scale], [x.dims], { attributes: { axis: int(-1), epsilon: float(epsilon), stash_type: int(1) } }));
}

/** sum = x + skip, and the RMS norm of the sum, in one kernel. */
export function skipRmsNorm(g: GraphBuilder, x: Value, skip: Value, scale: Value, epsilon: number): { readonly normed: Value; readonly sum: Value } {
  needSame('SkipSimplifiedLayerNormalization', x, skip);
  needVector('SkipSimplifiedLayerNormalization', x, scale);
  const [normed, sum] = g.node('SkipSimplifiedLayerNormalization', [x, skip, scale], [x.dims, null, null, x.dims], {
    domain: MICROSOFT,
    attributes: { epsilon: float(epsilon) },
  });
  return { normed: normed!, sum: sum! };
}

/** gelu by tanh: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), of x + bias. */
export function fastGelu(g: GraphBuilder, x: Value, bias: Value | null): Value {
  return only(g.node('FastGelu', bias === null ? [x] : [x, bias], [x.dims], { domain: MICROSOFT }));
}

/** silu(x) = x sigmoid(x): QuickGelu with alpha 1. */
export function silu(g: GraphBuilder, x: Value): Value {
  return only(g.node('QuickGelu', [x], [x.dims], { domain: MICROSOFT, attributes: { alpha: float(1) } }));
}

/**
 * Rotary embedding of x [n, rows, heads * headSize]: row r of every head is turned by the angles of row positions[n, r] of
 * the tables cos, sin [count, headSize / 2]. Half-split: [a, b] becomes [a cos - b sin, b cos + a sin].
 */
export function rotary(g: GraphBuilder, x: Value, positions: Value, cos: Value, sin: Value): Value {
  if (positions.type !== 'int64' || positions.dims.join() !== x.dims.slice(0, -1).join()) fail('RotaryEmbedding', x, positions);
  if (x.dims.at(-1)! % (2 * cos.dims[1]!) !== 0 || cos.dims[0]! < x.dims.at(-2)!) fail('RotaryEmbedding', x, cos);
  return only(g.node('RotaryEmbedding', [x, positions, cos, sin], [x.dims], { domain: MICROSOFT, attributes: { interleaved: int(0) } }));
}

/**
 * softmax(q k' / sqrt(headSize) + bias) v for each head. q [1, Q, heads * headSize], k and v [1, K, heads * headSize],
 * bias [1, 1, Q, K] or none.
 */
export function attention(g: GraphBuilder, q: Value, k: Value, v: Value, heads: number, bias: Value | null): Value {
  checkAttention(q, k, v, heads, bias, 0);
  const inputs = bias === null ? [q, k, v] : [q, k, v, null, null, bias];
  return only(g.node('MultiHeadAttention', inputs, [q.dims], { domain: MICROSOFT, attributes: { num_heads: int(heads) } }));
}

/** Keys and values head by head, [1, heads, rows, headSize]. */
export interface Cache {
  readonly k: Value;
  readonly v: Value;
}

/**
 * Attention to the rows of `past` and, after them, to k and v [1, K, heads * headSize]; bias [1, 1, Q, past rows + K]. Gives
 * the rows of both as `cache` too, which costs nothing: a GPU's kernel has them copied next to each other head by head
 * anyhow, before it begins.
 */
export function cachedAttention(g: GraphBuilder, q: Value, k: Value, v: Value, heads: number, bias: Value, past: Cache | null): { readonly attended: Value; readonly cache: Cache } {
  const before = past === null ? 0 : past.k.dims[2]!;
  checkAttention(q, k, v, heads, bias, before);
  const rows = [1, heads, before + k.dims[1]!, k.dims[2]! / heads];
  if (past !== null && (past.k.dims.join() !== [1, heads, before, rows[3]].join() || past.v.dims.join() !== past.k.dims.join())) fail('MultiHeadAttention past', k, past.k, past.v);
  const inputs = past === null ? [q, k, v, null, null, bias] : [q, k, v, null, null, bias, past.k, past.v];
  const [attended, keys, values] = g.node('MultiHeadAttention', inputs, [q.dims, rows, rows], { domain: MICROSOFT, attributes: { num_heads: int(heads) } });
  return { attended: attended!, cache: { k: keys!, v: values! } };
}

function checkAttention(q: Value, k: Value, v: Value, heads: number, bias: Value | null, before: number): void {
  if (q.dims.at(-1) !== k.dims.at(-1) || k.dims.join() !== v.dims.join() || q.dims.at(-1)! % heads !== 0) fail('MultiHeadAttention', q, k, v);
  if (bias !== null && bias.dims.join() !== [1, 1, q.dims[1], before + k.dims[1]!].join()) fail('MultiHeadAttention bias', q, k, bias);
}

function needVector(op: string, x: Value, vector: Value): void {
  if (vector.dims.length !== 1 || vector.dims[0] !== x.dims.at(-1)) fail(op, x, vector);
}

function needSame(op: string, a: Value, b: Value): void {
  if (a.dims.join() !== b.dims.join()) fail(op, a, b);
}
