/**
 * What becomes of a tick for which the old chunk and the new one both have a row: LeRobot's four answers
 * (`lerobot/async_inference`, v0.6.2), by its own names. Pure arithmetic on rows.
 *
 * `latest_only` is the default here. LeRobot's client defaults to `weighted_average`.
 */
import type { Aggregate } from '#contracts/control.ts';

/** Share of the new row. */
const NEW_SHARE: Readonly<Record<Aggregate, number>> = { latest_only: 1, weighted_average: 0.7, average: 0.5, conservative: 0.3 };

/** The row to play, a fresh array. Both rows have the same length. */
export function aggregateRows(how: Aggregate, older: Float32Array, newer: Float32Array): Float32Array {
  if (older.length !== newer.length) throw new RangeError(`rows of ${older.length} and ${newer.length} numbers`);
  const share = NEW_SHARE[how];
  if (share === 1) return newer.slice();
  return newer.map((value, i) => (1 - share) * (older[i] as number) + share * value);
}
