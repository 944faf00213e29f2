/** Rows, masks and positions of a small prefix, written out by hand. */
import { describe, expect, it } from 'vitest';
import { chunkBias, HIDDEN, leRobotRows, prefixBias, prefixMasks, slotPositions, type PrefixShape, type PrefixUse } from './prefix-rows.ts';

// Two cameras of 2 tokens, no special tokens; tail of 3 words and the state: rows 0-1, 2-3, 4-6, 7.
const SHAPE: PrefixShape = { cameras: 2, tokensPerImage: 2, before: 0, after: 0, tailRows: 4, rows: 8 };
const ONLY_SECOND: PrefixUse = { present: [false, true], placeholders: 0, tokens: 1 };

describe('a prefix with an absent camera and one word', () => {
  const masks = prefixMasks(SHAPE, ONLY_SECOND);

  it('uses the second picture, the word and the state, and counts only these', () => {
    expect([...masks.valid]).toEqual([0, 0, 1, 1, 1, 1, 0, 0]);
    expect(masks.stateRow).toBe(5);
    expect(masks.validRows).toBe(4);
    expect([...masks.positions].map(Number)).toEqual([0, 0, 0, 1, 2, 3, 3, 3]);
  });

  it('queries and keys stand at their row’s position, values at 0', () => {
    expect([...slotPositions(masks.positions.slice(3, 6), 2)].map(Number)).toEqual([1, 1, 1, 0, 2, 2, 2, 0, 3, 3, 3, 0]);
  });

  it('everybody sees what is in use, the state alone sees the state, twice each for a group of 2', () => {
    const seen = (row: number): number[] => [...prefixBias(SHAPE, masks, 2).subarray(row * 8, row * 8 + 8)].map((bias) => (bias === 0 ? 1 : 0));
    expect(prefixBias(SHAPE, masks, 2).length).toBe(2 * 8 * 8);
    for (const row of [4, 5, 6, 7, 8, 9]) expect(seen(row)).toEqual([0, 0, 1, 1, 1, 0, 0, 0]);
    for (const row of [10, 11]) expect(seen(row)).toEqual([0, 0, 1, 1, 1, 1, 0, 0]);
    expect(Math.min(...prefixBias(SHAPE, masks, 1))).toBe(Math.fround(HIDDEN));
  });

  it('actions see the state too, and of themselves only the past', () => {
    const bias = chunkBias(SHAPE, masks, 2, 'causal', 1);
    expect([...bias].map((value) => (value === 0 ? 1 : 0))).toEqual([0, 0, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1]);
    expect(chunkBias(SHAPE, masks, 2, 'none', 3).length).toBe(2 * 3 * 8);
  });

  it('in LeRobot’s order: the picture, the words with their padding, the state, padding up to prefix_length', () => {
    expect([...leRobotRows(SHAPE, ONLY_SECOND, [1, 0, 0], 8)]).toEqual([2, 3, 4, -1, -1, 5, -1, -1]);
  });
});

describe('special tokens around pictures and a placeholder', () => {
  // fake global t t fake | fake global fake, 2 words, state
  const shape: PrefixShape = { cameras: 1, tokensPerImage: 2, before: 2, after: 1, tailRows: 6, rows: 11 };
  const use: PrefixUse = { present: [true], placeholders: 1, tokens: 2 };

  it('the placeholder’s special tokens are in use, its picture is nowhere', () => {
    const masks = prefixMasks(shape, use);
    expect([...masks.valid]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(masks.stateRow).toBe(10);
    expect([...leRobotRows(shape, use, [1, 1], 0)]).toEqual([0, 1, 2, 3, 4, 5, 6, -1, -1, 7, 8, 9, 10]);
  });

  it('with no placeholder the words move up', () => {
    expect(prefixMasks(shape, { ...use, placeholders: 0 }).stateRow).toBe(7);
  });
});
