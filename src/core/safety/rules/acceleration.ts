/**
 * Rule: a joint changes its speed by at most `dv` a tick. What that allows is a sum.
 *
 * Time is ticks of `dt` seconds and speed is what one tick moves, so the braking distance is a sum, not v^2 / 2a. From
 * speed s the ticks after this one go s - dv, s - 2 dv, ... while that is positive: n = floor(s / dv) of them, and
 *
 *     room needed, this tick included   F(s) = dt * ((n + 1) s - dv n (n + 1) / 2)
 *
 * F grows with s, is linear between multiples of dv, and F(n dv) = dt dv n (n + 1) / 2, so it is inverted in closed form.
 * One derivative higher the same sum says how hard to brake so that the braking itself ends softly: see `jerk.ts`.
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
