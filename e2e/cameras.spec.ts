/** Real cameras, from a file of known pictures that Chromium plays as its camera: what the policy sees, and what stops it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestInfo } from '@playwright/test';
import { knownVideo, tensorDifference, type KnownTensor } from '../tools/known-picture.ts';
import { freshTable, open, type App } from './app.ts';
import { expect } from './site.ts';
import { test, useCamera, type Studio } from './studio.ts';
import { plugInTwoCameras } from './two-plugs.ts';
import { expectHolding } from './workers.ts';

const reference = JSON.parse(readFileSync(join(import.meta.dirname, 'known-picture.json'), 'utf8')) as KnownTensor;

/** A page whose one camera plays this. */
async function film(studio: Studio, info: TestInfo, pattern: Parameters<typeof knownVideo>[0]): Promise<App> {
  const file = info.outputPath(`${pattern}.y4m`);
  writeFileSync(file, knownVideo(pattern));
  return studio.enter(['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${file}`]);
}

test('She puts a real camera into a place: the policy sees what LeRobot would see, and its unplugging is told', async ({ studio }, info) => {
  test.setTimeout(240_000);
  const app = await film(studio, info, 'known');
  await useCamera(app, 'Front', 1);
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

test('A frozen camera stops the policy with words, and so does a black one', async ({ studio }, info) => {
  test.setTimeout(300_000);
  for (const [pattern, message] of [['known', /camera is frozen/i], ['black', /camera sees black/i]] as const) {
    const app = await film(studio, info, pattern);
    await useCamera(app, 'Front', 1);
    await freshTable(app);
    // The watch needs an arm that has moved: it is turned by hand, then the policy looks.
    await app.sentence.fill('pick up the red cube');
    await app.run.click();
    await app.expectMessage(message);
    await expect.poll(async () => (await app.state()).run, { timeout: 60_000 }).toMatch(/over|failed/);
    await expectHolding(app);
  }
});

test('Two cameras whose plugs change places stop the policy with words, also in the next run, until she says which is which', async ({ site }) => {
  test.setTimeout(240_000);
  const visit = await site.visit();
  await plugInTwoCameras(visit.page);
  const app = await open(visit, { query: 'engine=wasm', until: 'policy' });
  await useCamera(app, 'Front', 1);
  await useCamera(app, 'Wrist', 2);
  const chunks = await countChunks(app);
  await app.sentence.fill('pick up the red cube');
  await app.run.click();
  await expect.poll(chunks, { timeout: 60_000, message: 'the policy does not plan' }).toBeGreaterThan(1);
  expect(await app.page.getByRole('alert').count(), 'two cameras in their places are nothing to tell').toBe(0);

  await app.page.evaluate(() => window.changePlugs());
  await app.expectMessage(/two cameras have changed places/i);
  await expect.poll(async () => (await app.state()).run, { timeout: 60_000 }).toMatch(/over|failed/);
  await expectHolding(app);
  // Nothing has been put right: the next sentence does not move the arm either.
  const before = await chunks();
  expect(await outcomeOf(app)).toEqual({ outcome: 'failed', code: 'observation/camera-swapped' });
  expect(await chunks()).toBe(before);

  await useCamera(app, 'Front', 2);
  await useCamera(app, 'Wrist', 1);
  expect(await outcomeOf(app)).toEqual({ outcome: 'finished', code: null });
  expect(await chunks()).toBeGreaterThan(before);
});

/** How many chunks there have been since. */
async function countChunks(app: App): Promise<() => Promise<number>> {
  await app.play((playground) => {
    const counted = Object.assign(window, { chunksSeen: 0 });
    playground.on('chunk', () => void counted.chunksSeen++);
  });
  return () => app.page.evaluate(() => (window as unknown as { readonly chunksSeen: number }).chunksSeen);
}

/** A run of two seconds. */
const outcomeOf = (app: App) =>
  app.play(async (playground) => {
    const { outcome, failure } = await playground.run({ task: 'pick up the red cube', seconds: 2 });
    return { outcome, code: failure === null ? null : failure.code };
  });
