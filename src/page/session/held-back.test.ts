import { describe, expect, it } from 'vitest';
import type { SafetyRule, TickReport } from '#contracts/control.ts';
import { heldBack, tickMotion } from './held-back.ts';

const tick = (rules: readonly SafetyRule[], wanted: readonly number[] | null = [1, 0, 0, 0, 0, 0], target: readonly number[] = [0.2, 0, 0, 0, 0, 0]): TickReport => ({
  tick: 1,
  atMs: 0,
  periodMs: 33,
  mode: 'policy',
  wanted,
  target,
  measured: target,
  rules,
});
const many = (count: number, ...of: Parameters<typeof tick>): TickReport[] => Array.from({ length: count }, () => tick(...of));

describe('why the arm is held back', () => {
  it('is the rule that decided most often in the last second, and the joint furthest behind', () => {
    expect(heldBack([...many(10, ['speed']), ...many(20, ['speed', 'link-speed'], [0.3, 1, 0, 0, 0, 0], [0.2, 0.1, 0, 0, 0, 0])])).toEqual({ kind: 'limited', rule: 'link-speed', joint: 1, share: 2 / 3 });
  });

  it('is nothing where all is done, nothing is wanted, or a motion only begins', () => {
    expect(heldBack(many(30, []))).toEqual({ kind: 'free' });
    expect(heldBack(many(30, [], null))).toEqual({ kind: 'free' });
    expect(heldBack([])).toEqual({ kind: 'free' });
    expect(heldBack([...many(26, []), ...many(4, ['acceleration'])])).toEqual({ kind: 'free' });
  });

  it('is at once what holds the arm, and no longer than it does', () => {
    expect(heldBack([...many(28, ['speed']), ...many(2, ['page-silent'])])).toEqual({ kind: 'held', rule: 'page-silent' });
    expect(heldBack([...many(10, ['page-silent']), ...many(20, [])])).toEqual({ kind: 'free' });
  });

  it('is a slower arm, not a held one, where heat or doubt only slow it', () => {
    expect(heldBack(many(30, ['disagreement', 'speed']))).toMatchObject({ kind: 'limited', rule: 'speed' });
    expect(heldBack(many(30, ['disagreement']))).toEqual({ kind: 'held', rule: 'disagreement' });
  });
});

it('a tick is as tall as what was wanted of the joint that was wanted furthest', () => {
  const before = [0, 0, 0, 0, 0, 0];
  expect(tickMotion(tick(['speed']), before)).toEqual({ wanted: 1, allowed: 0.2, rule: 'speed', kind: 'limited' });
  expect(tickMotion(tick(['hold-to-run'], [1, 0, 0, 0, 0, 0], before), before)).toEqual({ wanted: 1, allowed: 0, rule: 'hold-to-run', kind: 'held' });
  expect(tickMotion(tick([], null), before).kind).toBe('free');
  expect(tickMotion(tick(['finite'], [Number.NaN, 0, 0, 0, 0, 0], before), before).wanted).toBe(Number.POSITIVE_INFINITY);
});
