/**
 * Rule: who moves an arm without knowing where it is moves it blindly: after a cable came out, after the world
 * stopped. `ageMs` is null when there is no reading at all. A reading from the future is as bad as an old one: a clock has
 * jumped, and nobody knows how old it is.
 */
export function stateIsStale(ageMs: number | null, limitMs: number): boolean {
  return ageMs === null || !(Math.abs(ageMs) <= limitMs);
}
