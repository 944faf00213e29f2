/** The arm doctor: what was found, what it probably comes from, what helps. Looking changes nothing. */
import { useNoun, useSession } from '../context.ts';
import { DOCTOR, findingWords, noteWords } from '#page/words/robot.ts';
import { quietly } from './kit.tsx';

export function Doctor() {
  const session = useSession();
  const { look, work } = useNoun('robot');
  const findings = look?.findings.filter((finding) => finding.weight !== 'note') ?? [];
  const notes = look?.findings.filter((finding) => finding.weight === 'note') ?? [];
  return (
    <section className="panel" aria-labelledby="doctor">
      <h2 id="doctor">{DOCTOR.heading}</h2>
      <p className="quiet">{DOCTOR.lead}</p>
      <div className="robot-buttons">
        <button type="button" className="button" disabled={work !== null} onClick={() => quietly(session.look('arm'))} data-testid="doctor">
          {DOCTOR.look}
        </button>
        <button type="button" className="button" disabled={work !== null} onClick={() => quietly(session.look('everything'))}>
          {DOCTOR.everything}
        </button>
      </div>
      {look === null ? null : (
        <div data-testid="findings" data-count={findings.length}>
          {findings.length === 0 ? <p role="status">{DOCTOR.well}</p> : null}
          <ul className="findings">
            {findings.map((finding, i) => {
              const words = findingWords(finding);
              return (
                <li key={i} className={`finding finding-${finding.weight}`} data-code={finding.code}>
                  <small>{DOCTOR.weights[finding.weight]}</small>
                  <strong>{words.title}</strong>
                  <span>
                    {words.cause} {words.cure}
                  </span>
                </li>
              );
            })}
          </ul>
          {[...new Set(notes.map((note) => note.code))].map((code) => (
            <p key={code} className="quiet" data-code={code}>
              {noteWords(
                code,
                notes.filter((note) => note.code === code),
              )}
            </p>
          ))}
        </div>
      )}
    </section>
  );
}
