/**
 * The last seconds of wanted against allowed: a bar a tick, as tall as the joint that was changed most, and the rule that
 * changed it last in words. Knows ticks as control told them; decides nothing.
 */
import { useEffect, useState } from 'react';
import { SAFETY_RULES, type SafetyRule, type TickReport } from '#contracts/control.ts';
import { RULE_LABELS } from '#page/words/labels.ts';
import { SAFE } from '#page/words/panels.ts';
import { useSession } from '../context.ts';

/** Three seconds at 30 Hz. */
const TICKS = 90;
const HEIGHT = 34;
/** Radians of difference that fill the strip; more is cut off. */
const FULL_RAD = 0.5;

interface Bar {
  readonly off: number;
  readonly rule: SafetyRule | null;
}

export function Strip() {
  const session = useSession();
  const [bars, setBars] = useState<readonly Bar[]>([]);
  useEffect(
    () =>
      session.events.on('ticks', (ticks) => setBars((before) => [...before, ...ticks.map(barOf)].slice(-TICKS))),
    [session],
  );
  const last = bars.findLast((bar) => bar.rule !== null)?.rule ?? null;
  return (
    <div className="strip">
      <svg viewBox={`0 0 ${TICKS} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={SAFE.strip}>
        {bars.map((bar, k) => {
          const tall = bar.rule === null ? 0.5 : Math.max(2, Math.min(1, bar.off / FULL_RAD) * HEIGHT);
          return <rect key={k} x={k} y={HEIGHT - tall} width="0.8" height={tall} fill={bar.rule === null ? 'var(--ink-2)' : 'var(--danger, #b3261e)'} />;
        })}
      </svg>
      <p className="quiet" data-testid="rule" data-rule={last ?? 'none'}>
        {last === null ? SAFE.allPassed : SAFE.changedBy(RULE_LABELS[last])}
      </p>
    </div>
  );
}

/** The strongest rule is the last in the order in which they apply: it saw what the others had left. */
function barOf({ wanted, target, rules }: TickReport): Bar {
  if (wanted === null || rules.length === 0) return { off: 0, rule: null };
  const off = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - (target[i] ?? value))), 0);
  return { off: Number.isFinite(off) ? off : FULL_RAD, rule: SAFETY_RULES.findLast((rule) => rules.includes(rule)) ?? null };
}
