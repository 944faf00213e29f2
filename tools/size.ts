/**
 * `npm run size`: what a visitor downloads. Reads `dist/` (builds it first where stale) and adds up gzip copies only,
 * as a plain host sends them, for the first motion. Fails where a path is over the limit:
 *
 *   with JSPI     the GPU build, and the WASM build fetched as well after a failed self-test
 *   without JSPI  the larger GPU build alone: the inference worker takes its CPU engine from the build that is already
 *                 here (`workers/inference/engines.ts`; a story counts the downloads), so nobody fetches two
 *
 * That second promise makes the first path shorter, too; it is counted in full all the same. What both downloads would
 * be without JSPI is printed and not judged. All JavaScript is counted, also what the first motion does not need.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { buildIfStale } from './build-state.ts';

const LIMIT_BYTES = 20_000_000;
const dist = resolve(import.meta.dirname, '../dist');

interface Shipped {
  readonly path: string;
  readonly rawBytes: number;
  readonly gzipBytes: number;
}

buildIfStale();
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/\.(?:gz|br)$/.test(entry.name))
  .map((entry) => measured(join(entry.parentPath, entry.name)));

const scripts = files.filter(({ path }) => /\.m?js$/.test(path));
const engine = (build: string): Shipped => one(new RegExp(`ort-wasm-simd-threaded${build}-[\\w-]+\\.wasm$`));
const physics = one(/mujoco-[\w-]+\.wasm$/);
const page = files.filter(({ path }) => /\.(?:html|css|woff2|svg|png|ico)$/.test(path));
const policy = files.filter(({ path }) => path.startsWith('policies/pocket/'));
const jspi = engine('\\.jspi');
const asyncify = engine('\\.asyncify');
const wasm = engine('');

table('JavaScript', scripts);
table('Page', page);
table('Physics', [physics]);
table('Policy', policy);
table('Engines', [jspi, asyncify, wasm]);

const everybody = total([...scripts, ...page, physics, ...policy]);
console.log(`JavaScript, gzip: ${megabytes(total(scripts))}`);
const paths = {
  'with JSPI (Chrome 137 and later), self-test failed, WASM fetched too': everybody + jspi.gzipBytes + wasm.gzipBytes,
  'without JSPI': everybody + asyncify.gzipBytes,
};
console.log(`Before the first motion, usual path: ${megabytes(everybody + jspi.gzipBytes)}`);
for (const [name, bytes] of Object.entries(paths)) console.log(`Before the first motion, ${name}: ${megabytes(bytes)}`);
console.log(`Not reachable: without JSPI and WASM fetched too would be ${megabytes(everybody + asyncify.gzipBytes + wasm.gzipBytes)}`);
const worst = Math.max(...Object.values(paths));
const accepted = worst <= LIMIT_BYTES && policy.length > 0;
console.log(`Worst path ${megabytes(worst)} of at most ${megabytes(LIMIT_BYTES)}: ${accepted ? 'within' : policy.length === 0 ? 'no policy is shipped, so this is not the worst path' : 'OVER'}`);
process.exitCode = accepted ? 0 : 1;

function measured(path: string): Shipped {
  const rawBytes = statSync(path).size;
  return { path: relative(dist, path).replaceAll('\\', '/'), rawBytes, gzipBytes: existsSync(`${path}.gz`) ? statSync(`${path}.gz`).size : rawBytes };
}

function one(pattern: RegExp): Shipped {
  const found = files.filter(({ path }) => pattern.test(path));
  if (found.length !== 1 || found[0] === undefined) throw new Error(`dist/ should hold one file like ${String(pattern)}, it holds ${found.length}: ${found.map(({ path }) => path).join(', ')}`);
  return found[0];
}

function total(list: readonly Shipped[]): number {
  return list.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
}

function table(title: string, list: readonly Shipped[]): void {
  console.log(title);
  for (const { path, rawBytes, gzipBytes } of list.toSorted((a, b) => b.gzipBytes - a.gzipBytes)) {
    console.log(`  ${(gzipBytes / 1000).toFixed(1).padStart(9)} kB gzip ${(rawBytes / 1000).toFixed(1).padStart(9)} kB   ${basename(path)}`);
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
