/** Moving the arm by hand: sliders and keys. */
import { sharedApp } from './shared.ts';
import { expect, test } from './site.ts';

const app = sharedApp({ query: 'engine=wasm' });

test('She drags the slider of a joint and the arm follows, within its limits', async () => {
  const slider = app.page.getByRole('slider', { name: /shoulder pan/i });
  const before = (await app.state()).arm.measured?.[0] ?? Number.NaN;
  await slider.fill('25');
  await expect.poll(async () => Math.abs(((await app.state()).arm.measured?.[0] ?? Number.NaN) - 25), { timeout: 10_000 }).toBeLessThan(2);
  expect(Math.abs(before - 25)).toBeGreaterThan(5);
  expect((await app.state()).arm.mode).toBe('manual');
});

test('He jogs a joint with the keyboard alone', async () => {
  const slider = app.page.getByRole('slider', { name: /shoulder pan/i });
  await slider.focus();
  const before = (await app.state()).arm.target?.[0] ?? Number.NaN;
  for (let i = 0; i < 10; i++) await app.page.keyboard.press('ArrowRight');
  await expect.poll(async () => ((await app.state()).arm.target?.[0] ?? Number.NaN) - before, { timeout: 10_000 }).toBeGreaterThan(4);
  const after = (await app.state()).arm.target?.[0] ?? Number.NaN;
  await expect.poll(async () => Math.abs(((await app.state()).arm.measured?.[0] ?? Number.NaN) - after), { timeout: 10_000 }).toBeLessThan(2);
});

test('A target far outside a joint ends at its limit, and nonsense is refused with what to do', async () => {
  await app.play((playground) => playground.robot.setTargets([9999, 0, 0, 0, 0, 50]));
  await expect.poll(async () => (await app.state()).arm.target?.[0] ?? 0, { timeout: 10_000 }).toBeGreaterThan(60);
  expect((await app.state()).arm.target?.[0]).toBeLessThan(180);
  const failure = await app.failureOf((playground) => playground.robot.setTargets([Number.NaN, 0, 0, 0, 0, 0]));
  expect(failure.code).toBe('control/out-of-range');
});

test('While a policy runs the sliders do not fight it', async () => {
  await app.sentence.fill('wave hello');
  await app.run.click();
  await expect.poll(async () => (await app.state()).arm.mode, { timeout: 60_000 }).toBe('policy');
  await expect(app.page.getByRole('slider', { name: /shoulder pan/i })).toBeDisabled();
  expect((await app.failureOf((playground) => playground.robot.setTargets([0, 0, 0, 0, 0, 0]))).code).toBe('control/busy');
  await app.page.keyboard.press('Escape');
});
