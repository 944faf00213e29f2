/**
 * What it is told: the sentence, three examples, Run. Enter runs. A sentence may be given before the policy is here. One
 * that the policy was never taught is answered with what it was taught; it still runs if the person insists.
 */
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useNoun, useUi } from '../context.ts';
import { EXAMPLE_SENTENCES } from '#page/words/labels.ts';
import { TOLD } from '#page/words/panels.ts';
import { SHADOW } from '#page/words/safety.ts';
import { taught } from '#page/session/patterns.ts';
import './sentence.css';

export function SentenceBox({ ready, sentence, onSentence: setSentence }: { readonly ready: boolean; readonly sentence: string; readonly onSentence: (sentence: string) => void }) {
  const { session, first } = useUi();
  const policy = useNoun('policy');
  const run = useNoun('run');
  const { drive } = useNoun('options');
  const box = useRef<HTMLInputElement>(null);
  /** The sentence that was answered instead of run; it is over when another one stands in the box. */
  const [answered, setAnswered] = useState<string | null>(null);
  const busy = run.kind === 'running' || run.kind === 'waiting' || run.kind === 'finishing';

  // A run started from a file or the console shows what it was told, unless somebody is typing the next sentence.
  const told = run.kind === 'waiting' || run.kind === 'running' ? run.sentence : null;
  useEffect(() => {
    if (told !== null && document.activeElement !== box.current) setSentence(told);
  }, [told, setSentence]);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (busy || !ready) return;
    if (policy.kind === 'ready' && taught(policy.info, sentence) === 'no') setAnswered(sentence);
    else start();
  };

  const start = (): void => {
    setAnswered(null);
    // Failures of a run are shown by the session as cards.
    session.runAsChosen({ task: sentence, seed: first.seed }).catch(() => undefined);
  };

  /** Into the box, with the cursor behind it: Enter runs. */
  const choose = (example: string): void => {
    setSentence(example);
    box.current?.focus();
  };

  return (
    <section className="panel panel-told sentence" aria-labelledby="told">
      <h2 id="told">{TOLD.heading}</h2>
      <form onSubmit={submit}>
        <input
          ref={box}
          type="text"
          aria-label={TOLD.label}
          placeholder={TOLD.placeholder}
          autoComplete="off"
          maxLength={200}
          value={sentence}
          onChange={(event) => setSentence(event.target.value)}
          data-testid="sentence"
        />
        <button type="submit" className="button button-accent" disabled={busy || !ready || sentence.trim() === ''} data-testid="run">
          {run.kind === 'waiting' ? TOLD.waiting : busy ? TOLD.running : TOLD.run}
        </button>
      </form>
      {answered === sentence && policy.kind === 'ready' && (
        <div className="not-taught" role="status" data-testid="not-taught">
          <p>{TOLD.notTaught}</p>
          <ul>
            {policy.info.sentences.map((known) => (
              <li key={known}>
                <button type="button" className="example" onClick={() => choose(known)}>
                  {known}
                </button>
              </li>
            ))}
          </ul>
          <button type="button" className="button" onClick={start} disabled={busy || !ready} data-testid="try-anyway">
            {TOLD.tryAnyway}
          </button>
        </div>
      )}
      <ul aria-label={TOLD.examples}>
        {examples(policy).map((example) => (
          <li key={example}>
            <button type="button" className="example" onClick={() => choose(example)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
      <label className="check quiet">
        <input type="checkbox" checked={drive === 'shadow'} disabled={busy} onChange={(event) => session.choose({ drive: event.target.checked ? 'shadow' : 'arm' })} data-testid="shadow" />
        {SHADOW.label}
      </label>
    </section>
  );
}

/** What the policy's card says it is good at comes first; three in all. */
function examples(policy: ReturnType<typeof useNoun<'policy'>>): readonly string[] {
  const own = policy.kind === 'ready' ? policy.info.sentences : [];
  return [...new Set([...own, ...EXAMPLE_SENTENCES])].slice(0, 3);
}
