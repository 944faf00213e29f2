/** What a broken, hostile or merely excited policy might want next, and what the world around it might do. All from a seed. */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { Random } from '#core/lib/random.ts';
import type { Wanted } from '../gate.ts';

export const ADVERSARIES = ['steps', 'noise', 'not-numbers', 'sine', 'liar', 'absurd', 'too-short', 'drift-down', 'fold', 'chunks', 'far'] as const;
export type Adversary = (typeof ADVERSARIES)[number];

const still = (positions: ArrayLike<number>): Wanted => ({ positions, velocities: null });

/** Tick number and where the arm was last told to be, to what is wanted next. */
export function adversary(kind: Adversary, robot: RobotDescription, random: Random): (tick: number, at: ArrayLike<number>) => Wanted {
  const anywhere = (): Float64Array => Float64Array.from(robot.joints, (joint) => random.between(joint.least - 0.5, joint.most + 0.5));
  const a = anywhere();
  const b = anywhere();
  const period = 1 + random.index(12);
  const wild = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e308, -1e308, 5e-324, -0];
  const anything = (): number => (random.uniform() < 0.3 ? (wild[random.index(wild.length)] as number) : random.between(-4, 4));
  // Two chunks of rows, played stale, reordered and from different moments.
  const chunks = [0, 1].map(() => {
    const from = anywhere();
    const speed = Float64Array.from({ length: JOINT_COUNT }, () => random.between(-0.1, 0.1));
    return (row: number): Float64Array => from.map((p, i) => p + row * (speed[i] as number));
  });
  switch (kind) {
    case 'steps': // down to Nyquist
      return (tick) => still(Math.floor(tick / period) % 2 === 0 ? a : b);
    case 'noise':
      return () => still(anywhere());
    case 'not-numbers':
      return () => ({ positions: Float64Array.from({ length: JOINT_COUNT }, anything), velocities: random.uniform() < 0.5 ? null : Float64Array.from({ length: JOINT_COUNT }, anything) });
    case 'sine': // into the stops
      return (tick) => still(a.map((p, i) => 2 * p * Math.sin((tick * Math.PI) / (2 + period) + i)));
    case 'liar': // about where it goes next
      return (tick) => ({ positions: a.map((p) => p * Math.sin(tick / period)), velocities: b.map((v) => v * 10) });
    case 'absurd':
      return () => ({ positions: a.map((p) => p * 1e300), velocities: b.map((v) => v * 1e300) });
    case 'too-short':
      return (tick) => still(tick % period === 0 ? a.subarray(0, 3) : b);
    case 'drift-down': // slowly into the table
      return (_, at) => still(Float64Array.from(at, (p, i) => p + (i === 1 ? 0.004 * period : i === 2 ? 0.002 : i === 3 ? 0.003 : 0)));
    case 'fold': // slowly onto itself
      return (_, at) => still(Float64Array.from(at, (p, i) => p + (i === 2 ? 0.01 : i === 3 ? 0.012 : i === 1 ? -0.004 : 0) * (period / 4)));
    case 'chunks':
      return (tick) => still((chunks[Math.floor(tick / period) % 2] as (row: number) => Float64Array)(Math.abs((tick * (period % 3)) - (random.uniform() < 0.1 ? 30 : 0)) % 50));
    case 'far':
      return (tick) => still(Math.floor(tick / (20 * period)) % 2 === 0 ? a : b);
  }
}

/** How old the arm's state says it is: mostly fresh, sometimes unknown, stale, or of a clock that jumped either way. */
export function stateAge(random: Random): number | null {
  const u = random.uniform();
  if (u < 0.005) return null;
  if (u < 0.01) return 1e4;
  if (u < 0.015) return -3.6e6;
  if (u < 0.02) return Number.NaN;
  return random.between(0, 150);
}
