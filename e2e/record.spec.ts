/** Recording by keyboard, a tab that dies, real cameras, and a dataset that comes back as it was. */
import { openAsBlob, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { videoPackets } from '../tools/video-packets.ts';
import type { App } from './app.ts';
import { open } from './app.ts';
import { pictureTimes } from './fake-clock.ts';
import { expect } from './site.ts';
import { test, useCamera } from './studio.ts';

/** A joint moved by its key for a moment, with the focus on the stage. */
async function jog(app: App, key: string, ms: number): Promise<void> {
  await app.page.keyboard.down(key);
  await app.page.waitForTimeout(ms);
  await app.page.keyboard.up(key);
}

async function openRecorder(app: App): Promise<void> {
  await app.page.getByRole('button', { name: 'Record', exact: true }).click({ timeout: 60_000 });
  await expect(app.page.getByTestId('record-toggle')).toBeEnabled({ timeout: 60_000 });
  await app.page.getByTestId('record-side').selectOption('128');
  await app.page.getByRole('slider', { name: /shoulder pan/i }).focus();
}

/** What the page complains of stands beside what it says: a recording that does not begin tells why. */
async function begins(app: App, withinMs: number): Promise<void> {
  await app.page.keyboard.press('c');
  const told = async (): Promise<string> => `${await app.page.getByTestId('record-state').innerText()} ${await app.play(async (playground) => JSON.stringify(playground.state().failures))}`;
  await expect.poll(told, { timeout: withinMs, message: 'the recording does not begin' }).toContain('Recording:');
}

/** C begins, a joint moves, C keeps. */
async function recordEpisode(app: App, key: string, nth: number): Promise<void> {
  await begins(app, 20_000);
  await jog(app, key, 500);
  await app.page.waitForTimeout(300);
  await app.page.keyboard.press('c');
  await expect(app.page.getByTestId('record-list').getByRole('listitem')).toHaveCount(nth, { timeout: 30_000 });
  await expect(app.page.getByTestId('record-toggle')).toBeEnabled({ timeout: 30_000 });
}

/** Degrees: how much the step from row to row changes, over an episode and its joints. */
const stutter = (action: readonly number[]): number =>
  action.slice(12).reduce((sum, value, i) => sum + Math.abs(value - 2 * (action[i + 6] as number) + (action[i] as number)), 0);

const rowsOf = (app: App, id: string) =>
  app.play(async (playground, which) => {
    const { state, action, task, rows } = await playground.recording.episode(which);
    return { task, rows, state: Array.from(state), action: Array.from(action) };
  }, id);

test('She records three episodes by keyboard, the tab dies in the fourth, and the dataset comes back and is replayed', async ({ site }, info) => {
  test.setTimeout(300_000);
  const visit = await site.visit();
  let app = await open(visit, { query: 'engine=wasm' });
  await openRecorder(app);
  for (const [i, key] of ['q', 'e', 'a'].entries()) await recordEpisode(app, key, i + 1);
  await begins(app, 20_000);
  await jog(app, 'q', 300);
  await app.page.close({ runBeforeUnload: false });

  app = await open({ ...visit, page: await visit.context.newPage() }, { query: 'engine=wasm' });
  await openRecorder(app);
  await expect(app.page.getByText(/One episode was cut off/)).toBeVisible({ timeout: 20_000 });
  const kept = await app.play(async (playground) => (await playground.recording.list()).map(({ id, rows, lateTicks }) => ({ id, rows, lateTicks })));
  expect(kept).toHaveLength(3);
  const recorded: Awaited<ReturnType<typeof rowsOf>>[] = [];
  for (const { id } of kept) recorded.push(await rowsOf(app, id));

  const download = app.page.waitForEvent('download', { timeout: 200_000 });
  await app.page.getByRole('button', { name: 'Save as zip' }).click();
  const zip = info.outputPath('dataset.zip');
  await (await download).saveAs(zip);
  writeFileSync(info.outputPath('kept.json'), JSON.stringify(kept));

  await app.page.getByTestId('dataset-zip').setInputFiles(zip);
  await expect(app.page.getByText('LeRobot v3.0, 3 episodes, 30/s')).toBeVisible({ timeout: 30_000 });
  for (const [index, before] of recorded.entries()) {
    const after = await app.play(async (playground, which) => {
      const { state, action, task, rows } = await playground.recording.datasetEpisode(which);
      return { task, rows, state: Array.from(state), action: Array.from(action) };
    }, index);
    expect(after).toEqual(before);
    expect(Math.max(...after.action) - Math.min(...after.action)).toBeGreaterThan(5);
  }
  // One episode on the arm, through the gate: the trace of the targets is the recorded one. The smoothest: a busy machine lets a held key
  // stutter, and an arm that stops and starts at the limits' own edge is not met again so exactly (0.3 degrees were seen).
  const smoothest = recorded.map(({ action }) => stutter(action)).reduce((best, rough, i, all) => (rough < (all[best] as number) ? i : best), 0);
  await app.page.getByTestId('dataset-episode').selectOption(String(smoothest));
  // The episode read last is still on show until the new one is here: its number says which.
  await expect(app.page.getByTestId('shown-episode')).toContainText(`Episode ${smoothest}:`);
  // Where that one is chosen itself its number says nothing: it is read again all the same.
  await expect(app.page.getByTestId('replay-episode')).toBeEnabled();
  const report = await app.play(async (playground) => {
    const { rows, rowsPlayed, maxAbsDifference, control } = await playground.recording.replay();
    return { rows, rowsPlayed, maxAbsDifference, skipped: control.jitter.skipped };
  });
  expect(report.rowsPlayed).toBe(report.rows);
  // A row is a tick: what the gate allowed once it allows again, exactly from rest to rest (workers/control/replay.test.ts). A recording
  // that begins or ends in motion is eased there: 0.08 degrees were seen.
  expect(report.maxAbsDifference).toBeLessThan(0.2);
  expect(visit.strangers()).toEqual([]);
});

test('She opens a dataset that LeRobot itself recorded, looks at an episode, and the arm plays it through the gate', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit, { query: 'engine=wasm' });
  await app.page.getByRole('button', { name: 'Record', exact: true }).click({ timeout: 60_000 });
  await app.page.getByTestId('dataset-folder').setInputFiles(join(import.meta.dirname, '../src/core/recording/testing/lerobot'));
  await expect(app.page.getByText('LeRobot v3.0, 2 episodes, 30/s, so100_follower')).toBeVisible({ timeout: 30_000 });
  await app.page.getByTestId('dataset-episode').selectOption('1');
  const shown = app.page.getByTestId('shown-episode');
  await expect(shown).toContainText('Episode 1: wave 1');
  await expect(shown.locator('video')).toHaveCount(1, { timeout: 20_000 });
  // 110 degrees of the wrist say what the numbers mean; in -100..100 they could not be.
  await expect(app.page.getByTestId('era')).toHaveValue('degrees');
  await app.page.getByTestId('replay-episode').click();
  await expect(app.page.getByTestId('replayed')).toContainText('45 of 45', { timeout: 60_000 });
  const told = await app.play(async (playground) => {
    const { rows, rowsPlayed, maxAbsDifference } = await playground.recording.replay();
    return { rows, rowsPlayed, maxAbsDifference };
  });
  expect(told).toMatchObject({ rows: 45, rowsPlayed: 45 });
  expect(told.maxAbsDifference).toBeLessThan(0.2);
});

test('She records two real cameras: every row has its picture of both, the dataset says how far apart they are, and the pictures themselves agree', async ({ studio }, info) => {
  test.setTimeout(300_000);
  // The second of Chromium's fake cameras sends depth, the third JPEGs, the fourth what a webcam sends.
  const app = await studio.enter(['--use-fake-device-for-media-stream=device-count=4,fps=30']);
  await useCamera(app, 'Front', 1);
  await useCamera(app, 'Wrist', 4);
  await openRecorder(app);
  await begins(app, 30_000);
  const said = app.page.getByTestId('record-state');
  await jog(app, 'q', 500);
  await expect.poll(async () => Number(/(\d+) rows/.exec(await said.innerText())?.[1] ?? 0), { timeout: 60_000, message: 'the recording does not go on' }).toBeGreaterThan(60);
  await app.page.keyboard.press('c');
  await expect(app.page.getByTestId('record-list').getByRole('listitem')).toHaveCount(1, { timeout: 30_000 });
  const [kept] = await app.play(async (playground) => playground.recording.list());
  if (kept === undefined) throw new Error('nothing was kept');
  expect(kept.cameras).toEqual(['front', 'wrist'].map((place) => ({ key: `observation.images.${place}`, width: 640, height: 480, source: 'real' })));
  const before = await rowsOf(app, kept.id);

  const download = app.page.waitForEvent('download', { timeout: 60_000 });
  await app.page.getByRole('button', { name: 'Save as zip' }).click();
  const zip = info.outputPath('dataset.zip');
  await (await download).saveAs(zip);
  await app.page.getByTestId('dataset-zip').setInputFiles(zip);
  await expect(app.page.getByText('LeRobot v3.0, 1 episodes, 30/s')).toBeVisible({ timeout: 30_000 });
  await app.page.getByTestId('dataset-episode').selectOption('0');
  const shown = app.page.getByTestId('shown-episode');
  await expect(shown.locator('video')).toHaveCount(2, { timeout: 20_000 });
  const after = await app.play(async (playground) => {
    const { state, action, task, rows } = await playground.recording.datasetEpisode(0);
    return { task, rows, state: Array.from(state), action: Array.from(action) };
  });
  expect(after).toEqual(before);
  expect(Math.max(...after.action) - Math.min(...after.action)).toBeGreaterThan(5);

  // A fake camera shows its own clock, so what the recorder says of its pictures can be held against what is in them.
  const rowMs = 1000 / kept.fps;
  let again = 0;
  for (const { key } of kept.cameras) {
    const video = await videoPackets(await openAsBlob(zip), key);
    expect(video.packets.map(({ timestampUs }) => Math.round((timestampUs * kept.fps) / 1e6))).toEqual(Array.from({ length: kept.rows }, (_, row) => row));
    const timesMs = await pictureTimes(app.page, video, kept.fps);
    expect(timesMs).toHaveLength(kept.rows);
    const steps = timesMs.slice(1).map((atMs, row) => atMs - (timesMs[row] as number));
    expect(Math.min(...steps), 'no picture is older than the one before it').toBeGreaterThan(-3);
    again += steps.filter((ms) => ms < 3).length;
    const behind = timesMs.map((atMs, row) => row * rowMs - atMs);
    const spreadMs = Math.max(...behind) - Math.min(...behind);
    console.log(`${key}: ${kept.rows} rows, pictures spread over ${spreadMs.toFixed(1)} ms about their rows; told: p50 ${kept.alignment.p50Ms.toFixed(1)}, p99 ${kept.alignment.p99Ms.toFixed(1)}, most ${kept.alignment.maxMs.toFixed(1)} ms, ${kept.lateTicks} late ticks, ${kept.repeatedFrames} pictures again`);
    // The way from the camera to the recorder is in the picture's time and not in what is told; on a busy machine it is a frame or two.
    expect(spreadMs).toBeLessThan(kept.alignment.maxMs + (kept.lateTicks + 2) * rowMs);
  }
  expect(again, `${again} pictures are as the one before; told: ${kept.repeatedFrames}`).toBeLessThanOrEqual(kept.repeatedFrames + 0.05 * 2 * kept.rows);
});
