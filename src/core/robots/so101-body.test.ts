/** The SO-101's body against its official meshes: nothing of them sticks out, and nothing of ours reaches much further. */
import { describe, expect, it } from 'vitest';
import type { CollisionShape, LinkDescription, Vector3 } from '#contracts/robot.ts';
import { SO101, SO101_OFFICIAL_BASE } from './so101.ts';
import { DIRECTIONS, officialLinks } from './testing/body-table.ts';
import { cross, dot, inverse, norm, rotate, scale, subtract, transform } from './transforms.ts';

/** Within this of a shape counts as in it: screws' heads, bevels, and what lies between two boxes of a curved part. */
const OUTSIDE_M = 0.0012;
/** Along an axis a box ends where the part does; askew its corners stand out, most where the part has a chamfer of 13 mm. */
const FURTHER_M = { straight: 0.001, askew: 0.01 };

const LINKS: readonly LinkDescription[] = [SO101.base, ...SO101.links];

/** Metres from a point to a shape, 0 inside; for a hull the distance to its farthest face, which is no more than that. */
function distanceTo(shape: CollisionShape): (point: Vector3) => number {
  if (shape.kind === 'capsule') throw new Error('no capsules here');
  if (shape.kind === 'box') {
    return (point) => {
      const local = rotate(inverse(shape.pose.rotation), subtract(point, shape.pose.position));
      return Math.hypot(...local.map((x, i) => Math.max(0, Math.abs(x) - (shape.halfExtents[i] as number))));
    };
  }
  const faces = facesOf(shape.points);
  return (point) => faces.reduce((most, { normal, level }) => Math.max(most, dot(normal, point) - level), 0);
}

function facesOf(points: readonly Vector3[]): readonly { readonly normal: Vector3; readonly level: number }[] {
  return points.flatMap((p, i) =>
    points.slice(i + 1).flatMap((q, j) =>
      points.slice(i + j + 2).flatMap((r) => {
        const across = cross(subtract(q, p), subtract(r, p));
        if (norm(across) < 1e-12) return [];
        return [1, -1].flatMap((side) => {
          const normal = scale(across, side / norm(across));
          const level = dot(normal, p);
          return points.every((point) => dot(normal, point) < level + 1e-9) ? [{ normal, level }] : [];
        });
      }),
    ),
  );
}

function cornersOf(shape: CollisionShape): readonly Vector3[] {
  if (shape.kind === 'hull') return shape.points;
  if (shape.kind === 'capsule') throw new Error('no capsules here');
  const [x, y, z] = shape.halfExtents;
  return [-x, x].flatMap((i) => [-y, y].flatMap((j) => [-z, z].map((k) => transform(shape.pose, [i, j, k]))));
}

describe("the SO-101's body", () => {
  it('is described for every link of the official file', () => {
    expect(officialLinks().map(({ name }) => name)).toEqual(LINKS.map(({ name }) => name));
    for (const { points } of officialLinks()) expect(points.length).toBe(120);
  });

  it.each(officialLinks())('holds all of $name', ({ name, points }) => {
    const link = LINKS.find((one) => one.name === name);
    const shapes = (link?.collision ?? []).map((shape) => ({ name: shape.name, to: distanceTo(shape) }));
    const away = points.map((point) => {
      const at = name === 'base' ? transform(SO101_OFFICIAL_BASE, point) : point;
      const [nearest] = shapes.map((shape) => ({ name: shape.name, m: shape.to(at) })).toSorted((a, b) => a.m - b.m);
      return { at: at.map((v) => Math.round(v * 1e5) / 100), mm: 1000 * (nearest?.m ?? Number.POSITIVE_INFINITY), nearest: nearest?.name };
    });
    const worst = away.toSorted((a, b) => b.mm - a.mm).slice(0, 3);
    expect(worst[0]?.mm, JSON.stringify(worst)).toBeLessThan(1000 * OUTSIDE_M);
  });

  it.each(officialLinks())('of $name reaches as far as the parts, and little further', ({ name, reach }) => {
    const link = LINKS.find((one) => one.name === name);
    const corners = (link?.collision ?? []).flatMap(cornersOf);
    DIRECTIONS.forEach((direction, i) => {
      const turned = name === 'base' ? rotate(SO101_OFFICIAL_BASE.rotation, direction) : direction;
      const from = name === 'base' ? dot(turned, SO101_OFFICIAL_BASE.position) : 0;
      const further = Math.max(...corners.map((corner) => dot(corner, turned))) - from - (reach[i] as number);
      expect(further, `towards ${direction.map((x) => x.toFixed(1)).join(' ')}`).toBeGreaterThan(-OUTSIDE_M);
      const most = direction.filter((x) => x !== 0).length === 1 ? FURTHER_M.straight : FURTHER_M.askew;
      expect(further, `towards ${direction.map((x) => x.toFixed(1)).join(' ')}`).toBeLessThan(most);
    });
  });
});
