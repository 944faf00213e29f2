/** The server, asked over a real socket. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve, type RunningServer } from './serve.ts';

const SCRIPT = 'console.log(1);\n'.repeat(200);
const BLOB = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));

let folder = '';
let server: RunningServer;

beforeAll(async () => {
  const parent = mkdtempSync(join(tmpdir(), 'serve-'));
  folder = join(parent, 'site');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(join(parent, 'secret.txt'), 'not yours');
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>x</title>');
  writeFileSync(join(folder, 'assets/app-abcd1234.js'), SCRIPT);
  writeFileSync(join(folder, 'assets/app-abcd1234.js.gz'), gzipSync(SCRIPT));
  writeFileSync(join(folder, 'assets/app-abcd1234.js.br'), brotliCompressSync(SCRIPT));
  writeFileSync(join(folder, 'assets/world-worker-abcd1234.js'), '1');
  writeFileSync(join(folder, 'assets/engine.wasm'), BLOB);
  writeFileSync(join(folder, 'empty.bin'), '');
  symlinkSync(join(parent, 'secret.txt'), join(folder, 'link.txt'));
  server = await serve({ folder });
});

afterAll(async () => {
  await server.close();
  rmSync(join(folder, '..'), { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** Node's own request, because fetch would tidy up a path with dots before sending it. */
function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET', of: RunningServer = server): Promise<Answer> {
  return new Promise((done, failed) => {
    const sent = request({ host: '127.0.0.1', port: of.port, path, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }));
    });
    sent.on('error', failed);
    sent.end();
  });
}

test('the page is served isolated, under a policy that lists where it may connect', async () => {
  const answer = await ask('/');
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(answer.headers['cross-origin-opener-policy']).toBe('same-origin');
  expect(answer.headers['cross-origin-embedder-policy']).toBe('require-corp');
  const policy = String(answer.headers['content-security-policy']);
  expect(policy).toContain("connect-src 'self' https://huggingface.co https://*.huggingface.co https://*.hf.co;");
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
  expect(policy).not.toContain("'unsafe-inline'");
});

test('only a worker that runs physics may build code from text', async () => {
  const world = await ask('/assets/world-worker-abcd1234.js');
  expect(world.headers['content-security-policy']).toContain("'unsafe-eval'");
  expect((await ask('/assets/episode-worker-abcd1234.js')).headers['content-security-policy']).toContain("'unsafe-eval'");
  for (const path of ['/', '/assets/inference-worker-abcd1234.js', '/assets/app-abcd1234.js', '/assets/engine.wasm', '/nothing', '/assets/world-worker-abcd1234.js/x']) {
    expect((await ask(path)).headers['content-security-policy'], path).not.toContain("'unsafe-eval'");
  }
});

test('the compressed copy that the browser accepts is sent, Brotli first', async () => {
  const both = await ask('/assets/app-abcd1234.js', { 'accept-encoding': 'gzip, deflate, br' });
  expect(both.headers['content-encoding']).toBe('br');
  expect(brotliDecompressSync(both.body).toString()).toBe(SCRIPT);
  const gzipOnly = await ask('/assets/app-abcd1234.js', { 'accept-encoding': 'gzip, br;q=0' });
  expect(gzipOnly.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(gzipOnly.body).toString()).toBe(SCRIPT);
  const none = await ask('/assets/app-abcd1234.js', { 'accept-encoding': 'identity' });
  expect(none.headers['content-encoding']).toBeUndefined();
  expect(none.body.toString()).toBe(SCRIPT);
  expect(none.headers['vary']).toBe('Accept-Encoding');
});

test('files with a hash in their name are kept for ever, others are asked for again', async () => {
  expect((await ask('/assets/app-abcd1234.js')).headers['cache-control']).toContain('immutable');
  expect((await ask('/index.html')).headers['cache-control']).toBe('no-cache');
  const first = await ask('/index.html');
  const again = await ask('/index.html', { 'if-none-match': String(first.headers['etag']) });
  expect(again.status).toBe(304);
  expect(again.body.length).toBe(0);
});

test('byte ranges of the uncompressed file', async () => {
  const middle = await ask('/assets/engine.wasm', { range: 'bytes=10-19', 'accept-encoding': 'br' });
  expect(middle.status).toBe(206);
  expect(middle.headers['content-type']).toBe('application/wasm');
  expect(middle.headers['content-range']).toBe('bytes 10-19/1000');
  expect(middle.body).toEqual(BLOB.subarray(10, 20));
  expect((await ask('/assets/engine.wasm', { range: 'bytes=-5' })).body).toEqual(BLOB.subarray(995));
  expect((await ask('/assets/engine.wasm', { range: 'bytes=990-' })).body).toEqual(BLOB.subarray(990));
  expect((await ask('/assets/engine.wasm', { range: 'bytes=990-5000' })).body).toEqual(BLOB.subarray(990));
  const beyond = await ask('/assets/engine.wasm', { range: 'bytes=1000-' });
  expect(beyond.status).toBe(416);
  expect(beyond.headers['content-range']).toBe('bytes */1000');
  for (const odd of ['bytes=5-1', 'bytes=1-2,4-5', 'lines=1-2', 'bytes=-']) {
    expect((await ask('/assets/engine.wasm', { range: odd })).status, odd).toBe(200);
  }
  expect((await ask('/assets/engine.wasm', { range: 'bytes=0-1', 'if-range': '"other"' })).body.length).toBe(1000);
});

test('nothing outside the folder is served', async () => {
  const attempts = ['/../secret.txt', '/assets/../../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/assets/..%2f..%2fsecret.txt', '/..%5csecret.txt', '/link.txt', '/%00', '/%zz', '//etc/passwd', '/./index.html'];
  for (const path of attempts) {
    const answer = await ask(path);
    expect([400, 404], path).toContain(answer.status);
    expect(answer.body.toString(), path).not.toContain('not yours');
  }
});

test('HEAD has no body, other methods are refused, an empty file is empty', async () => {
  const head = await ask('/assets/engine.wasm', {}, 'HEAD');
  expect(head.headers['content-length']).toBe('1000');
  expect(head.body.length).toBe(0);
  expect((await ask('/', {}, 'POST')).status).toBe(405);
  expect((await ask('/empty.bin')).status).toBe(200);
});

test('a taken port is not an error, and a plain host under a sub-path sends no policy', async () => {
  const second = await serve({ folder, port: server.port, headers: 'none', basePath: '/some/sub/path/' });
  try {
    expect(second.port).not.toBe(server.port);
    const page = await ask('/some/sub/path/', {}, 'GET', second);
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toBeUndefined();
    expect((await ask('/', {}, 'GET', second)).status).toBe(404);
    expect((await ask('/some/sub/path', {}, 'GET', second)).headers['location']).toBe('/some/sub/path/');
  } finally {
    await second.close();
  }
});

test('a test may replace one file, or take it away', async () => {
  const damaged = await serve({ folder, replace: (path) => (path === 'assets/engine.wasm' ? Buffer.from('short') : path === 'index.html' ? null : undefined) });
  try {
    expect((await ask('/assets/engine.wasm', {}, 'GET', damaged)).body.toString()).toBe('short');
    expect((await ask('/assets/engine.wasm', { range: 'bytes=1-2' }, 'GET', damaged)).body.toString()).toBe('ho');
    expect((await ask('/', {}, 'GET', damaged)).status).toBe(404);
    expect((await ask('/assets/app-abcd1234.js', {}, 'GET', damaged)).status).toBe(200);
  } finally {
    await damaged.close();
  }
});
