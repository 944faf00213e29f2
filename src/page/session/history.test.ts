import { describe, expect, it } from 'vitest';
import { HISTORY_SECONDS, plotHistory } from './history.ts';

const at = (atMs: number, value: number | null) => ({ atMs, measured: value === null ? null : [value, 0, 0, 0, 0, 0], target: [1, 2, 3, 4, 5, 6] });

describe('the memory of the plot', () => {
  it('counts seconds back from the newest sample', () => {
    const history = plotHistory();
    history.push([at(1000, 5), at(1500, 6)]);
    expect(history.columns(0)).toEqual({ seconds: [-0.5, 0], measured: [5, 6], target: [1, 1] });
  });

  it('shows a failed reading as a hole', () => {
    const history = plotHistory();
    history.push([at(0, 5), at(33, null)]);
    expect(history.columns(0).measured).toEqual([5, null]);
  });

  it('lets old samples fall out by time, and never keeps more than it has room for', () => {
    const history = plotHistory();
    history.push([at(0, 1)]);
    history.push([at(HISTORY_SECONDS * 1000 + 1, 2)]);
    expect(history.columns(0).measured).toEqual([2]);
    history.push(Array.from({ length: 5000 }, (_, i) => at(30_000 + i, i)));
    expect(history.columns(0).seconds.length).toBeLessThanOrEqual(2000);
    expect(history.columns(0).measured.at(-1)).toBe(4999);
  });
});
