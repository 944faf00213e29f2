/** The line under the stage: one sentence about what is happening, also read aloud by screen readers, and progress. */
import { useState } from 'react';
import { useNoun, useUi } from '../context.ts';
import { useNow } from '../use-now.ts';
import { progressLine, progressShare, statusLine, type StatusFacts } from '#page/words/status.ts';
import './caption.css';

export function Caption({ start }: { readonly start: StatusFacts['start'] }) {
  const line = useStatusLine(start);
  return (
    <div className="caption">
      <p className="caption-line numeric" data-testid="status">
        {line}
      </p>
      <Announcer line={line} />
      <Progress />
    </div>
  );
}

function useStatusLine(start: StatusFacts['start']): string {
  const arm = useNoun('arm');
  const run = useNoun('run');
  const policy = useNoun('policy');
  const nowMs = useNow(run.kind === 'running' ? 200 : null);
  return statusLine({ start, mode: arm.mode, policy: policy.kind, fps: policy.kind === 'ready' ? policy.info.fps : null, run: runFacts(run, nowMs) });
}

function runFacts(run: ReturnType<typeof useNoun<'run'>>, nowMs: number): StatusFacts['run'] {
  if (run.kind === 'running') {
    return { kind: 'running', activity: run.activity, chunk: run.chunk, secondsLeft: Math.min(run.seconds, run.seconds - (nowMs - run.startedAtMs) / 1000) };
  }
  if (run.kind === 'over') return { kind: 'over', outcome: run.report.outcome, chunks: run.report.control.chunksPlayed };
  return run;
}

/** Step counts change many times a second; read aloud they would never end. Only a new kind of news is announced. */
function Announcer({ line }: { readonly line: string }) {
  const news = line.replace(/[\d.]+/g, '#');
  const [announced, setAnnounced] = useState({ news, line });
  // While drawing, not after it: an effect's change would stay open behind each of a burst of news.
  if (announced.news !== news) setAnnounced({ news, line });
  return (
    <p className="unseen" aria-live="polite">
      {announced.line}
    </p>
  );
}

/** Whatever takes longer than this says how far it is. */
const QUIET_SECONDS = 0.5;

function Progress() {
  const { session } = useUi();
  const policy = useNoun('policy');
  const nowMs = useNow(policy.kind === 'loading' ? 100 : null);
  if (policy.kind !== 'loading') return null;
  const elapsed = Math.max(0, (nowMs - policy.startedAtMs) / 1000);
  if (elapsed < QUIET_SECONDS || session.stores.world.getState().scene === null) return null;
  const share = progressShare(policy.progress);
  return (
    <div className="progress" data-testid="progress">
      <progress aria-label={progressLine(policy.progress, elapsed)} {...(share === null ? {} : { value: share })} max={1} />
      <span className="quiet numeric">{progressLine(policy.progress, elapsed)}</span>
    </div>
  );
}
