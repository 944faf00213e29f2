/** A policy on its way: bytes, speed, time left, and a way to stop that loses nothing. */
import { useEffect, useRef, useState } from 'react';
import { useSession } from '../context.ts';
import { currentMs, useNow } from '../use-now.ts';
import type { PolicyState } from '#page/session/stores.ts';
import { MODELS } from '#page/words/models.ts';
import { seconds } from '#page/words/numbers.ts';
import { progressLine, progressShare } from '#page/words/status.ts';
import { quietly } from './quietly.ts';

/** Speed over this long: shorter jumps about, longer lags behind a changed network. */
const WINDOW_MS = 8000;

export function Loading({ policy }: { readonly policy: Extract<PolicyState, { readonly kind: 'loading' }> }) {
  const session = useSession();
  const now = useNow(500);
  const { progress } = policy;
  const share = progressShare(progress);
  const rate = useRate(progress?.phase === 'fetch' ? progress.doneBytes : null);
  const left = progress?.phase === 'fetch' && progress.totalBytes !== null && rate !== null && rate > 0 ? (progress.totalBytes - progress.doneBytes) / rate : null;
  return (
    <section className="panel models-loading" aria-live="polite" data-testid="models-loading">
      <p>{progressLine(progress, Math.max(0, now - policy.startedAtMs) / 1000)}</p>
      <progress max={1} {...(share === null ? {} : { value: share })} />
      <p className="quiet numeric">
        {rate === null ? '' : MODELS.speed(rate)} {left === null ? '' : MODELS.left(seconds(left))}
      </p>
      {progress === null || progress.phase === 'fetch' || progress.phase === 'convert' || progress.phase === 'waiting' ? (
        <div className="models-row">
          <button type="button" className="button" onClick={() => quietly(session.cancelLoading())} data-testid="models-cancel">
            {MODELS.cancel}
          </button>
          <span className="quiet">{MODELS.cancelNote}</span>
        </div>
      ) : null}
    </section>
  );
}

/** Bytes a second over the last seconds, null until there is something to tell. */
function useRate(doneBytes: number | null): number | null {
  const seen = useRef<{ atMs: number; bytes: number }[]>([]);
  const [rate, setRate] = useState<number | null>(null);
  useEffect(() => {
    if (doneBytes === null) return;
    const atMs = currentMs();
    const recent = [...seen.current.filter((one) => one.atMs > atMs - WINDOW_MS && one.bytes <= doneBytes), { atMs, bytes: doneBytes }];
    seen.current = recent;
    const [first] = recent;
    if (first !== undefined && atMs - first.atMs > 500) setRate(((doneBytes - first.bytes) / (atMs - first.atMs)) * 1000);
  }, [doneBytes]);
  return rate;
}
