/** Safety that can be seen: why the arm is slower than its plan, limits as a file and as a box, rehearsal, and what is written down. */
import { readFileSync } from 'node:fs';
import { sharedApp } from './shared.ts';
import { expect, test } from './site.ts';
import { movesSoon, seenTicks, watchTicks } from './ticks.ts';

const app = sharedApp({ query: 'engine=wasm' });

test('She reads on the screen why the arm is slower than its plan, and opens a file with stricter limits; a looser one is refused', async () => {
  const stricter = await app.play(async ({ safety }) => {
    const profile = await safety.profile();
    return JSON.stringify({ ...profile, simulated: { ...profile.simulated, linkSpeedMPerS: 0.05 } });
  });
  const file = (text: string) => ({ name: 'limits.json', mimeType: 'application/json', buffer: Buffer.from(text) });
  await app.page.getByTestId('open-profile').setInputFiles(file(stricter));
  await expect(app.page.getByTestId('limits')).toContainText('50 mm/s');
  await app.page.getByTestId('open-profile').setInputFiles(file(stricter.replace('"linkSpeedMPerS":0.05', '"linkSpeedMPerS":0.2')));
  await expect(app.page.locator('[data-code="safety/would-loosen"]')).toContainText('simulated.linkSpeedMPerS', { timeout: 20_000 });
  await expect(app.page.getByTestId('limits')).toContainText('50 mm/s');
  expect((await app.state()).arm.mode).toBe('idle');
  await app.play((playground) => playground.robot.setTargets([80, 0, 0, 60, 0, 50]));
  await expect(app.page.getByTestId('why')).toHaveText('Slowed: a part of the arm would move faster than 50 mm/s.', { timeout: 30_000 });
  await app.play((playground) => playground.stop());
  await app.play((playground) => playground.resume());
  await expect.poll(async () => (await app.state()).arm.mode).toBe('idle');
  await app.page.getByTestId('profile').selectOption('research');
  await expect(app.page.getByTestId('limits')).toContainText('1000 mm/s');
  await app.page.getByTestId('profile').selectOption('first-motion');
  await expect(app.page.getByTestId('limits')).toContainText('250 mm/s');
});

test('He rehearses: plans arrive and are shown, the arm stays where it is', async () => {
  await watchTicks(app);
  await app.page.getByTestId('shadow').check();
  await app.sentence.fill('wave hello');
  await app.run.click();
  await expect.poll(async () => app.page.evaluate("ticks.filter((tick) => tick.mode === 'policy').length"), { timeout: 60_000 }).toBeGreaterThan(60);
  await expect(app.page.getByTestId('why')).toHaveText(/Rehearsal/);
  await app.stop.click();
  const ticks = await seenTicks(app);
  expect(ticks.filter(({ mode }) => mode === 'policy').every(({ target }) => target.every((p, i) => Object.is(p, ticks[0]?.target[i])))).toBe(true);
  await expect.poll(async () => (await app.state()).run, { timeout: 15_000 }).toBe('over');
  await app.page.getByTestId('shadow').uncheck();
});

test('The log of what stopped the arm can be taken home: joints, ticks, pictures, limits and versions', async () => {
  await watchTicks(app);
  await app.sentence.fill('wave hello');
  await app.run.click();
  await movesSoon(app);
  await app.stop.click();
  await expect(app.page.getByTestId('fault-log')).toContainText('Stop pressed', { timeout: 20_000 });
  await expect.poll(async () => app.play(({ safety }) => safety.faults().includes('"data":{"typed":"uint8"')), { timeout: 20_000 }).toBe(true);
  const download = app.page.waitForEvent('download');
  await app.page.getByTestId('save-faults').click();
  const log = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as {
    readonly format: string;
    readonly entries: readonly { readonly kind: string; readonly measured: readonly number[]; readonly ticks: readonly unknown[]; readonly pictures: readonly unknown[]; readonly profile: { readonly name: string }; readonly versions: { readonly scene: string; readonly policy: string } }[];
  };
  const stop = log.entries.findLast((entry) => entry.kind === 'stop');
  expect(log.format).toBe('vla-playground-faults');
  expect(stop?.measured).toHaveLength(6);
  expect(stop?.ticks.length).toBeGreaterThan(30);
  expect(stop?.pictures).toHaveLength(2);
  expect(stop?.profile.name).toBe('first-motion');
  expect(stop?.versions.scene).toMatch(/^[0-9a-f]{64}$/);
});

test('A workspace holds the arm, is there again after a reload, and cannot be touched in a locked classroom', async () => {
  await app.page.getByTestId('add-workspace').click();
  await expect(app.page.getByTestId('show-limits')).toBeChecked();
  const right = app.page.getByRole('spinbutton', { name: 'right' });
  await right.fill('12');
  await right.press('Enter');
  await expect.poll(async () => (await app.play(({ safety }) => safety.profile())).workspace?.most[0]).toBeCloseTo(0.12, 6);
  await app.play((playground) => playground.robot.setTargets([-80, 0, 0, 60, 0, 50]));
  await app.play((playground) => playground.robot.setTargets([80, 0, 0, 60, 0, 50]));
  await expect(app.page.getByTestId('why')).toHaveText('Held back: the arm would leave the workspace.', { timeout: 20_000 });
  await app.page.reload();
  await app.page.waitForFunction('window.playground !== undefined');
  await app.play((playground) => playground.ready);
  await expect.poll(async () => (await app.play(({ safety }) => safety.profile())).workspace?.most[0]).toBeCloseTo(0.12, 6);
  const remove = app.page.getByTestId('remove-workspace');
  await expect(remove).toBeEnabled({ timeout: 60_000 });
  await remove.click({ timeout: 60_000 });
  await expect(app.page.getByTestId('add-workspace')).toBeVisible();
  // An address locks, and taking it away again does not open.
  for (const query of ['?engine=wasm&profile=classroom', '?engine=wasm']) {
    await app.page.goto(`${app.visit.url}${query}`);
    await app.page.waitForFunction('window.playground !== undefined');
    await app.play((playground) => playground.ready);
    await expect(app.page.getByTestId('profile')).toBeDisabled();
    expect((await app.failureOf(({ safety }) => safety.setProfile('research'))).code).toBe('safety/locked');
  }
});
