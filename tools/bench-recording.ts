/**
 * `npm run bench:recording -- [--minutes 10] [--site DIR]`: two cameras of 640 x 480 at 30 a second (Chromium's fake devices: the real
 * capture path) recorded while the arm is moved by hand, beside the same page not recording. Prints a table: rows, ticks the
 * loop was late for, frames repeated, how far picture and joints lie apart, memory over time, page frame time.
 *
 *   --begins 100 --beside 7     instead: so many recordings begun and given up after --seconds (0.7), with so many programs that compute
 *                               without pause beside the page; how long each took to begin, which did not, and which ended by themselves
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { CHROMIUM_FLAGS, ensureChromium } from './chromium.ts';
import { serve } from './serve.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, site: { type: 'string' }, begins: { type: 'string' }, seconds: { type: 'string', default: '0.7' }, beside: { type: 'string', default: '0' } } });
const minutes = Number(values.minutes);
const server = await serve({ folder: values.site ?? join(resolve(import.meta.dirname, '..'), 'dist') });
// The first and the fourth are ordinary cameras; the second sends 16-bit grey, the third JPEGs.
const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS, '--use-fake-device-for-media-stream=device-count=4,fps=30'] });
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
await context.grantPermissions(['camera'], { origin: new URL(server.url).origin });
const page = await context.newPage();
await page.goto(`${server.url}?engine=wasm`);
await page.waitForFunction(() => window.playground !== undefined, undefined, { timeout: 120_000 });
await page.evaluate(async () => window.playground?.ready);
// A policy that is being loaded would be measured too; one that cannot be is no reason not to record.
await page.waitForFunction(() => ['ready', 'failed'].includes(window.playground?.state().policy.kind ?? ''), undefined, { timeout: 300_000 });
const policy = await page.evaluate(() => window.playground?.state().policy.kind);
for (const [name, index] of [['Front', 1], ['Wrist', 4]] as const) {
  await page.getByLabel(`${name} camera: which device`).selectOption({ index });
  await page.locator(`[data-testid="camera-${name.toLowerCase()}"][data-state="live"]`).waitFor({ timeout: 60_000 });
}

if (values.begins !== undefined) {
  const beside = Array.from({ length: Number(values.beside) }, () => spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' }));
  const taken: number[] = [];
  const failed: string[] = [];
  for (let i = 0; i < Number(values.begins); i++) {
    const told = await page.evaluate(async (seconds) => {
      const startedAtMs = performance.now();
      try {
        await window.playground?.recording.begin('bench');
        const tookMs = performance.now() - startedAtMs;
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
        const now = document.querySelector('[data-testid="record-state"]')?.getAttribute('data-recording');
        await window.playground?.recording.discard();
        return now === 'false' ? 'it ended by itself' : tookMs;
      } catch (thrown) {
        return String(thrown);
      }
    }, Number(values.seconds));
    if (typeof told === 'number') taken.push(told);
    else failed.push(`${i}: ${told}`);
  }
  for (const child of beside) child.kill('SIGKILL');
  const sorted = taken.toSorted((a, b) => a - b);
  console.log(`${values.begins} recordings of two cameras begun, ${beside.length} busy programs beside, load ${loadavg()[0]?.toFixed(1)}: ${taken.length} began, after p50 ${median(taken).toFixed(0)} ms, most ${sorted.at(-1)?.toFixed(0)} ms, ${sorted.filter((ms) => ms > 1000).length} of them after more than one try; ${failed.length} did not`);
  for (const line of failed) console.log(line);
  await browser.close();
  await server.close();
  process.exit(0);
}

interface Sample {
  readonly atS: number;
  readonly frame: { readonly p50Ms: number; readonly p99Ms: number } | null;
  readonly residentMB: number;
}
const began = performance.now();
const sample = async (): Promise<Sample> => ({ atS: (performance.now() - began) / 1000, frame: await page.evaluate(() => window.playground?.state().speed.frame ?? null), residentMB: residentMB() });
const watch = async (seconds: number, every: number): Promise<readonly Sample[]> => {
  const samples: Sample[] = [];
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    // A slow sweep of the first joint, so that there is something to record.
    await page.evaluate((pan) => window.playground?.robot.setTargets([pan, -30, 30, 90, -90, 25]).catch(() => undefined), 20 * Math.sin(performance.now() / 3000));
    if (samples.length === 0 || performance.now() - began > ((samples.at(-1)?.atS ?? 0) + every) * 1000) samples.push(await sample());
    await page.waitForTimeout(500);
    if (await page.evaluate(() => window.playground?.state().failures.some(({ code }) => code === 'recording/ended'))) break;
  }
  return samples;
};

const idle = await watch(60, 5);
await page.evaluate(() => window.playground?.recording.begin('bench'));
const recording = await watch(60 * minutes, 15);
const summary = await page.evaluate(() => window.playground?.recording.keep());
const freed = await sample();
console.log(`# ${minutes} minutes of recording, two cameras\n`);
console.log(`Chromium ${browser.version()}, load of the machine ${loadavg().map((load) => load.toFixed(1)).join(' ')} on ${(await import('node:os')).cpus().length} cores; the policy is ${policy}\n`);
if (summary !== null && summary !== undefined) {
  const { rows, lateTicks, repeatedFrames, alignment, cameras } = summary;
  console.log(`| what | figure |\n|---|---|`);
  console.log(`| cameras | ${cameras.map(({ key, width, height, source }) => `${key} ${width} x ${height} ${source}`).join(', ')} |`);
  console.log(`| rows | ${rows} (${(rows / 30 / 60).toFixed(2)} min) |`);
  console.log(`| ticks the loop was late for | ${lateTicks} |`);
  console.log(`| frames dropped | 0: every row has a frame; ${repeatedFrames} of ${rows * cameras.length} are the one before again, because no newer one had come |`);
  console.log(`| picture and joints apart | p50 ${alignment.p50Ms.toFixed(1)} ms, p99 ${alignment.p99Ms.toFixed(1)} ms, most ${alignment.maxMs.toFixed(1)} ms |`);
} else console.log(`The recording ended by itself after ${((recording.at(-1)?.atS ?? 0) - (recording[0]?.atS ?? 0)).toFixed(0)} s or a little more:`, JSON.stringify(await page.evaluate(() => window.playground?.state().failures)));
console.log(`\n| | page frame p50 (median) | page frame p99 (median) | resident memory of the browser, MB |\n|---|---|---|---|`);
for (const [name, samples] of [['not recording', idle], ['recording', recording]] as const) {
  const frames = samples.flatMap(({ frame }) => (frame === null ? [] : [frame]));
  console.log(`| ${name} | ${median(frames.map(({ p50Ms }) => p50Ms)).toFixed(1)} ms | ${median(frames.map(({ p99Ms }) => p99Ms)).toFixed(1)} ms | ${samples[0]?.residentMB.toFixed(0)} at first, ${samples.at(-1)?.residentMB.toFixed(0)} at last |`);
}
console.log(`\nMemory every two minutes, MB: ${recording.filter((_, i) => i % 8 === 0).map(({ residentMB: mb }) => mb.toFixed(0)).join(', ')}; after keeping ${freed.residentMB.toFixed(0)}.`);
await browser.close();
await server.close();

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** Of this process' children and theirs: the browser's. Linux only. */
function residentMB(): number {
  const parents = new Map<number, number>();
  const resident = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const after = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(name), Number(after[1]));
      resident.set(Number(name), Number(after[21]) * 4096);
    } catch {
      // It ended while we looked.
    }
  }
  const ours = (pid: number): boolean => pid !== process.pid && (parents.get(pid) === process.pid || (parents.has(pid) && (parents.get(pid) as number) > 1 && ours(parents.get(pid) as number)));
  return [...resident].reduce((sum, [pid, bytes]) => sum + (ours(pid) ? bytes : 0), 0) / 1e6;
}
