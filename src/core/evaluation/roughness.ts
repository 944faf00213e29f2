/**
 * How rough a plan is: how much the speeds it asks for change from row to row. A line is 0 whatever its slope; rounding to bins, or
 * noise that was not taken out, is not. Knows plans; knows nothing of where they come from.
 */

/**
 * Mean size of the second difference of each of the first `joints` columns over all rows of all chunks (rows x `columns`), times
 * rows a second squared: in units a second squared (degrees for the arm's joints). Null where no chunk has three rows.
 */
export function roughness(chunks: readonly Float32Array[], { columns, joints, fps }: { readonly columns: number; readonly joints: number; readonly fps: number }): number | null {
  let [sum, count] = [0, 0];
  for (const chunk of chunks) {
    for (let row = 1; row < chunk.length / columns - 1; row++) {
      for (let joint = 0; joint < joints; joint++) {
        const at = row * columns + joint;
        sum += Math.abs(chunk[at + columns]! - 2 * chunk[at]! + chunk[at - columns]!);
        count++;
      }
    }
  }
  return count === 0 ? null : (sum / count) * fps ** 2;
}
