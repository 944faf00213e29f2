import { expect, test } from 'vitest';
import { GraphBuilder } from './graph.ts';
import { add, attention, cachedAttention, concat, gatedBlocks, matMul, matMulBlocks, matMulRounded, reshape, roundedRows, split, transpose } from './ops.ts';
import { graphWork } from './work.ts';

test('products and attentions are counted through every operator that changes a shape', () => {
  const g = new GraphBuilder('work');
  const x = g.input('x', 'float32', [1, 6, 8]);
  const w = g.external({ name: 'w', shape: [8, 12], file: 'f', offset: 0, length: 8 * 12 * 4 });
  // 2 x 6 x 8 x 12 = 1152
  const [q, k, v] = split(g, matMul(g, x, w), [4, 4, 4]);
  const keys = concat(g, [k!, k!], 1);
  // 4 x (6 x 4) x 12 = 1152
  const attended = attention(g, q!, keys, concat(g, [v!, v!], 1), 2, null);
  const turned = transpose(g, reshape(g, attended, [1, 3, 8]), [0, 2, 1]);
  const square = g.constant('square', [3, 32], new Float32Array(96));
  const bias = g.constant('bias', [32], new Float32Array(32));
  // 2 x (8 x 3) x 32 = 1536
  const wide = add(g, matMul(g, turned, square), bias);
  const codes = g.external({ name: 'codes', type: 'uint8', shape: [5, 1, 32], file: 'f', offset: 384, length: 160 });
  const scales = g.external({ name: 'scales', shape: [5], file: 'f', offset: 544, length: 20 });
  // 2 x (8 x 32) x 5 = 2560
  g.output('y', matMulBlocks(g, wide, codes, scales, { bits: 8, block: 32 }));
  const { flop, weightBytes } = graphWork(g.build());
  expect(flop).toBe(1152 + 1152 + 1536 + 2560);
  // w, codes, scales, and the constants in the file: square, bias, and the three shapes of Split, Reshape.
  expect(weightBytes).toBe(384 + 160 + 20 + 384 + 128 + 24 + 24);
});

test('attention to rows that were kept counts them too', () => {
  const g = new GraphBuilder('cached');
  const x = g.input('x', 'float32', [1, 6, 8]);
  const past = { k: g.input('k', 'float32', [1, 2, 5, 4]), v: g.input('v', 'float32', [1, 2, 5, 4]) };
  g.output('y', cachedAttention(g, x, x, x, 2, g.input('bias', 'float32', [1, 1, 6, 11]), past).attended);
  expect(graphWork(g.build()).flop).toBe(4 * 6 * 8 * (5 + 6));
});

test('a gated pair of products counts as two, and its shape is followed', () => {
  const g = new GraphBuilder('gated');
  const matrix = (name: string, n: number, k: number) => ({
    codes: g.external({ name, type: 'uint8', shape: [n, k / 32, 32], file: 'f', offset: 0, length: n * k }),
    scales: g.external({ name: `${name}.scales`, shape: [(n * k) / 32], file: 'f', offset: n * k, length: (n * k) / 8 }),
  });
  const form = { bits: 8, block: 32 } as const;
  const inner = gatedBlocks(g, g.input('x', 'float32', [1, 6, 64]), matrix('gate', 96, 64), matrix('up', 96, 64), form);
  const down = matrix('down', 5, 96);
  g.output('y', matMulBlocks(g, inner, down.codes, down.scales, form));
  expect(graphWork(g.build()).flop).toBe(2 * (2 * 6 * 64 * 96) + 2 * 6 * 96 * 5);
  expect(() => gatedBlocks(g, g.input('z', 'float32', [1, 6, 64]), matrix('narrow', 32, 64), matrix('wide', 96, 64), form)).toThrow('MatMulNBitsMlp: [32, 2, 32] [96, 2, 32]');
});

test('a product of rounded rows counts as any other, and its shape is followed', () => {
  const g = new GraphBuilder('rounded');
  const matrix = (name: string, k: number, n: number) => ({
    codes: g.external({ name, type: 'int8', shape: [k, n], file: 'f', offset: 0, length: k * n }),
    scales: g.external({ name: `${name}.scales`, shape: [n], file: 'f', offset: k * n, length: 4 * n }),
  });
  const first = matMulRounded(g, roundedRows(g, g.input('x', 'float32', [1, 6, 64])), matrix('up', 64, 96));
  g.output('y', matMulRounded(g, roundedRows(g, reshape(g, first, [1, 6, 96])), matrix('down', 96, 5)));
  expect(graphWork(g.build()).flop).toBe(2 * 6 * 64 * 96 + 2 * 6 * 96 * 5);
});

test('a shape that it cannot follow makes the count null, not small', () => {
  const g = new GraphBuilder('unknown');
  const [odd] = g.node('Einsum', [g.input('x', 'float32', [1, 4])], [[1, 4]]);
  g.output('y', matMul(g, odd!, g.constant('w', [4, 4], new Float32Array(16))));
  expect(graphWork(g.build()).flop).toBeNull();
});
