/**
 * Each fault injected while a policy moves the simulated arm, in a real browser: what the arm does, how soon, and how it
 * goes on. `FAULT_TABLE=evidence/faults.md npx playwright test e2e/safety.spec.ts` writes the table; without it nothing is written.
 */
import type { App } from './app.ts';
import { freshTable, open } from './app.ts';
import { recordFault } from './fault-table.ts';
import { expect, newSite, test, withPrelude, type Damage, type Site } from './site.ts';
import { heldAfter, movesSoon, seenTicks, watchTicks, type Held, type SeenTick } from './ticks.ts';
import { kill } from './workers.ts';

/** Lets a story break what a worker sends, sees or believes: it listens on a channel for the fault to play. */
const LISTEN = "const __fault = { kind: 'none' }; new BroadcastChannel('fault').onmessage = (e) => { __fault.kind = e.data; };";
const BREAK_CHUNKS = `${LISTEN}
const __post = MessagePort.prototype.postMessage;
MessagePort.prototype.postMessage = function (message, ...rest) {
  if (message?.kind !== 'chunk') return __post.call(this, message, ...rest);
  const { chunk } = message;
  if (__fault.kind === 'nan') chunk.actions[7] = NaN;
  if (__fault.kind === 'expired') message = { ...message, chunk: { ...chunk, observedAtMs: chunk.observedAtMs - 600000 } };
  if (__fault.kind === 'late') { setTimeout(() => __post.call(this, message), 4000); return; }
  return __post.call(this, message, ...rest);
};`;
const BREAK_CAMERAS = `${LISTEN}
new BroadcastChannel('fault').onmessage = (e) => { if (e.data === 'stale') { const end = performance.now() + 4000; while (performance.now() < end) {} } };
const __read = WebGL2RenderingContext.prototype.getBufferSubData;
const __kept = new Map();
WebGL2RenderingContext.prototype.getBufferSubData = function (...args) {
  const out = __read.apply(this, args);
  const bytes = args[2];
  if (__fault.kind === 'black') bytes.fill(0);
  else if (__fault.kind === 'frozen' && __kept.has(bytes.length)) bytes.set(__kept.get(bytes.length));
  else __kept.set(bytes.length, bytes.slice());
  return out;
};`;
const BREAK_CLOCK = `${LISTEN}
const __now = performance.now.bind(performance);
performance.now = () => __now() + (__fault.kind === 'clock' ? 3600000 : 0);`;

const damage: Damage = (path) => withPrelude('inference', BREAK_CHUNKS)(path) ?? withPrelude('world', BREAK_CAMERAS)(path) ?? withPrelude('control', BREAK_CLOCK)(path);

let site: Site;
let app: App;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(400_000);
  site = newSite(browser);
  const visit = await site.visit({ replace: damage });
  visit.expectComplaint(/./);
  app = await open(visit, { query: 'engine=wasm', until: 'policy' });
  await watchTicks(app);
});

test.afterAll(() => site.close());

const seen = (): Promise<readonly SeenTick[]> => seenTicks(app);
const play = (kind: string): Promise<void> => app.page.evaluate(`new BroadcastChannel('fault').postMessage(${JSON.stringify(kind)})`);

async function moving(): Promise<number> {
  await freshTable(app);
  for (const dismiss of await app.page.getByRole('button', { name: /dismiss|close/i }).all()) await dismiss.click().catch(() => undefined);
  known = await titles();
  await app.page.evaluate('void (ticks.length = 0)');
  // A sentence whose motion touches nothing (README.md).
  await app.play((playground) => {
    playground.run({ task: 'wave hello', seed: 3, seconds: 90 }).catch(() => undefined);
  });
  await movesSoon(app);
  return (await seen()).at(-1)?.tick ?? 0;
}

const held = (from: number, timeout?: number): Promise<Held> => heldAfter(app, from, timeout);

/** Titles of messages that were not there when the arm began to move. */
let known: readonly string[] = [];
const titles = async (): Promise<readonly string[]> => (await app.alerts.allInnerTexts()).map((text) => text.split('\n')[0] ?? '');
const alert = async (): Promise<string> => (await titles()).filter((title) => !known.includes(title)).join('; ');
const goesOn = (): Promise<void> => expect.poll(async () => {
  const ticks = (await seen()).slice(-20);
  return ticks.some((tick, k) => k > 0 && tick.target.some((p, i) => p !== ticks[k - 1]?.target[i]));
}, { timeout: 40_000 }).toBe(true);

/** Goes on by itself, or the page has ended the run for it and the next one moves. */
async function recovers(by: string): Promise<string> {
  await app.page.waitForTimeout(1500);
  if ((await app.state()).run === 'running') {
    await goesOn();
    return by;
  }
  await moving();
  return 'the page ends the run and says why; the next run moves';
}

function note(fault: string, hold: Held, reaction: string, message: string, recovery: string): void {
  recordFault({ fault, reaction, ticks: hold.ticks, step: hold.step, message, recovery });
  console.log(`${fault}: ${reaction}, ${hold.ticks} ticks, step ${hold.step.toFixed(4)}, rules ${hold.rules.join()}, mode ${hold.mode}, "${message}", ${recovery}`);
  expect(hold.step).toBeLessThan(0.067);
}

for (const [kind, fault, wait] of [
  ['nan', 'chunk with a number that is none', 40_000],
  ['expired', 'expired chunk', 40_000],
  ['late', 'late chunk (4 s)', 40_000],
  ['black', 'camera black', 40_000],
  ['frozen', 'camera frozen', 60_000],
] as const) {
  test(`${fault}: the arm holds, and moves again afterwards`, async () => {
    const from = await moving();
    await play(kind);
    const hold = await held(from, wait);
    await app.page.waitForTimeout(600);
    const message = await alert();
    await play('none');
    note(fault, hold, kind === 'late' ? 'brakes when the rows run out, holds' : 'refused, brakes, holds', message, await recovers('goes on with the next good chunk'));
  });
}

test('state stale: the arm holds and plays on where it was', async () => {
  const from = await moving();
  await play('stale');
  const hold = await held(from);
  expect(hold.rules).toContain('stale-state');
  const message = await alert();
  await play('none');
  note('state stale (the world hangs 4 s)', hold, 'refused by `stale-state`, brakes, holds', message, await recovers('goes on when the state is fresh'));
});

test('the page hangs for three seconds: the arm holds meanwhile', async () => {
  const from = await moving();
  await app.page.evaluate('(() => { const end = performance.now() + 3000; while (performance.now() < end) {} })()');
  await expect.poll(async () => (await seen()).some(({ tick, rules }) => tick > from && rules.includes('page-silent'))).toBe(true);
  const ticks = (await seen()).filter(({ tick }) => tick >= from);
  const silent = ticks.filter(({ rules }) => rules.includes('page-silent'));
  const step = Math.max(...ticks.slice(1).map((tick, k) => Math.max(...tick.target.map((p, i) => Math.abs(p - (ticks[k]?.target[i] ?? p))))));
  const stillFrom = silent.findIndex((tick, k) => k > 0 && tick.target.every((p, i) => Object.is(p, silent[k - 1]?.target[i])));
  const recovery = await recovers('goes on when the page answers (a real arm waits for a person)');
  note('page frozen 3 s', { ticks: (silent[Math.max(0, stillFrom)]?.tick ?? 0) - from, step, rules: ['page-silent'], mode: 'policy' }, 'refused by `page-silent` after 1 s, brakes, holds', '', recovery);
});

test('the tab is hidden: the arm holds until it is seen', async () => {
  const from = await moving();
  await app.page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true }); document.dispatchEvent(new Event('visibilitychange'))");
  const hold = await held(from);
  expect(hold.rules).toContain('tab-hidden');
  await app.page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))");
  note('tab hidden', hold, 'refused by `tab-hidden`, brakes, holds', '', await recovers('goes on when the tab is seen (a real arm waits for a person)'));
});

test('the hold key is let go: the arm holds until it is pressed', async () => {
  await freshTable(app);
  await app.play(async ({ safety }) => {
    const profile = await safety.profile();
    await safety.setProfile({ ...profile, simulated: { ...profile.simulated, holdToRun: 'on' } }, 'file');
    safety.hold('down');
  });
  const from = await moving();
  await app.play(({ safety }) => safety.hold('up'));
  const hold = await held(from);
  expect(hold.rules).toContain('hold-to-run');
  await app.play(({ safety }) => safety.hold('down'));
  note('hold key released', hold, 'refused by `hold-to-run`, brakes, holds', '', await recovers('goes on while the key is held'));
  await app.play(async (playground) => {
    await playground.stop();
    await playground.resume();
    const profile = await playground.safety.profile();
    await playground.safety.setProfile({ ...profile, simulated: { ...profile.simulated, holdToRun: 'off' } }, 'person');
  });
});

test('a clock jumps by an hour: the arm holds', async () => {
  const from = await moving();
  await play('clock');
  const hold = await held(from, 40_000);
  const message = await alert();
  await play('none');
  await app.page.waitForTimeout(1500);
  await app.play(async (playground) => {
    if (playground.state().run === 'running') await playground.stop();
  });
  note("control's clock an hour ahead", hold, 'refused: readings and chunks are of another time', message, 'stopped by hand; the next run is as before');
});

test('the policy worker is killed: the arm holds', async () => {
  const from = await moving();
  await kill(app, 'inference');
  const hold = await held(from);
  await app.page.waitForTimeout(500);
  note('policy worker killed', hold, 'brakes, holds', await alert(), 'the worker is started again; the next run works');
  await expect.poll(async () => (await app.state()).run, { timeout: 30_000 }).not.toBe('running');
});

test('a locked classroom withstands the console', async () => {
  await freshTable(app);
  const before = await app.play(async ({ safety }) => {
    const profile = await safety.profile();
    return safety.setProfile({ ...profile, name: 'classroom', lock: 'locked' }, 'file');
  });
  for (const attack of ['research', 'owner', 'first-motion'] as const) {
    const failure = await app.failureOf(async ({ safety }, name) => safety.setProfile({ ...(await safety.profile()), name, lock: 'open', simulated: { ...(await safety.profile()).simulated, linkSpeedMPerS: 1 } }, 'person'), attack);
    expect(failure.code).toBe('safety/locked');
  }
  expect(await app.play(({ safety }) => safety.profile())).toEqual(before);
  recordFault({ fault: 'teacher lock attacked from the console', reaction: 'refused by `safety/locked`, three attempts; the limits are unchanged', ticks: 0, step: 0, message: '', recovery: 'the lock of an address or of a server survives a reload; one set from the console does not' });
});
