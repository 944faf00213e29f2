/**
 * Rule 2. Who moves an arm without knowing where it is moves it blindly: after a cable came out, after the world
 * stopped. `ageMs` is null when there is no reading at all.
 */
export function stateIsStale(ageMs: number | null, limitMs: number): boolean {
  return ageMs === null || !(ageMs <= limitMs);
}
