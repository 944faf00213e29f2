import { describe, expect, it } from 'vitest';
import type { TickReport } from '#contracts/control.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { unitsVectorToRadians } from '#core/robots/units.ts';
import type { ChunkRecord } from '#contracts/inference.ts';
import { compareChunks, compareTrace } from './run-verbs.ts';

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

describe('a recording played again', () => {
  const radians = (units: readonly number[]): number[] => [...unitsVectorToRadians(Float64Array.from(units) as JointUnitsVector)];
  const tick = (wanted: readonly number[] | null, target: readonly number[], rules: TickReport['rules'] = []): TickReport => ({ tick: 0, atMs: 0, periodMs: 33, mode: 'policy', wanted: wanted === null ? null : radians(wanted), target: radians(target), measured: null, rules });
  const rows = [[0, 0, 0, 0, 0, 50], [1, 0, 0, 0, 0, 50], [2, 0, 0, 0, 0, 50]] as const;

  it('is compared row by row; ticks that held or wanted something else are no rows', () => {
    const actions = Float32Array.from(rows.flat());
    const ticks = [tick(null, rows[0]), tick(rows[0], rows[0]), tick(rows[1], rows[1]), tick([9, 0, 0, 0, 0, 50], rows[1]), tick(rows[2], [1.5, 0, 0, 0, 0, 50], ['speed'])];
    expect(compareTrace(actions, ticks)).toEqual({ rowsPlayed: 3, maxAbsDifference: expect.closeTo(0.5, 4) as number, limitedRows: 1 });
    expect(compareTrace(actions, ticks.slice(0, 2))).toMatchObject({ rowsPlayed: 1, limitedRows: 0 });
  });
});
