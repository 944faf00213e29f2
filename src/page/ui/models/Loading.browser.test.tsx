/**
 * A burst of progress, as a worker sends it while the page's thread is held up: hundreds of messages one behind the other,
 * each drawn by itself before React's own turn comes. A panel that answers news with another change of its own leaves one
 * open after each, and React takes fifty of those in a row for an endless loop (its error 185).
 */
import { createRoot } from 'react-dom/client';
import { expect, test } from 'vitest';
import type { Session } from '#page/session/session.ts';
import { createStores, type PolicyState, type WorkersState } from '#page/session/stores.ts';
import { Caption } from '../caption/Caption.tsx';
import { UiContextHolder, useNoun } from '../context.ts';
import { Loading } from './Loading.tsx';

const MESSAGES = 300;

function Panels() {
  const policy = useNoun('policy');
  return (
    <>
      <Caption start="ready" />
      {policy.kind === 'loading' ? <Loading policy={policy} /> : null}
    </>
  );
}

test(`${MESSAGES} messages of progress in a row are drawn, the last one too`, async () => {
  const stores = createStores({} as WorkersState);
  const loading = { kind: 'loading', source: { kind: 'shipped', name: 'policies/pocket' }, startedAtMs: performance.timeOrigin + performance.now(), progress: null, bytesPerSecond: null } as const satisfies PolicyState;
  stores.policy.setState(loading, true);
  const element = document.createElement('div');
  document.body.append(element);
  const thrown: unknown[] = [];
  const root = createRoot(element, { onUncaughtError: (error) => void thrown.push(error) });
  const ui = { session: { stores, cancelLoading: async () => undefined } as unknown as Session, os: 'linux', first: { task: '', seed: 1, arm: null, reset: { task: '', seed: 1 } } } as const;
  root.render(
    <UiContextHolder value={ui}>
      <Panels />
    </UiContextHolder>,
  );
  await expect.poll(() => element.querySelector('[data-testid="models-loading"]')).not.toBeNull();

  const worker = new MessageChannel();
  const told = (doneBytes: number): void => stores.policy.setState({ ...loading, progress: { phase: 'fetch', what: 'weights', doneBytes, totalBytes: MESSAGES * 1e6 }, bytesPerSecond: 1e6 }, true);
  const drawn = new Promise<void>((resolve) => {
    worker.port1.onmessage = ({ data }: MessageEvent<number>) => {
      try {
        told(data);
      } catch (error) {
        thrown.push(error);
      }
      if (data === MESSAGES * 1e6) resolve();
    };
  });
  told(0);
  await new Promise((resolve) => setTimeout(resolve, 600));
  for (let message = 1; message <= MESSAGES; message++) worker.port2.postMessage(message * 1e6);
  await drawn;
  await expect.poll(() => element.textContent).toContain(`${MESSAGES} MB of ${MESSAGES} MB`);
  expect(thrown).toEqual([]);
  root.unmount();
  element.remove();
});
