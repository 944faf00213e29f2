/** How fast: which engine and why, plan latency, loop rate and jitter, simulation, cameras, page frames. */
import type { ReactNode } from 'react';
import { useNoun, useUi } from '../context.ts';
import { adapterLabel, cameraLabel, engineLabel, engineReason, eyesLine, picturesLine, recordingLine, selfTestLine, weightsLine } from '#page/words/labels.ts';
import { failureWords } from '#page/words/failures.ts';
import { MISSING, milliseconds } from '#page/words/numbers.ts';
import { FAST } from '#page/words/panels.ts';
import { Budget } from './Budget.tsx';
import './speed.css';

export function Speed() {
  const speed = useNoun('speed');
  const { status } = useNoun('world');
  const { jitter, chunkLatency, frame } = speed;
  return (
    <section className="panel panel-fast" aria-labelledby="fast">
      <h2 id="fast">{FAST.heading}</h2>
      <Engine />
      <dl className="figures numeric">
        <Figure name={FAST.plan}>{chunkLatency === null ? MISSING : `${milliseconds(chunkLatency.p50Ms)} (95 %: ${milliseconds(chunkLatency.p95Ms)}, ${chunkLatency.count} plans)`}</Figure>
        <Figure name={FAST.loop}>{speed.rateHz === null ? MISSING : `${speed.rateHz.toFixed(0)} Hz`}</Figure>
        <Figure name={FAST.jitter}>{jitter === null ? MISSING : `${milliseconds(jitter.p50Ms)} (99 %: ${milliseconds(jitter.p99Ms)}, ${jitter.skipped} skipped)`}</Figure>
        <Figure name={FAST.simulation}>{status === null || status.realTimeFactor === null ? MISSING : `${status.realTimeFactor.toFixed(2)} × real time`}</Figure>
        <Figure name={FAST.cameras}>{status === null ? MISSING : cameraTimes(status.cameraMs)}</Figure>
        <Figure name={FAST.frame}>{frame === null ? MISSING : `${milliseconds(frame.p50Ms)} (99 %: ${milliseconds(frame.p99Ms)})`}</Figure>
      </dl>
      <Budget />
      <p className="quiet">
        <a href="?only=bench" target="_blank" rel="noreferrer">
          {FAST.bench}
        </a>
      </p>
    </section>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function cameraTimes(cameraMs: Readonly<Record<string, number>>): string {
  const entries = Object.entries(cameraMs);
  return entries.length === 0 ? FAST.camerasStill : entries.map(([key, ms]) => `${cameraLabel(key).split(' ')[0]?.toLowerCase()} ${milliseconds(ms)}`).join(', ');
}

function Engine() {
  const { os } = useUi();
  const policy = useNoun('policy');
  if (policy.kind !== 'ready') return <p className="quiet">{`${FAST.engine}: ${FAST.noEngine}`}</p>;
  const { engine, info } = policy;
  const lines = [engineReason(engine, (failure) => failureWords(failure, os).title), weightsLine(info), selfTestLine(engine), picturesLine(engine), eyesLine(engine), recordingLine(engine), adapterLabel(engine)];
  return (
    <div className="engine" data-testid="engine-reason">
      <strong>{engineLabel(engine, info)}</strong>
      {lines.map((line) => (line === null ? null : <p className="quiet" key={line}>{line}</p>))}
    </div>
  );
}
