import { describe, expect, it } from 'vitest';
import { compareChunks, differenceOf } from './parity.ts';

describe('a chunk against its reference', () => {
  it('is the same where it is the same', () => {
    const actions = Float32Array.of(1, -2, 3, 4);
    expect(compareChunks({ actions, x0: actions }, { actions, x0: actions }, 2)).toEqual({
      joints: [
        { largest: 0, mean: 0, cosine: 1 },
        { largest: 0, mean: 0, cosine: 1 },
      ],
      x0: { largest: 0, mean: 0, cosine: 1 },
    });
  });

  it('names the joint that is off, in its own units', () => {
    const reference = { actions: Float32Array.of(10, 0, 10, 0, 10, 2), x0: Float32Array.of(1, 0) };
    const ours = { actions: Float32Array.of(10, 0, 10, 0, 10, 5), x0: Float32Array.of(0, 1) };
    const { joints, x0 } = compareChunks(ours, reference, 2);
    expect(joints[0]).toEqual({ largest: 0, mean: 0, cosine: 1 });
    expect(joints[1]).toEqual({ largest: 3, mean: 1, cosine: 1 });
    expect(x0).toEqual({ largest: 1, mean: 1, cosine: 0 });
  });

  it('never calls what cannot be compared equal', () => {
    expect(differenceOf(Float32Array.of(1, 2), Float32Array.of(1)).largest).toBeNaN();
    expect(differenceOf(Float32Array.of(Number.NaN), Float32Array.of(0)).largest).toBeNaN();
  });
});
