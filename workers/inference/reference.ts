/**
 * The self-test's own answers, in plain loops and float64. Knows arithmetic and nothing else: it must share no code with
 * what it judges.
 */

/** Softmax attention without mask. Inputs row-major [rows, heads x headSize]; result [queries, heads x headSize]. */
export function attentionReference(problem: {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly headSize: number;
}): Float64Array {
  const { query, key, value, queries, keys, heads, headSize } = problem;
  const width = heads * headSize;
  const result = new Float64Array(queries * width);
  const scores = new Float64Array(keys);
  for (let head = 0; head < heads; head++) {
    const column = head * headSize;
    for (let q = 0; q < queries; q++) {
      let highest = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < keys; k++) {
        let dot = 0;
        for (let i = 0; i < headSize; i++) dot += (query[q * width + column + i] as number) * (key[k * width + column + i] as number);
        const score = dot / Math.sqrt(headSize);
        scores[k] = score;
        highest = Math.max(highest, score);
      }
      let total = 0;
      for (let k = 0; k < keys; k++) {
        const weight = Math.exp((scores[k] as number) - highest);
        scores[k] = weight;
        total += weight;
      }
      for (let k = 0; k < keys; k++) {
        const share = (scores[k] as number) / total;
        for (let i = 0; i < headSize; i++) {
          const at = q * width + column + i;
          result[at] = (result[at] as number) + share * (value[k * width + column + i] as number);
        }
      }
    }
  }
  return result;
}

/** [rows, depth] x [depth, columns], row-major. */
export function matmulReference(left: Float32Array, right: Float32Array, rows: number, depth: number, columns: number): Float64Array {
  const product = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < depth; k++) {
      const factor = left[row * depth + k] as number;
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        product[at] = (product[at] as number) + factor * (right[k * columns + column] as number);
      }
    }
  }
  return product;
}
