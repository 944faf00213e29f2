/** Real cameras, from a file of known pictures that Chromium plays as its camera: what the policy sees, and what stops it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from '@playwright/test';
import { CHROMIUM_FLAGS, findChromium } from '../tools/chromium.ts';
import { knownVideo, tensorDifference, type KnownTensor } from '../tools/known-picture.ts';
import { freshTable, open, type App } from './app.ts';
import { expect, newSite, test as base, type Site } from './site.ts';
import { expectHolding } from './workers.ts';

const reference = JSON.parse(readFileSync(join(import.meta.dirname, 'known-picture.json'), 'utf8')) as KnownTensor;

interface Studio {
  /** A page in a browser whose camera plays this, with the permission given. */
  film(pattern: Parameters<typeof knownVideo>[0]): Promise<App>;
}

const test = base.extend<{ studio: Studio }>({
  studio: async ({ playwright }, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'vla-camera-'));
    const open_: { readonly browser: Browser; readonly site: Site }[] = [];
    await use({
      async film(pattern) {
        const file = join(folder, `${pattern}.y4m`);
        writeFileSync(file, knownVideo(pattern));
        const browser = await playwright.chromium.launch({ executablePath: findChromium() ?? undefined, args: [...CHROMIUM_FLAGS, '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${file}`] });
        const site = newSite(browser);
        open_.push({ browser, site });
        const visit = await site.visit();
        await visit.context.grantPermissions(['camera'], { origin: new URL(visit.url).origin });
        return open(visit, { query: 'engine=wasm', until: 'policy' });
      },
    });
    for (const { site, browser } of open_) {
      await site.close();
      await browser.close();
    }
    rmSync(folder, { recursive: true, force: true });
  },
});

async function useRealFront(app: App): Promise<void> {
  await app.page.getByLabel('Front camera: which device').selectOption({ index: 1 });
  await expect(app.page.getByTestId('camera-front')).toHaveAttribute('data-state', 'live', { timeout: 30_000 });
}

test('She puts a real camera into a place: the policy sees what LeRobot would see, and its unplugging is told', async ({ studio }) => {
  test.setTimeout(240_000);
  const app = await studio.film('known');
  await useRealFront(app);
  await expect(app.page.getByTestId('camera-front')).toContainText(/640 × 480 · \d+\/s · 0\.\d s old/);
  const [front, wrist] = await app.play(async (playground) => {
    const { pictures } = await playground.probe({ task: 'wave', noiseSeed: 1 });
    return pictures.map(({ camera, source, picture }) => ({ camera, source, picture: { ...picture, data: Array.from(picture.data) } }));
  });
  expect([front?.camera, front?.source, wrist?.source]).toEqual(['observation.images.front', 'real', undefined]);
  if (front === undefined) throw new Error('no picture');
  expect(tensorDifference({ picture: { ...front.picture, data: Uint8Array.from(front.picture.data) } }, reference)).toBeLessThanOrEqual(1e-3);

  // No test can pull a plug; the browser's own way of saying that one was pulled is the track's end.
  await app.page.evaluate(() => {
    const [track] = ((document.querySelector('[data-testid="camera-front"] video') as HTMLVideoElement).srcObject as MediaStream).getVideoTracks();
    track?.stop();
    track?.dispatchEvent(new Event('ended'));
  });
  await app.expectMessage(/camera is gone/i);
  await expect(app.page.getByTestId('camera-front')).toContainText(/was unplugged/);
  expect((await app.failureOf((playground) => playground.probe({ task: 'wave', noiseSeed: 1 }))).code).toBe('observation/camera-unplugged');
  await app.page.getByLabel('Front camera: which device').selectOption('simulated');
  await expect.poll(async () => app.play(async (playground) => (await playground.probe({ task: 'wave', noiseSeed: 1 })).pictures.map(({ source }) => source ?? 'simulated'))).toEqual(['simulated', 'simulated']);
});

test('A frozen camera stops the policy with words, and so does a black one', async ({ studio }) => {
  test.setTimeout(300_000);
  for (const [pattern, message] of [['known', /camera is frozen/i], ['black', /camera sees black/i]] as const) {
    const app = await studio.film(pattern);
    await useRealFront(app);
    await freshTable(app);
    // The watch needs an arm that has moved: it is turned by hand, then the policy looks.
    await app.sentence.fill('pick up the red cube');
    await app.run.click();
    await app.expectMessage(message);
    await expect.poll(async () => (await app.state()).run, { timeout: 60_000 }).toMatch(/over|failed/);
    await expectHolding(app);
  }
});
