/** The hardware check as the person sees it: one question at a time, what came of each step, and the log to keep. */
import { useRef, useState } from 'react';
import { CHECK_STEPS, runHardwareCheck, type Answer, type CheckEntry, type CheckLog, type CheckStep } from '#page/session/hardware-check.ts';
import { useNoun, useSession, useUi } from '../context.ts';
import { failureWords } from '#page/words/failures.ts';
import { CHECK } from '#page/words/robot.ts';
import { saveJson } from '../save-file.ts';

declare const __APP_VERSION__: string;

export function HardwareCheck() {
  const session = useSession();
  const { os } = useUi();
  const { place, work } = useNoun('robot');
  const [question, setQuestion] = useState<CheckStep | null>(null);
  const [entries, setEntries] = useState<readonly CheckEntry[]>([]);
  const [log, setLog] = useState<CheckLog | null>(null);
  const [runs, setRuns] = useState(false);
  const answer = useRef<(said: Answer) => void>(() => undefined);
  const start = async (): Promise<void> => {
    setRuns(true);
    setLog(null);
    setEntries([]);
    const ask = (step: CheckStep): Promise<Answer> =>
      new Promise((resolve) => {
        setQuestion(step);
        answer.current = (said) => {
          setQuestion(null);
          resolve(said);
        };
      });
    setLog(await runHardwareCheck({ session, kind: place.kind, appVersion: __APP_VERSION__, ask, onEntry: setEntries }));
    setRuns(false);
  };
  return (
    <section className="panel" aria-labelledby="hardware-check">
      <details>
        <summary id="hardware-check">{CHECK.heading}</summary>
        <p className="quiet">{CHECK.lead}</p>
        {runs ? null : (
          <div className="robot-buttons">
            <button type="button" className="button" disabled={work !== null} onClick={() => void start()} data-testid="check-start">
              {CHECK.start}
            </button>
          </div>
        )}
        <ol className="check-steps">
          {entries.map((entry) => (
            <li key={entry.step} data-outcome={entry.outcome}>
              {entry.step.replace('-', ' ')}: <strong>{CHECK.outcomes[entry.outcome]}</strong>
              {entry.failure === null ? null : <p>{failureWords(entry.failure, os).happened}</p>}
            </li>
          ))}
        </ol>
        {question === null ? null : (
          <div className="robot-plan" role="group" aria-label={CHECK.heading}>
            <p role="status" data-testid="check-question" data-step={question}>
              {CHECK.questions[question]}
            </p>
            <div className="robot-buttons">
              <button type="button" className="button button-accent" onClick={() => answer.current('yes')} data-testid="check-yes">
                {CHECK.yes}
              </button>
              <button type="button" className="button" onClick={() => answer.current('no')}>
                {CHECK.no}
              </button>
            </div>
          </div>
        )}
        {log === null ? null : (
          <div className="robot-buttons" data-testid="check-done">
            <span role="status">{CHECK.done(log.entries.filter((entry) => entry.outcome === 'passed').length, CHECK_STEPS.length)}</span>
            <button type="button" className="button" onClick={() => saveJson(`${JSON.stringify(log, null, 1)}\n`, 'hardware-check.json')}>
              {CHECK.save}
            </button>
          </div>
        )}
      </details>
    </section>
  );
}
