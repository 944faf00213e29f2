/** A policy on its way: bytes, speed, time left, and a way to stop that loses nothing. */
import { useSession } from '../context.ts';
import { useNow } from '../use-now.ts';
import type { PolicyState } from '#page/session/stores.ts';
import { MODELS } from '#page/words/models.ts';
import { seconds } from '#page/words/numbers.ts';
import { progressLine, progressShare } from '#page/words/status.ts';
import { quietly } from './quietly.ts';

export function Loading({ policy }: { readonly policy: Extract<PolicyState, { readonly kind: 'loading' }> }) {
  const session = useSession();
  const now = useNow(500);
  const { progress, bytesPerSecond: rate } = policy;
  const share = progressShare(progress);
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
