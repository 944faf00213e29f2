/**
 * Writes WebAssembly modules: expressions with a type, statements, functions, one memory. Knows the binary format of those
 * instructions that `kernels.ts` uses; knows nothing of what is computed.
 *
 * Why bytes are written here and not compiled from another language: the page then needs no second toolchain, and a kernel is
 * unrolled by an ordinary loop of TypeScript. Numbers are those of the core specification 3.0 (instructions, binary format);
 * `relaxed` ones may differ between processors in what the specification leaves open.
 */

export type Kind = 'i32' | 'f32' | 'v128';

const KIND_BYTE: Readonly<Record<Kind, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

/** Instructions that leave one value on the stack. */
export interface Expr<K extends Kind> {
  readonly kind: K;
  readonly code: readonly number[];
}

export interface Local<K extends Kind> extends Expr<K> {
  readonly index: number;
}

export type Int = Expr<'i32'>;
export type Float = Expr<'f32'>;
export type Vector = Expr<'v128'>;

/** Whole numbers in 7 bits a byte, least first; signed ones end when the sign agrees. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const more = rest > 0x7f;
    bytes.push((rest & 0x7f) | (more ? 0x80 : 0));
    rest >>>= 7;
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    bytes.push(done ? byte : byte | 0x80);
    if (done) return bytes;
  }
}

function floatBytes(value: number): number[] {
  return [...new Uint8Array(Float32Array.of(value).buffer)];
}

/** Instruction numbers above 255 and all of vectors stand behind 0xfd. */
function vectorOp(number: number): number[] {
  return [0xfd, ...unsigned(number)];
}

const join = <K extends Kind>(kind: K, operands: readonly Expr<Kind>[], ...tail: readonly number[][]): Expr<K> => ({ kind, code: [...operands.flatMap(({ code }) => code), ...tail.flat()] });
/** Alignment is a hint; 2^0 promises nothing and costs nothing on the processors in question. */
const at = (offset: number): number[] => [0, ...unsigned(offset)];

export const i32 = {
  const: (value: number): Int => join('i32', [], [0x41, ...signed(value)]),
  load: (address: Int, offset = 0): Int => join('i32', [address], [0x28, ...at(offset)]),
  add: (a: Int, b: Int): Int => join('i32', [a, b], [0x6a]),
  sub: (a: Int, b: Int): Int => join('i32', [a, b], [0x6b]),
  mul: (a: Int, b: Int): Int => join('i32', [a, b], [0x6c]),
  and: (a: Int, b: Int): Int => join('i32', [a, b], [0x71]),
  shl: (a: Int, b: Int): Int => join('i32', [a, b], [0x74]),
  shr: (a: Int, b: Int): Int => join('i32', [a, b], [0x76]),
  less: (a: Int, b: Int): Int => join('i32', [a, b], [0x48]),
} as const;

export const f32 = {
  const: (value: number): Float => join('f32', [], [0x43, ...floatBytes(value)]),
  load: (address: Int, offset = 0): Float => join('f32', [address], [0x2a, ...at(offset)]),
  add: (a: Float, b: Float): Float => join('f32', [a, b], [0x92]),
  sub: (a: Float, b: Float): Float => join('f32', [a, b], [0x93]),
  mul: (a: Float, b: Float): Float => join('f32', [a, b], [0x94]),
  div: (a: Float, b: Float): Float => join('f32', [a, b], [0x95]),
  min: (a: Float, b: Float): Float => join('f32', [a, b], [0x96]),
  max: (a: Float, b: Float): Float => join('f32', [a, b], [0x97]),
  sqrt: (a: Float): Float => join('f32', [a], [0x91]),
  ofInt: (a: Int): Float => join('f32', [a], [0xb2]),
  lane: (v: Vector, lane: number): Float => join('f32', [v], [...vectorOp(0x1f), lane]),
} as const;

const binary = (number: number) => (a: Vector, b: Vector): Vector => join('v128', [a, b], vectorOp(number));
const unary = (number: number) => (a: Vector): Vector => join('v128', [a], vectorOp(number));

export const v128 = {
  load: (address: Int, offset = 0): Vector => join('v128', [address], [...vectorOp(0x00), ...at(offset)]),
  /** One word of 32 bits in all four lanes. */
  loadSplat: (address: Int, offset = 0): Vector => join('v128', [address], [...vectorOp(0x09), ...at(offset)]),
  zero: join('v128', [], [...vectorOp(0x0c), ...Array.from({ length: 16 }, () => 0)]),
  and: binary(0x4e),
} as const;

export const i32x4 = {
  splat: (a: Int): Vector => join('v128', [a], vectorOp(0x11)),
  lane: (v: Vector, lane: number): Int => join('i32', [v], [...vectorOp(0x1b), lane]),
  add: binary(0xae),
  shl: (a: Vector, bits: Int): Vector => join('v128', [a, bits], vectorOp(0xab)),
  shr: (a: Vector, bits: Int): Vector => join('v128', [a, bits], vectorOp(0xac)),
  /** Relaxed: of numbers within the range of i32 everywhere the same, towards 0. */
  trunc: unary(0x101),
  /**
   * Relaxed: lane i of `sum` plus the products of bytes 4i to 4i + 3 of `a`, signed, and `b`. Everywhere the same while the bytes
   * of `b` are 0 to 127: processors take them as signed or not, or saturate on the way.
   */
  dot: (a: Vector, b: Vector, sum: Vector): Vector => join('v128', [a, b, sum], vectorOp(0x113)),
  /** Lane i: the sum of the products of half words 2i and 2i + 1. */
  dotHalves: binary(0xba),
} as const;

export const i16x8 = {
  /** Relaxed as `i32x4.dot`: half word i is the sum of the products of bytes 2i and 2i + 1 of `a`, signed, and `b`, 0 to 127. */
  dot: binary(0x112),
} as const;

export const f32x4 = {
  splat: (a: Float): Vector => join('v128', [a], vectorOp(0x13)),
  const: (value: number): Vector => {
    const bytes = floatBytes(value);
    return join('v128', [], [...vectorOp(0x0c), ...bytes, ...bytes, ...bytes, ...bytes]);
  },
  /** Four times the float of these bits. */
  fromBits: (bits: number): Vector => {
    const bytes = [...new Uint8Array(Uint32Array.of(bits).buffer)];
    return join('v128', [], [...vectorOp(0x0c), ...bytes, ...bytes, ...bytes, ...bytes]);
  },
  ofInts: unary(0xfa),
  nearest: unary(0x6a),
  add: binary(0xe4),
  sub: binary(0xe5),
  mul: binary(0xe6),
  div: binary(0xe7),
  /** The smaller and the larger as processors do it in one instruction: the first where one is not a number. */
  min: binary(0xea),
  max: binary(0xeb),
  /** Relaxed: a times b plus c, rounded once or twice. */
  madd: (a: Vector, b: Vector, c: Vector): Vector => join('v128', [a, b, c], vectorOp(0x105)),
} as const;

const narrowWords = binary(0x85);
const narrowBytes = (a: Vector, b: Vector, number: number): Vector => join('v128', [a, b], vectorOp(number));

export const i8x16 = {
  lane: (v: Vector, lane: number): Int => join('i32', [v], [...vectorOp(0x15), lane]),
  /** Sixteen bytes from four vectors of words within 0 to 255. */
  ofWords: (a: Vector, b: Vector, c: Vector, d: Vector): Vector => narrowBytes(narrowWords(a, b), narrowWords(c, d), 0x66),
  /** The same of -128 to 127. */
  ofSignedWords: (a: Vector, b: Vector, c: Vector, d: Vector): Vector => narrowBytes(narrowWords(a, b), narrowWords(c, d), 0x65),
} as const;


/** One function under construction. */
export class Body {
  private readonly params: readonly Kind[];
  private readonly locals: Kind[] = [];
  private readonly code: number[] = [];

  constructor(params: readonly Kind[]) {
    this.params = params;
  }

  local<K extends Kind>(kind: K): Local<K> {
    this.locals.push(kind);
    return localAt(kind, this.params.length + this.locals.length - 1);
  }

  /** A local with a value of its own. */
  let<K extends Kind>(value: Expr<K>): Local<K> {
    const made = this.local(value.kind);
    this.set(made, value);
    return made;
  }

  set<K extends Kind>(local: Local<K>, value: Expr<K>): void {
    this.code.push(...value.code, 0x21, ...unsigned(local.index));
  }

  add(local: Local<'i32'>, value: Int): void {
    this.set(local, i32.add(local, value));
  }

  storeVector(address: Int, value: Vector, offset = 0): void {
    this.code.push(...address.code, ...value.code, ...vectorOp(0x0b), ...at(offset));
  }

  storeInt(address: Int, value: Int, offset = 0): void {
    this.code.push(...address.code, ...value.code, 0x36, ...at(offset));
  }

  storeByte(address: Int, value: Int, offset = 0): void {
    this.code.push(...address.code, ...value.code, 0x3a, ...at(offset));
  }

  storeFloat(address: Int, value: Float, offset = 0): void {
    this.code.push(...address.code, ...value.code, 0x38, ...at(offset));
  }

  /** As long as `condition` is not 0, which is looked at before each round. */
  while(condition: Int, body: () => void): void {
    // block { if not, out; loop { body; again if so } }
    this.code.push(0x02, 0x40, ...condition.code, 0x45, 0x0d, 0, 0x03, 0x40);
    body();
    this.code.push(...condition.code, 0x0d, 0, 0x0b, 0x0b);
  }

  bytes(): number[] {
    const locals = this.locals.flatMap((kind) => [1, KIND_BYTE[kind]]);
    const body = [...unsigned(this.locals.length), ...locals, ...this.code, 0x0b];
    return [...unsigned(body.length), ...body];
  }
}

function localAt<K extends Kind>(kind: K, index: number): Local<K> {
  return { kind, index, code: [0x20, ...unsigned(index)] };
}

export interface FunctionToWrite {
  readonly name: string;
  readonly params: readonly Kind[];
  readonly body: number[];
}

/** A function of the module; `write` gets its parameters as locals. */
export function kernel<const Params extends readonly Kind[]>(name: string, params: Params, write: (f: Body, ...params: { [I in keyof Params]: Local<Params[I]> }) => void): FunctionToWrite {
  const body = new Body(params);
  write(body, ...(params.map((kind, index) => localAt(kind, index)) as { [I in keyof Params]: Local<Params[I]> }));
  return { name, params, body: body.bytes() };
}

/** A page of memory. */
export const PAGE_BYTES = 65536;

/** Addresses are compared as signed numbers: 2 GiB. */
export const MOST_PAGES = 32768;

/** A module whose functions work on the memory `env.memory`, which is shared and of any size. */
export function writeModule(functions: readonly FunctionToWrite[]): Uint8Array<ArrayBuffer> {
  const text = (value: string): number[] => [...unsigned(value.length), ...new TextEncoder().encode(value)];
  const section = (id: number, items: readonly number[][]): number[] => {
    const content = [...unsigned(items.length), ...items.flat()];
    return [id, ...unsigned(content.length), ...content];
  };
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // "\0asm", version 1
    ...section(1, functions.map(({ params }) => [0x60, ...unsigned(params.length), ...params.map((kind) => KIND_BYTE[kind]), 0])),
    ...section(2, [[...text('env'), ...text('memory'), 0x02, 0x03, ...unsigned(1), ...unsigned(MOST_PAGES)]]),
    ...section(3, functions.map((_, index) => unsigned(index))),
    ...section(7, functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)])),
    ...section(10, functions.map(({ body }) => body)),
  ]);
}
