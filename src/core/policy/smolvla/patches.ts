/** A picture cut into the patches that the vision graph reads. Pure. */

/**
 * 3 x side x side, channel first, to [patches, 3 x patch x patch]: patches row by row, inside each the numbers in the
 * order channel, row, column, which is the order of the convolution kernel it replaces.
 */
export function patchify(image: Float32Array, side: number, patch: number): Float32Array {
  const out = new Float32Array(image.length);
  const across = side / patch;
  let at = 0;
  for (let row = 0; row < across; row++) {
    for (let column = 0; column < across; column++) {
      for (let channel = 0; channel < 3; channel++) {
        for (let y = 0; y < patch; y++) {
          const from = (channel * side + row * patch + y) * side + column * patch;
          out.set(image.subarray(from, from + patch), at);
          at += patch;
        }
      }
    }
  }
  return out;
}
