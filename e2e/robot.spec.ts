/**
 * An arm of servos, told with the virtual ones: the whole path through a port in the browser's shape, the bus, six servos and the
 * simulated arm behind them. `SERVO_FAULT_TABLE=evidence/servo-faults.md npx playwright test e2e/robot.spec.ts` writes the table.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Page } from '@playwright/test';
import type { VirtualFault } from '#contracts/robot-setup.ts';
import { open, waitForPolicy, type App } from './app.ts';
import { expect, newSite, test, type Site } from './site.ts';

let site: Site;
let app: App;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(300_000);
  site = newSite(browser);
  const visit = await site.visit();
  visit.expectComplaint(/page-silent|control\/state-stale/);
  app = await open(visit, { query: 'arm=virtual&engine=wasm', until: 'arm' });
});

test.afterAll(() => site.close());

const kind = (page: Page): Promise<string | null> => page.getByTestId('arm-kind').getAttribute('data-kind');
const mode = async (): Promise<string> => (await app.state()).arm.mode;

async function connected(): Promise<void> {
  const { page } = app;
  await page.getByTestId('mode-robot').click();
  if ((await kind(page)) !== 'virtual') await page.getByTestId('connect-servos').click();
  await expect.poll(() => kind(page), { timeout: 30_000 }).toBe('virtual');
  // A machine so busy that the page was silent for two seconds has stopped the arm; that is another story.
  if ((await mode()) === 'stopped') await page.getByTestId('go-on').click();
  await expect.poll(mode, { timeout: 15_000 }).toMatch(/idle|manual/);
}

test('From the link to an arm that moves by hand: two clicks', async () => {
  const { page } = app;
  let clicks = 0;
  await page.exposeFunction('clicked', () => clicks++);
  await page.evaluate(() => addEventListener('click', () => void (globalThis as unknown as { clicked(): void }).clicked(), { capture: true }));
  await page.getByTestId('connect-servos').click();
  await expect.poll(() => kind(page), { timeout: 30_000 }).toBe('virtual');
  // Nothing moved by connecting.
  const before = (await app.state()).arm.measured ?? [];
  expect(Math.abs(before[0] ?? 99)).toBeLessThan(1);
  const slider = page.getByTestId('slider-shoulder_pan');
  const box = await slider.boundingBox();
  if (box === null) throw new Error('no slider');
  await page.mouse.click(box.x + box.width * 0.7, box.y + box.height / 2);
  await expect.poll(async () => Math.abs((await app.state()).arm.measured?.[0] ?? 0), { timeout: 15_000 }).toBeGreaterThan(20);
  expect(clicks).toBe(2);
  await expect(page.getByTestId('readings').locator('tr[data-state="fresh"]')).toHaveCount(6);
});

test('She calibrates the arm by hand, sees what will be written, and takes the file home', async () => {
  const { page } = app;
  await connected();
  await page.getByTestId('calibrate').click();
  await expect(page.getByTestId('calibration-step')).toBeVisible({ timeout: 40_000 });
  await page.getByTestId('virtual-hand').click();
  await expect(page.getByTestId('calibration-step')).toHaveAttribute('data-step', 'sweeping', { timeout: 20_000 });
  await expect(page.getByTestId('calibration-next')).toBeEnabled({ timeout: 60_000 });
  await expect(page.getByTestId('virtual-hand')).toBeEnabled({ timeout: 30_000 });
  await page.getByTestId('calibration-next').click();
  await expect(page.getByTestId('calibration-plan')).toContainText('Nothing has been written yet');
  await page.getByTestId('write-plan').click();
  await expect.poll(() => kind(page), { timeout: 30_000 }).toBe('virtual');
  const downloading = page.waitForEvent('download');
  await page.getByTestId('export-calibration').click();
  const text = await new Response((await downloading).url().startsWith('blob:') ? await (await downloading).createReadStream().then(readAll) : '').text();
  expect(Object.keys(JSON.parse(text) as object)).toEqual(['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper']);
  // LeRobot's file comes back: the motors hold it already.
  await page.getByTestId('calibration-file').setInputFiles({ name: 'mine.json', mimeType: 'application/json', buffer: Buffer.from(text) });
  await expect(page.getByTestId('calibration-plan')).toContainText('Nothing would change', { timeout: 20_000 });
  await page.getByRole('button', { name: /do not write/i }).click();
});

test('A policy moves the arm only while the key is held; Stop, then the gripper opens', async () => {
  test.setTimeout(400_000);
  const { page } = app;
  await connected();
  await waitForPolicy(app);
  // Where the processor draws, thinks and simulates, the page may be silent for seconds; here that may hold the arm and not end the story.
  await app.play(async (playground) => {
    const profile = await playground.safety.profile();
    await playground.safety.setProfile({ ...profile, real: { ...profile.real, surroundings: 'hold' } });
  });
  await page.getByTestId('mode-play').click();
  await app.sentence.fill('wave hello');
  await app.run.click();
  await expect.poll(mode, { timeout: 60_000 }).toBe('policy');
  await expect(page.getByTestId('holding')).toContainText(/hold key/i, { timeout: 20_000 });
  const held = (await app.state()).arm.target;
  await page.waitForTimeout(700);
  expect((await app.state()).arm.target).toEqual(held);
  await page.getByTestId('stage').click();
  await page.keyboard.down('m');
  await expect.poll(async () => JSON.stringify((await app.state()).arm.target) !== JSON.stringify(held), { timeout: 60_000 }).toBe(true);
  await page.keyboard.up('m');
  const stands = async (): Promise<boolean> => {
    const target = JSON.stringify((await app.state()).arm.target);
    await page.waitForTimeout(300);
    return JSON.stringify((await app.state()).arm.target) === target;
  };
  await expect.poll(stands, { timeout: 10_000 }).toBe(true);
  await page.keyboard.press('Escape');
  await expect.poll(mode, { timeout: 15_000 }).toBe('stopped');
  await page.keyboard.press('o');
  await expect.poll(async () => (await app.state()).arm.measured?.[5] ?? 0, { timeout: 15_000 }).toBeGreaterThan(85);
  await expect.poll(mode, { timeout: 15_000 }).toBe('stopped');
  await page.getByTestId('go-on').click();
  await expect.poll(mode).toBe('idle');
  await app.play(async (playground) => {
    const profile = await playground.safety.profile();
    await playground.safety.setProfile({ ...profile, real: { ...profile.real, surroundings: 'latch' } });
  });
});

test('Whatever breaks while it moves, it brakes or goes on as promised, says so, and comes back', async () => {
  test.setTimeout(400_000);
  const { page } = app;
  app.visit.expectComplaint(/arm\/|safety\/|control\//);
  const rows: string[] = [];
  // Late answers are told on a manual clock (`servo-faults.test.ts`): on a busy machine some of them come in time for the next question, and the
  // arm holds and goes on by turns.
  const faults: readonly (readonly [VirtualFault, RegExp | null])[] = [
    ['overload', /protects itself/],
    ['brown-out', /has let go/],
    ['drop', /old joint reading/],
    ['corrupt', /old joint reading/],
    ['wrong-id', /old joint reading/],
    ['duplicate', null],
    ['hot', /protects itself/],
    ['chain', /old joint reading/],
    ['unplug', /cable to the arm/i],
  ];
  await connected();
  await page.getByText('Break the virtual arm').click();
  await app.play((playground) => {
    const ticks: { atMs: number; target: readonly number[] }[] = [];
    Object.assign(globalThis, { servoTicks: ticks });
    playground.on('ticks', (more) => ticks.push(...more.map(({ atMs, target }) => ({ atMs, target: [...target] }))));
  });
  let side = 95;
  for (const [fault, says] of faults) {
    // Where the processor draws the stage too, the page may be silent for seconds and stop the arm before the fault does: once more then.
    for (let attempt = 0; attempt < 4; attempt++) {
      for (const dismiss of await page.getByRole('button', { name: /^dismiss/i }).all()) await dismiss.click().catch(() => undefined);
      // So far away that it is still on its way when the fault comes.
      side = -side;
      await app.play((playground, pan) => playground.robot.setTargets([pan, -30, 30, 80, -80, 20]), side);
      await page.waitForTimeout(900);
      const injected: number = await page.evaluate(`(() => { servoTicks.length = 0; document.querySelector('[data-testid="fault-${fault}"]').click(); return performance.timeOrigin + performance.now(); })()`);
      if (says === null) {
        await page.waitForTimeout(600);
        expect(await mode()).toBe('manual');
        rows.push(`| ${fault} | goes on | – | – |`);
        await page.getByTestId('fault-none').click();
        break;
      }
      await expect.poll(mode, { timeout: 10_000 }).toBe('stopped');
      const card = page.locator('.failure h3');
      await expect(card.first()).toBeVisible({ timeout: 10_000 });
      // A card of the fault before may still be there: motors that had lost their power were let go, and that was said.
      const titles = await card.allInnerTexts();
      const title = (titles.find((one) => says.test(one)) ?? titles.join(', ')).trim();
      const stillAfter: number = await page.evaluate(`(() => { let last = ${injected}; for (let i = 1; i < servoTicks.length; i++) if (servoTicks[i].target.some((v, j) => v !== servoTicks[i - 1].target[j])) last = servoTicks[i].atMs; return last - ${injected}; })()`);
      await page.getByTestId('fault-none').click();
      await page.waitForTimeout(400);
      if (fault === 'unplug') {
        await page.getByTestId('leave-servos').click();
        await expect.poll(() => kind(page), { timeout: 20_000 }).toBe('simulated');
        await connected();
      } else await page.getByTestId('go-on').click();
      await expect.poll(mode, { timeout: 15_000 }).toMatch(/idle|manual/);
      if (/page not answering/.test(title) && attempt < 3) continue;
      expect(title).toMatch(says);
      expect(stillAfter).toBeLessThan(2500);
      rows.push(`| ${fault} | brakes, holds, latched | ${Math.round(stillAfter)} | ${title} |`);
      break;
    }
  }
  const file = process.env['SERVO_FAULT_TABLE'];
  if (file !== undefined) writeFileSync(resolve(import.meta.dirname, '..', file), `${['| fault | the arm | still after, ms | message |', '|---|---|---|---|', ...rows].join('\n')}\n`);
});

test('The hardware check, step by step, with the virtual arm', async () => {
  test.setTimeout(240_000);
  const { page } = app;
  app.visit.expectComplaint(/arm\//);
  await connected();
  await page.getByText('Hardware check').click();
  await page.getByTestId('check-start').click();
  for (const step of ['connect', 'readings', 'stillness', 'each-joint', 'stop', 'gripper', 'go-on', 'cable', 'again', 'lower']) {
    // Either the next question or the end, with the list of what came of each step to say why.
    await expect(page.locator(`[data-step="${step}"]`).or(page.getByTestId('check-done'))).toBeVisible({ timeout: 60_000 });
    const soFar = await page.locator('.check-steps').innerText();
    expect(await page.getByTestId('check-done').count(), soFar).toBe(0);
    await page.getByTestId('check-yes').click();
  }
  await expect(page.getByTestId('check-done')).toContainText('10 of 10 steps passed', { timeout: 60_000 });
});

async function readAll(stream: AsyncIterable<Buffer>): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of stream) parts.push(Uint8Array.from(part));
  return new Blob(parts);
}
