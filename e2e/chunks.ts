/** What must hold of one chunk on any engine: the same again from the same, another from anything else. */
import type { Provider } from '#contracts/engine.ts';
import { identical, type App } from './app.ts';
import { expect } from './site.ts';

/** Leaves the world paused. */
export async function expectChunksFollowWhatIsSeenAndSaid(app: App, engine: Provider): Promise<void> {
  await app.play((playground) => playground.world.reset({ task: 'pick up the red cube', seed: 3 }));
  await app.play((playground) => playground.world.pause());
  const probe = (task: string, noiseSeed: number) =>
    app.play(
      async (playground, request) => {
        let record = null;
        // A busy machine may need longer for a picture or a reading of the joints than a policy accepts: asked again, never accepted late.
        for (let attempt = 1; record === null; attempt++) {
          record = await playground.probe(request).catch((thrown: { readonly code?: string }) => {
            if (!/^observation\/(?:camera|state)-stale$/.test(thrown.code ?? '') || attempt >= 10) throw thrown;
            return null;
          });
        }
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
}
