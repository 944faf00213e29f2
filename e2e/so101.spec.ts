/** The other arm: chosen, drawn, connected by virtual servos, moved within its own limits; a policy of the first one does not move it. */
import { open } from './app.ts';
import { expect, test } from './site.ts';

test('An SO-101 is chosen, moved by its own limits, and not moved by a policy of the SO-100', async ({ site }) => {
  test.setTimeout(300_000);
  const visit = await site.visit();
  visit.expectComplaint(/page-silent|control\/state-stale/);
  const app = await open(visit, { query: 'arm=virtual&engine=wasm', until: 'arm' });
  const { page } = app;
  const before = (await app.state()).world.scene;
  await page.getByTestId('robot-body').selectOption('so101');
  await expect.poll(async () => (await app.state()).world.request?.robot, { timeout: 20_000 }).toBe('so101');
  await expect.poll(async () => (await app.state()).arm.mode, { timeout: 20_000 }).toBe('idle');
  expect((await app.state()).world.scene).not.toBe(before);
  await page.getByTestId('connect-servos').click();
  await expect.poll(async () => (await app.state()).arm.kind, { timeout: 30_000 }).toBe('virtual');
  // As far as this arm's wrist rolls less the margin of a real arm, 159.9 degrees; an SO-100's would end at 157.1.
  await app.play((playground) => playground.robot.setTargets([0, -30, 30, 90, 175, 25]));
  await expect.poll(async () => (await app.state()).arm.measured?.[4] ?? 0, { timeout: 60_000 }).toBeGreaterThan(158.5);
  expect((await app.state()).arm.measured?.[4]).toBeLessThan(162.8);
  const refused = await app.failureOf((playground) => playground.run({ task: 'wave hello' }));
  expect(refused).toMatchObject({ code: 'policy/preflight', facts: { check: 'arm', trained: 'so100', here: 'so101' } });
  await expect(page.getByText('This policy is for another arm').first()).toBeVisible();
  // While it is connected nobody exchanges it.
  expect(await app.failureOf((playground) => playground.world.reset({ task: '', seed: 7, robot: 'so100' }))).toMatchObject({ code: 'control/busy' });
  await page.getByTestId('leave-servos').click();
  await expect.poll(async () => (await app.state()).arm.kind, { timeout: 60_000 }).toBe('simulated');
  await page.getByTestId('robot-body').selectOption('so100');
  await expect.poll(async () => (await app.state()).world.scene, { timeout: 20_000 }).toBe(before);
});
