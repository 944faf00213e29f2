/** Rule: a velocity no faster than the joint may go, either way. Per tick it is the largest change of a target. */
export function limitSpeed(velocity: number, maxSpeed: number): number {
  return Math.min(maxSpeed, Math.max(-maxSpeed, velocity));
}
