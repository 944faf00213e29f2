/** How safe: what state the arm is in, the limits in force, whether plans agree, and what stopped or held it. */
import { useNoun } from '../context.ts';
import { MODE_LABELS, RULE_LABELS } from '#page/words/labels.ts';
import { SAFE, SIMULATED, SIMULATED_HINT, stopLine } from '#page/words/panels.ts';
import type { SafetyRule } from '#contracts/control.ts';
import { FaultLog } from '../faults/FaultLog.tsx';
import { Limits } from '../limits/Limits.tsx';
import { Meter } from '../meter/Meter.tsx';
import './safety.css';

export function Safety({ task }: { readonly task: string }) {
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
      <Limits />
      <Meter task={task} />
      <FaultLog />
      <p className="quiet safety-foot">
        {SIMULATED}: {SIMULATED_HINT} {SAFE.explain}
      </p>
    </section>
  );
}
