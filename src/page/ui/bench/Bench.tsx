/** The benchmark's page: choose, measure, read. It has no session with an arm behind it, so it takes a bench of its own. */
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useStore } from 'zustand';
import type { BenchFigures, BenchPartFigures, BenchReport } from '#contracts/bench.ts';
import type { EngineChoice, StoredPolicy } from '#contracts/inference.ts';
import type { Bench, BenchState } from '#page/session/bench.ts';
import { BENCH, BENCH_PARTS_NAMES, ceilingLines, endToEndLine, evenLine, gigaflops, measuringLine, shareOf } from '#page/words/bench.ts';
import { failureWords, type OperatingSystem } from '#page/words/failures.ts';
import { adapterLabel, engineLabel } from '#page/words/labels.ts';
import { MISSING, milliseconds } from '#page/words/numbers.ts';
import { APP_NAME } from '#page/words/panels.ts';
import { progressLine } from '#page/words/status.ts';
import { saveJson } from '../save-file.ts';
import { useNow } from '../use-now.ts';
import '../app/tokens.css';
import '../app/app.css';
import './bench.css';

export interface BenchPage {
  readonly bench: Bench;
  readonly os: OperatingSystem;
  readonly engine: EngineChoice;
}

export function mountBench(place: HTMLElement, page: BenchPage): void {
  createRoot(place).render(
    <StrictMode>
      <BenchApp {...page} />
    </StrictMode>,
  );
}

const ENGINES = ['best', 'webgpu', 'wasm'] as const;

function BenchApp({ bench, os, engine: first }: BenchPage) {
  const state = useStore(bench.store);
  const [engine, setEngine] = useState<EngineChoice>(first);
  const [stored, setStored] = useState<readonly StoredPolicy[]>([]);
  const [policy, setPolicy] = useState('');
  useEffect(() => void bench.stored().then(setStored, () => setStored([])), [bench]);
  const busy = state.kind === 'loading' || state.kind === 'measuring';
  const measure = (): void => {
    // What goes wrong is in the store, and shown from there.
    bench.run({ engine, ...(policy === '' ? {} : { source: { kind: 'stored', name: policy } }) }).catch(() => undefined);
  };
  return (
    <main className="bench">
      <header className="bench-header">
        <a href="./">{BENCH.back}</a>
        <span className="quiet">{APP_NAME}</span>
      </header>
      <h1>{BENCH.heading}</h1>
      <p className="bench-lead">{BENCH.lead}</p>
      <form
        className="bench-form"
        onSubmit={(event) => {
          event.preventDefault();
          measure();
        }}
      >
        <label>
          {BENCH.engine}
          <select value={engine ?? 'best'} disabled={busy} onChange={({ target }) => setEngine(target.value === 'webgpu' || target.value === 'wasm' ? target.value : null)}>
            {ENGINES.map((one) => (
              <option key={one} value={one}>
                {BENCH.engines[one]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {BENCH.policy}
          <select value={policy} disabled={busy} onChange={({ target }) => setPolicy(target.value)}>
            <option value="">{BENCH.shipped}</option>
            {stored.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" className="button button-accent" disabled={busy}>
          {state.kind === 'done' ? BENCH.again : BENCH.measure}
        </button>
      </form>
      <Status state={state} os={os} />
      {state.kind === 'done' ? <Report report={state.report} /> : null}
    </main>
  );
}

function Status({ state, os }: { readonly state: BenchState; readonly os: OperatingSystem }) {
  const nowMs = useNow(state.kind === 'loading' ? 250 : null);
  switch (state.kind) {
    case 'ready':
      return <p className="quiet">{BENCH.quiet}</p>;
    case 'loading':
      return (
        <p className="bench-status" role="status">
          {progressLine(state.progress, Math.max(0, nowMs - state.startedAtMs) / 1000)}
        </p>
      );
    case 'measuring':
      return (
        <div className="bench-status">
          <p role="status">{measuringLine(state.what, state.done, state.of)}</p>
          <progress max={state.of} value={state.done} aria-hidden="true" />
        </div>
      );
    case 'failed': {
      const words = failureWords(state.failure, os);
      return (
        <article className="notice notice-amber" role="alert" data-code={state.failure.code}>
          <strong>{words.title}</strong>
          {words.happened} {words.next}
        </article>
      );
    }
    case 'done':
      return null;
  }
}

function Report({ report }: { readonly report: BenchReport }) {
  const { figures, beside, machine } = report;
  const { engine } = figures;
  return (
    <section className="bench-report" data-testid="bench-report">
      <p className="bench-result">
        <strong className="numeric">{milliseconds(figures.endToEnd.p50Ms)}</strong> {endToEndLine(figures)}
      </p>
      <p className="quiet">{[engineLabel(engine, figures.policy), adapterLabel(engine), `${machine.browser}, ${machine.cores} cores`].filter((line) => line !== null).join(' · ')}</p>
      <h2>{BENCH.parts}</h2>
      <Parts figures={figures} />
      <p className="quiet">
        {engine.provider === 'webgpu' ? BENCH.byPart : ''} {figures.parts.some(({ gpu }) => gpu !== null) ? BENCH.gpuTimes : ''}
      </p>
      <h2>{BENCH.ceilings}</h2>
      {ceilingLines(figures).map((line) => (
        <p key={line}>{line}</p>
      ))}
      <h2>{BENCH.beside}</h2>
      <table className="bench-table numeric">
        <thead>
          <tr>
            <td />
            <th scope="col">{BENCH.idle}</th>
            <th scope="col">{BENCH.computing}</th>
          </tr>
        </thead>
        <tbody>
          {(['loop', 'frame'] as const).map((one) => (
            <tr key={one}>
              <th scope="row">{BENCH[one]}</th>
              <td>{evenLine(beside.idle[one])}</td>
              <td>{evenLine(beside.computing[one])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <button type="button" className="button" onClick={() => saveJson(`${JSON.stringify(report, null, 2)}\n`, `vla-playground-bench-${report.day}.json`)}>
        {BENCH.save}
      </button>
    </section>
  );
}

function Parts({ figures }: { readonly figures: BenchFigures }) {
  const onGpu = figures.engine.provider === 'webgpu';
  const whole = figures.parts.reduce((sum, { wall }) => sum + wall.p50Ms, 0);
  return (
    <table className="bench-table bench-parts numeric">
      <thead>
        <tr>
          <th scope="col">{BENCH.columns.part}</th>
          <td />
          <th scope="col">{BENCH.columns.time}</th>
          <th scope="col">{BENCH.columns.late}</th>
          {onGpu ? <th scope="col">{BENCH.columns.gpu}</th> : null}
          {onGpu ? <th scope="col">{BENCH.columns.dispatches}</th> : null}
          <th scope="col">{BENCH.columns.arithmetic}</th>
          <th scope="col">{BENCH.columns.share}</th>
        </tr>
      </thead>
      <tbody>
        {figures.parts.map((part) => (
          <PartRow key={part.part} part={part} whole={whole} figures={figures} />
        ))}
      </tbody>
    </table>
  );
}

function PartRow({ part, whole, figures }: { readonly part: BenchPartFigures; readonly whole: number; readonly figures: BenchFigures }) {
  const { wall, gpu, counts, flop } = part;
  const onGpu = figures.engine.provider === 'webgpu';
  return (
    <tr>
      <th scope="row">{BENCH_PARTS_NAMES[part.part]}</th>
      <td className="bench-bar" aria-hidden="true">
        <i style={{ width: `${(100 * wall.p50Ms) / whole}%` }} />
      </td>
      <td>{milliseconds(wall.p50Ms)}</td>
      <td>{milliseconds(wall.p95Ms)}</td>
      {onGpu ? <td>{gpu === null ? MISSING : milliseconds(gpu.p50Ms)}</td> : null}
      {onGpu ? <td>{counts.dispatches === 0 ? MISSING : counts.dispatches}</td> : null}
      <td>{gigaflops(flop, wall.p50Ms)}</td>
      <td>{shareOf(part, figures.ceilings)}</td>
    </tr>
  );
}
