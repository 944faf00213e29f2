/**
 * `npx tsx tools/prove-stops.ts`: a thousand Stops in a real browser while the arm sweeps from side to side as fast as its limits allow
 * and the policy's worker computes a plan. Counted from the page's request: until control acknowledged it, and
 * until the first tick from which targets do not change any more. Memory of the page and of the browser's processes at the first
 * minute and at the end. Writes `evidence/stops.md`.
 *
 *   npx tsx tools/prove-stops.ts [--stops 1000 --minutes 120 --site dist]
 *
 * `--minutes` ends it early and says so. `--site` serves a copy, so that a build meanwhile disturbs nothing.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type CDPSession, type Page } from '@playwright/test';
import { CHROMIUM_FLAGS, findChromium } from './chromium.ts';
import { serve } from './serve.ts';

const { values } = parseArgs({ options: { stops: { type: 'string', default: '1000' }, minutes: { type: 'string', default: '120' }, site: { type: 'string', default: 'dist' }, out: { type: 'string', default: 'evidence/stops.md' } } });
const root = join(import.meta.dirname, '..');
const wanted = Number(values.stops);

/** As much of `window.playground` as this needs. */
interface Playground {
  readonly ready: Promise<void>;
  readonly policies: { load(name: string): Promise<unknown> };
  readonly robot: { setTargets(targets: readonly number[]): Promise<void> };
  state(): { readonly arm: { readonly mode: string } };
  resume(): Promise<void>;
  stop(): Promise<unknown>;
  probe(request: { readonly task: string; readonly noiseSeed: number }): Promise<unknown>;
  on(event: 'ticks', listener: (ticks: readonly { readonly tick: number; readonly atMs: number; readonly mode: string; readonly target: readonly number[] }[]) => void): () => void;
}

interface Latency {
  readonly acknowledgedMs: number;
  readonly heldMs: number;
  readonly ticks: number;
}
interface Memory {
  readonly heap: number;
  readonly renderer: number;
  readonly gpu: number;
}

const began = Date.now();
const server = await serve({ folder: resolve(root, values.site) });
const browser = await chromium.launch({ executablePath: findChromium() ?? undefined, args: [...CHROMIUM_FLAGS] });
const page = await browser.newPage({ viewport: { width: 1024, height: 768 } });
// tsx names functions by a helper of its own, which the page does not have.
await page.addInitScript('globalThis.__name = (f) => f');
const cdp = await browser.newBrowserCDPSession();
await page.goto(`${server.url}?engine=wasm`);
await page.waitForFunction('window.playground !== undefined');
await page.evaluate(async () => {
  const playground = (window as unknown as { readonly playground: Playground }).playground;
  await playground.ready;
  await playground.policies.load('policies/pocket');
});
await page.evaluate(prepare);

const found: Latency[] = [];
let early: Memory | null = null;
let failures = 0;
while (found.length < wanted && Date.now() - began < 60_000 * Number(values.minutes)) {
  const one = (await page.evaluate(`window.proveStop(${Math.random()})`)) as Latency | string;
  if (typeof one === 'string') {
    console.log(one);
    if (++failures > wanted) throw new Error('too many cycles failed');
    continue;
  }
  found.push(one);
  if (early === null && Date.now() - began > 60_000) early = await memory(page, cdp);
  if (found.length % 50 === 0) console.log(`${found.length} stops, ${Math.round((Date.now() - began) / 1000)} s, ${line('held', (l) => l.heldMs)}`);
}
const late = await memory(page, cdp);
writeFileSync(resolve(root, values.out), markdown());
console.log(markdown());
await browser.close();
await server.close();

/** In the page: what one cycle needs. Self-contained, because it crosses as text. */
function prepare(): void {
  const playground = (window as unknown as { readonly playground: Playground }).playground;
  const ticks: { tick: number; atMs: number; mode: string; target: readonly number[] }[] = [];
  playground.on('ticks', (more) => {
    ticks.push(...more.map(({ tick, atMs, mode, target }) => ({ tick, atMs, mode, target: [...target] })));
    ticks.splice(0, ticks.length - 300);
  });
  const nowMs = (): number => performance.timeOrigin + performance.now();
  const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
  const until = async (what: () => boolean, ms: number): Promise<boolean> => {
    const end = performance.now() + ms;
    while (!what() && performance.now() < end) await pause(15);
    return what();
  };
  const same = (a: readonly number[], b: readonly number[]): boolean => a.every((p, i) => Object.is(p, b[i]));
  let computed = 0;
  let side = 1;
  Object.assign(window, {
    proveStop: async (share: number) => {
      if (playground.state().arm.mode === 'stopped') await playground.resume();
      ticks.length = 0;
      side = -side;
      await playground.robot.setTargets([80 * side, -20, 20, 80, 0, 40]);
      const moving = (): boolean => ticks.slice(-3).some((tick, k, all) => k > 0 && !same(tick.target, all[k - 1]?.target ?? tick.target));
      if (!(await until(moving, 10_000))) return 'nothing moved';
      // One plan after another, so that there is one in the making whenever Stop is pressed.
      let wanted = true;
      const planning = (async () => {
        while (wanted) await playground.probe({ task: 'pick up the red cube', noiseSeed: ++computed }).catch(() => pause(5));
      })();
      await pause(60 + 450 * share);
      const swept = moving();
      const requestedAtMs = nowMs();
      playground.stop().catch(() => undefined);
      wanted = false;
      const after = (): typeof ticks => ticks.filter(({ atMs }) => atMs >= requestedAtMs);
      const isHeld = (): boolean => {
        const stopped = after().filter(({ mode }) => mode === 'stopped');
        return stopped.length >= 6;
      };
      const held = await until(isHeld, 10_000);
      await planning;
      if (!held) return 'never held';
      if (!swept) return 'the sweep was over before the Stop';
      const seen = after();
      const last = seen[seen.length - 1];
      if (last === undefined) return 'no ticks';
      let first = seen.length - 1;
      while (first > 0 && same(seen[first - 1]?.target ?? [], last.target)) first--;
      const acknowledged = seen.find(({ mode }) => mode === 'stopping' || mode === 'stopped');
      const frozen = seen[first];
      if (acknowledged === undefined || frozen === undefined) return 'no acknowledgement';
      return { acknowledgedMs: acknowledged.atMs - requestedAtMs, heldMs: frozen.atMs - requestedAtMs, ticks: frozen.tick - acknowledged.tick };
    },
  });
}

/** MiB: the page's own heap after a collection, and what its process and the graphics process keep in memory. */
async function memory(of: Page, session: CDPSession): Promise<Memory> {
  // Twice: what only a finaliser kept goes with the second.
  const ofPage = await of.context().newCDPSession(of);
  for (let pass = 0; pass < 2; pass++) await ofPage.send('HeapProfiler.collectGarbage');
  // Objects, what the browser's own objects hold, and the bytes behind arrays.
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = (await ofPage.send('Runtime.getHeapUsage')) as { readonly usedSize: number; readonly embedderHeapUsedSize: number; readonly backingStorageSize: number };
  await ofPage.detach();
  const heap = usedSize + embedderHeapUsedSize + backingStorageSize;
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const resident = (type: string): number =>
    Math.max(0, ...processInfo.filter((process) => process.type === type).map(({ id }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0) / 1024));
  return { heap: heap / 2 ** 20, renderer: resident('renderer'), gpu: resident('GPU') };
}

function line(name: string, of: (latency: Latency) => number): string {
  const sorted = found.map(of).toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(0);
  return `${name} p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`;
}

function markdown(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const mib = ({ heap, renderer, gpu }: Memory): string => `${heap.toFixed(0)}, ${renderer.toFixed(0)}, ${gpu.toFixed(0)} MiB`;
  return `# Stops while the policy computes

\`npx tsx tools/prove-stops.ts --stops ${wanted}\`, commit ${commit}, ${new Date(began).toISOString().slice(0, 16)}Z, ${Math.round((Date.now() - began) / 1000)} s, Chromium on Linux, WASM inference, ${cpus().length} processors shared with other work.
${found.length < wanted ? `Ended early: ${found.length} of ${wanted}.\n` : ''}
Each Stop is pressed in a sweep of the shoulder from side to side, as fast as \`first-motion\` allows, and while the policy's worker is
computing a plan. Times from the request in the page's thread.

| ${found.length.toLocaleString('en')} stops | |
|---|---|
| until control acknowledged | ${line('', (l) => l.acknowledgedMs).trim()} ms |
| until targets do not change any more | ${line('', (l) => l.heldMs).trim()} ms |
| ticks of braking | ${line('', (l) => l.ticks).trim()} |
| acknowledged after more than 250 ms (the page then says: switch off the power) | ${found.filter((l) => l.acknowledgedMs > 250).length} |
| cycles left out because the sweep was over before the Stop | ${failures} |
| page heap (collected), renderer process, graphics process, after a minute | ${early === null ? 'not reached' : mib(early)} |
| the same at the end | ${mib(late)} |
`;
}
