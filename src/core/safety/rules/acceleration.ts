/**
 * Rule 5. A joint changes its speed by at most `dv` a tick, and is never so fast that it cannot stop in the room it has.
 *
 * Time is ticks of `dt` seconds and speed is what one tick moves, so the braking distance is a sum, not v^2 / 2a. From
 * speed s the ticks after this one go s - dv, s - 2 dv, ... while that is positive: n = floor(s / dv) of them, and
 *
 *     room needed, this tick included   F(s) = dt * ((n + 1) s - dv n (n + 1) / 2)
 *
 * F grows with s, is linear between multiples of dv, and F(n dv) = dt dv n (n + 1) / 2, so it is inverted in closed
 * form. The invariant: if F held last tick, then braking by dv this tick needs exactly what is left of the room, so
 * there is always a speed that obeys both the range and the acceleration limit. Proof by the sum losing its first term.
 */

/** The fastest speed >= 0 for this tick from which a joint still stops within `room` radians; 0 when there is none. */
export function fastestThatStops(room: number, dv: number, dt: number): number {
  if (!(room > 0)) return 0;
  const r = room / dt;
  // n (n + 1) / 2 <= r / dv, solved for n; the two whiles repair a rounding of the root by one.
  let n = Math.floor((Math.sqrt(1 + (8 * r) / dv) - 1) / 2);
  while (n > 0 && (dv * n * (n + 1)) / 2 > r) n--;
  while ((dv * (n + 1) * (n + 2)) / 2 <= r) n++;
  return (r + (dv * n * (n + 1)) / 2) / (n + 1);
}

/**
 * The speed with which to follow a target that is `gap` radians away at the end of this tick and moves on with
 * `targetVelocity`: as fast as can still be given up before reaching it. Seen from the moving target this is the same
 * braking sum, so a path that keeps the limits is followed exactly, and a step is approached without overshoot.
 */
export function followVelocity(gap: number, targetVelocity: number, dv: number, dt: number): number {
  const relative = gap - targetVelocity * dt;
  const closing = fastestThatStops(Math.abs(relative), dv, dt);
  return targetVelocity + (relative < 0 ? -closing : closing);
}

/** `wanted`, changed by at most `dv` from `previous`, then kept between the speeds that still stop in range. */
export function limitAcceleration(
  wanted: number,
  previous: number,
  dv: number,
  dt: number,
  room: { readonly below: number; readonly above: number },
): number {
  const reachable = Math.min(previous + dv, Math.max(previous - dv, wanted));
  return Math.min(fastestThatStops(room.above, dv, dt), Math.max(-fastestThatStops(room.below, dv, dt), reachable));
}

/** One tick of braking: towards zero by at most `dv`. */
export function brake(velocity: number, dv: number): number {
  if (Math.abs(velocity) <= dv) return 0;
  return velocity > 0 ? velocity - dv : velocity + dv;
}
