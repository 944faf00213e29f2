/**
 * `npm run bench:loop`: how evenly the loops of the built page run, in a real browser.
 *
 *   1. beside each other   the control loop idle (a bare 30 Hz loop in a worker of its own is the control of the
 *                          experiment), then the same while the policy computes, on each engine
 *   2. the first minute    seconds to interactive, frames and chunks per second, memory: as it is; with the page's
 *                          thread four times slower (CDP); with the whole browser given a quarter of the time; without
 *                          WebGPU; and on WebGPU alone, whatever it is made of
 *
 * Every figure comes from the page's own reports or from the browser; nothing is estimated. Prints a table and, with
 * `--json FILE`, writes the raw figures.
 *
 *   npm run bench:loop -- [--seconds 15] [--json FILE] [--only loop|minute]
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Browser, type Page } from '@playwright/test';
import { buildIfStale } from './build-state.ts';
import { CHROMIUM_FLAGS, ensureChromium } from './chromium.ts';
import { serve } from './serve.ts';

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '15' }, json: { type: 'string' }, only: { type: 'string' } } });
const SECONDS = Number(options.seconds);
const SENTENCE = 'pick up the red cube';

interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

interface LoopFigures {
  readonly rateHz: number;
  /** |time since the last tick - what it should be|, ms. */
  readonly jitterMs: Spread;
  readonly skipped: number;
  /** The same of a bare loop in a worker that does nothing else, at the same time. */
  readonly bareJitterMs: Spread;
  readonly frameMs: Spread;
  readonly realTimeFactor: Spread;
  readonly cameraMs: Readonly<Record<string, number>>;
  readonly chunkMs: Spread | null;
  readonly chunks: number;
}

interface MinuteFigures {
  readonly interactiveSeconds: number;
  readonly policySeconds: number | null;
  readonly framesPerSecond: number;
  readonly chunksPerSecond: number;
  readonly firstMotionSeconds: number | null;
  readonly engine: string;
  readonly realTimeFactor: number | null;
  readonly browserMegabytes: number | null;
}

/** Runs in the page: collects ticks, frames, chunks and world status until asked. Plain text, so that nothing wraps it. */
const COLLECTOR = `(async (rateHz) => {
  const found = { periods: [], bare: [], frames: [], factors: [], chunks: [], cameraMs: {}, skippedBefore: playground.state().speed.jitter?.skipped ?? 0 };
  globalThis.bench = found;
  const offs = [
    playground.on('ticks', (ticks) => found.periods.push(...ticks.map((tick) => tick.periodMs))),
    playground.on('chunk', (chunk) => found.chunks.push(chunk.latencyMs)),
  ];
  let last = null, going = true;
  const frame = (at) => { if (last !== null) found.frames.push(at - last); last = at; if (going) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  const status = setInterval(() => { const { world } = playground.state(); if (world.realTimeFactor !== null) found.factors.push(world.realTimeFactor); Object.assign(found.cameraMs, world.cameraMs ?? {}); }, 500);
  bareWorker.onmessage = (event) => found.bare.push(...event.data);
  bareWorker.postMessage(rateHz);
  globalThis.endBench = () => { going = false; clearInterval(status); bareWorker.postMessage(0); for (const off of offs) off(); found.skippedAfter = playground.state().speed.jitter?.skipped ?? 0; return found; };
})`;

/** A loop that does nothing but be on time, as the control worker tries to be. */
const BARE_LOOP = `let rate = 0, next = 0, last = 0, periods = [];
const turn = () => { if (rate === 0) return; const now = performance.now(); if (last !== 0) periods.push(now - last); last = now; if (periods.length >= 10) { postMessage(periods); periods = []; } next += 1000 / rate; if (next < now) next = now; setTimeout(turn, next - performance.now()); };
onmessage = (event) => { rate = event.data; last = 0; next = performance.now(); if (rate > 0) turn(); };`;

interface Collected {
  readonly periods: readonly number[];
  readonly bare: readonly number[];
  readonly frames: readonly number[];
  readonly factors: readonly number[];
  readonly chunks: readonly number[];
  readonly cameraMs: Readonly<Record<string, number>>;
  readonly skippedBefore: number;
  readonly skippedAfter: number;
}

buildIfStale();
const executablePath = ensureChromium();
const server = await serve({ folder: resolve(import.meta.dirname, '../dist'), replace: (path) => (path === 'bare-loop.js' ? Buffer.from(BARE_LOOP) : undefined) });
const results: Record<string, unknown> = { machine: { cpu: cpus()[0]?.model, cores: cpus().length }, seconds: SECONDS };

try {
  if (options.only !== 'minute') {
    const loops: Record<string, LoopFigures> = {};
    for (const engine of ['wasm', 'webgpu'] as const) Object.assign(loops, await benchLoops(engine));
    results['loops'] = loops;
    printLoops(loops);
  }
  if (options.only !== 'loop') {
    const minutes: Record<string, MinuteFigures> = {
      'as it is': await firstMinute({}),
      'page thread at 1/4 (CDP)': await firstMinute({ pageThrottle: 4 }),
      'whole browser at 1/4': await firstMinute({ browserShare: 0.25 }),
      'without WebGPU': await firstMinute({ webgpu: 'off' }),
      'without WebGPU, whole browser at 1/4': await firstMinute({ webgpu: 'off', browserShare: 0.25 }),
      'on WebGPU alone': await firstMinute({ webgpu: 'alone' }),
    };
    results['firstMinute'] = minutes;
    printMinutes(minutes);
  }
} finally {
  await server.close();
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);

async function benchLoops(engine: 'wasm' | 'webgpu'): Promise<Record<string, LoopFigures>> {
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${server.url}?engine=${engine}`);
    await ready(page);
    await policyReady(page);
    const bareUrl = JSON.stringify(`${server.url}bare-loop.js`);
    await page.evaluate(`globalThis.bareWorker = new Worker(${bareUrl})`);
    const rateHz = Number(await page.evaluate('playground.state().speed.rateHz ?? 30'));
    const idle = await collect(page, rateHz, async () => page.waitForTimeout(SECONDS * 1000));
    const busy = await collect(page, rateHz, async () => {
      await page.evaluate(`playground.run({ task: ${JSON.stringify(SENTENCE)}, seconds: ${SECONDS} })`);
    });
    return { [`${engine}, idle`]: idle, [`${engine}, inference busy`]: busy };
  } finally {
    await browser.close();
  }
}

async function collect(page: Page, rateHz: number, during: () => Promise<unknown>): Promise<LoopFigures> {
  // The first second after a load is not what is measured here.
  await page.waitForTimeout(1000);
  await page.evaluate(`${COLLECTOR}(${rateHz})`);
  await during();
  const found = (await page.evaluate('endBench()')) as Collected;
  const due = 1000 / rateHz;
  return {
    rateHz,
    jitterMs: spread(found.periods.map((period) => Math.abs(period - due))),
    skipped: found.skippedAfter - found.skippedBefore,
    bareJitterMs: spread(found.bare.map((period) => Math.abs(period - due))),
    frameMs: spread(found.frames),
    realTimeFactor: spread(found.factors),
    cameraMs: found.cameraMs,
    chunkMs: found.chunks.length === 0 ? null : spread(found.chunks),
    chunks: found.chunks.length,
  };
}

interface MinuteOptions {
  readonly pageThrottle?: number;
  readonly browserShare?: number;
  readonly webgpu?: 'off' | 'alone';
}

async function firstMinute(how: MinuteOptions): Promise<MinuteFigures> {
  const args = how.webgpu === 'off' ? [...CHROMIUM_FLAGS.filter((flag) => !/webgpu/.test(flag)), '--disable-features=WebGPU', '--disable-blink-features=WebGPU'] : [...CHROMIUM_FLAGS];
  const hosting = await chromium.launchServer({ executablePath, args });
  let release: () => void = () => undefined;
  try {
    const browser: Browser = await chromium.connect(hosting.wsEndpoint());
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    if (how.pageThrottle !== undefined) await (await page.context().newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: how.pageThrottle });
    const pid = hosting.process().pid;
    if (how.browserShare !== undefined && pid !== undefined) release = slowDown(pid, how.browserShare);
    const startedAtMs = performance.now();
    const since = (): number => (performance.now() - startedAtMs) / 1000;
    await page.goto(how.webgpu === 'alone' ? `${server.url}?engine=webgpu` : server.url, { timeout: 120_000 });
    await ready(page);
    const interactiveSeconds = since();
    await page.evaluate(`${COLLECTOR.replace(/bareWorker\.(?:onmessage = [^;]+|postMessage\([^)]*\));/g, '')}(30)`);
    await page.evaluate(`void playground.run({ task: ${JSON.stringify(SENTENCE)}, seconds: 600 }).catch(() => undefined)`);
    const seen = (expression: string): Promise<number | null> => until(page, expression, 55_000).then(since, () => null);
    const motion = seen('bench.chunks.length > 0');
    const policy = seen("playground.state().policy.kind === 'ready'");
    await page.waitForTimeout(Math.max(1000, 60_000 - since() * 1000));
    const found = (await page.evaluate('endBench()')) as Collected;
    const observed = 60 - interactiveSeconds;
    const state = (await page.evaluate('({ engine: playground.state().policy.provider, factor: playground.state().world.realTimeFactor })')) as { readonly engine: string | null; readonly factor: number | null };
    const figures: MinuteFigures = {
      interactiveSeconds,
      policySeconds: await policy,
      firstMotionSeconds: await motion,
      framesPerSecond: found.frames.length / observed,
      chunksPerSecond: found.chunks.length / observed,
      engine: state.engine ?? 'none yet',
      realTimeFactor: state.factor,
      browserMegabytes: pid === undefined ? null : memoryOf(pid),
    };
    release();
    await browser.close();
    return figures;
  } finally {
    release();
    await hosting.close();
  }
}

async function ready(page: Page): Promise<void> {
  await until(page, 'globalThis.playground !== undefined', 120_000);
  await page.evaluate('playground.ready');
}

async function policyReady(page: Page): Promise<void> {
  await until(page, "['ready', 'failed'].includes(playground.state().policy.kind)", 240_000);
  const state = (await page.evaluate('playground.state()')) as { readonly policy: { readonly kind: string }; readonly failures: unknown };
  if (state.policy.kind !== 'ready') throw new Error(`the policy did not load: ${JSON.stringify(state.failures)}`);
}

/** Asked from here: the page's policy forbids it to evaluate text by itself, which Playwright's own waiting does. */
async function until(page: Page, expression: string, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  while ((await page.evaluate(expression)) !== true) {
    if (performance.now() > end) throw new Error(`not within ${limitMs / 1000} s: ${expression}`);
    await page.waitForTimeout(100);
  }
}

/**
 * Gives a process and all its children only a share of the time, in slices of 20 ms, by stopping and continuing them.
 * The developer tools' own throttling slows the page's thread alone (measured: a worker keeps its full speed), and
 * here the work is in the workers. Linux only; elsewhere nothing is slowed and the figure would be a lie, so it throws.
 */
function slowDown(pid: number, share: number): () => void {
  if (process.platform !== 'linux') throw new Error('slowing the whole browser down needs Linux');
  const SLICE_MS = 20;
  let going = true;
  const signal = (name: 'SIGSTOP' | 'SIGCONT'): void => {
    for (const one of familyOf(pid)) {
      try {
        process.kill(one, name);
      } catch {
        // Ended between being listed and being told.
      }
    }
  };
  const turn = (stopped: boolean): void => {
    if (!going) return;
    signal(stopped ? 'SIGSTOP' : 'SIGCONT');
    setTimeout(() => turn(!stopped), stopped ? SLICE_MS * (1 - share) : SLICE_MS * share);
  };
  turn(true);
  return () => {
    going = false;
    signal('SIGCONT');
  };
}

function familyOf(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // Gone already.
    }
  }
  const family = [pid];
  for (let i = 0; i < family.length; i++) for (const [child, parent] of parents) if (parent === family[i]) family.push(child);
  return family;
}

/** Proportional set size of the browser and its children: pages shared between them count once. */
function memoryOf(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  let kilobytes = 0;
  for (const one of familyOf(pid)) {
    try {
      kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      // Gone already, or not ours to read.
    }
  }
  return kilobytes / 1000;
}

/** Nearest rank: always a number that was measured. */
function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), most: at(1) };
}

function printLoops(loops: Readonly<Record<string, LoopFigures>>): void {
  console.log(`\nLoops, ${SECONDS} s each; milliseconds, p50 / p99 / most`);
  for (const [name, one] of Object.entries(loops)) {
    console.log(`  ${name}`);
    console.log(`    control loop jitter at ${one.rateHz} Hz   ${three(one.jitterMs)}   of ${one.jitterMs.count} ticks, ${one.skipped} skipped`);
    console.log(`    bare loop beside it            ${three(one.bareJitterMs)}   of ${one.bareJitterMs.count}`);
    console.log(`    page frame                     ${three(one.frameMs)}`);
    console.log(`    physics real-time factor       ${one.realTimeFactor.p50.toFixed(3)} (median of ${one.realTimeFactor.count})`);
    for (const [camera, ms] of Object.entries(one.cameraMs)) console.log(`    ${camera.padEnd(30)} ${ms.toFixed(1)} ms a picture`);
    console.log(`    chunks                         ${one.chunkMs === null ? 'none' : `${one.chunks}, ${three(one.chunkMs)}`}`);
  }
}

function three({ p50, p99, most }: Spread): string {
  return [p50, p99, most].map((value) => value.toFixed(1).padStart(7)).join(' ');
}

function printMinutes(minutes: Readonly<Record<string, MinuteFigures>>): void {
  console.log('\nThe first minute');
  for (const [name, one] of Object.entries(minutes)) {
    console.log(`  ${name}`);
    console.log(`    interactive after ${one.interactiveSeconds.toFixed(2)} s, policy after ${seconds(one.policySeconds)}, first chunk played after ${seconds(one.firstMotionSeconds)}`);
    console.log(`    ${one.framesPerSecond.toFixed(1)} frames/s, ${one.chunksPerSecond.toFixed(2)} chunks/s on ${one.engine}, physics at ${one.realTimeFactor?.toFixed(2) ?? '-'} of real time, browser memory ${one.browserMegabytes?.toFixed(0) ?? '-'} MB`);
  }
}

function seconds(value: number | null): string {
  return value === null ? '(not within the minute)' : `${value.toFixed(2)} s`;
}
