/**
 * The page as a person meets it, and `window.playground` as a teacher does. The only file of the stories that knows how
 * a control is found; everything is found by what a screen reader says.
 */
import type { Locator, Page } from '@playwright/test';
import type { Failure } from '#contracts/failure.ts';
import type { Playground, PlaygroundState } from '#page/api/playground.ts';
import { expect, type Visit } from './site.ts';

export interface OpenOptions {
  /** Everything after the question mark, e.g. `engine=webgpu`. */
  readonly query?: string;
  /** Until the arm stands (absent: this), until the policy is ready, or only until the page is there. */
  readonly until?: 'arm' | 'policy' | 'page';
}

export interface App {
  readonly visit: Visit;
  readonly page: Page;
  readonly sentence: Locator;
  readonly run: Locator;
  readonly stop: Locator;
  /** Messages about failures. */
  readonly alerts: Locator;
  /** Calls into `window.playground`. What comes back is copied, so ask for little. */
  play<Result, Argument = undefined>(ask: (playground: Playground, argument: Argument) => Result | Promise<Result>, argument?: Argument): Promise<Result>;
  state(): Promise<PlaygroundState>;
  /** The failure a call ends in; fails the story where it does not. */
  failureOf<Argument = undefined>(ask: (playground: Playground, argument: Argument) => Promise<unknown>, argument?: Argument): Promise<Failure>;
  /** A message on the page that says what happened and what to do. */
  expectMessage(title: RegExp): Promise<void>;
  /** The page draws and answers. */
  expectAlive(): Promise<void>;
}

export async function open(visit: Visit, options: OpenOptions = {}): Promise<App> {
  const { page } = visit;
  await page.goto(`${visit.url}${options.query === undefined ? '' : `?${options.query}`}`);
  await page.waitForFunction(() => globalThis.window.playground !== undefined, undefined, { timeout: 30_000 });
  const app = appOn(visit);
  const until = options.until ?? 'arm';
  if (until !== 'page') await app.play((playground) => playground.ready);
  // Loading again gives the policy that is being loaded already, or says why there is none.
  if (until === 'policy') await waitForPolicy(app);
  return app;
}

export async function waitForPolicy(app: App): Promise<void> {
  await expect
    .poll(async () => (await app.state()).policy.kind, { timeout: 240_000, message: 'the policy never became ready' })
    .toMatch(/ready|failed/);
  const { policy, failures } = await app.state();
  expect(policy.kind, JSON.stringify(failures)).toBe('ready');
}

/** As it was at the beginning, for stories that share a page: nothing runs, the arm holds at home, the light is on. */
export async function freshTable(app: App): Promise<void> {
  await app.play(async (playground) => {
    if (['waiting', 'running', 'finishing'].includes(playground.state().run)) await playground.stop();
    await playground.world.resume();
    const { mode } = playground.state().arm;
    if (mode === 'stopping' || mode === 'stopped' || mode === 'released') await playground.resume();
    await playground.world.reset({ task: 'pick up the red cube', seed: 0 });
  });
  await expect.poll(async () => (await app.state()).arm.mode, { timeout: 15_000 }).toBe('idle');
  await app.sentence.fill('');
}

function appOn(visit: Visit): App {
  const { page } = visit;
  // A function crosses into the page as its text and its argument as JSON; it must not lean on anything of this file.
  const play: App['play'] = (ask, argument) => page.evaluate(`(${ask.toString()})(window.playground, ${json(argument)})`) as never;
  return {
    visit,
    page,
    sentence: page.getByRole('textbox', { name: /sentence/i }),
    run: page.getByRole('button', { name: /^run\b/i }),
    stop: page.getByRole('button', { name: /^stop\b/i }),
    alerts: page.getByRole('alert'),
    play,
    state: () => play((playground) => playground.state()),
    async failureOf(ask, argument) {
      const failure = (await page.evaluate(
        `(async () => {
          try {
            await (${ask.toString()})(window.playground, ${json(argument)});
            return null;
          } catch (thrown) {
            return { code: thrown.code ?? 'unknown', facts: thrown.facts ?? { message: String(thrown) } };
          }
        })()`,
      )) as Failure | null;
      if (failure === null) throw new Error('nothing failed');
      return failure;
    },
    async expectMessage(title) {
      const message = page.getByRole('alert').filter({ hasText: title });
      await expect(message).toHaveCount(1, { timeout: 20_000 });
      // What happened and what to do: more than a title.
      expect((await message.innerText()).length).toBeGreaterThan(40);
    },
    async expectAlive() {
      const frames = await page.evaluate(
        () =>
          new Promise<number>((done) => {
            let count = 0;
            const turn = (): void => void (++count === 3 ? done(count) : requestAnimationFrame(turn));
            requestAnimationFrame(turn);
          }),
      );
      expect(frames).toBe(3);
      await expect(page.getByRole('button', { name: /^stop\b/i })).toBeVisible();
    },
  };
}

function json(value: unknown): string {
  return value === undefined ? 'undefined' : JSON.stringify(value);
}

/** All numbers of a list equal, bit for bit. */
export function identical(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]));
}
