/**
 * Which row of the prefix holds what, which rows are in use, and who may look at whom. Pure bookkeeping; knows no
 * tensor's values.
 *
 *   row   0 ....................... cameras x (before, picture, after) | tail ....................... rows
 *         [fake global] 64 x picture 0 [fake]  [..] picture 1 [..]     | [fake global fake]* tokens  state  unused
 *
 * LeRobot leaves an absent camera out and its padding rows in; we keep one fixed number of rows a session and switch
 * rows off. Both give the same result: a row that nobody may look at and that takes no position changes nothing.
 */
import { tokensPerImage as tokensOf, type SmolVlaSettings } from './settings.ts';

/** Static for a session. */
export interface PrefixShape {
  readonly cameras: number;
  readonly tokensPerImage: number;
  /** Special tokens before and after a picture: 2 and 1, or none. */
  readonly before: 0 | 2;
  readonly after: 0 | 1;
  readonly tailRows: number;
  /** All of them: S. */
  readonly rows: number;
}

/** One observation's use of the rows. */
export interface PrefixUse {
  /** By camera slot. */
  readonly present: readonly boolean[];
  /** Placeholder cameras: their pictures are hidden, but their special tokens are not. */
  readonly placeholders: number;
  /** Language tokens without padding. */
  readonly tokens: number;
}

/**
 * Added to the logits of a hidden key. Finite, for -Infinity gives NaN in a row with nothing to see; at least 1e8 above
 * any real logit, so that its softmax weight is exactly 0 in float32.
 */
export const HIDDEN = -1e9;

export function prefixShape(settings: SmolVlaSettings, cameras: number): PrefixShape {
  const [before, after] = settings.specialTokens === null ? ([0, 0] as const) : ([2, 1] as const);
  const tokensPerImage = tokensOf(settings);
  const tailRows = settings.emptyCameras * (before + after) + settings.maxTokens + 1;
  return { cameras, tokensPerImage, before, after, tailRows, rows: cameras * (before + tokensPerImage + after) + tailRows };
}

/** First row of the tail. */
export function tailStart(shape: PrefixShape): number {
  return shape.rows - shape.tailRows;
}

/** First row of camera `slot`'s picture. */
export function pictureStart(shape: PrefixShape, slot: number): number {
  return slot * (shape.before + shape.tokensPerImage + shape.after) + shape.before;
}

/** First language row. */
export function tokenStart(shape: PrefixShape, use: PrefixUse): number {
  return tailStart(shape) + use.placeholders * (shape.before + shape.after);
}

export interface PrefixMasks {
  /** By row: 1 in use, 0 not. */
  readonly valid: Uint8Array;
  readonly validRows: number;
  readonly stateRow: number;
  /** [1, S]: counts rows in use; an unused row repeats the one before it. */
  readonly positions: BigInt64Array;
}

export function prefixMasks(shape: PrefixShape, use: PrefixUse): PrefixMasks {
  const valid = new Uint8Array(shape.rows);
  for (const [slot, present] of use.present.entries()) {
    if (present) valid.fill(1, pictureStart(shape, slot) - shape.before, pictureStart(shape, slot) + shape.tokensPerImage + shape.after);
  }
  const stateRow = tokenStart(shape, use) + use.tokens;
  valid.fill(1, tailStart(shape), stateRow + 1);
  let validRows = 0;
  const positions = new BigInt64Array(shape.rows);
  for (let row = 0; row < shape.rows; row++) {
    validRows += valid[row]!;
    positions[row] = BigInt(Math.max(validRows - 1, 0));
  }
  return { valid, validRows, stateRow, positions };
}

/**
 * Positions [rows] for a product of queries, keys and values in slots as wide as the keys, [rows, group + 2]: `group` slots of
 * queries and the keys' stand at the row's position, the values at 0.
 */
export function slotPositions(positions: BigInt64Array, group: number): BigInt64Array {
  const slots = new BigInt64Array(positions.length * (group + 2));
  for (const [row, position] of positions.entries()) slots.fill(position, row * (group + 2), row * (group + 2) + group + 1);
  return slots;
}

/**
 * [group x S, S] for the prefix: everybody sees the rows in use, but only the state sees the state. Each row stands
 * `group` times, once for each query head that shares a key head.
 */
export function prefixBias(shape: PrefixShape, masks: PrefixMasks, group: number): Float32Array {
  const { rows } = shape;
  const bias = new Float32Array(rows * group * rows);
  for (let row = 0; row < rows; row++) {
    const line = new Float32Array(rows);
    for (let key = 0; key < rows; key++) {
      const sees = masks.valid[key] === 1 && (key !== masks.stateRow || row === masks.stateRow);
      line[key] = sees ? 0 : HIDDEN;
    }
    for (let g = 0; g < group; g++) bias.set(line, (row * group + g) * rows);
  }
  return bias;
}

/** [group x A, S + own] for the actions: the prefix rows in use, and of the own rows (`own` = A or 0) none later than oneself. */
export function chunkBias(shape: PrefixShape, masks: PrefixMasks, chunkRows: number, own: 'causal' | 'none', group: number): Float32Array {
  const columns = shape.rows + (own === 'causal' ? chunkRows : 0);
  const bias = new Float32Array(chunkRows * group * columns);
  for (let row = 0; row < chunkRows; row++) {
    for (let g = 0; g < group; g++) {
      const at = (row * group + g) * columns;
      for (let key = 0; key < columns; key++) {
        const sees = key < shape.rows ? masks.valid[key] === 1 : key - shape.rows <= row;
        if (!sees) bias[at + key] = HIDDEN;
      }
    }
  }
  return bias;
}

/**
 * LeRobot's own order of the same rows, for comparing intermediate values with it: per LeRobot row our row, or -1 for a
 * row that it keeps as padding. `tokenMask` is the tokenizer's, with padding.
 */
export function leRobotRows(shape: PrefixShape, use: PrefixUse, tokenMask: ArrayLike<number>, prefixLength: number): Int32Array {
  const order: number[] = [];
  const run = (first: number, count: number): void => {
    for (let i = 0; i < count; i++) order.push(first + i);
  };
  for (const [slot, present] of use.present.entries()) {
    if (present) run(pictureStart(shape, slot) - shape.before, shape.before + shape.tokensPerImage + shape.after);
  }
  for (let i = 0; i < use.placeholders; i++) {
    const first = tailStart(shape) + i * (shape.before + shape.after);
    run(first, shape.before);
    for (let t = 0; t < shape.tokensPerImage; t++) order.push(-1);
    run(first + shape.before, shape.after);
  }
  let token = tokenStart(shape, use);
  for (let i = 0; i < tokenMask.length; i++) order.push(tokenMask[i] === 0 ? -1 : token++);
  order.push(token);
  while (order.length < prefixLength) order.push(-1);
  return Int32Array.from(order);
}
