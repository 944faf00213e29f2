import { expect, test } from 'vitest';
import { attentionReference, matmulReference } from './reference.ts';

test('a product by hand', () => {
  const product = matmulReference(new Float32Array([1, 2, 3, 4, 5, 6]), new Float32Array([1, 0, 2, 0, 1, 3]), 2, 3, 2);
  // [1 2 3; 4 5 6] x [1 0; 2 0; 1 3]
  expect([...product]).toEqual([8, 9, 20, 18]);
});

test('attention with equal scores is the mean of the values; a far higher score takes all', () => {
  const value = new Float32Array([1, 10, 3, 30]);
  const shape = { queries: 1, keys: 2, heads: 1, headSize: 2 };
  expect([...attentionReference({ ...shape, query: new Float32Array([0, 0]), key: new Float32Array([5, 6, 7, 8]), value })]).toEqual([2, 20]);
  const sharp = attentionReference({ ...shape, query: new Float32Array([100, 0]), key: new Float32Array([0, 0, 1, 0]), value });
  expect(sharp[0]).toBeCloseTo(3, 12);
  expect(sharp[1]).toBeCloseTo(30, 12);
});

test('attention weights follow the softmax of the scaled scores, head by head', () => {
  // Two heads of one number each: scores are q x k, the scale is 1.
  const found = attentionReference({ queries: 1, keys: 2, heads: 2, headSize: 1, query: new Float32Array([1, 2]), key: new Float32Array([0, 0, Math.LN2, 1]), value: new Float32Array([0, 0, 3, 1]) });
  expect(found[0]).toBeCloseTo((3 * 2) / 3, 6); // weights 1/3, 2/3
  expect(found[1]).toBeCloseTo(Math.exp(2) / (1 + Math.exp(2)), 12);
});
