/** Which operating system, for words that differ by it. A guess from what the browser tells; `other` is a fine answer. */
import type { OperatingSystem } from '#page/words/failures.ts';

const NAMES: readonly (readonly [RegExp, OperatingSystem])[] = [
  [/android/i, 'android'],
  [/cros|chrome ?os/i, 'chromeos'],
  [/win/i, 'windows'],
  [/mac/i, 'mac'],
  [/linux|x11/i, 'linux'],
];

export function operatingSystem(agent: string): OperatingSystem {
  return NAMES.find(([pattern]) => pattern.test(agent))?.[1] ?? 'other';
}
