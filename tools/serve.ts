/**
 * A static file server for `dist/`, on this machine only. Serves the copies that the build compressed, byte ranges of
 * the uncompressed files, and the security headers; knows no page and no model. Compresses nothing while serving.
 *
 * The stories use the same server in two more ways: without any header, under a sub-path, as a plain static host would
 * (`headers: 'none'`); and with single files replaced by damaged ones (`replace`).
 */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve, sep } from 'node:path';
import { securityHeaders } from '../workers/isolation/headers.ts';

export interface ServeOptions {
  readonly folder: string;
  /** Tried first; a free one is taken where it is in use. 0 or absent: any free one. */
  readonly port?: number;
  /** `isolated` (absent: this) sends the security headers; `none` is a plain static host. */
  readonly headers?: 'isolated' | 'none';
  /** Where the folder appears, with both slashes: `/some/sub/path/`. */
  readonly basePath?: string;
  /** For tests: bytes instead of the file at a path inside the folder, or null for "not there". Undefined: the file. */
  readonly replace?: (path: string) => Uint8Array | null | undefined;
}

export interface RunningServer {
  /** With the base path and a closing slash. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
};

/** In the order of preference. */
const ENCODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const;

/** Vite puts a hash of the content into these names: they never change. */
const HASHED = /^assets\/.+-[\w-]{8}\.\w+$/;

export async function serve(options: ServeOptions): Promise<RunningServer> {
  const folder = await realpath(options.folder);
  const basePath = options.basePath ?? '/';
  const server = createServer((request, response) => {
    answer(request, response, { ...options, folder, basePath }).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else plain(response, 500, String(error));
    });
  });
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}${basePath}`,
    port,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function listen(server: ReturnType<typeof createServer>, wanted: number): Promise<number> {
  return new Promise((done, failed) => {
    const attempt = (port: number): void => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        if ((error.code === 'EADDRINUSE' || error.code === 'EACCES') && port !== 0) attempt(0);
        else failed(error);
      });
      server.listen(port, '127.0.0.1', () => {
        server.removeAllListeners('error');
        done((server.address() as AddressInfo).port);
      });
    };
    attempt(wanted);
  });
}

type Settled = ServeOptions & { readonly basePath: string };

async function answer(request: IncomingMessage, response: ServerResponse, options: Settled): Promise<void> {
  const pathname = decodedPath(request.url ?? '/');
  if ((options.headers ?? 'isolated') === 'isolated') {
    for (const [name, value] of Object.entries(securityHeaders({ path: pathname ?? '/', served: 'build' }))) response.setHeader(name, value);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return plain(response, 405, 'Only GET and HEAD.');
  }
  if (pathname === null) return plain(response, 400, 'Not a path.');
  if (pathname === options.basePath.slice(0, -1) && options.basePath !== '/') {
    response.writeHead(308, { Location: options.basePath }).end();
    return;
  }
  if (!pathname.startsWith(options.basePath)) return plain(response, 404, 'Not here.');
  const inside = pathname.slice(options.basePath.length);
  const name = inside === '' || inside.endsWith('/') ? `${inside}index.html` : inside;

  const replacement = options.replace?.(name);
  if (replacement === null) return plain(response, 404, 'Not here.');
  response.setHeader('Content-Type', TYPES[extname(name)] ?? 'application/octet-stream');
  response.setHeader('Cache-Control', HASHED.test(name) && replacement === undefined ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (replacement !== undefined) {
    const range = request.headers.range === undefined ? null : parseRange(request.headers.range, replacement.byteLength);
    if (range === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${replacement.byteLength}`);
      return plain(response, 416, 'No such bytes.');
    }
    const part = range === null ? replacement : replacement.subarray(range.first, range.last + 1);
    if (range !== null) response.setHeader('Content-Range', `bytes ${range.first}-${range.last}/${replacement.byteLength}`);
    response.writeHead(range === null ? 200 : 206, { 'Content-Length': part.byteLength });
    response.end(request.method === 'HEAD' ? undefined : part);
    return;
  }

  const file = await fileInside(options.folder, name);
  if (file === null) return plain(response, 404, 'Not here.');
  const rangeHeader = request.headers.range;
  const encoded = rangeHeader === undefined ? await encodedCopy(file.path, request.headers['accept-encoding'] ?? '') : null;
  const chosen = encoded ?? { ...file, encoding: null };
  response.setHeader('Vary', 'Accept-Encoding');
  const etag = `"${chosen.size.toString(36)}-${Math.round(chosen.changedAtMs).toString(36)}${chosen.encoding === null ? '' : `-${chosen.encoding}`}"`;
  response.setHeader('ETag', etag);
  if (chosen.encoding === null) response.setHeader('Accept-Ranges', 'bytes');
  else response.setHeader('Content-Encoding', chosen.encoding);
  if (listed(request.headers['if-none-match'], etag)) {
    response.writeHead(304).end();
    return;
  }
  const conditional = request.headers['if-range'];
  const range = rangeHeader !== undefined && (conditional === undefined || conditional === etag) ? parseRange(rangeHeader, chosen.size) : null;
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${chosen.size}`);
    return plain(response, 416, 'No such bytes.');
  }
  const first = range?.first ?? 0;
  const last = range?.last ?? chosen.size - 1;
  if (range !== null) response.setHeader('Content-Range', `bytes ${first}-${last}/${chosen.size}`);
  response.writeHead(range === null ? 200 : 206, { 'Content-Length': last - first + 1 });
  if (request.method === 'HEAD' || chosen.size === 0) {
    response.end();
    return;
  }
  const stream = createReadStream(chosen.path, { start: first, end: last });
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

/** The path without query, percent signs resolved; null for one that tries to leave the folder. */
function decodedPath(url: string): string | null {
  try {
    const path = decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '/');
    const parts = path.split('/');
    if (!path.startsWith('/') || path.includes('\0') || path.includes('\\') || parts.includes('..') || parts.includes('.')) return null;
    return path;
  } catch {
    return null;
  }
}

interface FoundFile {
  readonly path: string;
  readonly size: number;
  readonly changedAtMs: number;
}

async function fileInside(folder: string, name: string): Promise<FoundFile | null> {
  try {
    // A link that leads out of the folder is refused too.
    const path = await realpath(resolve(join(folder, name)));
    if (!path.startsWith(folder + sep)) return null;
    const facts = await stat(path);
    return facts.isFile() ? { path, size: facts.size, changedAtMs: facts.mtimeMs } : null;
  } catch {
    return null;
  }
}

async function encodedCopy(path: string, accepted: string): Promise<(FoundFile & { readonly encoding: string }) | null> {
  const refused = (name: string): boolean => new RegExp(`\\b${name}\\s*;\\s*q=0(?:\\.0*)?(?:,|\\s|$)`).test(accepted);
  for (const { name, suffix } of ENCODINGS) {
    if (!new RegExp(`(?:^|[,\\s])${name}(?:$|[,;\\s])`).test(accepted) || refused(name)) continue;
    try {
      const facts = await stat(path + suffix);
      return { path: path + suffix, size: facts.size, changedAtMs: facts.mtimeMs, encoding: name };
    } catch {
      // No copy in this encoding: the next one, or the file itself.
    }
  }
  return null;
}

/** One range. Anything else than a single well-formed `bytes=` range is ignored, as RFC 9110 14.2 allows. */
function parseRange(header: string, size: number): { readonly first: number; readonly last: number } | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (match === null) return null;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return null;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return null;
  return first > last || (from === '' && Number(to) === 0) ? 'unsatisfiable' : { first, last };
}

function listed(header: string | undefined, etag: string): boolean {
  return header !== undefined && (header.trim() === '*' || header.split(',').some((item) => item.trim().replace(/^W\//, '') === etag));
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.removeHeader('Content-Encoding');
  response.removeHeader('ETag');
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`${text}\n`);
}
