/**
 * Where everything lies in the memory that all threads share, in bytes, and which shapes fit. Pure: every thread computes the
 * same from the same tower. Knows sizes; knows no number that stands there.
 */
import type { TowerShape } from '#contracts/engine.ts';
import { ROW_FACTS_BYTES, TILE, TILE_FACTS_BYTES, WIDTH_STEP } from './kernels.ts';
import { PAGE_BYTES } from './wasm.ts';

/** Rows that a thread takes at a time: 50 rows of SmolVLA's widest layer are 0.6 MB, about what a core keeps close. */
export const BLOCK_ROWS = 50;

/** A matrix [k, n] in tiles. */
export interface PlacedMatrix {
  readonly codes: number;
  readonly facts: number;
  readonly k: number;
  readonly n: number;
}

export interface PlacedNorm {
  readonly scale: number;
  readonly bias: number;
}

export interface PlacedLayer {
  readonly norm1: PlacedNorm;
  readonly qkv: PlacedMatrix;
  readonly out: PlacedMatrix;
  readonly norm2: PlacedNorm;
  readonly fc1: PlacedMatrix;
  readonly fc2: PlacedMatrix;
}

/** Keys and values of one layer: of each head a matrix of keys, one of values, and the values' steps. */
export interface PlacedCache {
  readonly keys: readonly PlacedMatrix[];
  readonly values: readonly PlacedMatrix[];
  readonly steps: readonly number[];
}

/** What one thread writes on the way; nobody else reads it. */
export interface Scratch {
  readonly narrow: number;
  readonly wide: number;
  readonly codes: number;
  readonly codeFacts: number;
  readonly scores: number;
  readonly low: number;
  readonly lowFacts: number;
}

export interface Layout {
  readonly pages: number;
  /** Two whole numbers a phase: blocks taken, threads done. */
  readonly control: { readonly taken: number; readonly done: number; readonly phases: number };
  /** [patches, patch], written before each look. */
  readonly patches: number;
  /** [patches, hidden], float32. */
  readonly x: number;
  readonly queries: number;
  readonly seen: number;
  /** [tokens, out], read after each look. */
  readonly tokens: number;
  /** Layer l reads `l % 2` while the one after it writes the other. */
  readonly caches: readonly [PlacedCache, PlacedCache];
  readonly patch: PlacedMatrix;
  readonly position: number;
  readonly layers: readonly PlacedLayer[];
  readonly norm: PlacedNorm;
  readonly connector: PlacedMatrix;
  readonly scratch: readonly Scratch[];
}

/** Why these kernels cannot compute this tower, or null. */
export function misfit({ patches, patch, hidden, heads, feedForward, shuffle, out }: TowerShape): string | null {
  const size = hidden / heads;
  for (const [what, count] of Object.entries({ patch, hidden, 'head size': size, 'feed-forward': feedForward, patches })) {
    if (count % WIDTH_STEP !== 0) return `${what} ${count} is no multiple of ${WIDTH_STEP}`;
  }
  if (out % TILE !== 0) return `text width ${out} is no multiple of ${TILE}`;
  const side = Math.sqrt(patches);
  return Number.isInteger(side / shuffle) ? null : `${patches} patches do not make squares of ${shuffle} x ${shuffle}`;
}

export function tokensOf({ patches, shuffle }: TowerShape): number {
  return patches / shuffle ** 2;
}

/** Rows of tokens that a thread takes at a time. */
export function tokenBlock(shape: TowerShape, threads: number): number {
  return Math.min(BLOCK_ROWS, Math.ceil(tokensOf(shape) / threads));
}

export function layOutTower(shape: TowerShape, threads: number): Layout {
  const { patches, patch, hidden, heads, layers, feedForward, shuffle, out } = shape;
  let end = 0;
  /** The next free address, a multiple of a cache line. */
  const place = (bytes: number): number => {
    const at = end;
    end = Math.ceil((at + bytes) / 64) * 64;
    return at;
  };
  const floats = (count: number): number => place(4 * count);
  const matrix = (k: number, n: number): PlacedMatrix => ({ codes: place(k * n), facts: place((n / TILE) * TILE_FACTS_BYTES), k, n });
  const norm = (): PlacedNorm => ({ scale: floats(hidden), bias: floats(hidden) });
  const size = hidden / heads;
  const tokens = tokensOf(shape);
  const gathered = shuffle ** 2 * hidden;
  const phases = layers + 2;
  const cache = (): PlacedCache => ({
    keys: Array.from({ length: heads }, () => matrix(size, patches)),
    values: Array.from({ length: heads }, () => matrix(patches, size)),
    steps: Array.from({ length: heads }, () => floats(patches)),
  });
  const scratch = (): Scratch => ({
    narrow: floats(BLOCK_ROWS * hidden),
    wide: floats(Math.max(BLOCK_ROWS * Math.max(2 * hidden, feedForward), tokenBlock(shape, threads) * gathered)),
    codes: place(Math.max(BLOCK_ROWS * Math.max(patch, hidden, feedForward, patches), tokenBlock(shape, threads) * gathered)),
    codeFacts: place(BLOCK_ROWS * ROW_FACTS_BYTES),
    scores: floats(BLOCK_ROWS * patches),
    low: place(BLOCK_ROWS * patches),
    lowFacts: place(BLOCK_ROWS * ROW_FACTS_BYTES),
  });
  const placed = {
    control: { taken: floats(phases), done: floats(phases), phases },
    patches: floats(patches * patch),
    x: floats(patches * hidden),
    queries: floats(patches * hidden),
    seen: floats(patches * hidden),
    tokens: floats(tokens * out),
    caches: [cache(), cache()] as const,
    patch: matrix(patch, hidden),
    position: floats(patches * hidden),
    layers: Array.from({ length: layers }, () => ({ norm1: norm(), qkv: matrix(hidden, 3 * hidden), out: matrix(hidden, hidden), norm2: norm(), fc1: matrix(hidden, feedForward), fc2: matrix(feedForward, hidden) })),
    norm: norm(),
    connector: matrix(gathered, out),
    scratch: Array.from({ length: threads }, scratch),
  };
  return { ...placed, pages: Math.ceil(end / PAGE_BYTES) };
}
