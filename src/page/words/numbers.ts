/** Numbers as people read them: always with a unit, always as wide as the last one. Knows nothing of what they measure. */

const MEGA = 1_000_000;
const KILO = 1000;

/** A missing reading is shown as missing. */
export const MISSING = '–';

/** `12.3 MB`, `640 kB`; decimal, as file managers and GPUs count. */
export function bytes(count: number): string {
  if (count >= 1000 * MEGA) return `${(count / (1000 * MEGA)).toFixed(1)} GB`;
  if (count >= 100 * MEGA) return `${(count / MEGA).toFixed(0)} MB`;
  if (count >= MEGA) return `${(count / MEGA).toFixed(1)} MB`;
  if (count >= KILO) return `${(count / KILO).toFixed(0)} kB`;
  return `${count} bytes`;
}

/** `0.4 s`, `12 s`, `2 min 5 s`. */
export function seconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 60) return `${value.toFixed(0)} s`;
  return `${Math.floor(value / 60)} min ${Math.floor(value % 60)} s`;
}

/** `8.3 ms`, `240 ms`, `1.9 s`. */
export function milliseconds(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return MISSING;
  if (value < 10) return `${value.toFixed(1)} ms`;
  if (value < 1000) return `${value.toFixed(0)} ms`;
  return `${(value / 1000).toFixed(1)} s`;
}

/** A joint value: `-12.5°`, and `42 %` for the gripper (0 closed, 100 open). */
export function jointValue(value: number | null, joint: 'arm' | 'gripper'): string {
  if (value === null || !Number.isFinite(value)) return MISSING;
  // -0.04 rounds to "-0.0", which reads like a fault.
  const rounded = Math.abs(value) < 0.05 ? 0 : value;
  return joint === 'gripper' ? `${rounded.toFixed(0)} %` : `${rounded.toFixed(1)}°`;
}
