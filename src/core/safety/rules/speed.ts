/** Rule 4. A velocity no faster than the joint may go, either way. */
export function limitSpeed(velocity: number, maxSpeed: number): number {
  return Math.min(maxSpeed, Math.max(-maxSpeed, velocity));
}
