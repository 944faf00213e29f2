/** What stopped or held the arm since the page was opened, newest first; as a file for whoever is asked for help. */
import { FAULTS } from '#page/words/safety.ts';
import { failureWords } from '#page/words/failures.ts';
import { RULE_LABELS } from '#page/words/labels.ts';
import { stopLine } from '#page/words/panels.ts';
import type { FaultEntry } from '#page/session/fault-log.ts';
import { useNoun, useUi } from '../context.ts';
import { saveJson } from '../save-file.ts';

export function FaultLog() {
  const { session, os } = useUi();
  const faults = useNoun('faults');
  const arm = useNoun('arm');
  const what = (entry: FaultEntry): string => {
    if (entry.rule !== null) return `${FAULTS.kinds[entry.kind]}: ${RULE_LABELS[entry.rule]}`;
    if (entry.code !== null) return failureWords({ code: entry.code, facts: entry.facts }, os).title;
    return FAULTS.kinds[entry.kind];
  };
  return (
    <div className="faults">
      <h3>{FAULTS.heading}</h3>
      {faults.length === 0 ? <p className="quiet">{FAULTS.none}</p> : null}
      <ol data-testid="fault-log">
        {faults.toReversed().map((entry) => (
          <li key={entry.id}>
            <span className="quiet numeric">{new Date(entry.atMs).toLocaleTimeString()}</span>
            <span>
              {what(entry)}
              {entry.kind === 'stop' && entry === faults.findLast((one) => one.kind === 'stop') && arm.lastStop !== null ? <span className="quiet">: {stopLine(arm.lastStop)}</span> : null}
            </span>
          </li>
        ))}
      </ol>
      {faults.length === 0 ? null : (
        <div className="limits-buttons">
          <button type="button" className="button" title={FAULTS.saveHint} onClick={() => saveJson(session.faults.exportFaults(), `faults ${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.json`)} data-testid="save-faults">
            {FAULTS.save}
          </button>
          <button type="button" className="button" onClick={() => session.faults.clearFaults()}>
            {FAULTS.clear}
          </button>
        </div>
      )}
    </div>
  );
}
