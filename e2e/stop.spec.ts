/** Stop: from everywhere, acknowledged, and then nothing changes any more. */
import type { App } from './app.ts';
import { sharedApp } from './shared.ts';
import { expect, test } from './site.ts';

const app = sharedApp({ query: 'engine=wasm' });

/** From here on every control tick's mode and target is kept in the page. */
async function watchTicks(app: App): Promise<void> {
  await app.play((playground) => {
    const ticks: { tick: number; mode: string; target: readonly number[] }[] = [];
    Object.assign(globalThis, { ticks });
    playground.on('ticks', (more) => ticks.push(...more.map(({ tick, mode, target }) => ({ tick, mode, target: [...target] }))));
  });
}

interface WatchedTick {
  readonly tick: number;
  readonly mode: string;
  readonly target: readonly number[];
}

test('He stops a running policy: acknowledged, the brake ends at a stated tick, then the targets stay the same to the bit', async () => {
  await watchTicks(app);
  await app.sentence.fill('wave hello');
  await app.run.click();
  await expect.poll(async () => (await app.state()).arm.mode, { timeout: 60_000 }).toBe('policy');
  await expect.poll(() => app.page.evaluate("ticks.filter((tick) => tick.mode === 'policy').length"), { timeout: 60_000 }).toBeGreaterThan(30);
  await app.stop.click();
  await expect.poll(async () => (await app.state()).arm.lastStop !== null, { timeout: 15_000 }).toBe(true);
  const stop = (await app.state()).arm.lastStop;
  if (stop === null) throw new Error('no report of the stop');
  console.log(`stop acknowledged after ${stop.confirmedAfterMs.toFixed(1)} ms, frozen ${stop.frozenTick - stop.acknowledgedTick} ticks later, settling ${stop.settlingRad?.toFixed(4)} rad, drift ${stop.driftRad?.toFixed(4)} rad`);
  expect(stop.confirmedAfterMs).toBeLessThan(250);
  expect(stop.frozenTick).toBeGreaterThanOrEqual(stop.acknowledgedTick);
  expect(stop.frozenTick - stop.acknowledgedTick).toBeLessThan(60);
  await expect.poll(() => app.page.evaluate('ticks.at(-1).tick'), { timeout: 15_000 }).toBeGreaterThan(stop.frozenTick + 60);
  const ticks = ((await app.page.evaluate('ticks')) as readonly WatchedTick[]).filter(({ tick }) => tick >= stop.frozenTick);
  expect(ticks.length).toBeGreaterThan(50);
  const [frozen] = ticks;
  for (const tick of ticks) {
    expect(tick.mode).toBe('stopped');
    expect(tick.target.every((value, joint) => Object.is(value, frozen?.target[joint])), `tick ${tick.tick}`).toBe(true);
  }
  // What was still being computed when he stopped must not move the arm either.
  expect((await app.state()).run).not.toBe('running');
});

test('Escape stops while she is still typing, and the sentence stays', async () => {
  await app.play((playground) => playground.robot.setTargets([20, 0, 0, 0, 0, 50]));
  await app.sentence.fill('pick up the');
  await app.sentence.press('Escape');
  await expect.poll(async () => (await app.state()).arm.mode).toMatch(/stopping|stopped/);
  await expect(app.sentence).toHaveValue('pick up the');
});

test('Space stops even when a button has the focus, but is a letter in the sentence', async () => {
  await app.sentence.focus();
  await app.page.keyboard.type('push it');
  await expect(app.sentence).toHaveValue('push it');
  expect((await app.state()).arm.mode).toBe('idle');
  await app.run.focus();
  await app.page.keyboard.press('Space');
  await expect.poll(async () => (await app.state()).arm.mode).toMatch(/stopping|stopped/);
  expect((await app.state()).run).not.toMatch(/waiting|running/);
});

test('After Stop the arm moves again only when somebody says so', async () => {
  await app.play((playground) => playground.stop());
  expect((await app.state()).arm.mode).toBe('stopped');
  const stopped = (await app.state()).arm.target;
  await app.page.waitForTimeout(1000);
  expect((await app.state()).arm.target).toEqual(stopped);
  await app.play((playground) => playground.resume());
  // The next control tick tells it.
  await expect.poll(async () => (await app.state()).arm.mode).toBe('idle');
  expect((await app.state()).arm.target).toEqual(stopped);
});

test('She lowers and releases the arm: it descends to rest before the motors are freed', async () => {
  await watchTicks(app);
  await app.play((playground) => playground.release());
  await expect.poll(async () => (await app.state()).arm.mode, { timeout: 60_000 }).toBe('released');
  const modes = ((await app.page.evaluate('ticks')) as readonly WatchedTick[]).map(({ mode }) => mode);
  expect(modes.indexOf('lowering')).toBeGreaterThanOrEqual(0);
  expect(modes.indexOf('lowering')).toBeLessThan(modes.lastIndexOf('released') === -1 ? Number.POSITIVE_INFINITY : modes.lastIndexOf('released'));
});
