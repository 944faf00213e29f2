/**
 * The headers every response of this project carries, said once. The development server, `npm start`, the story tests
 * and the service worker for plain static hosts all ask here. Knows no server and reads no file.
 *
 * Isolation (COOP + COEP) makes `crossOriginIsolated` true: shared memory between the workers, and threads for the WASM
 * engine. The Content-Security-Policy is what makes "nothing leaves this machine" true: `connect-src` lists the only
 * places the page may ever speak to.
 *
 * Two responses may do more than the others: the scripts of the workers that run physics (world, episode). MuJoCo's
 * loader (emscripten's embind) builds functions from text, which needs 'unsafe-eval'; a worker lives under the policy of
 * its own response, so the permission ends at its wall.
 */

export type Served =
  /** The built page. */
  | 'build'
  /** Vite's development server: its client and React's refresh are inline scripts and styles, and speak a web socket. */
  | 'development';

export interface HeaderRequest {
  /** Path of the response, from the site's root; only its last part is looked at. */
  readonly path: string;
  readonly served: Served;
}

/** The Hub: the page asks the first, files are redirected to the other two. */
export const HUB_HOSTS = ['https://huggingface.co', 'https://*.huggingface.co', 'https://*.hf.co'] as const;

/** Built names of the two workers that run physics (see `vite.config.ts`), and their sources while developing. */
export const PHYSICS_WORKER_FILE = /(?:^|\/)(?:(?:world|episode)-worker-[\w-]+\.js|workers\/(?:world|episode)\/entry\.ts)$/;

/** All headers of one response, names in the spelling HTTP uses. */
export function securityHeaders(request: HeaderRequest): Record<string, string> {
  return {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Content-Security-Policy': contentSecurityPolicy(request),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    // Cameras and the serial port are this page's trade; nothing embedded in it gets them.
    'Permissions-Policy': 'camera=(self), serial=(self), microphone=(), geolocation=()',
  };
}

function contentSecurityPolicy({ path, served }: HeaderRequest): string {
  const development = served === 'development';
  const scripts = ["'self'", "'wasm-unsafe-eval'"];
  if (PHYSICS_WORKER_FILE.test(path)) scripts.push("'unsafe-eval'");
  if (development) scripts.push("'unsafe-inline'");
  const directives: Readonly<Record<string, readonly string[]>> = {
    'default-src': ["'self'"],
    'script-src': scripts,
    'connect-src': ["'self'", ...HUB_HOSTS, ...(development ? ['ws:'] : [])],
    'worker-src': ["'self'"],
    'img-src': ["'self'", 'data:', 'blob:'],
    // Videos of recorded episodes, from this machine.
    'media-src': ["'self'", 'blob:'],
    'style-src': development ? ["'self'", "'unsafe-inline'"] : ["'self'"],
    'object-src': ["'none'"],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
  };
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ');
}
