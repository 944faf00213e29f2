/**
 * Makes sure the page is cross-origin isolated before anything else starts. Where the host sends the headers there is
 * nothing to do; where it cannot, the service worker that the build leaves beside `index.html` supplies them, from the
 * next load of the page on. So the page loads once more, once. Knows nothing of workers, models or React.
 */

/**
 * isolated        go on
 * reloading       this page is about to be replaced: start nothing
 * not-possible    no service worker here, or it did not help: shared memory is missing, say `page/not-isolated`
 */
export type Isolation = 'isolated' | 'reloading' | 'not-possible';

/** Remembers, for this tab, that the one reload has been spent. */
const SPENT = 'isolation-reload-spent';

/** `baseUrl`: the folder the page is served from, with its closing slash. */
export async function ensureIsolation(baseUrl: string): Promise<Isolation> {
  if (globalThis.crossOriginIsolated) {
    sessionStorage.removeItem(SPENT);
    return 'isolated';
  }
  if (!('serviceWorker' in navigator) || sessionStorage.getItem(SPENT) !== null) return 'not-possible';
  try {
    const registration = await navigator.serviceWorker.register(new URL('isolation-sw.js', baseUrl), { scope: new URL('./', baseUrl).href });
    await activated(registration);
  } catch {
    // Refused (an unusual browser setting, or a host without the file): the page says what is missing.
    return 'not-possible';
  }
  sessionStorage.setItem(SPENT, 'yes');
  location.reload();
  return 'reloading';
}

function activated(registration: ServiceWorkerRegistration): Promise<void> {
  const worker = registration.installing ?? registration.waiting ?? registration.active;
  if (worker === null || worker.state === 'activated') return Promise.resolve();
  return new Promise((done, failed) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'activated') done();
      if (worker.state === 'redundant') failed(new Error('The isolation service worker was replaced while it started.'));
    });
  });
}
