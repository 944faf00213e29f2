/**
 * `npm run bench:policy`: the benchmark's page of the built app in headless Chromium, on one engine or on each, and the same
 * policy on onnxruntime-node in the same run, with as many threads.
 *
 *   npm run bench:policy -- [--engine webgpu|wasm|both] [--precision f32] [--laps 20] [--node yes|no] [--json FILE] [--site DIR] [--flags "--use-angle=vulkan ..."]
 *
 * `--site` names a built page (`dist/` where absent, built if it is stale). `--flags` are handed to Chromium instead of the software GPU's, for a machine with a real one. Prints a table and, with
 * `--json FILE`, writes the reports as the page saves them. The checkpoint is the pocket policy that ships with the page.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import type { BenchReport } from '#contracts/bench.ts';
import { PRECISIONS } from '#contracts/policy.ts';
import { evenLine } from '#page/words/bench.ts';
import { perSecond, printFigures } from './bench-report.ts';
import { buildIfStale } from './build-state.ts';
import { CHROMIUM_FLAGS, ensureChromium } from './chromium.ts';
import { openNodeChunks } from './node-chunks.ts';
import { serve } from './serve.ts';

const { values: options } = parseArgs({
  options: { engine: { type: 'string', default: 'both' }, precision: { type: 'string' }, laps: { type: 'string', default: '20' }, node: { type: 'string', default: 'yes' }, json: { type: 'string' }, site: { type: 'string' }, flags: { type: 'string' } },
});
const LAPS = Number(options.laps);
if (!Number.isInteger(LAPS) || LAPS < 1 || LAPS > 1000) throw new Error('--laps takes a whole number from 1 to 1000');
const ENGINES = { webgpu: ['webgpu'], wasm: ['wasm'], both: ['wasm', 'webgpu'] } as const;
if (!(options.engine in ENGINES)) throw new Error('--engine takes webgpu, wasm or both');
if (options.precision !== undefined && !PRECISIONS.some((one) => one === options.precision)) throw new Error(`--precision takes one of ${PRECISIONS.join(', ')}`);
/** The page's own choice where nothing is said. */
const source = options.precision === undefined ? {} : { source: { kind: 'shipped', name: 'policies/pocket', precision: options.precision } };
const FLAGS = options.flags === undefined ? CHROMIUM_FLAGS : [...CHROMIUM_FLAGS.filter((flag) => !/swiftshader/.test(flag)), ...options.flags.split(' ').filter((flag) => flag !== '')];
const REPOSITORY = resolve(import.meta.dirname, '..');

interface NodeFigures {
  readonly threads: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly laps: number;
}

if (options.site === undefined) buildIfStale();
const SITE = resolve(options.site ?? resolve(REPOSITORY, 'dist'));
const reports: Record<string, BenchReport> = {};
console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`);
for (const engine of ENGINES[options.engine as keyof typeof ENGINES]) {
  const report = await inBrowser(engine);
  reports[engine] = report;
  print(report);
}
const threads = reports['wasm']?.figures.engine.threads ?? cpus().length;
const node = options.node === 'yes' ? await inNode(threads) : null;
if (node !== null) {
  console.log(`\nonnxruntime-node, ${node.threads} threads: median ${node.p50Ms.toFixed(0)} ms (95 %: ${node.p95Ms.toFixed(0)} ms) of ${node.laps} chunks, ${perSecond(node.p50Ms)} chunks a second`);
  for (const [engine, { figures }] of Object.entries(reports)) {
    console.log(`${engine} in Chromium: ${perSecond(figures.endToEnd.p50Ms)} chunks a second, ${(node.p50Ms / figures.endToEnd.p50Ms).toFixed(2)} of onnxruntime-node's speed`);
  }
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ reports, node }, null, 2)}\n`);

async function inBrowser(engine: 'webgpu' | 'wasm'): Promise<BenchReport> {
  const server = await serve({ folder: SITE });
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...FLAGS] });
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } });
    await page.goto(`${server.url}?only=bench&engine=${engine}`);
    // Set before the page is drawn. A function to wait for would be built from text, which the page's own policy forbids.
    await page.waitForSelector('main.bench', { timeout: 60_000 });
    return (await page.evaluate(`bench.run(${JSON.stringify({ engine, laps: LAPS, ...source })})`)) as BenchReport;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** The same pack, the same number of threads, the sample observation's sizes. */
async function inNode(threads: number): Promise<NodeFigures> {
  const chunks = await openNodeChunks({ threads, precision: Object.values(reports)[0]!.figures.policy.precision });
  try {
    const laps: number[] = [];
    for (let i = -2; i < LAPS; i++) {
      const fromMs = performance.now();
      await chunks.compute();
      // Two laps to warm up, as in the browser.
      if (i >= 0) laps.push(performance.now() - fromMs);
    }
    laps.sort((a, b) => a - b);
    const at = (share: number): number => laps[Math.ceil(share * laps.length) - 1]!;
    return { threads, laps: laps.length, p50Ms: at(0.5), p95Ms: at(0.95) };
  } finally {
    await chunks.dispose();
  }
}

function print({ machine, figures, beside }: BenchReport): void {
  printFigures(figures, machine.browser);
  console.log(`  30 Hz loop off by ${evenLine(beside.computing.loop)} while computing, ${evenLine(beside.idle.loop)} before`);
  console.log(`  page frame        ${evenLine(beside.computing.frame)} while computing, ${evenLine(beside.idle.frame)} before`);
}
