/**
 * A full-size checkpoint in Chromium, from the page's own host to one chunk on the CPU:
 *
 *   npx tsx tools/bench-convert-browser.ts FOLDER [q4]          FOLDER: from tools/make-full-size.ts
 *
 * Prints seconds of conversion, of loading and of the chunk, what lies in the store, and the most memory the page's process
 * (page and all its workers) ever held, as the operating system counts it.
 */
import { cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { chromium } from '@playwright/test';
import type { Playground } from '#page/api/playground.ts';
import { buildIfStale } from './build-state.ts';
import { CHROMIUM_FLAGS, findChromium } from './chromium.ts';
import { serve } from './serve.ts';

const [, , folder, precision = 'q4'] = process.argv;
if (folder === undefined || !existsSync(join(folder, 'model.safetensors'))) {
  console.error('say where: npx tsx tools/bench-convert-browser.ts FOLDER [precision]');
  process.exit(2);
}
if (process.env['VLA_BUILT'] !== 'yes') buildIfStale();
const root = mkdtempSync(join(tmpdir(), 'full-size-site-'));
const policy = join(root, 'policies', 'full-size');

function link(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}

try {
  cpSync(resolve(import.meta.dirname, '../dist'), root, { recursive: true });
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) link(join(entry.parentPath, entry.name), join(policy, join(entry.parentPath, entry.name).slice(resolve(folder).length)));
  }
  const server = await serve({ folder: root });
  const profile = mkdtempSync(join(tmpdir(), 'full-size-profile-'));
  const executablePath = findChromium();
  const context = await chromium.launchPersistentContext(profile, { headless: true, args: [...CHROMIUM_FLAGS], ...(executablePath === null ? {} : { executablePath }) });
  try {
    const page = await context.newPage();
    await page.goto(`${server.url}?engine=wasm`);
    await page.waitForFunction(() => globalThis.window.playground !== undefined);
    await page.evaluate(() => globalThis.window.playground!.ready);
    const log: string[] = [];
    // Told as it happens: on a busy machine the chunk may take longer than anybody waits.
    page.on('console', (message) => message.text().startsWith('bench:') && console.log(`${message.text()}; most memory so far ${(peakOfRenderers(profile) / 1e6).toFixed(0)} MB`));
    const timings = await page.evaluate(
      async ({ name }) => {
        const playground = globalThis.window.playground as Playground;
        const from = performance.now();
        let converted: number | null = null;
        const watch = setInterval(() => {
          const line = document.body.innerText;
          if (converted === null && /Preparing the policy for the CPU|Warming up/.test(line)) {
            converted = performance.now();
            console.log(`bench: converted after ${((converted - from) / 1000).toFixed(0)} s`);
          }
        }, 200);
        const { info, engine } = await playground.policies.load(name);
        clearInterval(watch);
        const loaded = performance.now();
        console.log(`bench: loaded and warm after ${((loaded - from) / 1000).toFixed(0)} s`);
        const chunk = await playground.probe({ task: 'pick up the red cube', noiseSeed: 1 });
        const stored = await playground.policies.stored();
        return {
          convertSeconds: ((converted ?? loaded) - from) / 1000,
          loadSeconds: (loaded - (converted ?? from)) / 1000,
          timings: chunk.timings,
          finite: chunk.actions.every(Number.isFinite),
          rows: info.chunkRows,
          cameras: info.cameras.length,
          threads: engine.threads,
          stored: stored.find((entry) => entry.name.includes('full-size'))?.bytes ?? 0,
        };
      },
      { name: `policies/full-size:${precision}` },
    );
    log.push(`conversion ${timings.convertSeconds.toFixed(0)} s, pack ${(timings.stored / 1e6).toFixed(1)} MB in the store`);
    log.push(`sessions and warm-up on WASM with ${timings.threads} threads ${timings.loadSeconds.toFixed(0)} s`);
    log.push(`one chunk, ${timings.cameras} cameras at 512 x 512, ${timings.rows} rows: ${(timings.timings.totalMs / 1000).toFixed(1)} s (pictures ${(timings.timings.visionMs / 1000).toFixed(1)}, prefix ${(timings.timings.prefixMs / 1000).toFixed(1)}, denoising ${(timings.timings.denoiseMs / 1000).toFixed(1)}), all finite: ${timings.finite}`);
    log.push(`most memory of a renderer process ${(peakOfRenderers(profile) / 1e6).toFixed(0)} MB`);
    for (const line of log) console.log(line);
  } finally {
    await context.close();
    await server.close();
    rmSync(profile, { recursive: true, force: true });
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

/** Linux only; 0 elsewhere. */
function peakOfRenderers(profile: string): number {
  if (!existsSync('/proc/self/status')) return 0;
  const own = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  const pids = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
  // Renderers name the profile of their browser or have it for a parent.
  const browsers = new Set(pids.filter((pid) => own(pid).includes(profile)));
  const parentOf = (pid: string): string => /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  const isOurs = (pid: string): boolean => {
    for (let at = pid; at !== '0' && at !== '1'; at = parentOf(at)) if (browsers.has(at)) return true;
    return false;
  };
  return Math.max(0, ...pids.filter((pid) => own(pid).includes('--type=renderer')).filter((pid) => { try { return isOurs(pid); } catch { return false; } }).map((pid) => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)));
}
