import { describe, expect, it } from 'vitest';
import type { ActionChunk } from '#contracts/chunk.ts';
import type { Aggregate } from '#contracts/control.ts';
import { aggregateRows } from './aggregate.ts';
import { asking } from './asking.ts';
import { chunkQueue, type ChunkQueue } from './queue.ts';

const TICK_MS = 100;
const queueOf = (aggregate: Aggregate = 'latest_only'): ChunkQueue => chunkQueue({ runId: 1, columns: 2, expiryMs: 1000, tickMs: TICK_MS, aggregate });
/** Row r of chunk c for tick t holds [100 c + t, r]. */
function chunk(index: number, observedTick: number, rows: number, over: Partial<ActionChunk> = {}): ActionChunk {
  const actions = Float32Array.from({ length: rows * 2 }, (_, k) => (k % 2 === 0 ? 100 * index + observedTick + k / 2 : (k - 1) / 2));
  return { index, runId: 1, observedTick, rows, columns: 2, actions, observedAtMs: 0, computedAtMs: 0, ...over };
}

describe('queue', () => {
  it('is dry before the first chunk and after the last row, and ticks count only rows', () => {
    const queue = queueOf();
    expect(queue.take(0)).toBeNull();
    expect(queue.tick).toBe(0);
    expect(queue.offer(chunk(0, 0, 2), 0)).toEqual({ kind: 'accepted', rowsDropped: 0, rowsQueued: 2, disagreement: null });
    expect([...(queue.take(0) ?? [])]).toEqual([0, 0]);
    expect([...(queue.take(0) ?? [])]).toEqual([1, 1]);
    expect(queue.take(0)).toBeNull();
    expect(queue.tick).toBe(2);
    expect(queue.current).toMatchObject({ index: 0, rows: 2 });
  });

  it('drops rows that have passed and is replaced by exactly the new chunk', () => {
    const queue = queueOf();
    queue.offer(chunk(0, 0, 10), 0);
    for (let i = 0; i < 5; i++) queue.take(0);
    expect(queue.offer(chunk(1, 3, 4), 0)).toMatchObject({ kind: 'accepted', rowsDropped: 2, rowsQueued: 2, disagreement: { rows: 2, seam: 100, seamPlayed: 100 } });
    expect(queue.coming(9).map((row) => row[0])).toEqual([105, 106]);
    expect(queue.rowsLeft).toBe(2);
  });

  it('goes on where a dry queue stopped, however long the chunk took', () => {
    const queue = queueOf();
    queue.offer(chunk(0, 0, 4), 0);
    for (let i = 0; i < 30; i++) queue.take(0); // 4 rows, 26 dry ticks
    expect(queue.offer(chunk(1, 2, 4), 0)).toEqual({ kind: 'accepted', rowsDropped: 2, rowsQueued: 2, disagreement: null });
    expect(queue.take(0)?.[0]).toBe(104);
  });

  it('combines rows that both chunks have, by tick', () => {
    const queue = queueOf('average');
    queue.offer(chunk(0, 0, 4), 0);
    queue.take(0);
    queue.take(0);
    expect(queue.offer(chunk(1, 1, 5), 0)).toMatchObject({ disagreement: { rows: 2, seam: 100, seamPlayed: 50 } });
    // ticks 2, 3: (2 + 102) / 2, (3 + 103) / 2; then the new chunk alone.
    expect(queue.coming(9).map((row) => row[0])).toEqual([52, 53, 104, 105]);
  });

  it('refuses what is expired, outdated, passed, of another size or not finite, and stays as it was', () => {
    const queue = queueOf();
    queue.offer(chunk(3, 0, 2), 0);
    queue.take(0);
    queue.take(0);
    expect(queue.offer(chunk(4, 0, 9, { observedAtMs: 0 }), 1001)).toEqual({ kind: 'expired', ageMs: 1001 });
    expect(queue.offer(chunk(4, 0, 9, { observedAtMs: Number.NaN }), 0).kind).toBe('expired');
    expect(queue.offer(chunk(3, 2, 9), 0)).toEqual({ kind: 'outdated' });
    expect(queue.offer(chunk(4, 2, 9, { runId: 2 }), 0)).toEqual({ kind: 'outdated' });
    expect(queue.offer(chunk(4, 0, 2), 0)).toEqual({ kind: 'passed' });
    expect(queue.offer(chunk(4, 2, 9, { columns: 3 }), 0)).toEqual({ kind: 'wrong-size', found: 3 });
    expect(queue.offer(chunk(4, 2, 9, { rows: 8 }), 0)).toEqual({ kind: 'wrong-size', found: 18 });
    const broken = chunk(4, 2, 3);
    broken.actions[3] = Number.NaN;
    expect(queue.offer(broken, 0)).toEqual({ kind: 'not-finite', row: 1, column: 1 });
    expect(queue.rowsLeft).toBe(0);
    expect(queue.offer(chunk(4, 2, 2), 1000).kind).toBe('accepted');
  });

  it('does not play rows that lay about too long', () => {
    const queue = queueOf();
    queue.offer(chunk(0, 0, 4), 900);
    expect(queue.take(900)).not.toBeNull();
    expect(queue.take(1000 + 4 * TICK_MS)).not.toBeNull();
    expect(queue.take(1001 + 4 * TICK_MS)).toBeNull();
    expect(queue.rowsExpired).toBe(2);
    expect(queue.rowsLeft).toBe(0);
  });

  it('keeps its own copy', () => {
    const queue = queueOf();
    const given = chunk(0, 0, 1);
    queue.offer(given, 0);
    given.actions.fill(9);
    expect(queue.take(0)?.[0]).toBe(0);
  });
});

describe('aggregate', () => {
  it("is LeRobot's table", () => {
    const older = new Float32Array([10]);
    const newer = new Float32Array([20]);
    const value = (how: Aggregate): number => aggregateRows(how, older, newer)[0] ?? Number.NaN;
    expect(value('latest_only')).toBe(20);
    expect(value('weighted_average')).toBeCloseTo(17, 5);
    expect(value('average')).toBe(15);
    expect(value('conservative')).toBeCloseTo(13, 5);
    expect(() => aggregateRows('average', older, new Float32Array(2))).toThrow(RangeError);
  });
});

describe('asking', () => {
  const settings = { askAtShare: 0.5, timeoutMs: 1000, retryAfterMs: 500 };

  it('asks at once, then at the threshold, one at a time', () => {
    const ask = asking(settings);
    expect(ask.next({ nowMs: 0, rowsLeft: 0, chunkRows: 0 })).toBe(1);
    expect(ask.next({ nowMs: 10, rowsLeft: 0, chunkRows: 0 })).toBeNull();
    expect(ask.answered(2)).toBe(false);
    expect(ask.answered(1)).toBe(true);
    expect(ask.next({ nowMs: 20, rowsLeft: 26, chunkRows: 50 })).toBeNull();
    expect(ask.next({ nowMs: 30, rowsLeft: 25, chunkRows: 50 })).toBe(2);
  });

  it('pauses after a failure and gives up the overdue', () => {
    const ask = asking(settings);
    const dry = { rowsLeft: 0, chunkRows: 50 };
    expect(ask.next({ nowMs: 0, ...dry })).toBe(1);
    expect(ask.failed(1, 100)).toBe(true);
    expect(ask.next({ nowMs: 599, ...dry })).toBeNull();
    expect(ask.next({ nowMs: 600, ...dry })).toBe(2);
    expect(ask.overdue(1600)).toBeNull();
    expect(ask.overdue(1601)).toBe(1001);
    expect(ask.overdue(1602)).toBeNull();
    expect(ask.answered(2)).toBe(false);
    expect(ask.next({ nowMs: 2101, ...dry })).toBe(3);
    ask.forget();
    expect(ask.next({ nowMs: 2102, ...dry })).toBe(4);
  });
});
