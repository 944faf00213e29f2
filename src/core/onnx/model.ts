/**
 * The ONNX messages we use, as plain data, with a writer and a reader. Knows the field numbers of onnx.proto and
 * nothing of what a graph computes.
 *
 *   ModelProto ─ graph ─┬─ node*         (operator, named inputs and outputs, attributes)
 *                       ├─ initializer*  (a constant: inline bytes, or file + offset + length)
 *                       └─ input*, output* (name, element type, shape)
 */
import { MessageWriter, readFields, type Field } from './protobuf.ts';

export type ElementType = 'float32' | 'int64' | 'uint8' | 'int8' | 'float16';

/** TensorProto.DataType. */
export const ELEMENT_CODES: Readonly<Record<ElementType, number>> = { float32: 1, uint8: 2, int8: 3, int64: 7, float16: 10 };

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = { float32: 4, uint8: 1, int8: 1, int64: 8, float16: 2 };

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
}

export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'string'; readonly value: string };

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** '' is ONNX's own operators, 'com.microsoft' ONNX Runtime's. */
  readonly domain: string;
  /** '' for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Initializer extends ValueInfo {
  readonly place:
    | { readonly kind: 'inline'; readonly bytes: Uint8Array }
    | { readonly kind: 'external'; readonly file: string; readonly offset: number; readonly length: number };
}

export interface OnnxModel {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly OnnxNode[];
}

export const IR_VERSION = 10;
export const OPSETS = [
  { domain: '', version: 21 },
  { domain: 'com.microsoft', version: 1 },
] as const;

export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new MessageWriter();
  for (const node of model.nodes) graph.message(1, encodeNode(node));
  graph.text(2, model.name);
  for (const initializer of model.initializers) graph.message(5, encodeInitializer(initializer));
  for (const input of model.inputs) graph.message(11, encodeValueInfo(input));
  for (const output of model.outputs) graph.message(12, encodeValueInfo(output));
  const file = new MessageWriter().int(1, IR_VERSION).text(2, 'vla-playground').message(7, graph);
  for (const { domain, version } of OPSETS) file.message(8, new MessageWriter().text(1, domain).int(2, version));
  return file.finish();
}

function encodeNode(node: OnnxNode): MessageWriter {
  const out = new MessageWriter();
  for (const input of node.inputs) out.text(1, input);
  for (const output of node.outputs) out.text(2, output);
  out.text(3, node.name).text(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) out.message(5, encodeAttribute(name, attribute));
  return out.text(7, node.domain);
}

function encodeAttribute(name: string, attribute: Attribute): MessageWriter {
  const out = new MessageWriter().text(1, name);
  switch (attribute.kind) {
    case 'float':
      return out.float(2, attribute.value).int(20, 1);
    case 'int':
      return out.int(3, attribute.value).int(20, 2);
    case 'string':
      return out.text(4, attribute.value).int(20, 3);
    case 'ints':
      for (const value of attribute.value) out.int(8, value);
      return out.int(20, 7);
  }
}

function encodeInitializer(initializer: Initializer): MessageWriter {
  const out = new MessageWriter();
  for (const dim of initializer.dims) out.int(1, dim);
  out.int(2, ELEMENT_CODES[initializer.type]).text(8, initializer.name);
  const { place } = initializer;
  if (place.kind === 'inline') return out.bytes(9, place.bytes);
  const entry = (key: string, value: string): MessageWriter => new MessageWriter().text(1, key).text(2, value);
  return out
    .message(13, entry('location', place.file))
    .message(13, entry('offset', String(place.offset)))
    .message(13, entry('length', String(place.length)))
    .int(14, 1);
}

function encodeValueInfo(value: ValueInfo): MessageWriter {
  const shape = new MessageWriter();
  for (const dim of value.dims) shape.message(1, new MessageWriter().int(1, dim));
  const tensor = new MessageWriter().int(1, ELEMENT_CODES[value.type]).message(2, shape);
  return new MessageWriter().text(1, value.name).message(2, new MessageWriter().message(1, tensor));
}

/** Reads back what `encodeModel` wrote: for tests, and for tools that count a graph's operators. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const graph = nested(one(readFields(bytes), 7));
  return {
    name: text(one(graph, 2)),
    nodes: graph.filter((f) => f.number === 1).map(decodeNode),
    initializers: graph.filter((f) => f.number === 5).map(decodeInitializer),
    inputs: graph.filter((f) => f.number === 11).map(decodeValueInfo),
    outputs: graph.filter((f) => f.number === 12).map(decodeValueInfo),
  };
}

function decodeNode(field: Field): OnnxNode {
  const fields = nested(field);
  const texts = (number: number): string[] => fields.filter((f) => f.number === number).map(text);
  const attributes: Record<string, Attribute> = {};
  for (const attribute of fields.filter((f) => f.number === 5)) {
    const parts = nested(attribute);
    attributes[text(one(parts, 1))] = decodeAttribute(parts);
  }
  return {
    name: text(one(fields, 3)),
    op: text(one(fields, 4)),
    domain: texts(7)[0] ?? '',
    inputs: texts(1),
    outputs: texts(2),
    attributes,
  };
}

function decodeAttribute(parts: readonly Field[]): Attribute {
  const code = int(one(parts, 20));
  if (code === 1) {
    const field = one(parts, 2);
    if (field.wire !== 'fixed32') throw new Error('float attribute is not 4 bytes');
    return { kind: 'float', value: new DataView(field.value.buffer, field.value.byteOffset).getFloat32(0, true) };
  }
  if (code === 2) return { kind: 'int', value: int(one(parts, 3)) };
  if (code === 3) return { kind: 'string', value: text(one(parts, 4)) };
  if (code === 7) return { kind: 'ints', value: parts.filter((f) => f.number === 8).map(int) };
  throw new Error(`attribute type ${code} is not one that we write`);
}

function decodeInitializer(field: Field): Initializer {
  const fields = nested(field);
  const head = {
    name: text(one(fields, 8)),
    type: elementType(int(one(fields, 2))),
    dims: fields.filter((f) => f.number === 1).map(int),
  };
  const entries = new Map<string, string>();
  for (const entry of fields.filter((f) => f.number === 13)) entries.set(text(one(nested(entry), 1)), text(one(nested(entry), 2)));
  const file = entries.get('location');
  if (file === undefined) return { ...head, place: { kind: 'inline', bytes: raw(one(fields, 9)) } };
  return { ...head, place: { kind: 'external', file, offset: Number(entries.get('offset')), length: Number(entries.get('length')) } };
}

function decodeValueInfo(field: Field): ValueInfo {
  const fields = nested(field);
  const tensor = nested(one(nested(one(fields, 2)), 1));
  const dims = nested(one(tensor, 2)).map((dim) => int(one(nested(dim), 1)));
  return { name: text(one(fields, 1)), type: elementType(int(one(tensor, 1))), dims };
}

function one(fields: Iterable<Field>, number: number): Field {
  for (const field of fields) if (field.number === number) return field;
  throw new Error(`field ${number} is missing`);
}

function raw(field: Field): Uint8Array {
  if (field.wire !== 'bytes') throw new Error(`field ${field.number} is not bytes`);
  return field.value;
}

function nested(field: Field): Field[] {
  return [...readFields(raw(field))];
}

function text(field: Field): string {
  return new TextDecoder().decode(raw(field));
}

function int(field: Field): number {
  if (field.wire !== 'varint') throw new Error(`field ${field.number} is not a whole number`);
  return Number(BigInt.asIntN(64, field.value));
}

function elementType(code: number): ElementType {
  for (const [type, value] of Object.entries(ELEMENT_CODES)) if (value === code && isElementType(type)) return type;
  throw new Error(`element type ${code} is not one that we write`);
}

function isElementType(name: string): name is ElementType {
  return name in ELEMENT_CODES;
}
