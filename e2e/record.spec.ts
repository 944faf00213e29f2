/** Recording by keyboard, a tab that dies, and a dataset that comes back as it was. */
import { writeFileSync } from 'node:fs';
import type { App } from './app.ts';
import { open } from './app.ts';
import { expect, test } from './site.ts';

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

/** C begins, a joint moves, C keeps. */
async function recordEpisode(app: App, key: string, nth: number): Promise<void> {
  await app.page.keyboard.press('c');
  await expect(app.page.getByTestId('record-state')).toContainText('Recording:', { timeout: 20_000 });
  await jog(app, key, 500);
  await app.page.waitForTimeout(300);
  await app.page.keyboard.press('c');
  await expect(app.page.getByTestId('record-list').getByRole('listitem')).toHaveCount(nth, { timeout: 30_000 });
  await expect(app.page.getByTestId('record-toggle')).toBeEnabled({ timeout: 30_000 });
}

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
  await app.page.keyboard.press('c');
  await expect(app.page.getByTestId('record-state')).toContainText('Recording:', { timeout: 20_000 });
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
  // The second episode on the arm, through the gate: the trace of the targets is the recorded one.
  await app.page.getByTestId('dataset-episode').selectOption('1');
  await expect(app.page.getByTestId('shown-episode')).toContainText('recorded');
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
