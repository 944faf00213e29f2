/** A checkpoint over real HTTP: hosts with ranges, without, with a page for every unknown path, and gone. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { openCheckpoint } from './checkpoint.ts';
import { httpFiles } from './http-files.ts';
import { tinyCheckpoint } from './testing/tiny-checkpoint.ts';

let server: Server | null = null;
afterEach(() => server?.close());

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const started = createServer(answer);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const address = started.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/`;
}

/** Sends a file, or the piece of it that the Range header asks for. */
function send(files: ReadonlyMap<string, Uint8Array>, request: IncomingMessage, response: ServerResponse, log: string[] = []): void {
  const bytes = files.get((request.url ?? '/').slice(1));
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  log.push(`${request.url} ${request.headers.range ?? 'whole'}`);
  if (bytes === undefined) {
    response.writeHead(404).end();
  } else if (range === null) {
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  } else {
    const first = Number(range[1]);
    const piece = bytes.subarray(first, Number(range[2]) + 1);
    response.writeHead(206, { 'content-range': `bytes ${first}-${first + piece.length - 1}/${bytes.length}`, 'content-length': piece.length, etag: '"v1"' }).end(piece);
  }
}

it('opens a checkpoint from a host with ranges', async () => {
  const files = tinyCheckpoint();
  const base = await serve((request, response) => send(files, request, response));
  const { view, readNumbers } = await openCheckpoint(httpFiles('tiny', base));
  expect(view.tensors.size).toBe(4);
  expect([...(await readNumbers('model.proj.bias', 0, 3))]).toEqual([0.5, -0.5, 0.25]);
});

it('reads a file of 40 MiB in blocks, keeps a bounded number, and is exact across their borders', async () => {
  const random = seededRandom(3);
  const big = Uint8Array.from({ length: 40 * 1024 * 1024 + 123 }, (_, i) => (i * 2654435761) >>> 24);
  const log: string[] = [];
  const progress: number[] = [];
  const base = await serve((request, response) => send(new Map([['big', big]]), request, response, log));
  const file = await httpFiles('x', base, { onProgress: ({ doneBytes, totalBytes }) => (expect(totalBytes).toBe(big.length), progress.push(doneBytes)) }).open('big');
  if (file === null) throw new Error('absent');
  expect(file.stamp).toBe('"v1"');
  for (let at = 0; at < big.length; ) {
    const length = Math.min(random.index(3_000_000), big.length - at);
    const piece = await file.read(at, length);
    expect(Buffer.compare(piece, big.subarray(at, at + length))).toBe(0);
    at += length;
  }
  // The beginning, then 11 blocks of 4 MiB, each fetched once when read in order.
  expect(log.length).toBe(12);
  expect(progress.at(-1)).toBe(big.length);
  await file.read(0, 1000);
  expect(log.length).toBe(12);
  await file.read(200_000, 10);
  expect(log.length).toBe(13);
  await expect(file.read(big.length - 1, 2)).rejects.toMatchObject({ failure: { code: 'checkpoint/file-truncated' } });
});

it('works on a host that ignores ranges', async () => {
  const files = tinyCheckpoint();
  const base = await serve((request, response) => {
    delete request.headers.range;
    send(files, request, response);
  });
  expect((await openCheckpoint(httpFiles('tiny', base))).view.tensors.size).toBe(4);
});

it('an empty file is there and cut short, not absent', async () => {
  const files = tinyCheckpoint({ 'model.safetensors': new Uint8Array() });
  const base = await serve((request, response) => {
    if (request.headers.range !== undefined && files.get((request.url ?? '/').slice(1))?.length === 0) response.writeHead(416, { 'content-range': 'bytes */0' }).end();
    else send(files, request, response);
  });
  await expect(openCheckpoint(httpFiles('tiny', base))).rejects.toMatchObject({ failure: { code: 'checkpoint/file-truncated', facts: { file: 'model.safetensors', foundBytes: 0 } } });
});

it('takes a page that a host sends for every unknown path for what it is: an absent file', async () => {
  const files = tinyCheckpoint({ 'model.safetensors': null });
  const base = await serve((request, response) => {
    if (files.has((request.url ?? '/').slice(1))) send(files, request, response);
    else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<!doctype html>');
  });
  await expect(openCheckpoint(httpFiles('tiny', base))).rejects.toMatchObject({ failure: { code: 'checkpoint/file-missing', facts: { file: 'model.safetensors' } } });
});

it('a host that fails, one that is gone, and one that hangs up say so', async () => {
  const base = await serve((_request, response) => response.writeHead(503).end());
  const pauses: number[] = [];
  const quick = { pause: async (ms: number) => void pauses.push(ms) };
  await expect(openCheckpoint(httpFiles('tiny', base, quick))).rejects.toMatchObject({ failure: { code: 'download/failed', facts: { status: 503 } } });
  expect(pauses).toEqual([500, 2000, 6000]);
  server?.close();
  server?.closeAllConnections();
  await expect(openCheckpoint(httpFiles('tiny', base))).rejects.toMatchObject({ failure: { code: 'download/failed', facts: { status: null } } });
  const short = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('{');
    setTimeout(() => response.destroy(), 20);
  });
  await expect(openCheckpoint(httpFiles('tiny', short, quick))).rejects.toMatchObject({ failure: { code: 'download/failed' } });
});

it('stops reading a config that does not end', async () => {
  const base = await serve((_request, response) => {
    response.writeHead(200);
    const more = setInterval(() => response.write(Buffer.alloc(256 * 1024, 0x20)), 1);
    response.on('close', () => clearInterval(more));
  });
  await expect(openCheckpoint(httpFiles('tiny', base))).rejects.toMatchObject({ failure: { code: 'checkpoint/file-corrupt', facts: { file: 'config.json' } } });
});
