/**
 * Rules about what is around the arm: is the page alive and seen, does a person hold the key, do we know where the arm is.
 * Each says what it thinks of this moment, in one of three bands, and knows nothing of the others or of what follows.
 *
 *   pass ──── grace ──── hold (brake, wait) ──── latch (brake, and wait for a person)
 */
import type { Fact } from '#contracts/failure.ts';
import type { SafetyRule } from '#contracts/control.ts';

export type Verdict =
  | { readonly band: 'pass' }
  | { readonly band: 'hold'; readonly rule: SafetyRule }
  | { readonly band: 'latch'; readonly rule: SafetyRule; readonly facts: Readonly<Record<string, Fact>> };

export const PASS: Verdict = { band: 'pass' };

/** A page beats five times a second; a long frame or a burst of shaders takes a few hundred milliseconds. */
export const BEAT_GRACE_MS = 1000;
/** Gone for so long, whoever sat there may not sit there any more. */
export const BEAT_LATCH_MS = 2500;
/** A real arm of unknown position for this long has lost its cable. */
export const STALE_LATCH_MS = 1000;

/** `silentMs` is how long the page's last sign of life is ago; null where no page watches (a test, an evaluation). */
export function pageSilent(silentMs: number | null, surroundings: 'hold' | 'latch'): Verdict {
  if (silentMs === null || silentMs <= BEAT_GRACE_MS) return PASS;
  if (surroundings === 'latch' && silentMs > BEAT_LATCH_MS) return { band: 'latch', rule: 'page-silent', facts: { silentMs: Math.round(silentMs) } };
  return { band: 'hold', rule: 'page-silent' };
}

/** A hidden page cannot show what its arm does. */
export function tabHidden(page: 'visible' | 'hidden' | null, surroundings: 'hold' | 'latch'): Verdict {
  if (page !== 'hidden') return PASS;
  return surroundings === 'latch' ? { band: 'latch', rule: 'tab-hidden', facts: {} } : { band: 'hold', rule: 'tab-hidden' };
}

export function holdReleased(wanted: 'on' | 'off', key: 'down' | 'up'): Verdict {
  return wanted === 'on' && key === 'up' ? { band: 'hold', rule: 'hold-to-run' } : PASS;
}

/** The gate itself holds as soon as the state is stale; here it is decided when that is more than a hiccup. */
export function stateLost(ageMs: number | null, surroundings: 'hold' | 'latch'): Verdict {
  if (surroundings === 'hold' || (ageMs !== null && ageMs <= STALE_LATCH_MS)) return PASS;
  return { band: 'latch', rule: 'stale-state', facts: { ageMs: ageMs === null ? null : Math.round(ageMs), limitMs: STALE_LATCH_MS } };
}
