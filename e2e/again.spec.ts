/** The same thing again: chunks, runs, worlds. */
import { identical } from './app.ts';
import { expectChunksFollowWhatIsSeenAndSaid } from './chunks.ts';
import { sharedApp } from './shared.ts';
import { expect, test } from './site.ts';

const app = sharedApp({ query: 'engine=wasm' });

test('On the CPU: the same picture, joints, sentence and noise give the same chunk; lights off or another sentence give another', () => expectChunksFollowWhatIsSeenAndSaid(app, 'wasm'));


test('She saves a run as a file and replays it: the same actions again, to the bit', async () => {
  const result = await app.play(async (playground) => {
    const report = await playground.run({ task: 'wave hello', seed: 5, seconds: 6 });
    const text = playground.encode(report.file);
    const replayed = await playground.replay(text);
    return { outcome: report.outcome, chunks: report.file.chunks.length, bytes: text.length, identical: replayed.identical, difference: replayed.maxAbsDifference, replayedChunks: replayed.chunks };
  });
  console.log(`replayed ${result.replayedChunks} of ${result.chunks} chunks from ${(result.bytes / 1e6).toFixed(1)} MB, largest difference ${result.difference}`);
  expect(result.outcome).toBe('finished');
  expect(result.chunks).toBeGreaterThan(0);
  expect(result).toMatchObject({ identical: true, difference: 0, replayedChunks: result.chunks });
});

test('A run file that somebody edited is refused by the path of what is wrong, and nothing moves', async () => {
  expect((await app.failureOf((playground) => playground.replay('{"format":"something else"}'))).code).toBe('run/file-invalid');
  expect((await app.failureOf((playground) => playground.replay('not even json'))).code).toBe('run/file-invalid');
  expect((await app.state()).arm.mode).toBe('idle');
});

test('In lockstep the same seed gives the same joints, bit for bit, the same camera pixels and the same scene hash', async () => {
  const lesson = (seed: number) =>
    app.play(async (playground, chosen) => {
      await playground.world.pause();
      const scene = await playground.world.reset({ task: 'pick up the red cube', seed: chosen });
      const trace: number[] = [];
      for (let i = 0; i < 40; i++) trace.push(...(await playground.world.step(25)).positions);
      let record = null;
      for (let attempt = 1; record === null; attempt++) {
        record = await playground.probe({ task: 'pick up the red cube', noiseSeed: 1 }).catch((thrown: { readonly code?: string }) => {
          if (!/^observation\/(?:camera|state)-stale$/.test(thrown.code ?? '') || attempt >= 10) throw thrown;
          return null;
        });
      }
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
