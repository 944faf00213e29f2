/**
 * Normals for modelled parts: faces that meet at less than an angle are shaded as one surface, sharper edges stay
 * edges. Also shares vertices again, so that a renderer computes each once. three has both as utilities; they key
 * vertices by strings and took 1.3 s for one arm where this takes about a tenth.
 */
import * as THREE from 'three';

/** Two corners closer than this are one, in the geometry's unit. */
const QUANTUM = 1e-2;
/** Half the range of a quantised coordinate: 16 bits an axis make a 48-bit key, exact in a double. */
const HALF_RANGE = 32_768;

/**
 * A new geometry of positions and normals, indexed. Coordinates must lie within +-327 units. The old one is disposed.
 */
export function creased(geometry: THREE.BufferGeometry, angle: number): THREE.BufferGeometry {
  const source = geometry.getAttribute('position');
  const sourceIndex = geometry.getIndex();
  const corners = sourceIndex?.count ?? source.count;
  const place = new Int32Array(corners);
  const places = new Map<number, number>();
  const facesAt: number[][] = [];
  const at = (corner: number): number => sourceIndex?.getX(corner) ?? corner;
  for (let corner = 0; corner < corners; corner++) {
    const i = at(corner);
    const key = (quantised(source.getX(i)) * 65_536 + quantised(source.getY(i))) * 65_536 + quantised(source.getZ(i));
    let found = places.get(key);
    if (found === undefined) {
      found = facesAt.length;
      places.set(key, found);
      facesAt.push([]);
    }
    place[corner] = found;
  }

  // Face normals, as long as twice the face's area: large faces decide where they meet small ones.
  const faces = corners / 3;
  const normals = new Float64Array(faces * 3);
  const lengths = new Float64Array(faces);
  for (let face = 0; face < faces; face++) {
    const [a, b, c] = [at(face * 3), at(face * 3 + 1), at(face * 3 + 2)];
    const ux = source.getX(b) - source.getX(a);
    const uy = source.getY(b) - source.getY(a);
    const uz = source.getZ(b) - source.getZ(a);
    const vx = source.getX(c) - source.getX(a);
    const vy = source.getY(c) - source.getY(a);
    const vz = source.getZ(c) - source.getZ(a);
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    normals.set([nx, ny, nz], face * 3);
    lengths[face] = Math.hypot(nx, ny, nz);
    for (let k = 0; k < 3; k++) facesAt[place[face * 3 + k] as number]?.push(face);
  }

  const limit = Math.cos(angle);
  const positions: number[] = [];
  const smooth: number[] = [];
  const index: number[] = [];
  const emitted: number[][] = facesAt.map(() => []);
  for (let corner = 0; corner < corners; corner++) {
    const face = Math.floor(corner / 3);
    const own = face * 3;
    const ownLength = lengths[face] as number;
    // A sliver has no direction of its own and no area to show: leave it out.
    if (ownLength < 1e-9) continue;
    const spot = place[corner] as number;
    let [x, y, z] = [0, 0, 0];
    for (const other of facesAt[spot] as number[]) {
      const o = other * 3;
      const dot = (normals[own] as number) * (normals[o] as number) + (normals[own + 1] as number) * (normals[o + 1] as number) + (normals[own + 2] as number) * (normals[o + 2] as number);
      if (dot < limit * ownLength * (lengths[other] as number)) continue;
      x += normals[o] as number;
      y += normals[o + 1] as number;
      z += normals[o + 2] as number;
    }
    const length = Math.hypot(x, y, z);
    x /= length;
    y /= length;
    z /= length;
    const shared = emitted[spot] as number[];
    let vertex = shared.find((v) => x * (smooth[v * 3] as number) + y * (smooth[v * 3 + 1] as number) + z * (smooth[v * 3 + 2] as number) > 0.99999);
    if (vertex === undefined) {
      vertex = positions.length / 3;
      const i = at(corner);
      positions.push(source.getX(i), source.getY(i), source.getZ(i));
      smooth.push(x, y, z);
      shared.push(vertex);
    }
    index.push(vertex);
  }
  geometry.dispose();
  const result = new THREE.BufferGeometry();
  result.setAttribute('position', new THREE.Float32BufferAttribute(positions, 3));
  result.setAttribute('normal', new THREE.Float32BufferAttribute(smooth, 3));
  result.setIndex(index);
  return result;
}

function quantised(value: number): number {
  return Math.round(value / QUANTUM) + HALF_RANGE;
}
