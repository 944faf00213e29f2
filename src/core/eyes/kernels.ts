/**
 * The kernels of a vision transformer on a CPU's vectors, as WebAssembly. Each works on a few rows of numbers that lie in the
 * memory all threads share; knows addresses and sizes, no layer and no thread.
 *
 * **A product of whole numbers.** Rows of float32 are rounded to bytes u of 0 to 127, each row with its own least number m and
 * step s: x = m + s u. A matrix W is kept as signed bytes w with a scale c a column. Then
 *
 *   sum over k of x[k] W[k, n]  =  c[n] ( s sum u w[k, n]  +  m sum w[k, n] )
 *
 * where the second sum is known once the matrix is. The first is `i32x4.dot`: four columns, four k an instruction. Bytes of 7
 * bits are what that instruction promises to be the same everywhere (`wasm.ts`).
 *
 *   a matrix of [K, N] lies in tiles of 8 columns:          and beside it, a tile:
 *     tile 0: k 0..3  [ 4 columns x 4 k | again ]  32 B       8 scales c, 8 x c sum w, 8 biases   96 B
 *             k 4..7  ...
 *     tile 1: ...
 */
import { f32, f32x4, i16x8, i32, i32x4, i8x16, kernel, v128, type Body, type Expr, type Float, type FunctionToWrite, type Int, type Local, type Vector } from './wasm.ts';

/** Columns of a tile, in two vectors of four. */
export const TILE = 8;
const VECTORS = TILE / 4;
/**
 * Rows at once; what is left over goes by two, then one. Five rows keep 10 sums, 2 vectors of the matrix and one of the row in
 * registers, of 15 that a compiler has on x86; 3 rows of 16 columns would be 17, and run at half the speed (117 against 230 GOP/s,
 * 10^9 multiplications and additions a second). Six rows of 8 are 4 % quicker where a dot product is one instruction, and 15 % slower
 * where it is three.
 */
const ROWS = [5, 2, 1] as const;
/** Bytes of a tile's scales, sums and biases. */
export const TILE_FACTS_BYTES = 3 * 4 * TILE;
/** Bytes of a row's step and least number. */
export const ROW_FACTS_BYTES = 8;
/** Rows, widths and numbers of keys must be whole tiles of these, rows excepted. */
export const WIDTH_STEP = 16;
/** Whole numbers that a byte of a row may be, less one. */
const LEVELS = 127;
/** Of a share of attention, kept in two bytes of 7 bits: beside a great one a share of a thousandth must not vanish. */
const SHARE_LEVELS = 128 * LEVELS + LEVELS;

/** What the compiled module offers. Addresses and strides are bytes, everything else counts numbers or rows. */
export interface Kernels {
  /** out[r, n] = the product of rounded rows and a matrix, plus its bias. `k`: numbers of a row. */
  product(codes: number, rowFacts: number, matrix: number, tileFacts: number, out: number, rows: number, k: number, tiles: number, outStride: number): void;
  /** The same, added to what is in `out`. */
  productAdded(codes: number, rowFacts: number, matrix: number, tileFacts: number, out: number, rows: number, k: number, tiles: number, outStride: number): void;
  /** Rows of float32 to bytes and facts. */
  round(x: number, stride: number, rows: number, width: number, codes: number, rowFacts: number): void;
  /** Layer norm of each row: (x - mean) / sqrt(variance + epsilon) scale + bias. */
  norm(x: number, rows: number, width: number, scale: number, bias: number, out: number, epsilon: number): void;
  /** gelu by tanh, in place. `count` a multiple of 4. */
  gelu(x: number, count: number): void;
  /** Keys `first` on of one head, rounded, into a matrix [size, keys] whose columns they are. */
  packKeys(x: number, stride: number, rows: number, size: number, first: number, matrix: number, tileFacts: number): void;
  /** Values `first` on of one head, rounded, into a matrix [keys, size] whose rows they are; each row's step into `steps`. */
  packValues(x: number, stride: number, rows: number, size: number, first: number, keys: number, matrix: number, steps: number): void;
  /**
   * Shares of attention from scores, each times the step of its value: softmax over `keys` of `factor` times the score. As two bytes
   * of 7 bits, high and low, with facts for each. The scores are overwritten.
   */
  shares(scores: number, rows: number, keys: number, steps: number, factor: number, high: number, low: number, highFacts: number, lowFacts: number): void;
}

/**
 * How a dot product of bytes is written; the sums are the same. `one`: as one instruction, which x86 has with VNNI and ARM with its dot
 * products (219 to 236 GOP/s on the processor of `evidence/wasm.md`). Where there is none, a compiler makes it of three and of a constant that
 * it loads each time (98 to 101 there, VNNI switched off); `three` writes the three and keeps the constant (139 to 151).
 */
export type DotForm = 'one' | 'three';
export const DOT_FORMS: readonly DotForm[] = ['one', 'three'];

export function kernelFunctions(form: DotForm): FunctionToWrite[] {
  return [product('product', 'set', form), product('productAdded', 'add', form), round(), norm(), gelu(), packKeys(), packValues(), shares()];
}

/** Runs `body` for each `step` bytes from `from` on, up to `end`. */
function each(f: Body, from: Int, end: Int, step: number, body: (address: Local<'i32'>) => void): void {
  const address = f.let(from);
  const stop = f.let(end);
  f.while(i32.less(address, stop), () => {
    body(address);
    f.add(address, i32.const(step));
  });
}

function times(f: Body, count: Int, body: () => void): void {
  const left = f.let(count);
  f.while(i32.less(i32.const(0), left), () => {
    body();
    f.add(left, i32.const(-1));
  });
}

const bytesOf = (count: Int): Int => i32.shl(count, i32.const(2));

function product(name: string, into: 'set' | 'add', form: DotForm): FunctionToWrite {
  return kernel(name, ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], (f, codes, rowFacts, matrix, tileFacts, out, rows, k, tiles, outStride) => {
    const ones = f.let(f32x4.fromBits(0x00010001));
    const dot = (a: Vector, b: Vector, sum: Vector): Vector => (form === 'one' ? i32x4.dot(a, b, sum) : i32x4.add(sum, i32x4.dotHalves(i16x8.dot(a, b), ones)));
    const row = f.local('i32');
    const [rowCodes, facts, rowOut] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const inTile = (count: number): void => {
      const cursors = Array.from({ length: count }, (_, r) => f.let(r === 0 ? rowCodes : i32.add(rowCodes, i32.mul(k, i32.const(r)))));
      const sums = Array.from({ length: count * VECTORS }, () => f.let(v128.zero));
      const end = f.let(i32.add(rowCodes, k));
      const at = f.let(matrix);
      f.while(i32.less(cursors[0]!, end), () => {
        for (let step = 0; step < WIDTH_STEP / 4; step++) {
          const columns = Array.from({ length: VECTORS }, (_, v) => f.let(v128.load(at, 4 * TILE * step + 16 * v)));
          for (let r = 0; r < count; r++) {
            const four = f.let(v128.loadSplat(cursors[r]!, 4 * step));
            for (let v = 0; v < VECTORS; v++) f.set(sums[r * VECTORS + v]!, dot(columns[v]!, four, sums[r * VECTORS + v]!));
          }
        }
        for (const cursor of cursors) f.add(cursor, i32.const(WIDTH_STEP));
        f.add(at, i32.const(TILE * WIDTH_STEP));
      });
      for (let r = 0; r < count; r++) {
        const step = f.let(v128.loadSplat(facts, ROW_FACTS_BYTES * r));
        const least = f.let(v128.loadSplat(facts, ROW_FACTS_BYTES * r + 4));
        for (let v = 0; v < VECTORS; v++) {
          const fact = (which: number): Vector => v128.load(tileFacts, 4 * TILE * which + 16 * v);
          const value = f32x4.madd(f32x4.mul(fact(0), step), f32x4.ofInts(sums[r * VECTORS + v]!), f32x4.madd(least, fact(1), fact(2)));
          f.storeVector(rowOut, into === 'set' ? value : f32x4.add(value, v128.load(rowOut, 16 * v)), 16 * v);
        }
        f.add(rowOut, outStride);
      }
      f.add(rowCodes, i32.mul(k, i32.const(count)));
      f.add(facts, i32.const(count * ROW_FACTS_BYTES));
      f.add(row, i32.const(count));
    };
    times(f, tiles, () => {
      f.set(row, i32.const(0));
      f.set(rowCodes, codes);
      f.set(facts, rowFacts);
      f.set(rowOut, out);
      for (const count of ROWS) f.while(i32.less(i32.add(row, i32.const(count - 1)), rows), () => inTile(count));
      f.add(matrix, i32.mul(k, i32.const(TILE)));
      f.add(tileFacts, i32.const(TILE_FACTS_BYTES));
      f.add(out, i32.const(4 * TILE));
    });
  });
}

/** Of the four lanes, in a tree. */
function across(v: Local<'v128'>, op: (a: Float, b: Float) => Float): Expr<'f32'> {
  return op(op(f32.lane(v, 0), f32.lane(v, 1)), op(f32.lane(v, 2), f32.lane(v, 3)));
}

const absolute = (v: Vector): Vector => v128.and(v, f32x4.fromBits(0x7fffffff));

/**
 * Adds 0 to `trace` where all four numbers are finite, and something that is no number where one is not. A byte cannot say that it is
 * none: without this a weight or a pixel gone wrong would come out as a plausible row.
 */
function follow(f: Body, trace: Local<'v128'>, four: Vector): void {
  f.set(trace, f32x4.add(trace, f32x4.sub(four, four)));
}

/** Sixteen floats at `address` to bytes: `(x - least) * inverse`, to the nearest. */
function bytesFrom(address: Int, least: Vector, inverse: Vector): Vector {
  const words = (offset: number): Vector => i32x4.trunc(f32x4.madd(f32x4.sub(v128.load(address, offset), least), inverse, f32x4.const(0.5)));
  return i8x16.ofWords(words(0), words(16), words(32), words(48));
}

function round(): FunctionToWrite {
  return kernel('round', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], (f, x, stride, rows, width, codes, rowFacts) => {
    const [least, most, trace] = [f.local('v128'), f.local('v128'), f.local('v128')];
    times(f, rows, () => {
      f.set(trace, v128.zero);
      const end = f.let(i32.add(x, bytesOf(width)));
      f.set(least, v128.load(x));
      f.set(most, v128.load(x));
      each(f, x, end, 64, (at) => {
        for (let i = 0; i < 4; i++) {
          const four = f.let(v128.load(at, 16 * i));
          f.set(least, f32x4.min(least, four));
          f.set(most, f32x4.max(most, four));
          follow(f, trace, four);
        }
      });
      const low = f.let(across(least, f32.min));
      // A row of one number has no step; any will do.
      const step = f.let(f32.max(f32.mul(f32.sub(across(most, f32.max), low), f32.const(1 / LEVELS)), f32.const(1e-30)));
      f.storeFloat(rowFacts, f32.add(step, across(trace, f32.add)));
      f.storeFloat(rowFacts, low, 4);
      const from = f.let(f32x4.splat(low));
      const inverse = f.let(f32x4.splat(f32.div(f32.const(1), step)));
      each(f, x, end, 64, (at) => {
        f.storeVector(codes, bytesFrom(at, from, inverse));
        f.add(codes, i32.const(16));
      });
      f.add(x, stride);
      f.add(rowFacts, i32.const(ROW_FACTS_BYTES));
    });
  });
}

function norm(): FunctionToWrite {
  return kernel('norm', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'f32'], (f, x, rows, width, scale, bias, out, epsilon) => {
    const sums = [f.local('v128'), f.local('v128')] as const;
    const share = f.let(f32.div(f32.const(1), f32.ofInt(width)));
    /** The mean of what `term` gives for four numbers; two sums, so that neither waits for itself. */
    const mean = (term: (four: Vector) => Vector): Float => {
      for (const sum of sums) f.set(sum, v128.zero);
      each(f, x, i32.add(x, bytesOf(width)), 32, (at) => {
        for (const [i, sum] of sums.entries()) f.set(sum, f32x4.add(sum, term(v128.load(at, 16 * i))));
      });
      f.set(sums[0], f32x4.add(sums[0], sums[1]));
      return f32.mul(across(sums[0], f32.add), share);
    };
    const difference = f.local('v128');
    times(f, rows, () => {
      const middle = f.let(f32x4.splat(mean((four) => four)));
      const variance = mean((four) => {
        f.set(difference, f32x4.sub(four, middle));
        return f32x4.mul(difference, difference);
      });
      const factor = f.let(f32x4.splat(f32.div(f32.const(1), f32.sqrt(f32.add(variance, epsilon)))));
      const [scaleAt, biasAt] = [f.let(scale), f.let(bias)];
      each(f, x, i32.add(x, bytesOf(width)), 16, (at) => {
        f.storeVector(out, f32x4.madd(f32x4.mul(f32x4.sub(v128.load(at), middle), factor), v128.load(scaleAt), v128.load(biasAt)));
        for (const cursor of [out, scaleAt, biasAt]) f.add(cursor, i32.const(16));
      });
      f.add(x, bytesOf(width));
    });
  });
}

/** ln(2)^n / n!: the series of 2^f, which at |f| = 1/2 misses 1.2e-7 after the sixth power. */
const POWERS = [1, 1, 2, 6, 24, 120, 720].map((factorial, n) => Math.LN2 ** n / factorial);

/** e^x in four lanes, by 2^n times 2^f. Below e^-87 it stays at 1e-38, above e^87 at 1e38. */
function exponential(f: Body, x: Vector): Local<'v128'> {
  const power = f.let(f32x4.max(f32x4.min(f32x4.mul(x, f32x4.const(Math.LOG2E)), f32x4.const(126)), f32x4.const(-126)));
  const whole = f.let(f32x4.nearest(power));
  const rest = f.let(f32x4.sub(power, whole));
  const [last, ...before] = POWERS.toReversed();
  const sum = f.let(f32x4.const(last!));
  for (const factor of before) f.set(sum, f32x4.madd(sum, rest, f32x4.const(factor)));
  // 2^n is the float whose exponent is n + 127.
  const scale = i32x4.shl(i32x4.add(i32x4.trunc(whole), i32x4.splat(i32.const(127))), i32.const(23));
  return f.let(f32x4.mul(sum, scale));
}

function gelu(): FunctionToWrite {
  return kernel('gelu', ['i32', 'i32'], (f, x, count) => {
    each(f, x, i32.add(x, bytesOf(count)), 16, (at) => {
      const four = f.let(v128.load(at));
      // x/2 (1 + tanh u) = x / (1 + e^-2u), u = sqrt(2/pi) (x + 0.044715 x^3)
      const inner = f32x4.mul(four, f32x4.madd(f32x4.mul(four, four), f32x4.const(-2 * Math.sqrt(2 / Math.PI) * 0.044715), f32x4.const(-2 * Math.sqrt(2 / Math.PI))));
      f.storeVector(at, f32x4.div(four, f32x4.add(f32x4.const(1), exponential(f, inner))));
    });
  });
}

/** The largest |x| of `width` numbers at `x`, over `LEVELS`: the step of a row with a sign. Never 0; no number where one of the row is none. */
function signedStep(f: Body, x: Int, width: Int): Local<'f32'> {
  const [most, trace] = [f.let(v128.zero), f.let(v128.zero)];
  each(f, x, i32.add(x, bytesOf(width)), 16, (at) => {
    const four = f.let(v128.load(at));
    f.set(most, f32x4.max(most, absolute(four)));
    follow(f, trace, four);
  });
  return f.let(f32.add(f32.max(f32.mul(across(most, f32.max), f32.const(1 / LEVELS)), f32.const(1e-30)), across(trace, f32.add)));
}

function packKeys(): FunctionToWrite {
  return kernel('packKeys', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], (f, x, stride, rows, size, first, matrix, tileFacts) => {
    const sum = f.local('v128');
    times(f, rows, () => {
      const step = signedStep(f, x, size);
      const inverse = f.let(f32x4.splat(f32.div(f32.const(1), step)));
      const inTile = f.let(i32.and(first, i32.const(TILE - 1)));
      const tile = f.let(i32.shr(first, i32.const(Math.log2(TILE))));
      const facts = f.let(i32.add(i32.add(tileFacts, i32.mul(tile, i32.const(TILE_FACTS_BYTES))), bytesOf(inTile)));
      // A key's four numbers are one word of the tile: its column's.
      const to = f.let(i32.add(i32.add(matrix, i32.mul(tile, i32.mul(size, i32.const(TILE)))), bytesOf(inTile)));
      f.set(sum, v128.zero);
      each(f, x, i32.add(x, bytesOf(size)), 64, (at) => {
        const words = Array.from({ length: 4 }, (_, i) => {
          const nearest = f.let(f32x4.nearest(f32x4.mul(v128.load(at, 16 * i), inverse)));
          f.set(sum, f32x4.add(sum, nearest));
          return f.let(i32x4.trunc(nearest));
        });
        const codes = f.let(i8x16.ofSignedWords(words[0]!, words[1]!, words[2]!, words[3]!));
        for (let lane = 0; lane < 4; lane++) f.storeInt(to, i32x4.lane(codes, lane), 4 * TILE * lane);
        f.add(to, i32.const(16 * TILE));
      });
      f.storeFloat(facts, step);
      f.storeFloat(facts, f32.mul(step, across(sum, f32.add)), 4 * TILE);
      f.storeFloat(facts, f32.const(0), 8 * TILE);
      f.add(first, i32.const(1));
      f.add(x, stride);
    });
  });
}

function packValues(): FunctionToWrite {
  return kernel('packValues', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], (f, x, stride, rows, size, first, keys, matrix, steps) => {
    times(f, rows, () => {
      const step = signedStep(f, x, size);
      f.storeFloat(i32.add(steps, bytesOf(first)), step);
      const inverse = f.let(f32x4.splat(f32.div(f32.const(1), step)));
      // A value's numbers are every fourth byte of their tile: four keys share them.
      const to = f.let(i32.add(matrix, i32.add(i32.mul(i32.shr(first, i32.const(2)), i32.const(4 * TILE)), i32.and(first, i32.const(3)))));
      each(f, x, i32.add(x, bytesOf(size)), 64, (at) => {
        const word = (i: number): Vector => i32x4.trunc(f32x4.nearest(f32x4.mul(v128.load(at, 16 * i), inverse)));
        const codes = f.let(i8x16.ofSignedWords(word(0), word(1), word(2), word(3)));
        for (let lane = 0; lane < 16; lane++) {
          f.storeByte(to, i8x16.lane(codes, lane), 4 * (lane % TILE));
          if ((lane + 1) % TILE === 0) f.add(to, i32.mul(keys, i32.const(TILE)));
        }
      });
      f.add(first, i32.const(1));
      f.add(x, stride);
    });
  });
}

function shares(): FunctionToWrite {
  return kernel('shares', ['i32', 'i32', 'i32', 'i32', 'f32', 'i32', 'i32', 'i32', 'i32'], (f, scores, rows, keys, steps, factor, high, low, highFacts, lowFacts) => {
    const [most, sum, greatest, trace] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')];
    const scale = f.let(f32x4.splat(factor));
    times(f, rows, () => {
      const end = f.let(i32.add(scores, bytesOf(keys)));
      f.set(most, v128.load(scores));
      each(f, scores, end, 64, (at) => {
        for (let i = 0; i < 4; i++) f.set(most, f32x4.max(most, v128.load(at, 16 * i)));
      });
      f.set(most, f32x4.splat(across(most, f32.max)));
      f.set(sum, v128.zero);
      f.set(greatest, v128.zero);
      f.set(trace, v128.zero);
      const stepsAt = f.let(steps);
      each(f, scores, end, 16, (at) => {
        const share = exponential(f, f32x4.mul(f32x4.sub(v128.load(at), most), scale));
        f.set(sum, f32x4.add(sum, share));
        const weighted = f.let(f32x4.mul(share, v128.load(stepsAt)));
        f.set(greatest, f32x4.max(greatest, weighted));
        follow(f, trace, weighted);
        f.storeVector(at, weighted);
        f.add(stepsAt, i32.const(16));
      });
      const step = f.let(f32.mul(across(greatest, f32.max), f32.const(1 / SHARE_LEVELS)));
      const inverse = f.let(f32x4.splat(f32.div(f32.const(1), step)));
      const lowStep = f.let(f32.add(f32.div(step, across(sum, f32.add)), across(trace, f32.add)));
      f.storeFloat(lowFacts, lowStep);
      f.storeFloat(lowFacts, f32.const(0), 4);
      f.storeFloat(highFacts, f32.mul(lowStep, f32.const(128)));
      f.storeFloat(highFacts, f32.const(0), 4);
      each(f, scores, end, 64, (at) => {
        const words = Array.from({ length: 4 }, (_, i) => f.let(i32x4.trunc(f32x4.madd(v128.load(at, 16 * i), inverse, f32x4.const(0.5)))));
        const part = (of: (word: Vector) => Vector): Vector => i8x16.ofWords(of(words[0]!), of(words[1]!), of(words[2]!), of(words[3]!));
        f.storeVector(high, part((word) => i32x4.shr(word, i32.const(7))));
        f.storeVector(low, part((word) => v128.and(word, i32x4.splat(i32.const(127)))));
        f.add(high, i32.const(16));
        f.add(low, i32.const(16));
      });
      f.set(scores, end);
      f.add(highFacts, i32.const(ROW_FACTS_BYTES));
      f.add(lowFacts, i32.const(ROW_FACTS_BYTES));
    });
  });
}
