/** Counting instead of believing. */
import { open } from './app.ts';
import { expect, test } from './site.ts';

test('She lets the scripted expert try two seeded tables and reads k of n with its interval, while nothing on the stage moves', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit, { query: 'engine=wasm' });
  const before = (await app.state()).arm.target;
  const report = await app.play((playground) => playground.evaluate({ policy: 'expert', task: 'pick-up', seeds: 2 }));
  expect(JSON.stringify(report)).toMatch(/expert/);
  expect(report.episodes.length).toBe(2);
  expect((await app.state()).arm.target).toEqual(before);
});
