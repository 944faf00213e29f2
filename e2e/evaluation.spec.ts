/** Counting on the page, and whether the laboratory that counts is the chain of workers a visitor plays with. */
import type { EpisodeRequest } from '#contracts/episode-api.ts';
import type { Outcome } from '#contracts/failure.ts';
import { episodeOnThePage } from '../tools/episodes/chain.ts';
import { open } from './app.ts';
import { expect, test } from './site.ts';

const REQUEST: EpisodeRequest = {
  task: 'touch',
  seed: 5,
  cubes: 3,
  wording: 'held-out',
  perturbation: 'none',
  surroundings: 'as-shipped',
  instruction: 'as-asked',
  inferenceDelayTicks: 0,
  playRows: 16,
  injectedNoise: 0,
};
const POCKET = 'policies/pocket';
const DEGREES = 180 / Math.PI;

/** Base64 of what `window.episodes` sends: little-endian numbers. */
function floats(text: string, bits: 32 | 64): number[] {
  const { buffer } = new Uint8Array(Buffer.from(text, 'base64'));
  return [...(bits === 32 ? new Float32Array(buffer) : new Float64Array(buffer))];
}

/** Physics steps of 2 ms in the first `ticks` ticks of a 30th of a second. */
function stepsBy(ticks: number): number {
  return Math.round(ticks / 30 / 0.002);
}

function mustBe<T>(result: Outcome<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

test('The episode worker is the chain of workers: the same physics, pictures, plan and targets, to the bit', async ({ site }) => {
  test.setTimeout(400_000);
  // The laboratory: one episode of the policy, one of nobody, and what the cameras saw at its first tick.
  const bare = await site.visit();
  await bare.page.goto(`${bare.url}?only=episodes`);
  await bare.page.waitForFunction(() => window.episodes !== undefined);
  const lab = await bare.page.evaluate(
    async ([request, pocket]) => {
      const episodes = window.episodes as NonNullable<typeof window.episodes>;
      await episodes.choose({ kind: 'baseline', name: 'hold-still' }, null);
      const still = await episodes.episode(request);
      const seen = await episodes.record(request, { pictureEveryTicks: 1000, width: 96, height: 96 });
      // The weights that the page takes by itself on a CPU.
      const converted = await episodes.convert({ kind: 'shipped', name: pocket, precision: 'int8' });
      if (!converted.ok) return { still, seen, chosen: converted, run: converted };
      const chosen = await episodes.choose({ kind: 'policy', storedName: converted.value.storedName }, 'wasm');
      return { still, seen, chosen, run: await episodes.episode(request) };
    },
    [REQUEST, POCKET] as const,
  );
  const still = mustBe(lab.still);
  const seen = mustBe(lab.seen);
  const run = mustBe(lab.run);
  const rows = mustBe(lab.chosen)?.policy.chunkRows ?? 0;
  const [first] = run.chunks;
  if (first === undefined) throw new Error('the policy was never asked');
  await bare.context.close();

  // The page: paused, the same table, stepped as the laboratory steps.
  const app = await open(await site.visit(), { query: 'engine=wasm', until: 'policy' });
  const { reset, sentence } = episodeOnThePage(REQUEST);
  const ticks = 60;
  const chain = await app.play(
    async (playground, given) => {
      await playground.world.pause();
      const scene = await playground.world.reset(given.reset);
      const met = playground.state().arm.tick + 5;
      while (playground.state().arm.tick < met) await new Promise((resolve) => setTimeout(resolve, 20));
      const positions = [(await playground.world.step(given.steps[0] as number)).positions];
      let record = null;
      // A busy machine may be too late with a picture or a reading; nothing has moved meanwhile.
      for (let attempt = 1; record === null; attempt++) {
        record = await playground.probe({ task: given.sentence, noiseSeed: given.noiseSeed }).catch((thrown: { readonly code?: string }) => {
          if (!/^observation\/(?:camera|state)-stale$/.test(thrown.code ?? '') || attempt >= 10) throw thrown;
          return null;
        });
      }
      for (const steps of given.steps.slice(1)) positions.push((await playground.world.step(steps)).positions);
      return {
        hash: scene.hash,
        positions,
        state: [...record.state],
        pictures: Object.fromEntries(record.pictures.map(({ camera, picture }) => [camera, [...picture.data]])),
      };
    },
    { reset, sentence, noiseSeed: first.noiseSeed, steps: Array.from({ length: ticks }, (_, tick) => stepsBy(tick + 1) - stepsBy(tick)) },
  );

  // One table.
  expect(sentence).toBe(run.result.sentence);
  expect(chain.hash).toBe(run.result.sceneHash);
  // Physics: 2 s of holding, joint by joint; the page tells degrees.
  const held = floats(still.measured, 64);
  let apart = 0;
  chain.positions.forEach((joints, tick) => joints.slice(0, 5).forEach((degrees, joint) => (apart = Math.max(apart, Math.abs(degrees - (held[tick * 6 + joint] as number) * DEGREES)))));
  console.log(`physics: joints apart by at most ${apart} degrees in ${ticks} ticks`);
  // The conversion to degrees rounds; the radians under it are the same bits.
  expect(apart).toBeLessThan(1e-12);
  // Cameras: every byte.
  for (const [short, text] of Object.entries(seen.pictures)) {
    const rgba = chain.pictures[`observation.images.${short}`] ?? [];
    expect(rgba.filter((_, i) => i % 4 !== 3), `the ${short} picture`).toEqual([...Buffer.from(text, 'base64').subarray(0, 96 * 96 * 3)]);
  }

  // Observation, policy, chunks, gate. The laboratory's policy looks at tick 1: at a picture of now and at joints as control
  // published them a tick ago, as inference does in the chain. So here: the joints of one step, the pictures of the next.
  // The laboratory's plan goes in as the record; the replay computes it anew and says whether it is the same.
  expect(chain.state).toEqual(first.state.map(Math.fround));
  const replayed = await app.play(
    async (playground, given) => {
      const look = async (): ReturnType<typeof playground.probe> => {
        for (let attempt = 1; ; attempt++) {
          try {
            return await playground.probe({ task: given.sentence, noiseSeed: given.noiseSeed });
          } catch (thrown) {
            if (!/^observation\/(?:camera|state)-stale$/.test((thrown as { readonly code?: string }).code ?? '') || attempt >= 10) throw thrown;
          }
        }
      };
      await playground.world.reset(given.reset);
      await playground.world.resume();
      const { file } = await playground.run({ task: given.sentence, seconds: 1 });
      await playground.world.pause();
      await playground.world.reset(given.reset);
      const met = playground.state().arm.tick + 5;
      while (playground.state().arm.tick < met) await new Promise((resolve) => setTimeout(resolve, 20));
      await playground.world.step(given.steps[0] as number);
      const joints = await look();
      await playground.world.step(given.steps[1] as number);
      const pictures = await look();
      const record = { ...pictures, state: joints.state, index: 0, observedTick: 0, actions: Float32Array.from(given.actions) };
      const replay = playground.replay({ ...file, sentence: given.sentence, reset: given.reset, chunks: [record] });
      // Physics goes on with the first row: an arm that does not follow would be noticed.
      while (playground.state().arm.mode !== 'policy') await new Promise((resolve) => setTimeout(resolve, 5));
      await playground.world.resume();
      const { identical, maxAbsDifference, control } = await replay;
      return { identical, maxAbsDifference, targets: control.trace.filter((tick) => tick.wanted !== null).map((tick) => [...tick.target]) };
    },
    { reset, sentence, noiseSeed: first.noiseSeed, steps: [stepsBy(1), stepsBy(2) - stepsBy(1)], actions: floats(first.actions, 32) },
  );
  console.log(`plan: largest difference ${replayed.maxAbsDifference}`);
  expect(replayed).toMatchObject({ identical: true, maxAbsDifference: 0 });
  const played = replayed.targets;
  // The laboratory's first row is the first tick after its first look.
  const targets = floats(run.targets, 64).slice(6 * (first.tick - 1));
  const shared = Math.min(rows, REQUEST.playRows, played.length);
  console.log(`targets: ${shared} ticks of the first plan compared, radians`);
  expect(shared).toBe(Math.min(rows, REQUEST.playRows));
  for (let tick = 0; tick < shared; tick++) expect(played[tick], `tick ${tick}`).toEqual(targets.slice(tick * 6, tick * 6 + 6));
});

test('She counts: k of n grows with its interval, an episode is looked into, and the result is a file', async ({ site }) => {
  test.setTimeout(300_000);
  const app = await open(await site.visit(), { query: 'engine=wasm' });
  await app.page.getByRole('button', { name: 'Measure', exact: true }).click();
  await app.page.getByLabel('Who').selectOption({ label: 'Scripted expert (no policy)' });
  await app.page.getByLabel('Tables').selectOption('10');
  await app.page.getByRole('button', { name: 'Count' }).click();
  await expect(app.page.getByText(/10 of 10 \(100 %, between 72 % and 100 %\)/)).toBeVisible({ timeout: 200_000 });
  const episodes = app.page.getByRole('list', { name: 'Episodes' }).getByRole('button');
  await expect(episodes).toHaveCount(10);
  await episodes.nth(3).click();
  const trace = app.page.getByRole('region', { name: 'Joints of this episode' });
  const before = await trace.innerText();
  await trace.getByRole('slider').fill('25');
  expect(await trace.innerText()).not.toBe(before);
  const download = app.page.waitForEvent('download');
  await app.page.getByRole('button', { name: 'Save as JSON' }).click();
  expect((await download).suggestedFilename()).toBe('evaluation-touch.json');

  const report = await app.play((playground) => playground.evaluate({ policy: 'hold-still', task: 'touch', seeds: 2 }));
  expect(report.tasks[0]).toMatchObject({ successes: 0, trials: 2, failures: { 'never-touched': 2 } });
  expect(report.plan).toMatchObject({ inferenceDelayTicks: 0, perturbation: 'none', cubes: 4 });
  expect((await app.failureOf((playground) => playground.evaluate({ task: 'touch', seeds: 0 }))).code).toBe('control/out-of-range');
  // The arm on the stage has not moved.
  expect((await app.state()).arm.mode).toBe('idle');
});

test('She asks whether it looks: she predicts first, and is told k of ten with its interval', async ({ site }) => {
  test.setTimeout(600_000);
  const app = await open(await site.visit(), { query: 'engine=wasm', until: 'policy' });
  await app.page.getByRole('button', { name: 'Measure', exact: true }).click();
  await app.page.getByRole('button', { name: 'Does it look?' }).click();
  await app.page.getByRole('slider', { name: 'Your prediction' }).fill('1');
  await app.page.getByRole('button', { name: 'Now try it' }).click();
  await expect(app.page.getByText(/Does it look\? [1-9]/)).toBeVisible({ timeout: 300_000 });
  // One pair is enough to see it grow; she has no time for ten.
  await app.page.getByRole('button', { name: 'End after this one' }).click();
  await expect(app.page.getByText('You said 1 of 10.')).toBeVisible({ timeout: 200_000 });
  await expect(app.page.getByText(/\d of \d \(\d+ %, between \d+ % and \d+ %\)/).first()).toBeVisible();
});

test('She compares three heads on the same tables: each says how often, in how many passes, how long and how rough; one goes on the stage', async ({ site }) => {
  test.setTimeout(600_000);
  const app = await open(await site.visit(), { query: 'engine=wasm', until: 'policy' });
  await app.page.getByRole('button', { name: 'Measure', exact: true }).click();
  const heads = app.page.getByRole('region', { name: 'Three ways to draw a motion' });
  await heads.getByRole('button', { name: 'Compare all three' }).click();
  await expect(heads.locator('[data-done=yes]')).toBeVisible({ timeout: 400_000 });
  const told = await heads.getByRole('listitem').allInnerTexts();
  expect(told.map((text) => /\d of 3 \(/.test(text))).toEqual([true, true, true]);
  expect(told.map((text) => /(\d+ pass(?:es)?), WASM, int8/.exec(text)?.[1])).toEqual(['5 passes', '10 passes', '1 pass']);
  const rough = told.map((text) => Number(/change by (\d+)/.exec(text)?.[1]));
  const planMs = told.map((text) => Number(/(\d+) ms a plan/.exec(text)?.[1]));
  console.log(`touch, 3 tables each: ${told.map((text) => /\d of 3/.exec(text)?.[0]).join(', ')}; ${planMs.join(', ')} ms a plan; roughness ${rough.join(', ')}`);
  expect(rough.every((value) => value > 0)).toBe(true);

  await app.page.getByTestId('heads-use-bins').click();
  await expect(app.page.getByTestId('heads-use-bins')).toHaveText('On the stage', { timeout: 60_000 });
  const { file } = await app.play((playground) => playground.run({ task: 'touch the red cube', seconds: 3 }));
  expect(JSON.stringify(file.versions)).toContain('policies/pocket-bins');
  expect(file.chunks.length).toBeGreaterThan(0);
});
