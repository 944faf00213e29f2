/** Failure cards over the stage: what happened, what to do, one button. Nothing modal; a fault is read aloud at once. */
import type { Failure } from '#contracts/failure.ts';
import { useNoun, useUi, type UiContext } from '../context.ts';
import { unreachable } from '#core/lib/never.ts';
import { ACTION_LABELS, failureWords, type FailureAction } from '#page/words/failures.ts';
import { FAILURES, timesText } from '#page/words/panels.ts';
import type { ShownFailure } from '#page/session/stores.ts';
import './failures.css';

export function Failures() {
  const failures = useNoun('failures');
  return (
    <section className="failures" aria-label={FAILURES.label} data-testid="failures">
      {failures.map((shown) => (
        <FailureCard key={shown.id} shown={shown} />
      ))}
    </section>
  );
}

function FailureCard({ shown }: { readonly shown: ShownFailure }) {
  const ui = useUi();
  const { failure } = shown;
  const words = failureWords(failure, ui.os);
  const { action } = words;
  return (
    <article className={`failure failure-${words.weight}`} role={words.weight === 'fault' ? 'alert' : 'status'} data-code={failure.code}>
      <h3>
        {words.title}
        <span className="quiet"> {timesText(shown.count)}</span>
      </h3>
      <p>{words.happened}</p>
      <p>
        <strong>{words.next}</strong>
      </p>
      <div className="failure-buttons">
        {action === null ? null : (
          <button type="button" className="button" onClick={() => act(ui, action, shown)}>
            {ACTION_LABELS[action]}
          </button>
        )}
        <button type="button" className="button" onClick={() => ui.session.dismissFailure(shown.id)}>
          {FAILURES.dismiss}
        </button>
        <code className="quiet">{failure.code}</code>
      </div>
    </article>
  );
}

/** What the button of a card does. What fails again makes a card again. */
function act({ session }: UiContext, action: FailureAction, shown: ShownFailure): void {
  session.dismissFailure(shown.id);
  const quietly = (work: Promise<unknown>): void => void work.catch(() => undefined);
  switch (action) {
    case 'reload':
      location.reload();
      return;
    case 'load-policy':
    case 'try-again': {
      const policy = session.stores.policy.getState();
      const source = policy.kind === 'none' ? session.shippedPolicies()[0] : policy.source;
      if (source !== undefined) quietly(session.loadPolicy(source));
      return;
    }
    case 'load-policy-wasm': {
      const address = new URL(location.href);
      address.searchParams.set('engine', 'wasm');
      location.assign(address);
      return;
    }
    case 'resume':
      quietly(session.resume());
      return;
    case 'connect':
      quietly(session.connect('simulated'));
      return;
    case 'reset-world': {
      const request = session.stores.world.getState().scene?.request;
      if (request !== undefined) quietly(session.world.reset(request));
      return;
    }
    case 'restart-inference':
      session.restartWorker('inference');
      return;
    case 'copy-report':
      quietly(navigator.clipboard.writeText(reportText(shown.failure)));
      return;
    default:
      unreachable(action);
  }
}

function reportText(failure: Failure): string {
  return `${failure.code}\n${JSON.stringify(failure.facts, null, 2)}\n${navigator.userAgent}`;
}
