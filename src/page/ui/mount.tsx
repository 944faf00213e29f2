/** Puts the panels on the page. The one door into this room. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import type { Failure } from '#contracts/failure.ts';
import { App } from './app/App.tsx';
import { UiContextHolder, type UiContext } from './context.ts';
import { ACTION_LABELS, failureWords, type OperatingSystem } from '#page/words/failures.ts';
import { APP_NAME } from '#page/words/panels.ts';
import './failures/failures.css';
import './header/header.css';

export function mountApp(place: HTMLElement, context: UiContext): void {
  createRoot(place).render(
    <StrictMode>
      <UiContextHolder value={context}>
        <App />
      </UiContextHolder>
    </StrictMode>,
  );
}

/** Where nothing can start: says why and what to do, and nothing else. */
export function mountRefusal(place: HTMLElement, failure: Failure, os: OperatingSystem): void {
  const words = failureWords(failure, os);
  createRoot(place).render(
    <main className="refusal">
      <h1>{APP_NAME}</h1>
      <article className="failure failure-fault" role="alert" data-code={failure.code}>
        <h3>{words.title}</h3>
        <p>{words.happened}</p>
        <p>
          <strong>{words.next}</strong>
        </p>
        <div className="failure-buttons">
          <button type="button" className="button" onClick={() => location.reload()}>
            {ACTION_LABELS.reload}
          </button>
          <code className="quiet">{failure.code}</code>
        </div>
      </article>
    </main>,
  );
}
