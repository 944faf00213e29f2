/**
 * Two large buttons for the two questions worth asking of any policy: does it look, does it listen. A person predicts
 * first, because an answer one has bet on is remembered.
 */
import { useState } from 'react';
import type { TaskKind } from '#contracts/task.ts';
import { wilson } from '#core/evaluation/wilson.ts';
import { useNoun, useSession, useUi } from '../context.ts';
import { PAIRS, type PairQuestion, type PairsState } from '#page/session/evaluation-state.ts';
import { failureWords } from '#page/words/failures.ts';
import { MEASURE, PAIRS_WORDS } from '#page/words/measure.ts';
import { IntervalBar } from './IntervalBar.tsx';

export function Pairs({ task, busy }: { readonly task: TaskKind; readonly busy: boolean }) {
  const session = useSession();
  const state = useNoun('pairs');
  const [question, setQuestion] = useState<PairQuestion | null>(null);
  const [prediction, setPrediction] = useState(5);
  return (
    <section className="panel pairs" aria-labelledby="pairs">
      <h2 id="pairs">{PAIRS_WORDS.heading}</h2>
      <div className="pairs-buttons">
        {(['look', 'listen'] as const).map((one) => (
          <button key={one} type="button" className="button pairs-button" aria-pressed={question === one} disabled={busy} onClick={() => setQuestion(one)} data-testid={`pairs-${one}`}>
            {PAIRS_WORDS[one].button}
          </button>
        ))}
      </div>
      {question === null || busy ? null : (
        <form
          className="pairs-predict"
          onSubmit={(event) => {
            event.preventDefault();
            session.askPairs(question, task, prediction).catch(() => undefined);
            setQuestion(null);
          }}
        >
          <p>{PAIRS_WORDS[question].explain}</p>
          <label>
            {PAIRS_WORDS[question].predict}
            <span className="pairs-slider">
              <input type="range" min={0} max={PAIRS} value={prediction} aria-label={PAIRS_WORDS.prediction} onChange={(event) => setPrediction(Number(event.target.value))} />
              <output className="numeric">{prediction}</output>
            </span>
          </label>
          <button type="submit" className="button button-accent" data-testid="pairs-go">
            {PAIRS_WORDS.go}
          </button>
        </form>
      )}
      <Answer state={state} />
    </section>
  );
}

function Answer({ state }: { readonly state: PairsState }) {
  const { os } = useUi();
  if (state.kind === 'idle') return null;
  if (state.kind === 'failed') {
    const { title, happened } = failureWords(state.failure, os);
    return (
      <p className="notice notice-amber" role="status">
        <strong>{title}</strong> {happened}
      </p>
    );
  }
  const words = PAIRS_WORDS[state.question];
  const done = state.pairs.length;
  const plain = state.pairs.filter((pair) => pair.plain.result.verdict.kind === 'success').length;
  const changed = state.pairs.filter((pair) => (state.question === 'look' ? pair.changed.result.verdict : pair.changed.result.namedVerdict)?.kind === 'success').length;
  return (
    <div className="pairs-answer" data-testid="pairs-answer" data-done={state.kind === 'over' ? 'yes' : 'no'}>
      <p role="status">{done === 0 && state.kind === 'running' ? MEASURE.preparing : `${words.button} ${PAIRS_WORDS.soFar(done)}`}</p>
      <h3>{words.plain}</h3>
      <IntervalBar successes={plain} trials={done} interval={wilson(plain, done)} />
      <h3>{words.changed}</h3>
      <IntervalBar successes={changed} trials={done} interval={wilson(changed, done)} />
      {state.kind === 'over' ? <p>{PAIRS_WORDS.youSaid(state.prediction)}</p> : null}
    </div>
  );
}
