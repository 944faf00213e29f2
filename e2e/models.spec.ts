/** The owner's story: their own policy by its name on the Hub, what stands against it, mended one by one, and then it runs. */
import { join } from 'node:path';
import { startFakeHub } from '../tools/fake-hub/fake-hub.ts';
import { parseSafetensors, type TensorToWrite, writeSafetensors } from '../src/core/conversion/safetensors.ts';
import { open } from './app.ts';
import { answerAsHub, pocketFiles } from './hub.ts';
import { expect, test } from './site.ts';

const ID = 'anna/cube-policy';

/**
 * The pocket policy as somebody else's: another name for a camera, no statistics for what it does, and pictures of twice the side, 256
 * patches, so that on a CPU our own kernels look at them.
 */
function annasPolicy(statistics: 'all' | 'no-action'): Map<string, Uint8Array> {
  const files = pocketFiles();
  const config = Buffer.from(files.get('config.json')!).toString('utf8').replaceAll('observation.images.front', 'observation.images.top');
  files.set('config.json', Buffer.from(JSON.stringify({ ...JSON.parse(config), resize_imgs_with_padding: [192, 192] })));
  for (const [file, bytes] of files) {
    if (!file.endsWith('_processor.safetensors') || statistics === 'all') continue;
    const state = parseSafetensors(bytes, file);
    const kept = [...state.header.tensors.keys()].filter((name) => !name.startsWith('action.'));
    files.set(file, writeSafetensors(Object.fromEntries(kept.map((name): [string, TensorToWrite] => [name, { dtype: 'F32', shape: state.raw(name).shape, data: state.float32(name) }]))));
  }
  return files;
}

test('an owner loads their own policy from the Hub: a wrong camera and a missing statistic each stop it, mended it runs', async ({ site }) => {
  test.setTimeout(300_000);
  const hub = await startFakeHub();
  try {
    hub.models.set(ID, { files: annasPolicy('no-action') });
    const visit = await site.visit();
    await answerAsHub(visit, hub);
    const app = await open(visit, { query: 'engine=wasm' });
    const { page } = app;
    await page.getByTestId('mode-models').click();
    const name = page.getByTestId('models-name');

    await name.fill('anna/cubes');
    await page.getByTestId('models-look').click();
    await expect(page.getByTestId('models-trouble')).toHaveAttribute('data-code', 'hub/not-allowed');

    await name.fill(`https://huggingface.co/${ID}`);
    await page.getByTestId('models-look').click();
    const line = (finding: string) => page.locator(`[data-finding="${finding}"]`);
    const load = page.getByTestId('models-load');
    await expect(line('camera/unknown')).toHaveAttribute('data-level', 'stop');
    await expect(line('statistics/missing')).toHaveAttribute('data-level', 'stop');
    await expect(load).toBeDisabled();
    if (process.env['PICTURES'] !== undefined) await page.screenshot({ path: join(process.env['PICTURES'], 'models-red.png') });

    await page.getByTestId('models-slot-observation.images.top').selectOption({ label: 'Front camera' });
    await expect(line('camera/unknown')).toHaveCount(0);
    await expect(load).toBeDisabled();

    hub.models.set(ID, { files: annasPolicy('all') });
    await page.getByTestId('models-again').click();
    await expect(line('statistics/complete')).toBeVisible();
    if ((await line('units/unclear').count()) > 0) {
      await expect(load).toBeDisabled();
      await page.getByTestId('models-units').selectOption('degrees');
    }
    await expect(page.getByTestId('models-checks')).toHaveAttribute('data-stops', '0');
    if (process.env['PICTURES'] !== undefined) {
      await page.screenshot({ path: join(process.env['PICTURES'], 'models-green.png') });
      await page.setViewportSize({ width: 1024, height: 768 });
      await page.screenshot({ path: join(process.env['PICTURES'], 'models-1024.png'), fullPage: true });
      await page.setViewportSize({ width: 1440, height: 900 });
    }
    // Nothing but descriptions has been fetched so far: the head of the weights and no block.
    expect(hub.log.filter((request) => request.startsWith('GET /storage/') && !request.includes('bytes=0-'))).toEqual([]);
    await load.click();
    await expect.poll(async () => (await app.state()).policy, { timeout: 120_000 }).toMatchObject({ kind: 'ready', name: expect.stringContaining(ID) });
    await expect(page.getByTestId('models-entry').filter({ hasText: ID })).toContainText('in use');

    // The built page's own threads see: by the graph it would run as well, and slower.
    const { engine } = await app.play((playground) => playground.capabilities());
    expect(engine?.eyes).toEqual({ kind: 'kernels', threads: engine?.threads });

    await page.getByTestId('mode-play').click();
    await app.sentence.fill('touch the red cube');
    await app.run.click();
    await expect.poll(async () => (await app.state()).run, { timeout: 30_000 }).toBe('running');
    await expect.poll(async () => app.play((playground) => playground.state().arm.target !== null)).toBe(true);
    await app.stop.click();
    // A second load comes from the store: not one byte of weights.
    const before = hub.log.length;
    await app.play((playground) => playground.policies.load({ kind: 'hub', name: 'anna/cube-policy' }, { wiring: { 'observation.images.top': 'observation.images.front' }, units: 'degrees' }));
    expect(hub.log.slice(before).filter((request) => request.startsWith('GET /storage/') && !request.includes('bytes=0-'))).toEqual([]);
  } finally {
    await hub.close();
  }
});
