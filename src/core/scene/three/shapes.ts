/**
 * Solid shapes for modelled parts. Knows how to turn outlines, rings and lathes into triangles with soft edges; knows
 * no robot and no colour. Everything here is in millimetres, because parts are drawn from measurements; `createPart`
 * scales to metres at the end.
 *
 * A shape is a `Solid`: it is made into triangles when the detail is known. `fine` is for a GPU and a close look;
 * `plain` is the same shapes with fewer facets, for small pictures and software rendering, where triangles are what
 * costs (about 0.7 ms a thousand on two slow cores).
 *
 * Normals are creased: faces that meet at less than 38 degrees are shaded as one surface, so a bevel of three facets
 * reads as a rounded edge while a box keeps its corners.
 */
import * as THREE from 'three';
import { mergeGeometries } from 'three/examples/jsm/utils/BufferGeometryUtils.js';
import { creased } from './creased.ts';

/** A corner of an outline: across, up, and the radius it is rounded with (0 when absent). */
export type Corner = readonly [across: number, up: number, radius?: number];
type Point = readonly [number, number];

/**
 * Which plane an outline lies in, first letter across, second up. It is extruded along the third axis.
 * `zy` is `yz` seen from the other side, and so on: only the three that are used exist.
 */
export type Plane = 'xy' | 'yz' | 'xz';

export interface Extrusion {
  readonly plane: Plane;
  readonly outline: readonly Corner[];
  readonly holes?: readonly (readonly Corner[])[];
  /** Along the axis the plane leaves out, millimetres. */
  readonly from: number;
  readonly to: number;
  /** Edge rounding, millimetres; the outline is kept, the edge is taken from inside it. */
  readonly bevel?: number;
  readonly bevelSegments?: number;
}

export type Detail = 'fine' | 'plain';
/** A shape that can be made into triangles, millimetres. The caller owns the result. */
export type Solid = (detail: Detail) => THREE.BufferGeometry;

const CREASE = (38 * Math.PI) / 180;
/** Facets per quarter turn of a rounded corner. */
const FACETS_PER_QUARTER: Readonly<Record<Detail, number>> = { fine: 5, plain: 2 };
/** Plain shapes keep only the edges one can see from an arm's length. */
const PLAIN_LEAST_BEVEL = 1.1;

/** An outline pulled through space, with rounded edges. */
export function extrude(extrusion: Extrusion): Solid {
  return (detail) => pulled(extrusion, detail);
}

function pulled({ plane, outline, holes = [], from, to, bevel: wantedBevel = 0.6, bevelSegments: wantedSegments = 2 }: Extrusion, detail: Detail): THREE.BufferGeometry {
  const bevel = detail === 'fine' || wantedBevel >= PLAIN_LEAST_BEVEL ? wantedBevel : 0;
  const bevelSegments = detail === 'fine' ? wantedSegments : 1;
  const shape = new THREE.Shape(rounded(outline, detail));
  for (const hole of holes) shape.holes.push(new THREE.Path(rounded(hole, detail)));
  const geometry = new THREE.ExtrudeGeometry(shape, {
    depth: to - from - 2 * bevel,
    bevelEnabled: bevel > 0,
    bevelThickness: bevel,
    bevelSize: bevel,
    bevelOffset: -bevel,
    bevelSegments,
    steps: 1,
    curveSegments: 1,
  });
  geometry.translate(0, 0, bevel);
  return geometry.applyMatrix4(planeFrame(plane, from, to));
}

/** Columns: where "across", "up" and "along" point. All three are proper rotations, so triangles keep their winding. */
function planeFrame(plane: Plane, from: number, to: number): THREE.Matrix4 {
  const frame = new THREE.Matrix4();
  if (plane === 'xy') return frame.makeTranslation(0, 0, from);
  if (plane === 'yz') {
    return frame.makeBasis(new THREE.Vector3(0, 1, 0), new THREE.Vector3(0, 0, 1), new THREE.Vector3(1, 0, 0)).setPosition(from, 0, 0);
  }
  // x across, z up leaves -y as the direction of pulling: start at the far end.
  return frame.makeBasis(new THREE.Vector3(1, 0, 0), new THREE.Vector3(0, 0, 1), new THREE.Vector3(0, -1, 0)).setPosition(0, to, 0);
}

/** A box between two corners with all twelve edges rounded. */
export function roundedBox(least: readonly [number, number, number], most: readonly [number, number, number], radius: number, bevelSegments = 3): Solid {
  const outline: Corner[] = [
    [least[0], least[1], radius],
    [most[0], least[1], radius],
    [most[0], most[1], radius],
    [least[0], most[1], radius],
  ];
  return extrude({ plane: 'xy', outline, from: least[2], to: most[2], bevel: radius, bevelSegments });
}

/** A disc or drum along an axis, edges broken by `bevel`; half the facets when plain. */
export function drum(axis: 'x' | 'y' | 'z', centre: readonly [number, number], radius: number, from: number, to: number, bevel = 0.4, facets = 28): Solid {
  const plane: Plane = axis === 'x' ? 'yz' : axis === 'y' ? 'xz' : 'xy';
  return (detail) => pulled({ plane, outline: circle(centre[0], centre[1], radius, detail === 'fine' ? facets : facets / 2), from, to, bevel, bevelSegments: 1 }, detail);
}

/** Radius against height about z; both in millimetres. */
export function lathe(profile: readonly Point[], facets = 48): Solid {
  return (detail) => {
    const points = profile.map(([radius, height]) => new THREE.Vector2(radius, height));
    // three turns about y; we turn about z.
    return new THREE.LatheGeometry(points, detail === 'fine' ? facets : facets / 2).rotateX(Math.PI / 2);
  };
}

/** A flat outline at a height of the axis its plane leaves out, looking to one side. */
export function flat(plane: Plane, outline: readonly Corner[], at: number, side: 1 | -1): Solid {
  return (detail) => {
    const geometry = new THREE.ShapeGeometry(new THREE.Shape(rounded(outline, detail)));
    // A shape looks along +third axis of its own frame; for `xz` that is -y.
    const looks = plane === 'xz' ? -1 : 1;
    if (looks !== side) turnOver(geometry);
    return geometry.applyMatrix4(planeFrame(plane, at, at));
  };
}

/** The same shape somewhere else. `frame` must be a rotation and a shift, nothing else. */
export function moved(solid: Solid, frame: THREE.Matrix4): Solid {
  return (detail) => solid(detail).applyMatrix4(frame);
}

function turnOver(geometry: THREE.BufferGeometry): void {
  const index = geometry.getIndex();
  if (index === null) return;
  for (let i = 0; i < index.count; i += 3) {
    const first = index.getX(i);
    index.setX(i, index.getX(i + 1));
    index.setX(i + 1, first);
  }
}

/** One ring of a loft: a rounded rectangle at a height along y. */
export interface Ring {
  readonly y: number;
  readonly x: readonly [least: number, most: number];
  readonly z: readonly [least: number, most: number];
  readonly radius: number;
}

/** A skin over rounded rectangles along y, closed at both ends. Fingers are made of it. */
export function loft(rings: readonly Ring[]): Solid {
  return (detail) => skin(rings, detail);
}

function skin(rings: readonly Ring[], detail: Detail): THREE.BufferGeometry {
  const positions: number[] = [];
  const index: number[] = [];
  const loops = rings.map((ring) => {
    const radius = Math.min(ring.radius, (ring.x[1] - ring.x[0]) / 2 - 1e-3, (ring.z[1] - ring.z[0]) / 2 - 1e-3);
    const corners: Corner[] = [
      [ring.x[0], ring.z[0], radius],
      [ring.x[1], ring.z[0], radius],
      [ring.x[1], ring.z[1], radius],
      [ring.x[0], ring.z[1], radius],
    ];
    return rounded(corners, detail);
  });
  const count = loops[0]?.length ?? 0;
  rings.forEach((ring, r) => {
    for (const point of loops[r] ?? []) positions.push(point.x, ring.y, point.y);
    if (r === 0) return;
    for (let i = 0; i < count; i++) {
      const a = (r - 1) * count + i;
      const b = (r - 1) * count + ((i + 1) % count);
      index.push(a, b, a + count, b, b + count, a + count);
    }
  });
  const last = (rings.length - 1) * count;
  for (let i = 1; i < count - 1; i++) {
    index.push(0, i + 1, i);
    index.push(last, last + i, last + i + 1);
  }
  // Seen from -y a loop (x, z) turns clockwise; rings may run up or down y, so the sign decides the winding.
  const rising = (rings[rings.length - 1]?.y ?? 0) > (rings[0]?.y ?? 0);
  if (rising) for (let i = 0; i < index.length; i += 3) [index[i], index[i + 1]] = [index[i + 1] as number, index[i] as number];
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute('position', new THREE.Float32BufferAttribute(positions, 3));
  geometry.setIndex(index);
  return geometry;
}

export function circle(across: number, up: number, radius: number, facets = 28): Corner[] {
  return Array.from({ length: facets }, (_, i) => {
    const angle = (2 * Math.PI * i) / facets;
    return [across + radius * Math.cos(angle), up + radius * Math.sin(angle)] as const;
  });
}

/** A hole of four sides, as 3-D printed lattices have them. */
export function diamond(across: number, up: number, halfAcross: number, halfUp: number): Corner[] {
  return [
    [across + halfAcross, up],
    [across, up + halfUp],
    [across - halfAcross, up],
    [across, up - halfUp],
  ];
}

/** A slot with a round end at `to` and at `from`, along the up direction. */
export function slot(across: number, from: number, to: number, halfWidth: number): Corner[] {
  return [
    [across - halfWidth, from, halfWidth],
    [across + halfWidth, from, halfWidth],
    [across + halfWidth, to, halfWidth],
    [across - halfWidth, to, halfWidth],
  ];
}

/** The right half of an outline (from bottom to top or top to bottom) closed by its mirror image about across = 0. */
export function mirrored(half: readonly Corner[]): Corner[] {
  const left = [...half].reverse().map(([across, up, radius]) => [-across, up, radius ?? 0] as const);
  return [...half, ...left];
}

/** Corners to points: each rounded corner becomes an arc that touches both edges. */
function rounded(corners: readonly Corner[], detail: Detail): THREE.Vector2[] {
  const points: THREE.Vector2[] = [];
  const n = corners.length;
  for (let i = 0; i < n; i++) {
    const here = corners[i] as Corner;
    const radius = here[2] ?? 0;
    const at = new THREE.Vector2(here[0], here[1]);
    if (radius <= 0) {
      points.push(at);
      continue;
    }
    const before = corners[(i + n - 1) % n] as Corner;
    const after = corners[(i + 1) % n] as Corner;
    const back = new THREE.Vector2(before[0], before[1]).sub(at);
    const ahead = new THREE.Vector2(after[0], after[1]).sub(at);
    const half = back.angleTo(ahead) / 2;
    // Two arcs may share an edge: neither may take more than half of it.
    const reach = Math.min(radius / Math.tan(half), back.length() * 0.4999, ahead.length() * 0.4999);
    const effective = reach * Math.tan(half);
    back.normalize();
    ahead.normalize();
    const centre = back.clone().add(ahead).normalize().multiplyScalar(effective / Math.sin(half)).add(at);
    const start = at.clone().addScaledVector(back, reach).sub(centre);
    const turn = Math.PI - 2 * half;
    const sign = Math.sign(ahead.cross(back)) || 1;
    const facets = Math.max(detail === 'fine' ? 2 : 1, Math.round((FACETS_PER_QUARTER[detail] * turn) / (Math.PI / 2)));
    for (let f = 0; f <= facets; f++) points.push(start.clone().rotateAround(new THREE.Vector2(), (sign * turn * f) / facets).add(centre));
  }
  return points;
}

/** Collects solids by finish, so that a link is one mesh a finish however many solids it has. */
export interface Part<Finish extends string> {
  readonly detail: Detail;
  add(finish: Finish, ...solids: readonly Solid[]): void;
  /** Metres. One merged geometry a finish. The part is used up. */
  finish(): ReadonlyMap<Finish, THREE.BufferGeometry>;
}

export function createPart<Finish extends string>(detail: Detail): Part<Finish> {
  const solids = new Map<Finish, THREE.BufferGeometry[]>();
  return {
    detail,
    add(finish, ...added) {
      const list = solids.get(finish) ?? [];
      list.push(...added.map((solid) => creased(solid(detail), CREASE)));
      solids.set(finish, list);
    },
    finish() {
      const merged = new Map<Finish, THREE.BufferGeometry>();
      for (const [finish, list] of solids) {
        const geometry = mergeGeometries(list);
        for (const solid of list) solid.dispose();
        merged.set(finish, geometry.scale(1e-3, 1e-3, 1e-3));
      }
      solids.clear();
      return merged;
    },
  };
}
