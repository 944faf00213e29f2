/**
 * A chunk of a full-size checkpoint by the page's engine and by PyTorch, one after the other on the same cores in one run, from
 * the same weights, pictures, state, words and noise:
 *
 *   PYTHON=python3 npx tsx tools/beside-pytorch.ts FOLDER [--precisions int8,f32] [--laps 3] [--node int8,f32] [--threads 2]
 *
 * FOLDER is from `make-full-size.ts`, or any SmolVLA checkpoint. `--precisions` run on WASM in Chromium, on the benchmark's page (no
 * arm, no cameras); `--node` on onnxruntime-node. PyTorch computes in float32, by `training/time_chunk.py`. Prints seconds a
 * chunk, PyTorch's time over ours, and how far each result is from PyTorch's. Processor seconds are those of all threads of the
 * process, waiting ones that spin included; on a machine that has other work they say more than the clock does.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import type { BenchReport } from '#contracts/bench.ts';
import { type Precision, PRECISIONS } from '#contracts/policy.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { writeSafetensors } from '#core/conversion/safetensors.ts';
import type { PackStore } from '#core/conversion/store.ts';
import { differenceOf } from '#core/evaluation/parity.ts';
import { SAMPLE_SEED, sampleNoise, sampleObservation } from '#core/observation/sample.ts';
import { evenLine } from '#page/words/bench.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { anyFamilyRecipe, loadPolicy } from '#core/policy/family.ts';
import { normalise } from '#core/policy/smolvla/normalise.ts';
import { readSettings } from '#core/policy/smolvla/settings.ts';
import { buildIfStale } from './build-state.ts';
import { CHROMIUM_FLAGS, ensureChromium } from './chromium.ts';
import { createNodeEngine } from './engine-ort-node.ts';
import { folderFiles } from './policy/folder.ts';
import { sampleRequest } from './policy/sample-request.ts';
import { folderStore } from './policy/folder-store.ts';
import { serveWithPolicy } from './site-with-policy.ts';

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: { precisions: { type: 'string', default: 'int8' }, node: { type: 'string', default: 'int8' }, laps: { type: 'string', default: '3' }, threads: { type: 'string', default: String(cpus().length) } },
});
const [folder] = positionals;
const python = process.env['PYTHON'] ?? 'python3';
if (folder === undefined || !existsSync(join(folder, 'model.safetensors'))) {
  console.error('say where: PYTHON=python3 npx tsx tools/beside-pytorch.ts FOLDER');
  process.exit(2);
}
const LAPS = Number(options.laps);
const THREADS = Number(options.threads);
const ROOT = resolve(import.meta.dirname, '..');
/** Chromium ignores a switch that it does not know. */
const MARK = `--beside-pytorch=${process.pid}`;

interface Timed {
  readonly what: string;
  readonly medianMs: number;
  readonly processorMs: number | null;
  readonly detail: string;
  readonly x0: Float32Array;
}

interface TorchTimes {
  readonly torch: string;
  readonly threads: number;
  readonly seconds: Readonly<Record<string, readonly number[]>>;
  readonly best: string;
  readonly parts: Readonly<Record<string, number>>;
}

const scratch = mkdtempSync(join(tmpdir(), 'beside-pytorch-'));
try {
  buildIfStale();
  const store = folderStore(join(scratch, 'store'));
  await writeCase(store, folder, scratch);
  console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores; ${LAPS} chunks each after one to warm up, median; 2 cameras unless it says otherwise`);
  const torch = byTorch(folder, scratch);
  console.log(line(torch, torch));
  for (const precision of list(options.precisions)) console.log(line(await inBrowser(folder, precision), torch));
  for (const precision of list(options.node)) console.log(line(await inNode(store, folder, precision), torch));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function list(said: string): Precision[] {
  return said.split(',').filter((one) => one !== '').map((one) => PRECISIONS.find((known) => known === one) ?? (() => { throw new Error(`no precision ${one}`); })());
}

function line({ what, medianMs, processorMs, detail, x0 }: Timed, reference: Timed): string {
  const { largest, mean, cosine } = differenceOf(x0, reference.x0);
  const byProcessor = processorMs === null || reference.processorMs === null ? '' : ` (by processor seconds ${(reference.processorMs / processorMs).toFixed(2)})`;
  const compared = x0 === reference.x0 ? '' : `\n  ratio of PyTorch's time to this ${(reference.medianMs / medianMs).toFixed(2)}${byProcessor}; x0 off by at most ${largest.toExponential(2)}, ${mean.toExponential(2)} on average, cosine ${cosine.toFixed(7)}`;
  const spent = processorMs === null ? '' : `${(processorMs / 1000).toFixed(2)} processor seconds; `;
  return `${what}: ${(medianMs / 1000).toFixed(2)} s (${spent}${detail})${compared}`;
}

/** The sample observation as the runner prepares it, and the backbone's sizes as Python reads them. */
async function writeCase(store: PackStore, checkpoint: string, into: string): Promise<void> {
  const precision = list(options.node)[0] ?? 'int8';
  const { storedName } = await convertIntoStore({ files: folderFiles(checkpoint), recipe: anyFamilyRecipe, precision, store, name: precision });
  const { manifest } = await store.open(storedName);
  const settings = readSettings('sample', manifest.settings);
  const { vision, text } = settings;
  const { pictures, state, sentence } = sampleObservation(manifest.info, SAMPLE_SEED);
  const prepared = await Promise.all(manifest.info.cameras.map(({ robotKey }) => letterbox(pictures[robotKey]!.picture, { width: vision.imageSize, height: vision.imageSize })));
  const tokenize = await openTokenizer(manifest.tokenizer);
  const { ids, mask } = tokenize(sentence, { ending: '\n', maxTokens: settings.maxTokens, padding: settings.tokenPadding, truncation: settings.tokenTruncation });
  const tokens = Float32Array.from([...ids].filter((_, i) => mask[i] !== 0));
  const padded = new Float32Array(settings.stateColumns);
  padded.set(normalise(settings.state, Float32Array.from(state)));
  const all = new Float32Array(prepared.reduce((sum, { length }) => sum + length, 0));
  for (const [i, picture] of prepared.entries()) all.set(picture, i * picture.length);
  const f32 = (data: Float32Array, ...shape: number[]) => ({ dtype: 'F32', shape, data }) as const;
  writeFileSync(
    join(into, 'case.safetensors'),
    writeSafetensors({
      pictures: f32(all, prepared.length, 3, vision.imageSize, vision.imageSize),
      state: f32(padded, padded.length),
      tokens: f32(tokens, tokens.length),
      noise: f32(sampleNoise(manifest.info, settings.actionColumns), settings.chunkRows, settings.actionColumns),
    }),
  );
  writeFileSync(
    join(into, 'vlm.json'),
    JSON.stringify({
      scale_factor: vision.shuffle,
      text_config: { hidden_size: text.hidden, num_attention_heads: text.heads, num_key_value_heads: text.kvHeads, head_dim: text.headSize, intermediate_size: text.feedForward, num_hidden_layers: text.layers, rms_norm_eps: text.epsilon, vocab_size: text.vocabulary },
      vision_config: { hidden_size: vision.hidden, num_attention_heads: vision.heads, num_hidden_layers: vision.layers, intermediate_size: vision.feedForward, image_size: vision.imageSize, patch_size: vision.patchSize },
    }),
  );
}

function byTorch(checkpoint: string, where: string): Timed {
  const [out, tool] = [join(where, 'x0'), join(ROOT, 'training', 'time_chunk.py')];
  const done = spawnSync(python, [tool, checkpoint, join(where, 'vlm.json'), join(where, 'case.safetensors'), out, '--threads', String(THREADS), '--laps', String(LAPS)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (done.status !== 0) throw new Error(`${python} ended with ${done.status ?? done.signal}`);
  const { torch, threads, seconds, best, parts } = JSON.parse(done.stdout) as TorchTimes;
  const bytes = readFileSync(out);
  const said = Object.entries(seconds).map(([form, laps]) => `attention ${form} ${median(laps).toFixed(2)}`);
  return { what: `PyTorch ${torch}, float32, ${threads} threads`, medianMs: 1000 * median(seconds[best]!), detail: `${said.join(', ')}; ${Object.entries(parts).filter(([part]) => part !== 'processor').map(([part, took]) => `${part} ${took.toFixed(2)}`).join(', ')}`, processorMs: 1000 * parts['processor']!, x0: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)) };
}

async function inBrowser(checkpoint: string, precision: Precision): Promise<Timed> {
  // As many cores as threads are asked for: the engine takes one of each.
  const cores = `Object.defineProperty(Object.getPrototypeOf(navigator), 'hardwareConcurrency', { get: () => ${THREADS} });\n`;
  const site = await serveWithPolicy(checkpoint, (path) => (/^assets\/bench-entry-[\w-]+\.js$/.test(path) ? Buffer.from(cores + readFileSync(join(ROOT, 'dist', path), 'utf8')) : undefined));
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS, MARK] });
  try {
    const page = await browser.newPage();
    const marks = new Map<string, number>();
    page.on('console', (message) => {
      const stage = /^stage:(.*)$/.exec(message.text())?.[1];
      if (stage !== undefined && !marks.has(stage)) marks.set(stage, renderersMs());
    });
    await page.goto(`${site.url}?only=bench&engine=wasm`);
    await page.waitForSelector('main.bench', { timeout: 60_000 });
    await page.evaluate("bench.store.subscribe((state) => console.log('stage:' + (state.kind === 'measuring' ? state.what : state.kind)))");
    const run = { engine: 'wasm', laps: LAPS, source: { kind: 'shipped', name: site.policy, precision } };
    const { figures, beside } = (await page.evaluate(`bench.run(${JSON.stringify(run)})`)) as BenchReport;
    const x0 = Float32Array.from((await page.evaluate('bench.answer().then((x0) => Array.from(x0))')) as number[]);
    const parts = figures.parts.map(({ part, wall }) => `${part} ${(wall.p50Ms / 1000).toFixed(2)}`).join(', ');
    const meanwhile = `; 30 Hz loop off by ${evenLine(beside.computing.loop)}, page frame ${evenLine(beside.computing.frame)}; idle ${evenLine(beside.idle.loop)}, ${evenLine(beside.idle.frame)}`;
    const [from, to] = [marks.get('end-to-end'), marks.get('by-part')];
    const processorMs = from === undefined || to === undefined || to === 0 ? null : (to - from) / figures.endToEnd.count;
    return { processorMs, what: `WASM in Chromium ${browser.version()}, ${precision}, ${figures.engine.threads} threads`, medianMs: figures.endToEnd.p50Ms, detail: `${parts}; heap ${(figures.heapBytes / 1e6).toFixed(0)} MB; pictures by ${figures.engine.eyes?.kind ?? 'the graph'}${meanwhile}`, x0 };
  } finally {
    await browser.close();
    await site.close();
  }
}

async function inNode(store: PackStore, checkpoint: string, precision: Precision): Promise<Timed> {
  const { storedName } = await convertIntoStore({ files: folderFiles(checkpoint), recipe: anyFamilyRecipe, precision, store, name: precision });
  const pack = await store.open(storedName);
  const engine = await createNodeEngine({ threads: THREADS });
  try {
    const policy = await loadPolicy(pack, engine, { letterbox, clock: { nowMs: () => performance.now() } });
    const request = await sampleRequest(pack, policy);
    const laps = [];
    let spentMs = 0;
    for (let lap = -1; lap < LAPS; lap++) {
      policy.forget();
      const began = process.cpuUsage();
      const chunk = await policy.predictChunk(request);
      const { user, system } = process.cpuUsage(began);
      if (lap < 0) continue;
      laps.push(chunk);
      spentMs += (user + system) / 1000 / LAPS;
    }
    laps.sort((a, b) => a.timings.totalMs - b.timings.totalMs);
    const { timings, x0 } = laps[Math.floor(laps.length / 2)]!;
    const part = (ms: number): string => (ms / 1000).toFixed(2);
    return { processorMs: spentMs, what: `onnxruntime-node, ${precision}, ${THREADS} threads`, medianMs: timings.totalMs, detail: `vision ${part(timings.visionMs)}, prefix ${part(timings.prefixMs)}, steps ${part(timings.denoiseMs)}`, x0 };
  } finally {
    await engine.dispose();
  }
}

/** Processor milliseconds of this run's browser pages so far, all threads. Linux only; 0 elsewhere. */
function renderersMs(): number {
  if (!existsSync('/proc/self/stat')) return 0;
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (!command.includes('--type=renderer') || !isOurs(pid)) continue;
      // After the name in brackets, which may hold spaces: fields 14 and 15 of the line.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // A process that has ended meanwhile.
    }
  }
  return ticks * 10;
}

/** A renderer has its browser, whose command line carries the mark, for an ancestor. */
function isOurs(pid: string): boolean {
  for (let at = pid; at !== '0' && at !== '1' && at !== ''; at = /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${at}/status`, 'utf8'))?.[1] ?? '') {
    if (readFileSync(`/proc/${at}/cmdline`, 'utf8').includes(MARK)) return true;
  }
  return false;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
