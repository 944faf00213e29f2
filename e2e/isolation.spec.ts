/** Where the page may live, and what it may reach from there. */
import { open } from './app.ts';
import { expect, test } from './site.ts';

test('A teacher puts the page on a plain web host, under a path of its own, and it isolates itself after one reload', async ({ site }) => {
  const visit = await site.visit({ headers: 'none', basePath: '/some/sub/path/' });
  let loads = 0;
  visit.page.on('load', () => (loads += 1));
  await visit.page.goto(visit.url);
  await visit.page.waitForFunction(() => globalThis.crossOriginIsolated, undefined, { timeout: 30_000 });
  // Once to meet the service worker, once to be served by it; a page opened again before that would never finish loading.
  await expect.poll(() => loads, { timeout: 30_000 }).toBe(2);
  const app = await open(visit);
  expect(await visit.page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
  expect((await app.play((playground) => playground.capabilities())).crossOriginIsolated).toBe(true);
  expect((await app.state()).arm.mode).toBe('idle');
  // This story opened it once more, and no reload followed.
  expect(loads).toBe(3);
  // The workers' own scripts came through it as well: physics runs, which takes the world worker's one permission.
  await expect.poll(async () => (await app.state()).world.simSeconds ?? 0).toBeGreaterThan(0);
});

test('The page can reach its own host and the Hub, and nobody else', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit);
  visit.expectComplaint(/Content Security Policy|Fetch API cannot load|Refused to connect/);
  const reached = await app.page.evaluate(() => fetch('https://example.com/').then(() => 'reached', () => 'refused'));
  expect(reached).toBe('refused');
  const evaluated = await app.page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.ranInline = true';
    document.head.append(script);
    return 'ranInline' in globalThis;
  });
  expect(evaluated).toBe(false);
  visit.expectComplaint(/inline script/);
  expect(visit.strangers()).toEqual([]);
});
