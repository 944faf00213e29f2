/**
 * Why the arm does not do what is wanted, from the last second of ticks: the one rule that matters, and the joint it
 * matters for. Knows ticks as control told them; gives no words.
 *
 * In each tick the rules that bit stand in the order in which they apply; the last one saw what the others had left, so it
 * is the one that decided. Over a second the one that decided most often is the reason.
 */
import { SAFETY_RULES, type SafetyRule, type TickReport } from '#contracts/control.ts';

/** Rules that replace the target by "brake". The rest pass something smaller. */
const REFUSING: ReadonlySet<SafetyRule> = new Set(SAFETY_RULES.slice(0, SAFETY_RULES.indexOf('ramp')));

export type HeldBack =
  /** Nothing is wanted, or all of it is done. */
  | { readonly kind: 'free' }
  | { readonly kind: 'limited'; readonly rule: SafetyRule; readonly joint: number | null; readonly share: number }
  | { readonly kind: 'held'; readonly rule: SafetyRule };

/** One tick as a picture of it: how far a joint was wanted to go, and how far one went. Radians. */
export interface TickMotion {
  readonly wanted: number;
  readonly allowed: number;
  readonly rule: SafetyRule | null;
  readonly kind: 'free' | 'limited' | 'held';
}

/** A second at 30 Hz. */
export const WINDOW_TICKS = 30;
/** A rule that decided in fewer of the ticks is no reason, but how motion begins and ends. */
const LEAST_SHARE = 0.2;
const REFUSED_NOW_TICKS = 3;

export function tickMotion({ wanted, target, rules }: TickReport, before: readonly number[] | null): TickMotion {
  if (wanted === null || before === null) return { wanted: 0, allowed: 0, rule: null, kind: 'free' };
  const most = (to: readonly number[]): number => to.reduce((far, p, i) => Math.max(far, Math.abs(p - (before[i] ?? p))), 0);
  const asked = most(wanted);
  const rule = deciding(rules);
  const kind = rule === null ? 'free' : REFUSING.has(rule) && rules.some((one) => REFUSING.has(one)) && !isSlowing(rules) ? 'held' : 'limited';
  return { wanted: Number.isFinite(asked) ? asked : Number.POSITIVE_INFINITY, allowed: most(target), rule, kind };
}

/** The newest tick last. */
export function heldBack(ticks: readonly TickReport[]): HeldBack {
  const window = ticks.slice(-WINDOW_TICKS).filter(({ wanted }) => wanted !== null);
  const refused = ticks.slice(-REFUSED_NOW_TICKS).flatMap(({ rules }) => (isSlowing(rules) ? [] : rules)).find((rule) => REFUSING.has(rule));
  if (refused !== undefined) return { kind: 'held', rule: refused };
  const counts = new Map<SafetyRule, number>();
  for (const { rules } of window) {
    const rule = deciding(rules);
    // What held it before and let go is over.
    if (rule !== null && !REFUSING.has(rule)) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  }
  const [top] = [...counts].toSorted((a, b) => b[1] - a[1]);
  if (top === undefined || top[1] < LEAST_SHARE * window.length) return { kind: 'free' };
  const [rule, count] = top;
  return { kind: 'limited', rule, joint: furthestBehind(window.filter((tick) => deciding(tick.rules) === rule)), share: count / window.length };
}

function deciding(rules: readonly SafetyRule[]): SafetyRule | null {
  return SAFETY_RULES.findLast((rule) => rules.includes(rule)) ?? null;
}

/** Heat and doubt also only slow: then a limit bites as well, and the arm goes on. */
function isSlowing(rules: readonly SafetyRule[]): boolean {
  return rules.every((rule) => !REFUSING.has(rule) || rule === 'temperature' || rule === 'disagreement') && rules.some((rule) => !REFUSING.has(rule));
}

function furthestBehind(ticks: readonly TickReport[]): number | null {
  let joint: number | null = null;
  let most = 0;
  for (const { wanted, target } of ticks) {
    wanted?.forEach((value, i) => {
      const off = Math.abs(value - (target[i] ?? value));
      if (off > most) [joint, most] = [i, off];
    });
  }
  return joint;
}
