/** What it does: what the policy is, what the last run came to, and the joints. */
import { useRef, useState, type ChangeEvent } from 'react';
import type { PolicyInfo } from '#contracts/policy.ts';
import type { ReplayReport, RunFile, RunReport } from '#contracts/run.ts';
import { useNoun, useSession } from '../context.ts';
import { Joints } from '../joints/Joints.tsx';
import { saveJson } from '../save-file.ts';
import { trainingNotice } from '#page/words/labels.ts';
import { DOES, replaySummary, runSummary } from '#page/words/panels.ts';
import { decodeRunFile, encodeRunFile } from '#page/session/run-file.ts';
import { asFailure } from '#core/lib/failure.ts';
import './activity.css';

export function Activity() {
  const policy = useNoun('policy');
  return (
    <section className="panel panel-does activity" aria-labelledby="does">
      <h2 id="does">{DOES.heading}</h2>
      {policy.kind === 'ready' ? <TrainingNotice info={policy.info} /> : null}
      <Runs />
      <Joints />
    </section>
  );
}

function TrainingNotice({ info }: { readonly info: PolicyInfo }) {
  const notice = trainingNotice(info);
  return (
    <p className={notice.weight === 'warning' ? 'notice notice-amber' : 'quiet'} data-testid="training-notice">
      <strong>{notice.title}</strong>
      {notice.weight === 'plain' ? ': ' : null}
      {notice.text}
    </p>
  );
}

function Runs() {
  const session = useSession();
  const run = useNoun('run');
  const [kept, setKept] = useState<RunReport | null>(null);
  const [replayed, setReplayed] = useState<ReplayReport | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const busy = run.kind === 'running' || run.kind === 'waiting' || run.kind === 'finishing';
  if (run.kind === 'over' && run.report !== kept) {
    setKept(run.report);
    setReplayed(null);
  }

  const replay = (file: RunFile): void => {
    // A failure of the replay itself is shown by the session.
    session.replay(file).then(setReplayed, () => undefined);
  };
  const open = (event: ChangeEvent<HTMLInputElement>): void => {
    const file = event.target.files?.[0];
    event.target.value = '';
    if (file === undefined) return;
    file
      .text()
      .then(decodeRunFile)
      .then(replay, (thrown: unknown) => session.reportFailure(asFailure(thrown)));
  };

  return (
    <div className="runs">
      {kept === null ? null : (
        <p className="quiet numeric" data-testid="run-summary">
          “{kept.sentence}”: {runSummary(kept.control.chunksPlayed, kept.chunkLatency?.p50Ms ?? null)}
        </p>
      )}
      {replayed === null ? null : (
        <p className="quiet numeric" data-testid="replay-summary">
          {replaySummary(replayed.identical, replayed.maxAbsDifference, replayed.chunks)}
        </p>
      )}
      <div className="runs-buttons">
        {kept === null || kept.file.chunks.length === 0 ? null : (
          <>
            <button type="button" className="button" disabled={busy} onClick={() => replay(kept.file)}>
              {DOES.again}
            </button>
            <button type="button" className="button" onClick={() => save(kept.file)}>
              {DOES.save}
            </button>
          </>
        )}
        <button type="button" className="button" disabled={busy} onClick={() => picker.current?.click()}>
          {DOES.open}
        </button>
        <input ref={picker} className="unseen" type="file" accept=".json,application/json" tabIndex={-1} aria-hidden="true" onChange={open} />
      </div>
    </div>
  );
}

function save(file: RunFile): void {
  saveJson(encodeRunFile(file), `run ${file.sentence.replace(/[^\w ]/g, '').slice(0, 40)} seed ${file.seed}.json`);
}
