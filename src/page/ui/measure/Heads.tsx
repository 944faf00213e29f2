/**
 * The three families of action heads, one under another, on the same tables: how each draws a plan, how often it does the
 * task, how long a plan takes here and how rough it is. Nothing is shown that was not counted on this machine just now.
 */
import { useState } from 'react';
import { ACTION_HEADS } from '#contracts/policy.ts';
import type { TaskKind } from '#contracts/task.ts';
import { useNoun, useSession, useUi } from '../context.ts';
import type { HeadAnswer, HeadsState } from '#page/session/evaluation-state.ts';
import { SHIPPED_HEADS } from '#page/session/policy-verbs.ts';
import { failureWords } from '#page/words/failures.ts';
import { drawnWords, HEADS_WORDS, MEASURE, planWords, roughnessWords } from '#page/words/measure.ts';
import { IntervalBar } from './IntervalBar.tsx';

const TABLES = [3, 10, 20, 50] as const;

export function Heads({ task, busy }: { readonly task: TaskKind; readonly busy: boolean }) {
  const session = useSession();
  const state = useNoun('heads');
  const policy = useNoun('policy');
  const [tables, setTables] = useState<number>(3);
  const running = state.kind === 'running';
  const answers = state.kind === 'running' || state.kind === 'over' ? state.heads : [];
  return (
    <section className="panel heads" aria-labelledby="heads">
      <h2 id="heads">{HEADS_WORDS.heading}</h2>
      <p className="quiet">{HEADS_WORDS.lead}</p>
      <ol className="heads-list" data-testid="heads" data-done={state.kind === 'over' ? 'yes' : 'no'}>
        {ACTION_HEADS.map((head) => (
          <li key={head}>
            <div className="heads-title">
              <h3>{HEADS_WORDS.names[head]}</h3>
              <button
                type="button"
                className="button"
                disabled={busy || policy.kind === 'loading' || (policy.kind === 'ready' && policy.source.name === SHIPPED_HEADS[head])}
                // A failure is in the store, and shown where policies are.
                onClick={() => void session.loadPolicy({ kind: 'shipped', name: SHIPPED_HEADS[head] }).catch(() => undefined)}
                data-testid={`heads-use-${head}`}
              >
                {policy.kind === 'ready' && policy.source.name === SHIPPED_HEADS[head] ? HEADS_WORDS.inUse : HEADS_WORDS.use}
              </button>
            </div>
            <p className="quiet">{HEADS_WORDS.how[head]}</p>
            <Counted answer={answers.find((one) => one.head === head)} />
          </li>
        ))}
      </ol>
      <div className="measure-buttons heads-ask">
        <label>
          {HEADS_WORDS.tries}
          <select value={tables} disabled={busy} onChange={(event) => setTables(Number(event.target.value))}>
            {TABLES.map((count) => (
              <option key={count} value={count}>
                {count}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="button button-accent" disabled={busy} onClick={() => void session.compareHeads(task, tables).catch(() => undefined)} data-testid="heads-start">
          {HEADS_WORDS.start}
        </button>
        {running ? (
          <button type="button" className="button" onClick={() => session.endMeasuring()}>
            {MEASURE.end}
          </button>
        ) : null}
      </div>
      <Trouble state={state} />
    </section>
  );
}

function Counted({ answer }: { readonly answer: HeadAnswer | undefined }) {
  if (answer === undefined || answer.drawn === null) return null;
  return (
    <>
      <IntervalBar successes={answer.successes} trials={answer.trials} interval={answer.interval} />
      <p className="quiet numeric">{[drawnWords(answer.drawn), planWords(answer.planMs), roughnessWords(answer.roughness)].filter((one) => one !== '').join(' · ')}</p>
    </>
  );
}

function Trouble({ state }: { readonly state: HeadsState }) {
  const { os } = useUi();
  if (state.kind !== 'failed') return state.kind === 'running' ? <p role="status">{HEADS_WORDS.running}</p> : null;
  const { title, happened } = failureWords(state.failure, os);
  return (
    <p className="notice notice-amber" role="status">
      <strong>{title}</strong> {happened}
    </p>
  );
}
