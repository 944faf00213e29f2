/** Do plans agree? The newest plan against the one before, the limit learnt from good runs, and what to do beyond it. */
import { asFailure } from '#core/lib/failure.ts';
import type { RunOptions } from '#page/session/stores.ts';
import { METER, meterLine, spreadLine } from '#page/words/safety.ts';
import { useNoun, useSession } from '../context.ts';
import './meter.css';

const RUNS = 19;
const SECONDS = 5;
/** Joint units that fill the bar where no limit is known. */
const FULL = 40;

export function Meter({ task }: { readonly task: string }) {
  const session = useSession();
  const { calibration, calibrating, spread, asking } = useNoun('meter');
  const { doubt } = useNoun('options');
  const run = useNoun('run');
  const { mode } = useNoun('arm');
  const mean = run.kind === 'running' ? (run.chunk?.disagreement?.mean ?? null) : run.kind === 'over' ? (run.report.control.disagreements.at(-1)?.mean ?? null) : null;
  const busy = calibrating !== null || run.kind === 'running' || run.kind === 'waiting' || run.kind === 'finishing' || (mode !== 'idle' && mode !== 'manual');
  const tell = (work: Promise<unknown>): void =>
    void work.catch((thrown: unknown) => {
      const failure = asFailure(thrown);
      // Whoever pressed Stop knows; a failed run has made its own card.
      if (failure.code !== 'run/cancelled') session.reportFailure(failure);
    });
  const full = calibration === null ? FULL : 2 * calibration.limit;
  const kind = mean === null || calibration === null ? 'unknown' : mean > calibration.limit ? 'much' : 'usual';
  return (
    <div className="meter">
      <h3>
        {METER.heading}{' '}
        <span className={`chip ${calibration === null ? 'chip-unsure' : ''}`} data-testid="calibration">
          {calibration === null ? METER.notCalibrated : `n = ${calibration.count}`}
        </span>
      </h3>
      <div className="meter-bar" data-kind={kind} aria-hidden="true">
        <i style={{ width: `${Math.min(100, (100 * (mean ?? 0)) / full)}%` }} />
        {calibration === null ? null : <b style={{ left: '50%' }} />}
      </div>
      <p className="quiet" data-testid="disagreement">
        {mean === null ? METER.none : meterLine(mean, calibration)}
      </p>
      {calibrating === null ? (
        <div className="limits-buttons">
          <button type="button" className="button" disabled={busy || task.trim() === ''} title={METER.calibrateHint(RUNS, SECONDS)} onClick={() => tell(session.meter.calibrate({ task, seconds: SECONDS, runs: RUNS }))} data-testid="calibrate">
            {METER.calibrate}
          </button>
          <button type="button" className="button" disabled={asking === 'yes' || busy || task.trim() === ''} onClick={() => tell(session.meter.askSpread({ task }))} data-testid="ask-spread">
            {asking === 'yes' ? METER.asking : METER.ask}
          </button>
          {calibration === null ? null : (
            <button type="button" className="button" disabled={busy} onClick={() => session.meter.forgetCalibration()}>
              {METER.forget}
            </button>
          )}
        </div>
      ) : (
        <p data-testid="calibrating">
          <progress max={calibrating.of} value={calibrating.done} aria-label={METER.calibrate} /> {METER.calibrating(calibrating.done, calibrating.of)}
        </p>
      )}
      {calibration === null ? <p className="quiet">{METER.calibrateHint(RUNS, SECONDS)}</p> : null}
      {spread === null ? null : <p className="quiet">{spreadLine(spread.value, spread.count)}</p>}
      {calibration === null ? null : (
        <label className="limits-choose">
          {METER.doubt}
          <select value={doubt} onChange={(event) => session.choose({ doubt: event.target.value as RunOptions['doubt'] })} data-testid="doubt">
            {(['nothing', 'slow', 'ask'] as const).map((one) => (
              <option key={one} value={one}>
                {METER.doubts[one]}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}
