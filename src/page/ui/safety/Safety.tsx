/** How safe: what state the arm is in, what the gate limited, what the last Stop came to. */
import { useNoun } from '../context.ts';
import { MODE_LABELS, PROFILE_LABELS, RULE_LABELS } from '#page/words/labels.ts';
import { SAFE, SIMULATED, SIMULATED_HINT, stopLine } from '#page/words/panels.ts';
import type { SafetyRule } from '#contracts/control.ts';
import { Strip } from './Strip.tsx';
import './safety.css';

export function Safety() {
  const arm = useNoun('arm');
  const run = useNoun('run');
  const clamps = run.kind === 'running' ? run.clamps : run.kind === 'over' ? run.report.control.clamps : {};
  const limited = (Object.entries(clamps) as [SafetyRule, number][]).map(([rule, ticks]) => `${RULE_LABELS[rule]} ${ticks} ticks`);
  return (
    <section className="panel panel-safe" aria-labelledby="safe">
      <h2 id="safe">{SAFE.heading}</h2>
      <dl className="figures numeric">
        <dt>{SAFE.state}</dt>
        <dd data-testid="mode" data-mode={arm.mode}>
          {MODE_LABELS[arm.mode]}
        </dd>
        {arm.safety === null ? null : (
          <>
            <dt>{SAFE.profile}</dt>
            <dd data-testid="profile">{PROFILE_LABELS[arm.safety.profile]}</dd>
          </>
        )}
        {arm.safety === null || arm.safety.holding.length === 0 ? null : (
          <>
            <dt>{SAFE.held}</dt>
            <dd data-testid="holding">{arm.safety.holding.map((rule) => RULE_LABELS[rule]).join(', ')}</dd>
          </>
        )}
        <dt>{SAFE.limited}</dt>
        <dd>{limited.length === 0 ? SAFE.notLimited : limited.join(', ')}</dd>
        <dt>{SAFE.lastStop}</dt>
        <dd data-testid="last-stop">{arm.lastStop === null ? SAFE.noStop : stopLine(arm.lastStop)}</dd>
      </dl>
      <Strip />
      <p className="quiet">
        {SIMULATED}: {SIMULATED_HINT} {SAFE.explain}
      </p>
    </section>
  );
}
