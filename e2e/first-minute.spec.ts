/** The first minute: from the link to a moving arm. */
import { open, waitForPolicy } from './app.ts';
import { expect, test } from './site.ts';

test('A visitor opens the link: the arm stands there, the cameras are live, and nothing moves by itself', async ({ site }) => {
  const visit = await site.visit();
  const startedAtMs = performance.now();
  const app = await open(visit);
  console.log(`interactive after ${((performance.now() - startedAtMs) / 1000).toFixed(2)} s`);
  const first = await app.state();
  expect(first.arm).toMatchObject({ kind: 'simulated', mode: 'idle' });
  expect(first.failures).toEqual([]);
  await expect(app.sentence).toBeVisible();
  await expect(app.run).toBeVisible();
  await expect(app.stop).toBeVisible();
  await expect(app.page.getByRole('dialog')).toHaveCount(0);
  for (const camera of ['Front camera', 'Wrist camera']) {
    await expect.poll(() => colours(app.page, camera), { timeout: 20_000, message: `${camera} shows no picture` }).toBeGreaterThan(50);
  }
  await app.page.waitForTimeout(1500);
  const later = await app.state();
  expect(later.arm.tick).toBeGreaterThan(first.arm.tick + 20);
  later.arm.measured?.forEach((value, joint) => expect(Math.abs(value - (first.arm.measured?.[joint] ?? Number.NaN)), `joint ${joint}`).toBeLessThan(1));
});

test('She presses Run before the policy is there: the sentence waits visibly and runs by itself', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit, { query: 'engine=wasm' });
  await app.sentence.fill('wave hello');
  await app.run.click();
  expect((await app.state()).run).toMatch(/waiting|running/);
  await expect.poll(async () => (await app.state()).run, { timeout: 120_000 }).toBe('running');
  await app.page.keyboard.press('Escape');
  await expect.poll(async () => (await app.state()).arm.mode).toMatch(/stopping|stopped/);
});

test('She can read which engine runs and why, and that this policy has not been trained or how it was', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit);
  await waitForPolicy(app);
  await expect(app.page.getByText(/WASM on the CPU|WebGPU/).first()).toBeVisible();
  const [listing] = await app.play((playground) => playground.policies.list());
  const training = listing?.info?.training.kind;
  await expect(app.page.getByText(training === 'untrained' ? /untrained|not (?:been )?trained/i : /trained/i).first()).toBeVisible();
});

/** Different colours in a camera's picture as shown, of at most 64 x 64 looked at; 0 where there is none. */
function colours(page: import('@playwright/test').Page, name: string): Promise<number> {
  return page.evaluate((label) => {
    const shown = [...document.querySelectorAll<HTMLElement>('canvas,img,video')].find((element) => (element.getAttribute('aria-label') ?? element.getAttribute('alt') ?? '').startsWith(label));
    if (!(shown instanceof HTMLCanvasElement || shown instanceof HTMLImageElement || shown instanceof HTMLVideoElement)) return 0;
    const look = new OffscreenCanvas(64, 64).getContext('2d');
    look?.drawImage(shown, 0, 0, 64, 64);
    return new Set(new Uint32Array(look?.getImageData(0, 0, 64, 64).data.buffer ?? new ArrayBuffer(4))).size;
  }, name);
}
