/**
 * The arm's shape as safety sees it, from the robot description alone: the corners of every convex part, whose motion
 * bounds the motion of everything between them, and capsules along the parts, for what must not touch. Computes where both
 * are for joint angles; knows no limit.
 *
 * Two facts make corners enough. A part moves rigidly, so the displacement of its points is an affine function of where
 * they sit; a norm of an affine function is convex; a convex function on a convex body is largest at a corner. And a plane
 * is lowest reached by a corner. So speed and table hold for every point of every part, not for a sample.
 *
 * Written with flat arrays, because it runs several times in every tick.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { CollisionShape, LinkDescription, Quaternion, RobotDescription, RobotName, Vector3 } from '#contracts/robot.ts';
import { unreachable } from '#core/lib/never.ts';
import { cross, dot, norm, scale, subtract, transform } from '#core/robots/transforms.ts';

export interface Body {
  /** Whose body it is. */
  readonly robot: RobotName;
  /** Corners of all moving parts, and which of the moving links (0..5) each belongs to. */
  readonly pointCount: number;
  readonly pointLink: Uint8Array;
  readonly capsules: readonly Capsule[];
  /** At least how far any point of the links from joint j on can be from that joint's axis, metres: what a turn of it moves at most. */
  readonly reach: Float64Array;
  /** Where everything is at these joint angles, into `into`. */
  place(angles: ArrayLike<number>, into: Placement): void;
  /** The same without the capsules, which is half of it. */
  placePoints(angles: ArrayLike<number>, into: Placement): void;
  /** The capsules of one link (0 is the base), where `placePoints` has put it. */
  placeCapsules(link: number, into: Placement): void;
  placement(): Placement;
}

export interface Capsule {
  /** 0 is the base, 1..6 the moving links. */
  readonly link: number;
  readonly radius: number;
  /** Within this of its axis lies everything that the capsule stands for, corners included. */
  readonly cover: number;
}

/** World coordinates, metres: three numbers a point, six a capsule (both ends of its axis). */
export interface Placement {
  readonly points: Float64Array;
  readonly axes: Float64Array;
  /** Base and links: nine numbers of rotation, three of position each. */
  readonly frames: Float64Array;
}

const FRAME = 12;

export function createBody(robot: RobotDescription): Body {
  const links: readonly LinkDescription[] = [robot.base, ...robot.links];
  const corners = robot.links.map((link) => outermost(distinct(link.collision.flatMap(cornersOf))));
  const pointCount = corners.reduce((sum, list) => sum + list.length, 0);
  const pointLink = Uint8Array.from(corners.flatMap((list, i) => list.map(() => i)));
  const local = Float64Array.from(corners.flat(2));
  const fitted = links.flatMap((link, i) => link.collision.flatMap((shape) => capsulesOf(shape).map((capsule) => ({ link: i, ...capsule }))));
  const localAxes = Float64Array.from(fitted.flatMap((capsule) => [...capsule.from, ...capsule.to]));
  // Both lie link after link: where those of one begin and end.
  const pointsFrom = Uint32Array.from([0, ...corners.map((_, i) => 3 * corners.slice(0, i + 1).flat().length)]);
  const axesFrom = Uint32Array.from([0, ...links.map((_, link) => 6 * fitted.filter((capsule) => capsule.link <= link).length)]);

  // Each joint's turn is origin * (1 + sin K + (1 - cos) K^2), K the cross product with the axis: three matrices, made once.
  const turns = robot.joints.map((joint) => {
    const origin = matrixOf(joint.origin.rotation);
    const [x, y, z] = joint.axis;
    const k = [0, -z, y, z, 0, -x, -y, x, 0];
    const once = product(origin, k);
    return { origin: Float64Array.from(origin), once: Float64Array.from(once), twice: Float64Array.from(product(once, k)), position: Float64Array.from(joint.origin.position) };
  });
  const turn = new Float64Array(9);

  // A link's frame sits on its joint's axis, so nothing of it is further from the axis than from there.
  const reach = new Float64Array(JOINT_COUNT);
  for (let j = JOINT_COUNT - 1; j >= 0; j--) {
    const own = (corners[j] as readonly Vector3[]).reduce((most, point) => Math.max(most, Math.hypot(...point)), 0);
    const next = robot.joints[j + 1];
    reach[j] = next === undefined ? own : Math.max(own, Math.hypot(...next.origin.position) + (reach[j + 1] as number));
  }

  const placeCapsules: Body['placeCapsules'] = (link, { axes, frames }) => {
    carry(frames, FRAME * link, localAxes, axesFrom[link] as number, axesFrom[link + 1] as number, axes);
  };
  const placePoints: Body['placePoints'] = (angles, into) => {
    const { points, frames } = into;
    for (let j = 0; j < JOINT_COUNT; j++) {
      const { origin, once, twice, position } = turns[j] as (typeof turns)[number];
      const angle = angles[j] as number;
      const s = Math.sin(angle);
      const c = 1 - Math.cos(angle);
      for (let i = 0; i < 9; i++) turn[i] = (origin[i] as number) + s * (once[i] as number) + c * (twice[i] as number);
      const p = FRAME * j;
      const q = p + FRAME;
      for (let row = 0; row < 3; row++) {
        const a = frames[p + 3 * row] as number;
        const b = frames[p + 3 * row + 1] as number;
        const d = frames[p + 3 * row + 2] as number;
        for (let column = 0; column < 3; column++) {
          frames[q + 3 * row + column] = a * (turn[column] as number) + b * (turn[3 + column] as number) + d * (turn[6 + column] as number);
        }
        frames[q + 9 + row] = a * (position[0] as number) + b * (position[1] as number) + d * (position[2] as number) + (frames[p + 9 + row] as number);
      }
    }
    for (let link = 0; link < JOINT_COUNT; link++) carry(frames, FRAME * (link + 1), local, pointsFrom[link] as number, pointsFrom[link + 1] as number, points);
  };

  return {
    robot: robot.name,
    pointCount,
    reach,
    placePoints,
    placeCapsules,
    pointLink,
    capsules: fitted.map(({ link, radius, cover }) => ({ link, radius, cover })),
    placement: () => {
      const frames = new Float64Array(FRAME * links.length);
      frames.set([1, 0, 0, 0, 1, 0, 0, 0, 1]);
      const into = { points: new Float64Array(3 * pointCount), axes: new Float64Array(6 * fitted.length), frames };
      return into;
    },
    place(angles, into) {
      placePoints(angles, into);
      for (let link = 0; link < links.length; link++) placeCapsules(link, into);
    },
  };
}

/** The points from index `at` up to `end`, three numbers each, from the frame at `f` into the world. */
function carry(frames: Float64Array, f: number, from: Float64Array, at: number, end: number, to: Float64Array): void {
  // Read once for all points of a link: most of the time goes here.
  const xx = frames[f] as number;
  const xy = frames[f + 1] as number;
  const xz = frames[f + 2] as number;
  const yx = frames[f + 3] as number;
  const yy = frames[f + 4] as number;
  const yz = frames[f + 5] as number;
  const zx = frames[f + 6] as number;
  const zy = frames[f + 7] as number;
  const zz = frames[f + 8] as number;
  const px = frames[f + 9] as number;
  const py = frames[f + 10] as number;
  const pz = frames[f + 11] as number;
  for (let k = at; k < end; k += 3) {
    const x = from[k] as number;
    const y = from[k + 1] as number;
    const z = from[k + 2] as number;
    to[k] = xx * x + xy * y + xz * z + px;
    to[k + 1] = yx * x + yy * y + yz * z + py;
    to[k + 2] = zx * x + zy * y + zz * z + pz;
  }
}

/** In the link's frame. A capsule has no corners: the boxes around its ends have. */
function cornersOf(shape: CollisionShape): readonly Vector3[] {
  switch (shape.kind) {
    case 'hull':
      return shape.points;
    case 'box':
      return cube(shape.halfExtents).map((corner) => transform(shape.pose, corner));
    case 'capsule':
      return [shape.from, shape.to].flatMap((end) => cube([shape.radius, shape.radius, shape.radius]).map(([x, y, z]): Vector3 => [end[0] + x, end[1] + y, end[2] + z]));
    default:
      return unreachable(shape);
  }
}

/**
 * The points that are corners of all of them together: those on a plane through three of them that has all others on one side. What is
 * farthest or lowest at some point is so at one of these, so the rest need not be looked at. Every triple is tried: 20 ms,
 * once.
 */
export function outermost(points: readonly Vector3[]): readonly Vector3[] {
  const kept = new Set<number>();
  for (let i = 0; i < points.length; i++) {
    for (let j = i + 1; j < points.length; j++) {
      for (let k = j + 1; k < points.length; k++) {
        const [p, q, r] = [points[i], points[j], points[k]] as [Vector3, Vector3, Vector3];
        const normal = cross(subtract(q, p), subtract(r, p));
        const length = norm(normal);
        if (length < 1e-12 || !isOnOneSide(points, scale(normal, 1 / length), p)) continue;
        for (const corner of [i, j, k]) kept.add(corner);
      }
    }
  }
  return points.filter((_, i) => kept.has(i));
}

function isOnOneSide(points: readonly Vector3[], normal: Vector3, at: Vector3): boolean {
  const level = dot(normal, at);
  let above = false;
  let below = false;
  for (const point of points) {
    const height = dot(normal, point) - level;
    if (height > ON_PLANE_M) above = true;
    if (height < -ON_PLANE_M) below = true;
    if (above && below) return false;
  }
  return true;
}

const ON_PLANE_M = 1e-9;

function cube([x, y, z]: Vector3): Vector3[] {
  return [-1, 1].flatMap((i) => [-1, 1].flatMap((j) => [-1, 1].map((k): Vector3 => [i * x, j * y, k * z])));
}

function distinct(points: readonly Vector3[]): Vector3[] {
  return [...new Map(points.map((p) => [p.map((x) => x.toFixed(7)).join(), p])).values()];
}

interface FittedCapsule {
  readonly from: Vector3;
  readonly to: Vector3;
  readonly radius: number;
  readonly cover: number;
}

/**
 * A box as capsules that lie in it side by side, as thick as it is thin: they leave out edges and corners (0.41 and 0.73
 * of the half thickness, 9 mm at the thickest part of the SO-100), which the clearance of the rule makes up for. A hull is
 * treated as the box around it. The pads of the fingers lie on fingers that have their own.
 */
function capsulesOf(shape: CollisionShape): readonly FittedCapsule[] {
  if (shape.kind === 'capsule') return [{ ...shape, cover: shape.radius }];
  if (shape.kind === 'box') return shape.pad === 'grip' ? [] : boxCapsules(shape.halfExtents).map((c) => ({ ...c, from: transform(shape.pose, c.from), to: transform(shape.pose, c.to) }));
  const least = [0, 1, 2].map((i) => Math.min(...shape.points.map((p) => p[i] as number)));
  const most = [0, 1, 2].map((i) => Math.max(...shape.points.map((p) => p[i] as number)));
  const centre = least.map((low, i) => (low + (most[i] as number)) / 2);
  const shifted = ([x, y, z]: Vector3): Vector3 => [x + (centre[0] as number), y + (centre[1] as number), z + (centre[2] as number)];
  const half = least.map((low, i) => ((most[i] as number) - low) / 2) as unknown as Vector3;
  return boxCapsules(half).map((c) => ({ ...c, from: shifted(c.from), to: shifted(c.to) }));
}

const PLATE_GAP_M = 0.012;

function boxCapsules(half: Vector3): readonly FittedCapsule[] {
  const order = [0, 1, 2].toSorted((a, b) => (half[b] as number) - (half[a] as number));
  const [long, middle, thin] = order as [number, number, number];
  const radius = half[thin] as number;
  const reach = (half[long] as number) - radius;
  const spread = (half[middle] as number) - radius;
  // Between two capsules of a thin plate nothing fits that is as thick as a link.
  const rows = spread < radius / 4 ? 1 : Math.ceil((2 * spread) / Math.max(2 * radius, PLATE_GAP_M)) + 1;
  // The farthest is a corner, or the middle between two capsules.
  const gap = rows === 1 ? spread + radius : Math.max(radius, spread / (rows - 1));
  const cover = Math.hypot(gap, radius, radius);
  return Array.from({ length: rows }, (_, k) => {
    const across = rows === 1 ? 0 : spread * ((2 * k) / (rows - 1) - 1);
    const end = (side: number): Vector3 => {
      const p = [0, 0, 0];
      p[long] = side * reach;
      p[middle] = across;
      return p as unknown as Vector3;
    };
    return { from: end(-1), to: end(1), radius, cover };
  });
}

function matrixOf([w, x, y, z]: Quaternion): readonly number[] {
  return [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x), 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)];
}

function product(a: readonly number[], b: readonly number[]): readonly number[] {
  return Array.from({ length: 9 }, (_, i) => {
    const row = 3 * Math.floor(i / 3);
    const column = i % 3;
    return (a[row] as number) * (b[column] as number) + (a[row + 1] as number) * (b[3 + column] as number) + (a[row + 2] as number) * (b[6 + column] as number);
  });
}
