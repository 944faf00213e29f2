/**
 * One thread's part of a look: patches to tokens by the kernels, together with the other threads on the same memory. Knows the order of
 * the layers (`graphs/vision.ts` says the same as a graph) and when threads must wait for each other; knows no worker.
 *
 *   phase 0        patches W + position = x;                             norm, queries, keys, values of layer 0
 *   phase l        attention of layer l - 1, its two products, x = ...;  norm, queries, keys, values of layer l
 *   phase L        the same of the last layer;                           the last norm = seen
 *   phase L + 1    shuffled, connector = tokens
 *
 * A block of rows goes through a whole phase by itself, because only attention looks at other rows: at their keys and values, which the
 * phase before has left. So threads wait once a layer. A block is taken by whoever is free: a thread that was held up holds up nobody.
 */
import type { TowerShape } from '#contracts/engine.ts';
import { TILE, TILE_FACTS_BYTES, type Kernels } from './kernels.ts';
import { BLOCK_ROWS, tokenBlock, tokensOf, type Layout, type PlacedLayer, type PlacedMatrix, type PlacedNorm } from './layout.ts';

/** A thread that waits this long for the others, twice, has lost one. A block takes some 50 ms on one busy core; once may be a computer that slept. */
const LOST_MS = 30_000;

/** Before a look: nothing is taken, nobody done. */
export function beginLook(memory: ArrayBufferLike, { control }: Layout): void {
  new Int32Array(memory).fill(0, control.taken / 4, control.taken / 4 + control.phases);
  new Int32Array(memory).fill(0, control.done / 4, control.done / 4 + control.phases);
}

/** Returns when every thread has done its part of the last phase. */
export function lookAsThread(kernels: Kernels, memory: ArrayBufferLike, shape: TowerShape, layout: Layout, thread: number): void {
  const { layers, patches } = shape;
  const threads = layout.scratch.length;
  const control = new Int32Array(memory);
  const work = new Rows(kernels, memory, shape, layout, thread);
  for (let phase = 0; phase <= layers + 1; phase++) {
    const [all, most] = phase <= layers ? [patches, BLOCK_ROWS] : [tokensOf(shape), tokenBlock(shape, threads)];
    for (;;) {
      const first = Atomics.add(control, layout.control.taken / 4 + phase, 1) * most;
      if (first >= all) break;
      const rows = Math.min(most, all - first);
      if (phase <= layers) work.patches(phase, first, rows);
      else work.tokens(first, rows);
    }
    meet(control, layout.control.done / 4 + phase, threads);
  }
}

/** Waits until all threads have come here. */
function meet(control: Int32Array, at: number, threads: number): void {
  if (Atomics.add(control, at, 1) + 1 === threads) {
    Atomics.notify(control, at);
    return;
  }
  let waits = 0;
  for (let here = Atomics.load(control, at); here < threads; here = Atomics.load(control, at)) {
    if (Atomics.wait(control, at, here, LOST_MS) === 'timed-out' && ++waits === 2) throw new Error(`${threads - here} of ${threads} threads did not come within ${2 * LOST_MS} ms`);
  }
}

class Rows {
  private readonly kernels: Kernels;
  private readonly floats: Float32Array;
  private readonly shape: TowerShape;
  private readonly layout: Layout;
  private readonly scratch: Layout['scratch'][number];

  constructor(kernels: Kernels, memory: ArrayBufferLike, shape: TowerShape, layout: Layout, thread: number) {
    this.kernels = kernels;
    this.floats = new Float32Array(memory);
    this.shape = shape;
    this.layout = layout;
    this.scratch = layout.scratch[thread]!;
  }

  patches(phase: number, first: number, rows: number): void {
    const { layout, scratch, shape } = this;
    const { hidden, patch, layers } = shape;
    const x = layout.x + 4 * first * hidden;
    if (phase === 0) {
      this.copy(layout.position + 4 * first * hidden, x, rows * hidden);
      this.multiply(layout.patches + 4 * first * patch, rows, layout.patch, x, 'added');
    } else {
      this.attend(phase - 1, first, rows);
      this.afterAttention(layout.layers[phase - 1]!, x, rows);
    }
    if (phase === layers) {
      this.norm(x, rows, layout.norm, layout.seen + 4 * first * hidden);
      return;
    }
    const layer = layout.layers[phase]!;
    this.norm(x, rows, layer.norm1, scratch.narrow);
    this.queriesKeysValues(phase, layer, first, rows);
  }

  /** Pixel shuffle and connector: f x f neighbouring patches, row by row, are one token. */
  tokens(first: number, rows: number): void {
    const { layout, scratch, shape } = this;
    const { hidden, shuffle, patches, out } = shape;
    const across = Math.sqrt(patches);
    let to = scratch.wide;
    for (let token = first; token < first + rows; token++) {
      const [top, left] = [Math.floor(token / (across / shuffle)) * shuffle, (token % (across / shuffle)) * shuffle];
      for (let y = 0; y < shuffle; y++) {
        this.copy(layout.seen + 4 * hidden * ((top + y) * across + left), to, shuffle * hidden);
        to += 4 * shuffle * hidden;
      }
    }
    this.multiply(scratch.wide, rows, layout.connector, layout.tokens + 4 * first * out, 'set');
  }

  /** From the normed rows in `narrow`. Queries wait in a place of their own for the phase after. */
  private queriesKeysValues(l: number, { qkv }: PlacedLayer, first: number, rows: number): void {
    const { kernels, layout, scratch, shape } = this;
    const { hidden, heads, patches } = shape;
    const size = hidden / heads;
    const cache = layout.caches[l % 2]!;
    kernels.round(scratch.narrow, 4 * hidden, rows, hidden, scratch.codes, scratch.codeFacts);
    this.columns(qkv, 0, hidden, rows, layout.queries + 4 * first * hidden, hidden);
    this.columns(qkv, hidden, 2 * hidden, rows, scratch.wide, 2 * hidden);
    const stride = 8 * hidden;
    for (let head = 0; head < heads; head++) {
      const keys = cache.keys[head]!;
      kernels.packKeys(scratch.wide + 4 * head * size, stride, rows, size, first, keys.codes, keys.facts);
      kernels.packValues(scratch.wide + 4 * (hidden + head * size), stride, rows, size, first, patches, cache.values[head]!.codes, cache.steps[head]!);
    }
  }

  /** What the rows take from all rows, head by head, into `narrow`. */
  private attend(l: number, first: number, rows: number): void {
    const { kernels, layout, scratch, shape } = this;
    const { hidden, heads, patches } = shape;
    const size = hidden / heads;
    const cache = layout.caches[l % 2]!;
    for (let head = 0; head < heads; head++) {
      const [keys, values] = [cache.keys[head]!, cache.values[head]!];
      kernels.round(layout.queries + 4 * (first * hidden + head * size), 4 * hidden, rows, size, scratch.codes, scratch.codeFacts);
      kernels.product(scratch.codes, scratch.codeFacts, keys.codes, keys.facts, scratch.scores, rows, size, patches / TILE, 4 * patches);
      kernels.shares(scratch.scores, rows, patches, cache.steps[head]!, 1 / Math.sqrt(size), scratch.codes, scratch.low, scratch.codeFacts, scratch.lowFacts);
      const to = scratch.narrow + 4 * head * size;
      kernels.product(scratch.codes, scratch.codeFacts, values.codes, values.facts, to, rows, patches, size / TILE, 4 * hidden);
      kernels.productAdded(scratch.low, scratch.lowFacts, values.codes, values.facts, to, rows, patches, size / TILE, 4 * hidden);
    }
  }

  /** x += out(narrow); x += fc2(gelu(fc1(norm x))). */
  private afterAttention({ out, norm2, fc1, fc2 }: PlacedLayer, x: number, rows: number): void {
    const { kernels, scratch, shape } = this;
    this.multiply(scratch.narrow, rows, out, x, 'added');
    this.norm(x, rows, norm2, scratch.narrow);
    this.multiply(scratch.narrow, rows, fc1, scratch.wide, 'set');
    kernels.gelu(scratch.wide, rows * shape.feedForward);
    this.multiply(scratch.wide, rows, fc2, x, 'added');
  }

  private norm(x: number, rows: number, { scale, bias }: PlacedNorm, out: number): void {
    const { hidden, epsilon } = this.shape;
    this.kernels.norm(x, rows, hidden, scale, bias, out, epsilon);
  }

  /** Rows of float32, rounded, times the whole matrix. */
  private multiply(x: number, rows: number, { codes, facts, k, n }: PlacedMatrix, out: number, into: 'set' | 'added'): void {
    const { kernels, scratch } = this;
    kernels.round(x, 4 * k, rows, k, scratch.codes, scratch.codeFacts);
    const product = into === 'set' ? kernels.product : kernels.productAdded;
    product(scratch.codes, scratch.codeFacts, codes, facts, out, rows, k, n / TILE, 4 * n);
  }

  /** What is rounded already, times `count` columns from `from` on, into rows of `width`. */
  private columns({ codes, facts, k }: PlacedMatrix, from: number, count: number, rows: number, out: number, width: number): void {
    const { kernels, scratch } = this;
    kernels.product(scratch.codes, scratch.codeFacts, codes + from * k, facts + (from / TILE) * TILE_FACTS_BYTES, out, rows, k, count / TILE, 4 * width);
  }

  private copy(from: number, to: number, count: number): void {
    this.floats.copyWithin(to / 4, from / 4, from / 4 + count);
  }
}
