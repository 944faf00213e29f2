import { describe, expect, it } from 'vitest';
import type { ChunkRecord } from '#contracts/inference.ts';
import { compareChunks } from './run-verbs.ts';

const record = (index: number, ...actions: number[]): ChunkRecord => ({
  index,
  observedTick: 0,
  pictures: [],
  state: new Float32Array(6),
  noiseSeed: 0,
  actions: Float32Array.from(actions),
  x0: new Float32Array(1),
  timings: { observeMs: 0, preprocessMs: 0, visionMs: 0, prefixMs: 0, denoiseMs: 0, totalMs: 0 },
  provider: 'wasm',
});

describe('comparing a replay with its run', () => {
  it('is identical only where every bit is', () => {
    expect(compareChunks([record(0, 1, 2)], [record(0, 1, 2)])).toEqual({ identical: true, maxAbsDifference: 0, chunks: 1 });
    expect(compareChunks([record(0, 1, 2)], [record(0, 1, 2.25)])).toEqual({ identical: false, maxAbsDifference: 0.25, chunks: 1 });
  });

  it('does not call a replay identical that is missing a chunk or a number', () => {
    expect(compareChunks([record(0, 1), record(1, 2)], [record(0, 1)])).toEqual({ identical: false, maxAbsDifference: 0, chunks: 1 });
    expect(compareChunks([record(0, 1, 2)], [record(0, 1)]).identical).toBe(false);
  });
});
