/**
 * Weights from PyTorch's layout to the one our graphs read. Pure functions over float32 arrays; knows no file.
 *
 * A Linear layer stores W as [out, in] and computes x W'. A graph's MatMul wants [in, out], so every matrix is turned
 * over once, at conversion, and matrices that read the same input are laid side by side to be one product.
 */

export interface MatrixPart {
  /** As stored: [rows = out, columns = in]. */
  readonly rows: number;
  readonly columns: number;
  /** New row i is stored row rowOrder[i]. As stored where absent. */
  readonly rowOrder?: Int32Array;
  /** New column i is stored column columnOrder[i]. */
  readonly columnOrder?: Int32Array;
}

/** 32 x 32 floats are 4 KiB: both the rows read and the rows written stay in the nearest cache. */
const TILE = 32;

/** Turned over and side by side: parts [out_i, in] become one [in, out_0 + out_1 + ...], times `factor`. */
export function matMulWeight(sources: readonly Float32Array[], parts: readonly MatrixPart[], factor = 1): Float32Array {
  const columns = parts[0]!.columns;
  const width = parts.reduce((sum, part) => sum + part.rows, 0);
  const out = new Float32Array(columns * width);
  let left = 0;
  for (const [index, part] of parts.entries()) {
    const source = sources[index]!;
    for (let row0 = 0; row0 < part.rows; row0 += TILE) {
      const row1 = Math.min(row0 + TILE, part.rows);
      for (let column0 = 0; column0 < columns; column0 += TILE) {
        const column1 = Math.min(column0 + TILE, columns);
        for (let row = row0; row < row1; row++) {
          const from = (part.rowOrder === undefined ? row : part.rowOrder[row]!) * columns;
          for (let column = column0; column < column1; column++) {
            const value = source[from + (part.columnOrder === undefined ? column : part.columnOrder[column]!)]!;
            out[column * width + left + row] = factor === 1 ? value : value * factor;
          }
        }
      }
    }
    left += part.rows;
  }
  return out;
}

/** As they are stored and one below the other: parts [out_i, in] become one [out_0 + out_1 + ..., in], times `factor`. */
export function stackedRows(sources: readonly Float32Array[], parts: readonly MatrixPart[], factor = 1): Float32Array {
  const columns = parts[0]!.columns;
  const out = new Float32Array(columns * parts.reduce((sum, part) => sum + part.rows, 0));
  let to = 0;
  for (const [index, part] of parts.entries()) {
    const source = sources[index]!;
    for (let row = 0; row < part.rows; row++, to += columns) {
      const from = (part.rowOrder === undefined ? row : part.rowOrder[row]!) * columns;
      if (part.columnOrder === undefined) out.set(source.subarray(from, from + columns), to);
      else for (let column = 0; column < columns; column++) out[to + column] = source[from + part.columnOrder[column]!]!;
    }
  }
  if (factor !== 1) for (let i = 0; i < out.length; i++) out[i]! *= factor;
  return out;
}

export function sideBySide(vectors: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(vectors.reduce((sum, vector) => sum + vector.length, 0));
  let at = 0;
  for (const vector of vectors) {
    out.set(vector, at);
    at += vector.length;
  }
  return out;
}

/** Columns [first, first + count) of a [rows, columns] matrix. */
export function columnsOf(matrix: Float32Array, columns: number, first: number, count: number): Float32Array {
  const rows = matrix.length / columns;
  const out = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) out.set(matrix.subarray(row * columns + first, row * columns + first + count), row * count);
  return out;
}

/**
 * Grouped-query attention as plain attention with fewer heads. Stored, query head kv * group + g reads key head kv. In
 * the order g * kvHeads + kv, a row of all heads can be reshaped to `group` rows of kvHeads heads, and each of those
 * rows attends to the keys as they are: no key is repeated.
 *
 *   15 heads over 5 key heads   [S, 15 x 64] = [S, 3, 5 x 64]  seen as  [3 S, 5 x 64]
 *
 * Gives, for every new position of a head's number, the stored one.
 */
export function groupedHeadOrder(heads: number, kvHeads: number, headSize: number): Int32Array {
  const group = heads / kvHeads;
  const order = new Int32Array(heads * headSize);
  for (let g = 0; g < group; g++) {
    for (let kv = 0; kv < kvHeads; kv++) {
      for (let d = 0; d < headSize; d++) order[(g * kvHeads + kv) * headSize + d] = (kv * group + g) * headSize + d;
    }
  }
  return order;
}

/**
 * The position table's rows for a picture of side x side patches, with the patch embedding's bias added. A trained table of tableSide x
 * tableSide rows is read by bucket: patch r of side lies in bucket floor(r / side * tableSide), so that a picture of
 * the trained size reads it as it is.
 */
export function positionRows(table: Float32Array, bias: Float32Array, tableSide: number, side: number): Float32Array {
  const width = bias.length;
  const out = new Float32Array(side * side * width);
  // Whole-number division: r * tableSide / side in floats can land just under a bucket's edge.
  const bucket = (r: number): number => Math.floor((r * tableSide) / side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const from = (bucket(row) * tableSide + bucket(column)) * width;
      const to = (row * side + column) * width;
      for (let i = 0; i < width; i++) out[to + i] = table[from + i]! + bias[i]!;
    }
  }
  return out;
}
