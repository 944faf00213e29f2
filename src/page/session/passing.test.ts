import { describe, expect, it } from 'vitest';
import type { Failure } from '#contracts/failure.ts';
import { PASSING_LIMIT_MS, standingComplaint } from './passing.ts';

const late: Failure = { code: 'control/state-stale', facts: { ageMs: 290, limitMs: 200 } };
const broken: Failure = { code: 'engine/device-lost', facts: {} };

describe('complaints that come and go', () => {
  it('are not told when they pass', () => {
    const standing = standingComplaint();
    expect(standing.take(late, 0)).toBeNull();
    expect(standing.take(null, PASSING_LIMIT_MS - 1)).toBeNull();
    expect(standing.take(late, PASSING_LIMIT_MS)).toBeNull();
    expect(standing.take(late, 2 * PASSING_LIMIT_MS - 1)).toBeNull();
  });

  it('are told when they stay', () => {
    const standing = standingComplaint();
    standing.take(late, 0);
    expect(standing.take(late, PASSING_LIMIT_MS)).toEqual(late);
  });

  it('are told at once when they are of the other kind', () => {
    const standing = standingComplaint();
    standing.take(late, 0);
    expect(standing.take(broken, 10)).toEqual(broken);
  });
});
