/**
 * The Hub, as far as loading a checkpoint or a dataset goes. Models are given as files in memory and may be changed while it runs; faults
 * are queued and each is met once. Knows HTTP; knows no format.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface FakeModel {
  files: ReadonlyMap<string, Uint8Array>;
  /** Without the token the Hub says 401 for a private model, as for one that does not exist, and 403 for a gated one. */
  access?: 'public' | 'private' | 'gated';
}

export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number }
  /** The connection breaks after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The body is shorter than was said, and the answer ends properly. */
  | { readonly kind: 'short' }
  /** The file turns into another one: its stamp changes from here on. */
  | { readonly kind: 'changed' }
  /** The storage has only so many bytes of the file now: a range beyond them is answered with 416, as HTTP wants. */
  | { readonly kind: 'shrunk'; readonly bytes: number }
  /** The storage gives the note that Git LFS leaves in place of a file. */
  | { readonly kind: 'pointer' }
  /** The list says one size, the storage another. */
  | { readonly kind: 'wrong-size' };

export interface FakeHub {
  /** Ends with a slash. */
  readonly url: string;
  /** By `user/model`; a dataset by `datasets/user/name`. */
  readonly models: Map<string, FakeModel>;
  readonly token: string;
  /** Met by the next requests for a large file's bytes, one each; `list` faults by the next list. */
  readonly faults: Fault[];
  readonly listFaults: Fault[];
  /** `GET path range` of every request. */
  readonly log: string[];
  close(): Promise<void>;
}

/** Larger files are kept in the storage and redirected to, as those that Git LFS holds. */
const LARGE_BYTES = 64 * 1024;

export async function startFakeHub(): Promise<FakeHub> {
  const models = new Map<string, FakeModel>();
  const faults: Fault[] = [];
  const listFaults: Fault[] = [];
  const log: string[] = [];
  let generation = 1;
  const token = 'hf_test';

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '/', 'http://hub');
    log.push(`${request.method} ${url.pathname} ${request.headers.range ?? ''}`.trim());
    // What a browser needs to be told before it hands an answer of another host to a page.
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-expose-headers', 'ETag, Content-Range, Content-Length, Accept-Ranges, Retry-After');
    if (request.method === 'OPTIONS') return void response.writeHead(204, { 'access-control-allow-headers': 'authorization, range' }).end();
    if (url.pathname.startsWith('/storage/')) return sendStored(url.pathname.slice('/storage/'.length), request, response);
    const list = /^\/api\/(?:models\/)?([^/]+\/[^/]+|datasets\/[^/]+\/[^/]+)\/revision\/(.+)$/.exec(url.pathname);
    const resolve = /^\/([^/]+\/[^/]+|datasets\/[^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const id = list?.[1] ?? resolve?.[1];
    const model = id === undefined ? undefined : models.get(id);
    const knows = request.headers.authorization === `Bearer ${token}`;
    // The Hub does not say whether a model exists that one may not see.
    if (model === undefined || (model.access === 'private' && !knows)) return void response.writeHead(knows ? 404 : 401).end('{"error":"Repository not found"}');
    if (list !== null) return sendList(id!, model, list[2]!, response);
    if (model.access === 'gated' && !knows) return void response.writeHead(403).end('{"error":"gated"}');
    const file = decodeURIComponent(resolve![3]!);
    const bytes = model.files.get(file);
    if (resolve![2] !== commitOf(model) || bytes === undefined) return void response.writeHead(404).end('Entry not found');
    if (bytes.length > LARGE_BYTES) return void response.writeHead(302, { location: `/storage/${encodeURIComponent(id!)}/${encodeURIComponent(file)}` }).end();
    send(bytes, `"${hash(bytes).slice(0, 40)}"`, request, response);
  };

  const sendList = (id: string, model: FakeModel, revision: string, response: ServerResponse): void => {
    const fault = listFaults.shift();
    if (fault?.kind === 'status') return void refuse(response, fault);
    if (revision !== 'main' && revision !== commitOf(model)) return void response.writeHead(404).end('{"error":"Revision not found"}');
    const siblings = [...model.files].map(([rfilename, bytes]) => {
      const size = fault?.kind === 'wrong-size' && bytes.length > LARGE_BYTES ? bytes.length + 1 : bytes.length;
      return { rfilename, size, ...(bytes.length > LARGE_BYTES ? { lfs: { sha256: hash(bytes), size, pointerSize: 134 } } : {}) };
    });
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id, sha: commitOf(model), siblings }));
  };

  const sendStored = (path: string, request: IncomingMessage, response: ServerResponse): void => {
    const [id = '', file = ''] = path.split('/').map(decodeURIComponent);
    const bytes = models.get(id)?.files.get(file);
    if (bytes === undefined) return void response.writeHead(404).end();
    const fault = faults.shift();
    if (fault?.kind === 'status') return void refuse(response, fault);
    if (fault?.kind === 'changed') generation += 1;
    const present = fault?.kind === 'shrunk' ? bytes.subarray(0, fault.bytes) : bytes;
    const content = fault?.kind === 'pointer' ? Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${hash(bytes)}\nsize ${bytes.length}\n`) : present;
    send(content, `"${hash(bytes)}-${generation}"`, request, response, fault);
  };

  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    models,
    token,
    faults,
    listFaults,
    log,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function refuse(response: ServerResponse, { status, retryAfter }: Extract<Fault, { readonly kind: 'status' }>): void {
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
  response.writeHead(status).end();
}

function send(bytes: Uint8Array, etag: string, request: IncomingMessage, response: ServerResponse, fault?: Fault): void {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const first = range === null ? 0 : Number(range[1]);
  if (range !== null && first >= bytes.length) return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  const piece = range === null ? bytes : bytes.subarray(first, Number(range[2]) + 1);
  const body = fault?.kind === 'short' ? piece.subarray(0, Math.floor(piece.length / 2)) : piece;
  const length = { 'content-length': body.length, 'accept-ranges': 'bytes', etag };
  response.writeHead(range === null ? 200 : 206, range === null ? length : { ...length, 'content-range': `bytes ${first}-${first + piece.length - 1}/${bytes.length}` });
  if (fault?.kind !== 'cut') return void response.end(body);
  response.write(body.subarray(0, fault.afterBytes));
  setTimeout(() => response.destroy(), 20);
}

/** Forty digits, as a commit; of the names and contents. */
function commitOf(model: FakeModel): string {
  const all = createHash('sha1');
  for (const [file, bytes] of [...model.files].sort(([a], [b]) => (a < b ? -1 : 1))) all.update(`${file} ${bytes.length} `).update(bytes);
  return all.digest('hex');
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
