/**
 * What `vite build` leaves to do: the service worker for plain hosts, as a file of its own at the root of `dist/`, and
 * a gzip and a Brotli copy beside every file worth one, so that the server never compresses anything while serving.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'vite';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** Compressed bytes by the hash of their content: the engines' .wasm are 68 MB and change only with their version. */
const cache = join(root, 'node_modules', '.cache', 'precompressed');

const COMPRESSIBLE = new Set(['.html', '.js', '.mjs', '.css', '.json', '.svg', '.txt', '.wasm', '.map', '.webmanifest', '.safetensors', '.bin', '.onnx']);
/** Below one network packet a copy saves nothing. */
const LEAST_BYTES = 1400;
/** A copy that saves less than this share is not worth a decompression. */
const LEAST_SAVING = 0.1;
/** Brotli's best quality costs about 2 s a megabyte; above this size quality 9 is used (about 3 % larger, 20 times faster). */
const SLOW_BROTLI_MOST_BYTES = 1_000_000;

await build({
  root,
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  build: {
    target: 'es2023',
    outDir: dist,
    emptyOutDir: false,
    rollupOptions: {
      input: join(root, 'workers/isolation/service-worker.ts'),
      output: { format: 'iife', entryFileNames: 'isolation-sw.js' },
    },
  },
});

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
let copies = 0;
mkdirSync(cache, { recursive: true });
// Two at a time: zlib runs in Node's own threads, and a small machine has two cores.
const queue = files.filter((file) => COMPRESSIBLE.has(extname(file)) && statSync(file).size >= LEAST_BYTES);
await Promise.all([worker(), worker()]);
// Written last: a build that broke off half-way has none and is made again.
writeFileSync(join(dist, 'build.json'), `${JSON.stringify({ builtAt: new Date().toISOString(), files: files.length })}\n`);
console.log(`dist/: ${files.length} files, ${copies} compressed copies`);

async function worker(): Promise<void> {
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const bytes = readFileSync(file);
    for (const encoding of ['gz', 'br'] as const) {
      const compressed = await cached(bytes, encoding);
      if (compressed.length > bytes.length * (1 - LEAST_SAVING)) continue;
      writeFileSync(`${file}.${encoding}`, compressed);
      copies += 1;
    }
  }
}

async function cached(bytes: Buffer, encoding: 'gz' | 'br'): Promise<Buffer> {
  const path = join(cache, `${createHash('sha256').update(bytes).digest('hex')}.${encoding}`);
  if (existsSync(path)) return readFileSync(path);
  const compressed = await compress(bytes, encoding);
  writeFileSync(path, compressed);
  return compressed;
}

function compress(bytes: Buffer, encoding: 'gz' | 'br'): Promise<Buffer> {
  switch (encoding) {
    case 'gz':
      return promisify(gzip)(bytes, { level: 9 });
    case 'br':
      return promisify(brotliCompress)(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: bytes.length > SLOW_BROTLI_MOST_BYTES ? 9 : 11,
          [constants.BROTLI_PARAM_LGWIN]: 24,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      });
  }
}
