/** Does a plan arrive before the one in hand is played out, and how far apart are they where they meet? */
import type { RunOptions } from '#page/session/stores.ts';
import { BUDGET, budgetLine, reductionLine, seamLine } from '#page/words/safety.ts';
import { useNoun, useSession } from '../context.ts';

const JOININGS = ['latest_only', 'weighted_average', 'average', 'conservative', 'real_time'] as const;

export function Budget() {
  const session = useSession();
  const run = useNoun('run');
  const { joining } = useNoun('options');
  const policy = useNoun('policy');
  const chunk = run.kind === 'running' ? run.chunk : null;
  const late = chunk !== null && chunk.latencyMs > chunk.budgetMs;
  // The budget stands at two thirds, so that a plan that is half as late again still fits.
  const share = chunk === null ? 0 : Math.min(100, (66.7 * chunk.latencyMs) / chunk.budgetMs);
  return (
    <div className="budget">
      <h3>{BUDGET.heading}</h3>
      <div className="budget-bar" data-kind={chunk === null ? 'unknown' : late ? 'late' : 'in-time'} aria-hidden="true">
        <i style={{ width: `${share}%` }} />
        <b style={{ left: '66.7%' }} />
      </div>
      <p className="quiet" data-testid="budget">
        {chunk === null ? BUDGET.none : budgetLine(chunk.latencyMs, chunk.budgetMs)} {chunk?.disagreement === undefined || chunk.disagreement === null ? '' : seamLine(chunk.disagreement.seam, chunk.disagreement.seamPlayed)}
      </p>
      {chunk === null || chunk.reduction === null || policy.kind !== 'ready' ? null : (
        <p className="notice notice-amber" role="status" data-testid="reduction">
          {reductionLine(chunk.reduction, { steps: policy.info.denoisingSteps, cameras: policy.info.cameras.length })}
        </p>
      )}
      <label className="limits-choose">
        {BUDGET.join}
        <select value={joining} title={BUDGET.joinHint} disabled={run.kind === 'running'} onChange={(event) => session.choose({ joining: event.target.value as RunOptions['joining'] })} data-testid="joining">
          {JOININGS.map((one) => (
            <option key={one} value={one}>
              {BUDGET.joins[one]}
            </option>
          ))}
        </select>
      </label>
      {joining === 'real_time' && policy.kind === 'ready' && policy.info.head === 'bins' ? (
        <p className="notice notice-amber" role="status">
          {BUDGET.joinNoSteps}
        </p>
      ) : null}
    </div>
  );
}
