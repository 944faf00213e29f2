/** Measuring a policy: what to count, k of n growing with its interval, why the rest failed, every episode to look into. */
import { useState } from 'react';
import { BASELINES, INSTRUCTIONS, PERTURBATIONS, type Instruction, type Perturbation, type TaskSummary } from '#contracts/evaluation.ts';
import { TASK_KINDS, type TaskFailureReason, type TaskKind } from '#contracts/task.ts';
import { episodesAsCsv } from '#core/evaluation/summary.ts';
import { useNoun, useSession, useUi } from '../context.ts';
import type { MeasuredEpisode, MeasureState } from '#page/session/evaluation-state.ts';
import { failureWords } from '#page/words/failures.ts';
import { BASELINE_WORDS, FAILURE_REASON_WORDS, INSTRUCTION_WORDS, MEASURE, outcomeWords, PERTURBATION_WORDS, TASK_RULES, TASK_WORDS } from '#page/words/measure.ts';
import { saveFile, saveJson } from '../save-file.ts';
import { EpisodeTrace } from './EpisodeTrace.tsx';
import { IntervalBar } from './IntervalBar.tsx';
import { Heads } from './Heads.tsx';
import { Pairs } from './Pairs.tsx';
import './measure.css';

const TABLES = [10, 20, 50, 100, 200] as const;
const THIS_POLICY = 'this';

export function Measure() {
  const session = useSession();
  const state = useNoun('measure');
  const pairs = useNoun('pairs');
  const heads = useNoun('heads');
  const [task, setTask] = useState<TaskKind>('touch');
  const [who, setWho] = useState<string>(THIS_POLICY);
  const [perturbation, setPerturbation] = useState<Perturbation>('none');
  const [instruction, setInstruction] = useState<Instruction>('as-asked');
  const [tables, setTables] = useState<number>(20);
  const busy = state.kind === 'preparing' || state.kind === 'running' || pairs.kind === 'running' || heads.kind === 'running';

  const start = (): void => {
    const policy = who === THIS_POLICY ? {} : { policy: who };
    // A failure is in the store, and shown below.
    session.evaluate({ ...policy, task, seeds: tables, perturbation, instruction }).catch(() => undefined);
  };

  return (
    <>
      <Pairs task={task} busy={busy} />
      <section className="panel measure" aria-labelledby="measure">
        <h2 id="measure">{MEASURE.heading}</h2>
        <p className="quiet">{MEASURE.lead}</p>
        <div className="measure-form">
          <Choice label={MEASURE.task} value={task} all={TASK_KINDS} words={TASK_WORDS} onChange={setTask} hint={TASK_RULES[task]} />
          <Choice label={MEASURE.who} value={who} all={[THIS_POLICY, ...BASELINES]} words={{ [THIS_POLICY]: MEASURE.thisPolicy, ...BASELINE_WORDS }} onChange={setWho} />
          <Choice label={MEASURE.surroundings} value={perturbation} all={PERTURBATIONS} words={PERTURBATION_WORDS} onChange={setPerturbation} />
          <Choice label={MEASURE.instruction} value={instruction} all={INSTRUCTIONS} words={INSTRUCTION_WORDS} onChange={setInstruction} />
          <Choice label={MEASURE.tables} value={String(tables)} all={TABLES.map(String)} words={Object.fromEntries(TABLES.map((count) => [count, String(count)]))} onChange={(count) => setTables(Number(count))} />
        </div>
        <div className="measure-buttons">
          <button type="button" className="button button-accent" disabled={busy} onClick={start} data-testid="measure-start">
            {MEASURE.start}
          </button>
          {busy ? (
            <button type="button" className="button" onClick={() => session.endMeasuring()}>
              {MEASURE.end}
            </button>
          ) : null}
        </div>
        <Outcome state={state} />
      </section>
      <Heads task={task} busy={busy} />
    </>
  );
}

function Choice<T extends string>(props: { readonly label: string; readonly value: T; readonly all: readonly T[]; readonly words: Readonly<Record<string, string>>; readonly onChange: (value: T) => void; readonly hint?: string }) {
  const { label, value, all, words, onChange, hint } = props;
  return (
    <label title={hint}>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value as T)}>
        {all.map((one) => (
          <option key={one} value={one}>
            {words[one]}
          </option>
        ))}
      </select>
    </label>
  );
}

function Outcome({ state }: { readonly state: MeasureState }) {
  const { os } = useUi();
  switch (state.kind) {
    case 'idle':
      return null;
    case 'preparing':
      return <p role="status">{MEASURE.preparing}</p>;
    case 'failed': {
      const { title, happened } = failureWords(state.failure, os);
      return (
        <p className="notice notice-amber" role="status">
          <strong>{title}</strong> {happened}
        </p>
      );
    }
    case 'running':
    case 'over':
      return (
        <div className="measure-result" data-testid="measure-result" data-done={state.kind === 'over' ? 'yes' : 'no'}>
          <p className="quiet numeric" role="status">{`${state.episodes.length} / ${state.total}`}</p>
          {(state.kind === 'over' ? state.report.tasks : state.tasks).map((summary) => (
            <Summary key={summary.task} summary={summary} />
          ))}
          {state.kind === 'over' ? <Save state={state} /> : null}
          <Episodes episodes={state.episodes} />
        </div>
      );
  }
}

function Summary({ summary }: { readonly summary: TaskSummary }) {
  const reasons = Object.entries(summary.failures) as [TaskFailureReason, number][];
  return (
    <div className="measure-summary">
      <h3>{TASK_WORDS[summary.task]}</h3>
      <IntervalBar successes={summary.successes} trials={summary.trials} interval={summary.interval} />
      {summary.named === null ? null : (
        <>
          <p className="quiet">{INSTRUCTION_WORDS['another-colour']}</p>
          <IntervalBar successes={summary.named.successes} trials={summary.trials} interval={summary.named.interval} />
        </>
      )}
      {reasons.length === 0 ? null : (
        <ul className="quiet" aria-label={MEASURE.failures}>
          {reasons.map(([reason, count]) => (
            <li key={reason}>{`${count} × ${FAILURE_REASON_WORDS[reason].toLowerCase()}`}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Episodes({ episodes }: { readonly episodes: readonly MeasuredEpisode[] }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const open = chosen === null ? undefined : episodes[chosen];
  if (episodes.length === 0) return null;
  return (
    <>
      <p className="quiet">{MEASURE.episodesHint}</p>
      <ol className="measure-episodes" aria-label={MEASURE.episodes}>
        {episodes.map(({ result }, i) => (
          <li key={`${result.task} ${result.seed}`}>
            <button
              type="button"
              className={`episode episode-${result.verdict.kind}`}
              aria-pressed={chosen === i}
              aria-label={`${TASK_WORDS[result.task]}, ${result.seed}: ${outcomeWords(result.verdict)}`}
              title={`${result.sentence}: ${outcomeWords(result.verdict)}`}
              onClick={() => setChosen(chosen === i ? null : i)}
            >
              {result.verdict.kind === 'success' ? '✓' : '✗'}
            </button>
          </li>
        ))}
      </ol>
      {open === undefined ? null : <EpisodeTrace key={`${open.result.task} ${open.result.seed}`} episode={open} />}
    </>
  );
}

function Save({ state }: { readonly state: Extract<MeasureState, { kind: 'over' }> }) {
  const name = `evaluation-${state.report.plan.tasks.join('-')}`;
  return (
    <div className="measure-buttons">
      <button type="button" className="button" onClick={() => saveJson(`${JSON.stringify(state.report, null, 1)}\n`, `${name}.json`)}>
        {MEASURE.save.json}
      </button>
      <button type="button" className="button" onClick={() => saveFile(new Blob([episodesAsCsv(state.report)], { type: 'text/csv' }), `${name}.csv`)}>
        {MEASURE.save.csv}
      </button>
    </div>
  );
}
