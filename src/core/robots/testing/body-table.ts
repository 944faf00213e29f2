/** The committed table of where the official parts of an SO-101 are, metres, official link frames. See `make-body-table.py`. */
import type { Vector3 } from '#contracts/robot.ts';
import so101 from './so101-body.json' with { type: 'json' };

export interface OfficialLink {
  readonly name: string;
  readonly points: readonly Vector3[];
  /** How far the parts go in each of DIRECTIONS. */
  readonly reach: readonly number[];
  /** Least and most along x, y and z: six of them. */
  readonly extent: readonly [least: Vector3, most: Vector3];
}

const UNIT_M = 1e-5;
const STEPS = [-1, 0, 1] as const;

/** The script's order. Unit vectors. */
export const DIRECTIONS: readonly Vector3[] = STEPS.flatMap((x) => STEPS.flatMap((y) => STEPS.map((z): Vector3 => [x, y, z])))
  .filter(([x, y, z]) => x !== 0 || y !== 0 || z !== 0)
  .map((d): Vector3 => [d[0] / Math.hypot(...d), d[1] / Math.hypot(...d), d[2] / Math.hypot(...d)]);

export function officialLinks(): readonly OfficialLink[] {
  return Object.entries(so101.links).map(([name, { points, reach }]) => ({
    name,
    extent: [along(reach, -1), along(reach, 1)],
    points: points.map((p) => p.map((v) => v * UNIT_M) as unknown as Vector3),
    reach: reach.map((v) => v * UNIT_M),
  }));
}

function along(reach: readonly number[], side: 1 | -1): Vector3 {
  const towards = ([x, y, z]: Vector3): number => side * UNIT_M * (reach[DIRECTIONS.findIndex((d) => d[0] === side * x && d[1] === side * y && d[2] === side * z)] ?? Number.NaN);
  return [towards([1, 0, 0]), towards([0, 1, 0]), towards([0, 0, 1])];
}
