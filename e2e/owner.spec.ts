/**
 * The owner's story: from the link to their own policy moving their arm. A name on the Hub, the calibration file LeRobot wrote, their camera,
 * the checks, and the key that must be held. Every press is counted: clicks anywhere in the page, a file chosen, the key held.
 */
import { CHROMIUM_FLAGS, findChromium } from '../tools/chromium.ts';
import { startFakeHub } from '../tools/fake-hub/fake-hub.ts';
import { formatCalibration } from '../src/core/arm/serial/calibration.ts';
import { virtualCalibration } from '../src/core/arm/virtual/virtual-arm.ts';
import { open } from './app.ts';
import { answerAsHub, pocketFiles } from './hub.ts';
import { expect, newSite, test } from './site.ts';

const ID = 'anna/cube-policy';

test('An owner goes from the link to motion by their own policy in four clicks', async ({ playwright }) => {
  test.setTimeout(300_000);
  const hub = await startFakeHub();
  // Chromium's own moving picture stands for a camera; it asks nobody.
  const browser = await playwright.chromium.launch({ executablePath: findChromium() ?? undefined, args: [...CHROMIUM_FLAGS, '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] });
  const site = newSite(browser);
  try {
    hub.models.set(ID, { files: pocketFiles() });
    const visit = await site.visit();
    visit.expectComplaint(/page-silent|control\/state-stale|policy\/timeout/);
    await answerAsHub(visit, hub);
    const app = await open(visit, { query: 'arm=virtual&engine=wasm', until: 'arm' });
    const { page } = app;
    // Where one processor draws, thinks and simulates, the page may be silent for seconds; that may hold the arm here, and is another story.
    await app.play(async (playground) => {
      const profile = await playground.safety.profile();
      await playground.safety.setProfile({ ...profile, real: { ...profile.real, surroundings: 'hold' } });
    });
    let clicks = 0;
    await page.exposeFunction('clicked', () => clicks++);
    await page.evaluate(() => addEventListener('click', (event) => void (event.isTrusted && event.detail > 0 && (globalThis as unknown as { clicked(): void }).clicked()), { capture: true }));

    // One: the file that LeRobot wrote when this arm was calibrated. The motors hold the same, so it is connected at once.
    const choosing = page.waitForEvent('filechooser', { timeout: 60_000 });
    await page.getByTestId('connect-with-file').click();
    await (await choosing).setFiles({ name: 'so_follower.json', mimeType: 'application/json', buffer: Buffer.from(formatCalibration(virtualCalibration())) });
    await expect(page.getByTestId('arm-kind')).toHaveAttribute('data-kind', 'virtual', { timeout: 40_000 });

    // Two: the policy, by name and Enter; nothing stands against it; load.
    const name = page.getByTestId('own-policy-name');
    await name.focus();
    await page.keyboard.type(ID);
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('models-checks')).toHaveAttribute('data-stops', '0', { timeout: 60_000 });
    // Nothing but descriptions so far.
    expect(hub.log.filter((request) => request.startsWith('GET /storage/') && !request.includes('bytes=0-'))).toEqual([]);
    await page.getByTestId('models-load').click();
    const owned = async (): Promise<boolean> => {
      const { policy, failures } = await app.state();
      if (policy.kind === 'failed') throw new Error(JSON.stringify(failures));
      return policy.kind === 'ready' && policy.name?.includes(ID) === true;
    };
    await expect.poll(owned, { timeout: 150_000 }).toBe(true);

    // Three: the camera.
    await page.getByTestId('camera-real-front').click();
    await expect(page.getByTestId('camera-front')).toHaveAttribute('data-state', 'live', { timeout: 30_000 });

    // The sentence and Enter. Nothing moves yet.
    await app.sentence.focus();
    await page.keyboard.type('touch the red cube');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await app.state()).arm.mode, { timeout: 60_000 }).toBe('policy');
    await expect.poll(async () => (await app.state()).run).toBe('running');
    const before = (await app.state()).arm.target;
    await page.waitForTimeout(500);
    expect((await app.state()).arm.target).toEqual(before);

    // Four: held, the policy moves the arm; let go, it stands.
    clicks++;
    await page.getByTestId('hold-to-run').hover();
    await page.mouse.down();
    await expect.poll(async () => Math.max(...((await app.state()).arm.target ?? []).map((value, i) => Math.abs(value - (before?.[i] ?? 0)))), { timeout: 60_000 }).toBeGreaterThan(0.5);
    expect(clicks).toBe(4);
    await page.mouse.up();
    expect((await app.play((playground) => playground.state().policy))).toMatchObject({ kind: 'ready' });
    await page.keyboard.press('Escape');
    await expect.poll(async () => (await app.state()).arm.mode, { timeout: 15_000 }).toBe('stopped');
  } finally {
    await site.close();
    await browser.close();
    await hub.close();
  }
});
