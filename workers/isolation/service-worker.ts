/**
 * Supplies the security headers on hosts that cannot send them (GitHub Pages and the like). It stands between the page
 * and its own host only: every response from our origin passes through unchanged except for the headers. It keeps no
 * copy of anything and never touches a request to another origin.
 *
 * Built to `isolation-sw.js` beside `index.html`, so that its scope is the folder the page is served from.
 */
import { securityHeaders } from './headers.ts';

const worker = globalThis as unknown as ServiceWorkerGlobalScope;

worker.addEventListener('install', () => void worker.skipWaiting());
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== worker.location.origin) return;
  // Chromium's own quirk: a devtools request of this kind cannot be repeated by fetch and would fail.
  if (request.cache === 'only-if-cached' && request.mode !== 'same-origin') return;
  event.respondWith(withHeaders(request));
});

async function withHeaders(request: Request): Promise<Response> {
  const response = await fetch(request);
  // A redirect the browser must follow itself, or nothing to read: hand it on as it is.
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  const path = new URL(response.url === '' ? request.url : response.url).pathname;
  for (const [name, value] of Object.entries(securityHeaders({ path, served: 'build' }))) headers.set(name, value);
  const hasBody = response.status !== 204 && response.status !== 304;
  return new Response(hasBody ? response.body : null, { status: response.status, statusText: response.statusText, headers });
}
