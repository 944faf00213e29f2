/** The distance between two line segments, in flat arrays: a capsule is a segment with a radius. Knows no arm. */

/** Metres. Each segment is six numbers, both ends, from index `a` and `b` on. (Ericson, Real-Time Collision Detection, 5.1.9.) */
export function segmentDistance(p: Float64Array, a: number, q: Float64Array, b: number): number {
  const ux = (p[a + 3] as number) - (p[a] as number);
  const uy = (p[a + 4] as number) - (p[a + 1] as number);
  const uz = (p[a + 5] as number) - (p[a + 2] as number);
  const vx = (q[b + 3] as number) - (q[b] as number);
  const vy = (q[b + 4] as number) - (q[b + 1] as number);
  const vz = (q[b + 5] as number) - (q[b + 2] as number);
  const rx = (p[a] as number) - (q[b] as number);
  const ry = (p[a + 1] as number) - (q[b + 1] as number);
  const rz = (p[a + 2] as number) - (q[b + 2] as number);
  const uu = ux * ux + uy * uy + uz * uz;
  const vv = vx * vx + vy * vy + vz * vz;
  const uv = ux * vx + uy * vy + uz * vz;
  const ur = ux * rx + uy * ry + uz * rz;
  const vr = vx * rx + vy * ry + vz * rz;
  let s = 0;
  let t = 0;
  if (uu <= TINY && vv <= TINY) return Math.sqrt(rx * rx + ry * ry + rz * rz);
  if (uu <= TINY) t = unit(vr / vv);
  else if (vv <= TINY) s = unit(-ur / uu);
  else {
    const determinant = uu * vv - uv * uv;
    s = determinant > TINY * uu * vv ? unit((uv * vr - ur * vv) / determinant) : 0;
    t = (uv * s + vr) / vv;
    if (t < 0) {
      t = 0;
      s = unit(-ur / uu);
    } else if (t > 1) {
      t = 1;
      s = unit((uv - ur) / uu);
    }
  }
  const dx = rx + s * ux - t * vx;
  const dy = ry + s * uy - t * vy;
  const dz = rz + s * uz - t * vz;
  return Math.sqrt(dx * dx + dy * dy + dz * dz);
}

const TINY = 1e-14;

function unit(x: number): number {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}
