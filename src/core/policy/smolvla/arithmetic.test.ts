/** The host's own arithmetic against written-down values and against the sentence that describes it. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { denormalise, normalise, type Normalisation } from './normalise.ts';
import { patchify } from './patches.ts';
import { columnsOf, groupedHeadOrder, matMulWeight, positionRows } from './relayout.ts';
import { affine, eulerTimes, ropeTables, timeEmbedding } from './tables.ts';

describe('time', () => {
  // Values of LeRobot's create_sinusoidal_pos_embedding at width 720, periods 0.004 to 4.
  it.each([
    [1, [0, 0.995893, -0.379428, -0.876308], [1, 0.090541, -0.925221, 0.481751]],
    [0.9, [-3.7e-5, -0.971643, -0.036057, 0.291032], null],
    [0.5, [0, -0.674336, 0.981127, -0.509043], null],
  ] as const)('embedding of t = %d', (t, sines, cosines) => {
    const embedding = timeEmbedding(Math.fround(t), 720, 4e-3, 4);
    for (const [i, at] of [0, 1, 2, 180].entries()) {
      expect(embedding[at]).toBeCloseTo(sines[i]!, 5);
      if (cosines !== null) expect(embedding[360 + at]).toBeCloseTo(cosines[i]!, 5);
    }
  });

  it('runs from 1 to 1/N and never reaches 0', () => {
    expect(eulerTimes(10).map((t) => Number(t.toFixed(6)))).toEqual([1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]);
    expect(eulerTimes(1)).toEqual([1]);
  });
});

describe('rotary tables', () => {
  it('turn by position x 10000^(-2i / size)', () => {
    const { cos, sin } = ropeTables(300, 64);
    for (const position of [0, 1, 17, 299]) {
      for (const i of [0, 1, 13, 31]) {
        const angle = position * 10000 ** ((-2 * i) / 64);
        // A float32 angle of 299 is off by up to 1.5e-5.
        expect(Math.abs(cos[position * 32 + i]! - Math.cos(angle))).toBeLessThan(4e-5);
        expect(Math.abs(sin[position * 32 + i]! - Math.sin(angle))).toBeLessThan(4e-5);
      }
    }
  });
});

describe('normalisation', () => {
  const ways: readonly Normalisation[] = [
    { mode: 'identity' },
    { mode: 'mean-std', mean: [10, -3], std: [2, 0.5], eps: 1e-8 },
    { mode: 'range', low: [-1, 5], high: [3, 6], eps: 1e-8, epsRule: 'replace' },
    { mode: 'range', low: [-1, 5], high: [3, 6], eps: 1e-8, epsRule: 'add' },
  ];
  it.each(ways)('$mode and back', (how) => {
    const there = normalise(how, Float32Array.of(2, 5.25));
    expect(denormalise(how, there[0]!, 0)).toBeCloseTo(2, 5);
    expect(denormalise(how, there[1]!, 1)).toBeCloseTo(5.25, 5);
  });

  it('gives the numbers of its table', () => {
    expect([...normalise(ways[1]!, Float32Array.of(12, -3.5))]).toEqual([1, -1]);
    expect([...normalise(ways[2]!, Float32Array.of(1, 6))]).toEqual([0, 1]);
    expect([denormalise(ways[1]!, 1, 0), denormalise(ways[2]!, -1, 1)]).toEqual([12, 5]);
  });

  it('a column that never moves: eps stands in for its range of 0', () => {
    const still = { mode: 'range' as const, low: [2], high: [2], eps: 1e-8 };
    expect([...normalise({ ...still, epsRule: 'replace' }, Float32Array.of(2))]).toEqual([-1]);
    expect([...normalise({ ...still, epsRule: 'add' }, Float32Array.of(2))]).toEqual([-1]);
    expect(denormalise({ ...still, epsRule: 'replace' }, 0.5, 0)).toBe(2);
  });
});

describe('weights', () => {
  it('are turned over and laid side by side, in any order, across tile edges', () => {
    const random = seededRandom(5);
    const [rows, columns] = [37, 70];
    const a = Float32Array.from({ length: rows * columns }, () => random.normal());
    const b = Float32Array.from({ length: 3 * columns }, () => random.normal());
    const rowOrder = Int32Array.from({ length: rows }, (_, i) => (i * 5) % rows);
    const columnOrder = Int32Array.from({ length: columns }, (_, i) => columns - 1 - i);
    const out = matMulWeight([a, b], [{ rows, columns, rowOrder, columnOrder }, { rows: 3, columns }], 2);
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) expect(out[column * 40 + row]).toBe(2 * a[rowOrder[row]! * columns + columnOrder[column]!]!);
      for (let row = 0; row < 3; row++) expect(out[column * 40 + rows + row]).toBe(2 * b[row * columns + column]!);
    }
  });

  it('six heads over two key heads stand as (0 3)(1 4)(2 5)', () => {
    expect([...groupedHeadOrder(6, 2, 1)]).toEqual([0, 3, 1, 4, 2, 5]);
    expect([...groupedHeadOrder(2, 2, 2)]).toEqual([0, 1, 2, 3]);
  });

  it('columns of a matrix', () => {
    expect([...columnsOf(Float32Array.of(1, 2, 3, 4, 5, 6), 3, 1, 2)]).toEqual([2, 3, 5, 6]);
  });

  it('a picture of the trained size reads the position table as it is, a smaller one every second row', () => {
    const table = Float32Array.from({ length: 16 }, (_, i) => i);
    expect([...positionRows(table, Float32Array.of(100), 4, 4)]).toEqual([...table].map((v) => v + 100));
    expect([...positionRows(table, Float32Array.of(0), 4, 2)]).toEqual([0, 2, 8, 10]);
  });

  it('affine', () => {
    expect([...affine(Float32Array.of(1, 2, 3, 4), Float32Array.of(10, 1), Float32Array.of(0.5, -0.5))]).toEqual([12.5, 33.5]);
  });
});

describe('patches', () => {
  it('run over channel, row, column inside each patch', () => {
    const image = Float32Array.from({ length: 3 * 4 * 4 }, (_, i) => i);
    const patches = patchify(image, 4, 2);
    expect([...patches.subarray(0, 12)]).toEqual([0, 1, 4, 5, 16, 17, 20, 21, 32, 33, 36, 37]);
    expect([...patches.subarray(36, 40)]).toEqual([10, 11, 14, 15]);
  });
});
