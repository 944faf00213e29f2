/** The same thing again: chunks, runs, worlds. */
import { identical, open } from './app.ts';
import { expect, test } from './site.ts';

for (const engine of ['webgpu', 'wasm'] as const) {
  test(`On ${engine}: the same picture, joints, sentence and noise give the same chunk; lights off or another sentence give another`, async ({ site }) => {
    const visit = await site.visit();
    const app = await open(visit, { query: `engine=${engine}`, until: 'policy' });
    await app.play((playground) => playground.world.reset({ task: 'pick up the red cube', seed: 3 }));
    await app.play((playground) => playground.world.pause());
    const probe = (task: string, noiseSeed: number) =>
      app.play(
        async (playground, request) => {
          const record = await playground.probe(request);
          return { actions: record.actions, state: record.state, provider: record.provider, pictures: record.pictures.map(({ picture }) => picture.data) };
        },
        { task, noiseSeed },
      );
    const first = await probe('pick up the red cube', 11);
    const again = await probe('pick up the red cube', 11);
    expect(first.provider).toBe(engine);
    expect(first.actions.length).toBeGreaterThan(0);
    expect(identical(first.state, again.state), 'joint state').toBe(true);
    first.pictures.forEach((picture, i) => expect(identical(picture, again.pictures[i] ?? []), `picture ${i}`).toBe(true));
    expect(identical(first.actions, again.actions), 'an unchanged repeat').toBe(true);

    const otherSentence = await probe('put the blue cube in the bowl', 11);
    expect(identical(first.state, otherSentence.state)).toBe(true);
    expect(identical(first.actions, otherSentence.actions), 'another sentence').toBe(false);

    const otherNoise = await probe('pick up the red cube', 12);
    expect(identical(first.actions, otherNoise.actions), 'other noise').toBe(false);

    const lit = await app.state();
    await app.play((playground) => playground.world.setLightLevel(0));
    const dark = await probe('pick up the red cube', 11);
    expect((await app.state()).world.scene).not.toBe(lit.world.scene);
    expect(identical(first.state, dark.state), 'only the pixels changed').toBe(true);
    expect(identical(first.pictures[0] ?? [], dark.pictures[0] ?? [])).toBe(false);
    expect(identical(first.actions, dark.actions), 'lights off').toBe(false);

    await app.play((playground) => playground.world.setLightLevel(1));
    const litAgain = await probe('pick up the red cube', 11);
    expect(identical(first.actions, litAgain.actions), 'lights on again').toBe(true);
  });
}

test('She saves a run as a file and replays it: the same actions again, to the bit', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit, { until: 'policy' });
  const result = await app.play(async (playground) => {
    const report = await playground.run({ task: 'pick up the red cube', seed: 5, seconds: 6 });
    const text = playground.encode(report.file);
    const replayed = await playground.replay(text);
    return { outcome: report.outcome, chunks: report.file.chunks.length, bytes: text.length, identical: replayed.identical, difference: replayed.maxAbsDifference, replayedChunks: replayed.chunks };
  });
  console.log(`replayed ${result.replayedChunks} of ${result.chunks} chunks from ${(result.bytes / 1e6).toFixed(1)} MB, largest difference ${result.difference}`);
  expect(result.outcome).toBe('finished');
  expect(result.chunks).toBeGreaterThan(0);
  expect(result).toMatchObject({ identical: true, difference: 0, replayedChunks: result.chunks });
});

test('A run file that somebody edited is refused by the path of what is wrong, and nothing moves', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit);
  expect((await app.failureOf((playground) => playground.replay('{"format":"something else"}'))).code).toBe('run/file-invalid');
  expect((await app.failureOf((playground) => playground.replay('not even json'))).code).toBe('run/file-invalid');
  expect((await app.state()).arm.mode).toBe('idle');
});

test('In lockstep the same seed gives the same joints, bit for bit, the same camera pixels and the same scene hash', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit, { until: 'policy' });
  const lesson = (seed: number) =>
    app.play(async (playground, chosen) => {
      await playground.world.pause();
      const scene = await playground.world.reset({ task: 'pick up the red cube', seed: chosen });
      const trace: number[] = [];
      for (let i = 0; i < 40; i++) trace.push(...(await playground.world.step(25)).positions);
      const record = await playground.probe({ task: 'pick up the red cube', noiseSeed: 1 });
      return { hash: scene.hash, trace, pictures: record.pictures.map(({ picture }) => picture.data), objects: JSON.stringify(scene.description.objects) };
    }, seed);
  const first = await lesson(4);
  const second = await lesson(4);
  const other = await lesson(5);
  console.log(`scene hash ${first.hash}`);
  expect(first.hash).toMatch(/^[0-9a-f]{64}$/);
  expect(second.hash).toBe(first.hash);
  expect(identical(first.trace, second.trace), 'joint trace').toBe(true);
  first.pictures.forEach((picture, i) => expect(identical(picture, second.pictures[i] ?? []), `camera ${i}`).toBe(true));
  expect(other.hash).not.toBe(first.hash);
  expect(other.objects).not.toBe(first.objects);
  expect(identical(first.pictures[0] ?? [], other.pictures[0] ?? [])).toBe(false);
});
