/**
 * A graph under construction. Every value knows its element type and its full, static shape, so that a wrong graph
 * fails while it is written, with the operator's name, and not when a runtime loads it. Knows how values are named and
 * joined; `ops.ts` knows the operators.
 */
import { ELEMENT_BYTES, encodeModel, type Attribute, type ElementType, type Initializer, type OnnxNode, type ValueInfo } from './model.ts';

/** A tensor in the graph. */
export type Value = ValueInfo;

/** Where a weight's bytes lie, row-major. */
export interface ExternalTensor {
  /** float32 where absent. */
  readonly type?: ElementType;
  readonly name: string;
  readonly shape: readonly number[];
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

export interface NodeOptions {
  readonly domain?: '' | 'com.microsoft';
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export class GraphBuilder {
  private readonly graphName: string;
  private readonly inputs: ValueInfo[] = [];
  private readonly outputs: ValueInfo[] = [];
  private readonly initializers = new Map<string, Initializer>();
  private readonly nodes: OnnxNode[] = [];
  private readonly taken = new Set<string>();
  private count = 0;

  constructor(graphName: string) {
    this.graphName = graphName;
  }

  input(name: string, type: ElementType, dims: readonly number[]): Value {
    const value = { name: this.claim(name), type, dims: checked(name, dims) };
    this.inputs.push(value);
    return value;
  }

  /** A small constant, stored in the graph file itself. */
  constant(name: string, dims: readonly number[], data: Float32Array | BigInt64Array | Uint8Array): Value {
    if (data.length !== elements(dims)) throw new Error(`constant ${name}: ${data.length} values for [${dims.join(', ')}]`);
    const type = data instanceof Float32Array ? 'float32' : data instanceof Uint8Array ? 'uint8' : 'int64';
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    const value = { name: this.claim(this.free(name)), type, dims } as const;
    this.initializers.set(value.name, { ...value, place: { kind: 'inline', bytes } });
    return value;
  }

  /** A weight that stays in its own file. Asking for the same one twice gives the same value. */
  external(tensor: ExternalTensor): Value {
    const known = this.initializers.get(tensor.name);
    if (known !== undefined) return { name: known.name, type: known.type, dims: known.dims };
    const { type = 'float32' } = tensor;
    if (tensor.length !== elements(tensor.shape) * ELEMENT_BYTES[type]) throw new Error(`weight ${tensor.name}: ${tensor.length} bytes for [${tensor.shape.join(', ')}]`);
    const value = { name: this.claim(tensor.name), type, dims: checked(tensor.name, tensor.shape) } as const;
    this.initializers.set(value.name, {
      ...value,
      place: { kind: 'external', file: tensor.file, offset: tensor.offset, length: tensor.length },
    });
    return value;
  }

  /**
   * Adds one operator. `null` inputs and outputs are optional ones left out; returns the values of the others in
   * order, of the first input's type unless another is said. Callers state the output shapes: this class checks that they are whole and positive, not that they are true.
   */
  node(
    op: string,
    inputs: readonly (Value | null)[],
    outputs: readonly (readonly number[] | null)[],
    { domain = '', attributes = {} }: NodeOptions = {},
    type: ElementType = inputs[0]?.type ?? 'float32',
  ): Value[] {
    const nodeName = this.claim(this.free(op));
    const values: Value[] = [];
    const outputNames: string[] = [];
    for (const dims of outputs) {
      if (dims === null) {
        outputNames.push('');
        continue;
      }
      const value = { name: this.claim(this.free(`${nodeName}:`)), type, dims: checked(nodeName, dims) };
      values.push(value);
      outputNames.push(value.name);
    }
    this.nodes.push({ name: nodeName, op, domain, inputs: inputs.map((value) => value?.name ?? ''), outputs: outputNames, attributes });
    return values;
  }

  /** Makes a value leave the graph under a name of its own. */
  output(name: string, value: Value): void {
    const out = { name: this.claim(name), type: value.type, dims: value.dims };
    // Identity is an alias in every provider: it starts no kernel.
    this.nodes.push({ name: `output ${name}`, op: 'Identity', domain: '', inputs: [value.name], outputs: [name], attributes: {} });
    this.outputs.push(out);
  }

  /** The finished file. */
  build(): Uint8Array {
    return encodeModel({
      name: this.graphName,
      inputs: this.inputs,
      outputs: this.outputs,
      initializers: [...this.initializers.values()],
      nodes: this.nodes,
    });
  }

  private free(stem: string): string {
    return `${stem}#${this.count++}`;
  }

  private claim(name: string): string {
    if (name === '' || this.taken.has(name)) throw new Error(`the graph ${this.graphName} has two values called "${name}"`);
    this.taken.add(name);
    return name;
  }
}

export function elements(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

function checked(name: string, dims: readonly number[]): readonly number[] {
  for (const dim of dims) if (!Number.isSafeInteger(dim) || dim < 1) throw new Error(`${name}: shape [${dims.join(', ')}]`);
  return dims;
}
