/**
 * A full-size checkpoint in Chromium, from the page's own host to chunks on the CPU:
 *
 *   npx tsx tools/bench-convert-browser.ts FOLDER [--precision int8] [--laps 3]          FOLDER: from tools/make-full-size.ts
 *
 * On the benchmark's page, which has the conversion worker and the engine of the app and no arm, so that nothing else runs.
 * Prints seconds and MB/s of conversion, the pack's size, seconds to make sessions and of a chunk, the engine's heap, and the most
 * memory that the page's process (page and all its workers) held in each stage, as the operating system counts it (Linux).
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import type { BenchReport } from '#contracts/bench.ts';
import type { StoredPolicy } from '#contracts/inference.ts';
import { PRECISIONS } from '#contracts/policy.ts';
import { buildIfStale } from './build-state.ts';
import { CHROMIUM_FLAGS, ensureChromium } from './chromium.ts';
import { serveWithPolicy } from './site-with-policy.ts';

const { positionals, values: options } = parseArgs({ allowPositionals: true, options: { precision: { type: 'string', default: 'int8' }, laps: { type: 'string', default: '3' } } });
const [folder] = positionals;
const precision = PRECISIONS.find((one) => one === options.precision);
if (folder === undefined || precision === undefined || !existsSync(join(folder, 'model.safetensors'))) {
  console.error(`say which: npx tsx tools/bench-convert-browser.ts FOLDER [--precision ${PRECISIONS.join('|')}] [--laps 3]`);
  process.exit(2);
}

/** Tells each change of what is being done, and how many bytes came, by the console: functions of ours cannot be built in the page. */
const TELL = `{
  let last = '';
  bench.store.subscribe((state) => {
    const step = state.kind === 'loading' ? state.progress : null;
    const stage = state.kind === 'measuring' ? state.what : state.kind !== 'loading' ? state.kind : step === null || step.phase === 'fetch' || step.phase === 'convert' ? 'converting' : step.phase === 'engine' ? 'making sessions' : 'warming up';
    const bytes = step !== null && step.phase === 'fetch' && step.what === 'model.safetensors' ? step.totalBytes : null;
    if (bytes !== null) globalThis.neededBytes = bytes;
    if (stage !== last) console.log('stage:' + stage);
    last = stage;
  });
}`;

buildIfStale();
const site = await serveWithPolicy(folder);
const profile = mkdtempSync(join(tmpdir(), 'full-size-profile-'));
try {
  const context = await chromium.launchPersistentContext(profile, { headless: true, args: [...CHROMIUM_FLAGS], executablePath: ensureChromium() });
  try {
    const page = await context.newPage();
    await page.goto(`${site.url}?only=bench&engine=wasm`);
    await page.waitForSelector('main.bench', { timeout: 60_000 });
    const stages: { readonly stage: string; readonly fromMs: number; peakBytes: number; ms: number }[] = [];
    const endStage = (): void => {
      const last = stages.at(-1);
      if (last === undefined) return;
      last.ms = performance.now() - last.fromMs;
      last.peakBytes = takePeakOfRenderers(profile);
      console.log(`${last.stage.padEnd(16)} ${(last.ms / 1000).toFixed(1).padStart(7)} s   most memory of the page's process ${(last.peakBytes / 1e6).toFixed(0)} MB`);
    };
    page.on('console', (message) => {
      const stage = /^stage:(.*)$/.exec(message.text())?.[1];
      if (stage === undefined) return;
      endStage();
      stages.push({ stage, fromMs: performance.now(), peakBytes: 0, ms: 0 });
    });
    await page.evaluate(TELL);
    console.log(`Chromium ${context.browser()?.version() ?? ''}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores; ${precision}`);
    const run = { engine: 'wasm', laps: Number(options.laps), source: { kind: 'shipped', name: site.policy, precision } };
    const { figures } = (await page.evaluate(`bench.run(${JSON.stringify(run)})`)) as BenchReport;
    const { needed, stored, finite } = (await page.evaluate(`(async () => ({ needed: globalThis.neededBytes, stored: await bench.stored(), finite: (await bench.answer()).every(Number.isFinite) }))()`)) as {
      readonly needed: number;
      readonly stored: readonly StoredPolicy[];
      readonly finite: boolean;
    };
    const converting = stages.find(({ stage }) => stage === 'converting');
    const packBytes = stored.find(({ name }) => name.includes('under-test'))?.bytes ?? 0;
    if (converting !== undefined) console.log(`conversion       ${(needed / 1e6).toFixed(0)} MB of the checkpoint at ${(needed / 1e3 / converting.ms).toFixed(1)} MB/s, pack ${(packBytes / 1e6).toFixed(1)} MB`);
    const parts = figures.parts.map(({ part, wall }) => `${part} ${(wall.p50Ms / 1000).toFixed(2)}`).join(', ');
    console.log(`a chunk          ${(figures.endToEnd.p50Ms / 1000).toFixed(2)} s, median of ${figures.endToEnd.count} (${parts}); ${figures.policy.cameras} cameras, ${figures.policy.denoisingSteps} steps, ${figures.engine.threads} threads, all finite: ${finite}`);
    console.log(`engine's heap    ${(figures.heapBytes / 1e6).toFixed(0)} MB`);
  } finally {
    await context.close();
  }
} finally {
  await site.close();
  rmSync(profile, { recursive: true, force: true });
}

/** The largest of this browser's renderers since the last call. Linux only; 0 elsewhere. */
function takePeakOfRenderers(of: string): number {
  if (!existsSync('/proc/self/clear_refs')) return 0;
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // A process that has ended meanwhile.
      return '';
    }
  };
  const pids = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
  // A renderer has its browser, whose command line names the profile, for an ancestor.
  const browsers = new Set(pids.filter((pid) => read(`/proc/${pid}/cmdline`).includes(of)));
  const parentOf = (pid: string): string => /PPid:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? '0';
  const isOurs = (pid: string): boolean => {
    for (let at = pid; at !== '0' && at !== '1'; at = parentOf(at)) if (browsers.has(at)) return true;
    return false;
  };
  let most = 0;
  for (const pid of pids) {
    if (!read(`/proc/${pid}/cmdline`).includes('--type=renderer') || !isOurs(pid)) continue;
    most = Math.max(most, 1024 * Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0));
    try {
      // 5: the mark begins anew.
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // Not ours to reset: the mark then is of the whole run.
    }
  }
  return most;
}
