import { describe, expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { fastestThatStops } from './acceleration.ts';

/** What F(s) of the docstring says, added up tick by tick. */
function roomUsed(speed: number, dv: number, dt: number): number {
  let used = 0;
  for (let s = speed; s > 0; s -= dv) used += s * dt;
  return used;
}

describe('braking distance', () => {
  it('is used up exactly by the fastest speed that stops, for rooms from nothing to several turns', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 20_000; round++) {
      const dt = random.between(0.01, 0.1);
      const dv = random.between(0.01, 2);
      const room = 10 ** random.between(-9, 1);
      const speed = fastestThatStops(room, dv, dt);
      expect(Math.abs(roomUsed(speed, dv, dt) - room)).toBeLessThanOrEqual(1e-9 * room);
    }
  });

  it('is zero without room', () => {
    for (const room of [0, -1, Number.NaN]) expect(fastestThatStops(room, 0.4, 1 / 30)).toBe(0);
  });

  it('knows a case worked by hand: dv 1, dt 1, room 6 = 3 + 2 + 1', () => {
    expect(fastestThatStops(6, 1, 1)).toBe(3);
    expect(fastestThatStops(1, 1, 1)).toBe(1);
    expect(fastestThatStops(0.5, 1, 1)).toBe(0.5);
    expect(fastestThatStops(2, 1, 1)).toBe(1.5); // 1.5 + 0.5
  });
});
