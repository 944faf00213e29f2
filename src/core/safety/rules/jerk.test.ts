import { describe, expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { brakeStep, brakesWithin, brakingDistance, followStep, reachable, type Motion } from './jerk.ts';

const random = seededRandom(11);
/** A joint somewhere in its limits: speed, last change, limits. */
const anywhere = () => {
  const dt = random.between(0.01, 0.1);
  const dv = random.between(0.05, 1);
  const dj = dv * 10 ** random.between(-1.5, 0.6);
  const motion: Motion = { dt, dv, dj };
  return { motion, speed: random.between(-2, 2), change: random.between(-dv, dv) };
};

describe('braking', () => {
  it('comes to rest exactly, within both limits, from anywhere', () => {
    for (let round = 0; round < 2_000; round++) {
      const { motion, speed, change } = anywhere();
      let v = speed;
      let c = change;
      let ticks = 0;
      while (v !== 0 || c !== 0) {
        const next = brakeStep(v, c, motion);
        if (Math.abs(next - v - c) > motion.dj * (1 + 1e-9) || Math.abs(next - v) > motion.dv * (1 + 1e-9)) throw new Error(JSON.stringify({ motion, v, c, next }));
        c = next - v;
        v = next;
        if (++ticks > 2_000) throw new Error(JSON.stringify({ motion, speed, change }));
      }
      expect(v).toBe(0);
    }
  });

  it('is a subtraction where jerk does not bind', () => {
    const motion: Motion = { dt: 1, dv: 0.5, dj: 2 };
    expect([2, -2, 0.3, -0.3, 0].map((v) => brakeStep(v, 0, motion))).toEqual([1.5, -1.5, 0, 0, 0]);
    expect(brakingDistance(2, 0, motion)).toBe(1.5 + 1 + 0.5);
  });

  it('knows a case worked by hand: speed 6, jerk 1: -1 -2 -2 -1', () => {
    const motion: Motion = { dt: 1, dv: 2, dj: 1 };
    const speeds = [6];
    for (let c = 0; speeds.at(-1) !== 0; ) {
      const v = speeds.at(-1) as number;
      speeds.push(brakeStep(v, c, motion));
      c = (speeds.at(-1) as number) - v;
    }
    expect(speeds).toEqual([6, 5, 3, 1, 0]);
  });

  it('tells whether it stays inside its bounds', () => {
    const motion: Motion = { dt: 1, dv: 1, dj: 4 };
    expect(brakesWithin(0, 3, 0, motion, { least: -1, most: 3 }, 9)).toBe(true);
    expect(brakesWithin(0, 3, 0, motion, { least: -1, most: 2.999 }, 9)).toBe(false);
    expect(brakesWithin(0, 3, 0, motion, { least: -1, most: 9 }, 2.9)).toBe(false);
    expect(brakesWithin(-1.1, 0, 0, motion, { least: -1, most: 3 }, 9)).toBe(false);
  });

  it('a bound that comes along inward is not passed on the way back', () => {
    // Comes in from outside the range and brakes so late that its change carries it back outward by 18 micrometres of a radian.
    const motion: Motion = { dt: 1 / 87, dv: 0.0657, dj: 0.00746341 };
    const step = [1.6139388967729706, -0.0015251976544300122, 0.010513803504322596, motion, { least: -1.6, most: 1.6139564277804928 }, 9] as const;
    expect(brakesWithin(...step)).toBe(true);
    expect(brakesWithin(...step, { least: -1.6, most: 1.6 })).toBe(false);
    expect(brakesWithin(1.6139388967729706, -0.0023, 0.00974, motion, { least: -1.6, most: 1.6139564277804928 }, 9, { least: -1.6, most: 1.6 })).toBe(true);
  });
});

describe('following', () => {
  const motion: Motion = { dt: 0.05, dv: 0.4, dj: 1.6 };
  it('keeps pace with a goal that moves within the limit, with no lag', () => {
    expect(followStep(0.05, 1, 0.9, 0, motion, 9)).toBe(1);
    expect(followStep(0.05, 1.2, 0.9, 0, motion, 9)).toBe(1);
    expect(followStep(-0.02, 0, 0, 0, motion, 9)).toBeCloseTo(-0.4, 12);
  });

  it('approaches a goal without passing it, at any jerk, and gets there', () => {
    for (let round = 0; round < 300; round++) {
      const { motion: limits } = anywhere();
      const goal = random.between(-2, 2);
      let p = 0;
      let v = 0;
      let c = 0;
      let ticks = 0;
      const most = 300 + Math.ceil((40 * limits.dv) / limits.dj);
      while (Math.abs(p - goal) > 1e-7 || Math.abs(v) > 1e-6) {
        const next = followStep(goal - p, 0, v, c, limits, 2);
        const range = reachable(v, c, limits);
        if (next < range.least || next > range.most) throw new Error(JSON.stringify({ limits, goal, p, v, next }));
        c = next - v;
        v = next;
        p += v * limits.dt;
        if ((p - goal) * Math.sign(goal) > 1e-8) throw new Error(JSON.stringify({ limits, goal, p, v, passed: p - goal }));
        if (++ticks > most / Math.min(1, limits.dv * limits.dt)) throw new Error(JSON.stringify({ limits, goal, p, v }));
      }
      expect(Math.abs(p - goal)).toBeLessThan(1e-7);
    }
  });
});
