/**
 * `npm run bench:gpu`: one chunk of SmolVLA-450M on this machine's graphics card, in Chromium, and by PyTorch on the same card in
 * the same run. One command, no network: weights are random and made here.
 *
 *   npm run bench:gpu -- [--checkpoint FOLDER] [--precision q8] [--activations float32|float16] [--laps 50] [--where auto|chromium|dawn|rehearsal]
 *                        [--flags "..."] [--torch yes|no] [--python PATH] [--json FILE]
 *
 * Where: Chromium with Vulkan (Metal, D3D12) if it offers a real card; else Dawn for Node on the same card, and said so; else a
 * rehearsal on Chromium's software GPU, which shows that the script runs and nothing about speed. The engine is the page's own,
 * with its self-test, and the benchmark is the page's (`?only=bench`). PyTorch is `training/bench_chunk.py`, after
 * `check_golden.py` has held its model code against LeRobot.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import type { BenchFigures, BenchReport } from '#contracts/bench.ts';
import type { Outcome } from '#contracts/failure.ts';
import { PRECISIONS } from '#contracts/policy.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { memoryStore } from '#core/conversion/store.ts';
import { systemClock } from '#core/lib/clock.ts';
import { FailureError, unwrap } from '#core/lib/failure.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { anyFamilyRecipe, loadPolicy } from '#core/policy/family.ts';
import { watchGpu } from '#workers/inference/bench/gpu-watch.ts';
import { watchHeap } from '#workers/inference/bench/heap-watch.ts';
import { BenchService } from '#workers/inference/bench/service.ts';
import { probeAdapter } from '#workers/inference/gpu-device.ts';
import { trustedGpu } from '#workers/inference/self-test.ts';
import { printFigures } from './bench-report.ts';
import { buildIfStale } from './build-state.ts';
import { CHROMIUM_FLAGS, ensureChromium } from './chromium.ts';
import { openDawn } from './dawn.ts';
import { writeFullSize } from './make-full-size.ts';
import { folderFiles } from './policy/folder.ts';
import { serveWithPolicy } from './site-with-policy.ts';

const { values: options } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    precision: { type: 'string', default: 'q8' },
    activations: { type: 'string', default: 'float32' },
    laps: { type: 'string', default: '50' },
    where: { type: 'string', default: 'auto' },
    flags: { type: 'string' },
    torch: { type: 'string', default: 'yes' },
    python: { type: 'string', default: process.env['PYTHON'] ?? 'python3' },
    json: { type: 'string' },
  },
});
const precision = PRECISIONS.find((one) => one === options.precision);
if (precision === undefined) throw new Error(`--precision takes ${PRECISIONS.join(', ')}`);
const activations = (['float32', 'float16'] as const).find((one) => one === options.activations);
if (activations === undefined) throw new Error('--activations takes float32 or float16');
const LAPS = Number(options.laps);
const WHERES = ['auto', 'chromium', 'dawn', 'rehearsal'] as const;
const asked = WHERES.find((one) => one === options.where);
if (asked === undefined) throw new Error(`--where takes ${WHERES.join(', ')}`);

/** What the issue asks of a real card. */
const BARS = { p50Ms: 33, timesEager: 2 } as const;
/** A real card: no software adapter is named, and the blocklist of old drivers is passed over, because the self-test judges. */
const CARD_FLAGS = [
  ...CHROMIUM_FLAGS.filter((flag) => !/swiftshader/.test(flag)),
  '--ignore-gpu-blocklist',
  // Timestamps in nanoseconds and not in steps of 0.1 ms.
  '--enable-webgpu-developer-features',
  ...(process.platform === 'linux' ? ['--enable-features=Vulkan', '--use-angle=vulkan', '--disable-vulkan-surface'] : []),
  ...(options.flags ?? '').split(' ').filter((flag) => flag !== ''),
];

interface Measured {
  readonly where: string;
  readonly figures: BenchFigures;
}

const checkpoint = options.checkpoint ?? join(tmpdir(), 'smolvla-450m-random');
if (options.checkpoint === undefined && !existsSync(join(checkpoint, 'model.safetensors'))) {
  console.log('Making SmolVLA-450M with random weights, 0.9 GB.');
  writeFullSize(checkpoint);
}
console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`);
const ours = await measured();
printFigures(ours.figures, ours.where);
const torch = options.torch === 'yes' ? besidePyTorch(ours.figures) : null;
const rehearsed = !onCard(ours.figures);
verdict(ours.figures, torch);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ ...ours, kind: rehearsed ? 'rehearsal' : 'card', torch }, null, 2)}\n`);
// Dawn keeps threads of its own; nothing is left to wait for.
process.exit(0);

async function measured(): Promise<Measured> {
  if (asked === 'dawn') return inDawn();
  if (asked === 'rehearsal') return inChromium(CHROMIUM_FLAGS, 'software');
  const found = await inChromium(CARD_FLAGS, 'hardware').catch((thrown: unknown) => {
    console.log(`Chromium offers no graphics card: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return null;
  });
  if (found !== null) return found;
  if (asked === 'chromium') throw new Error('no graphics card in Chromium');
  openDawn([]);
  const probed = await probeAdapter().catch(() => null);
  if (probed?.kind === 'hardware') return inDawn();
  console.log('Dawn for Node finds no graphics card either. What follows is a rehearsal on a software GPU: it shows that the script runs.');
  return inChromium(CHROMIUM_FLAGS, 'software');
}

async function inChromium(flags: readonly string[], kind: 'hardware' | 'software'): Promise<Measured> {
  buildIfStale();
  const site = await serveWithPolicy(resolve(checkpoint));
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...flags] });
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } });
    await page.goto(`${site.url}?only=bench&engine=webgpu`);
    // Set before the page is drawn. A function to wait for would be built from text, which the page's own policy forbids.
    await page.waitForSelector('main.bench', { timeout: 60_000 });
    const adapter = (await page.evaluate(`navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }).then((found) => found === null ? null : [found.info.vendor, found.info.architecture, found.info.description].join(' '))`)) as string | null | undefined;
    if (adapter === null || adapter === undefined) throw new Error('no adapter');
    if (kind === 'hardware' && isSoftware(adapter)) throw new Error(adapter);
    const source = { kind: 'shipped', name: site.policy, precision };
    const report = (await page.evaluate(`bench.run(${JSON.stringify({ source, engine: 'webgpu', activations, laps: LAPS })})`)) as BenchReport;
    return { where: report.machine.browser, figures: report.figures };
  } finally {
    await browser.close();
    await site.close();
  }
}

/** The page's benchmark without a page: its own worker's class, on Dawn for Node. */
async function inDawn(): Promise<Measured> {
  const heap = watchHeap();
  const runtime = openDawn([]);
  const watch = watchGpu();
  let trusted = await trustedGpu(runtime);
  const noCpu = (): Promise<never> => Promise.reject(new FailureError('engine/unavailable', { engine: 'wasm', reason: 'not measured here' }));
  const store = memoryStore();
  const { storedName } = await convertIntoStore({ files: folderFiles(resolve(checkpoint)), recipe: anyFamilyRecipe, precision: precision!, store, name: 'full-size' });
  const service = new BenchService({
    clock: systemClock(),
    watch,
    heap,
    engines: {
      webgpu: async () => trusted.engine,
      webgpuWorthRacing: async () => trusted.engine,
      closeGpu: async () => {
        await trusted.engine.dispose();
        trusted.gpu.close();
        trusted = await trustedGpu(runtime);
      },
      againstGpu: async () => null,
      wasm: noCpu,
      facts: () => ({ build: runtime.build, threads: runtime.threads, adapter: trusted.gpu.adapter, attempts: trusted.attempts }),
      device: () => trusted.gpu.device,
    },
    onProgress: () => undefined,
    openPack: (name) => store.open(name),
    loadPolicy,
    openTokenizer,
    letterbox,
  });
  unwrap(await service.load(storedName, 'webgpu', activations!));
  await laps(2, () => service.lap('warm-up'));
  await laps(LAPS, () => service.lap('end-to-end'));
  await laps(LAPS, () => service.lap('by-part'));
  unwrap(await service.ceilings());
  return { where: `Dawn for Node ${process.version}, no browser, onnxruntime-web's asyncify build without V8's optimising compiler`, figures: unwrap(await service.figures()) };
}

async function laps(count: number, lap: () => Promise<Outcome<number>>): Promise<void> {
  for (let i = 0; i < count; i++) unwrap(await lap());
}

function isSoftware(adapter: string): boolean {
  return /swiftshader|llvmpipe|lavapipe/i.test(adapter);
}

function onCard({ engine: { adapter } }: BenchFigures): boolean {
  return adapter !== null && !isSoftware(`${adapter.architecture} ${adapter.description}`);
}

interface TorchSpread {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

interface TorchResult {
  readonly torch: string;
  readonly device: string;
  readonly name: string;
  readonly forms: Readonly<Record<string, { readonly failed: string } | { readonly endToEnd: TorchSpread; readonly parts: Readonly<Record<'vision' | 'prefix' | 'steps', TorchSpread>> }>>;
}

/** Null where PyTorch is not here; the reason is printed. */
function besidePyTorch({ policy }: BenchFigures): TorchResult | null {
  const training = resolve(import.meta.dirname, '../training');
  const golden = resolve(import.meta.dirname, '../src/core/policy/testing/golden');
  const python = (script: string, words: readonly string[]): string | null => {
    const done = spawnSync(options.python, [join(training, script), ...words], { encoding: 'utf8', maxBuffer: 1 << 26 });
    if (done.status === 0) return done.stdout;
    console.log(`\n${basename(options.python)} ${script} did not run: ${(done.error?.message ?? done.stderr).trim().split('\n').at(-1)}`);
    return null;
  };
  const proof = python('check_golden.py', [golden]);
  if (proof === null) return null;
  console.log(`\nPyTorch's model code against LeRobot: ${proof.trim().split('\n').at(-1)}`);
  const printed = python('bench_chunk.py', ['--checkpoint', resolve(checkpoint), '--laps', String(LAPS), '--cameras', String(policy.cameras)]);
  if (printed === null) return null;
  const result = JSON.parse(printed.trim().split('\n').at(-1)!) as TorchResult;
  console.log(`PyTorch ${result.torch} on ${result.name} (${result.device})`);
  console.log(`  ${'form'.padEnd(16)}${'median'.padStart(9)}${'95 %'.padStart(9)}${'seeing'.padStart(9)}${'reading'.padStart(9)}${'planning'.padStart(9)}   ms`);
  for (const [name, form] of Object.entries(result.forms)) {
    if ('failed' in form) {
      console.log(`  ${name.padEnd(16)}did not run: ${form.failed}`);
      continue;
    }
    const { endToEnd, parts } = form;
    const cells = [endToEnd.p50Ms, endToEnd.p95Ms, parts.vision.p50Ms, parts.prefix.p50Ms, parts.steps.p50Ms];
    console.log(`  ${name.padEnd(16)}${cells.map((ms) => ms.toFixed(1).padStart(9)).join('')}`);
  }
  return result;
}

function verdict({ endToEnd: { p50Ms } }: BenchFigures, torchResult: TorchResult | null): void {
  console.log('');
  if (rehearsed) console.log('A rehearsal: no figure above is a graphics card\'s.');
  else console.log(`Under ${BARS.p50Ms} ms: ${p50Ms < BARS.p50Ms ? 'yes' : 'no'} (${p50Ms.toFixed(1)} ms)`);
  if (torchResult === null) return;
  const ran = Object.entries(torchResult.forms).flatMap(([name, form]) => ('failed' in form ? [] : [{ name, p50Ms: form.endToEnd.p50Ms }]));
  const eager = ran.find(({ name }) => name === 'eager f32');
  if (eager !== undefined) console.log(`PyTorch eager in float32 takes ${(eager.p50Ms / p50Ms).toFixed(2)} times as long${rehearsed ? '' : `; asked for: ${BARS.timesEager}`}`);
  const best = ran.toSorted((a, b) => a.p50Ms - b.p50Ms)[0];
  if (best !== undefined) console.log(`PyTorch's best form, ${best.name}, takes ${(best.p50Ms / p50Ms).toFixed(2)} times as long`);
}
