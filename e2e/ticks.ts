/** Every control tick of a page, kept for a story; and when the arm holds after something broke. */
import type { App } from './app.ts';
import { expect } from './site.ts';

export interface SeenTick {
  readonly tick: number;
  readonly mode: string;
  readonly target: readonly number[];
  readonly rules: readonly string[];
}

/** From here on every tick is kept in the page. */
export async function watchTicks(app: App): Promise<void> {
  await app.play((playground) => {
    const ticks: { tick: number; mode: string; target: readonly number[]; rules: readonly string[] }[] = [];
    Object.assign(globalThis, { ticks });
    playground.on('ticks', (more) => ticks.push(...more.map(({ tick, mode, target, rules }) => ({ tick, mode, target: [...target], rules: [...rules] }))));
  });
}

export async function seenTicks(app: App): Promise<readonly SeenTick[]> {
  return (await app.page.evaluate('ticks')) as readonly SeenTick[];
}

/** The policy moves the arm. */
export async function movesSoon(app: App, timeout = 60_000): Promise<void> {
  await expect.poll(() => app.page.evaluate("ticks.filter((t, i) => t.mode === 'policy' && i > 0 && t.target.some((p, j) => p !== ticks[i - 1].target[j])).length"), { timeout }).toBeGreaterThan(8);
}

/** At this moment the policy moves the arm: each of the last three ticks. */
export async function movesNow(app: App, timeout: number): Promise<void> {
  await app.page.waitForFunction(
    () => {
      const last = (globalThis as unknown as { readonly ticks: readonly SeenTick[] }).ticks.slice(-4);
      return last.length === 4 && last.slice(1).every((tick, i) => tick.mode === 'policy' && tick.target.some((p, j) => Math.abs(p - (last[i]?.target[j] ?? p)) > 1e-3));
    },
    undefined,
    { timeout },
  );
}

export interface Held {
  /** From `from` to the first of the ticks that do not change any more. */
  readonly ticks: number;
  /** Radians between two ticks after `from`, the largest of a joint. */
  readonly step: number;
  readonly rules: readonly string[];
  readonly mode: string;
}

/** Waits until 20 ticks in a row are the same, and says from which on. */
export async function heldAfter(app: App, from: number, timeout = 30_000): Promise<Held> {
  const still = (ticks: readonly SeenTick[]): boolean => ticks.length > 20 && ticks.slice(-20).every((tick) => tick.target.every((p, i) => Object.is(p, ticks.at(-1)?.target[i])));
  await expect.poll(async () => still((await seenTicks(app)).filter(({ tick }) => tick > from)), { timeout, intervals: [150] }).toBe(true);
  const ticks = (await seenTicks(app)).filter(({ tick }) => tick >= from);
  const last = ticks.at(-1) as SeenTick;
  let first = ticks.length - 1;
  while (first > 0 && ticks[first - 1]?.target.every((p, i) => Object.is(p, last.target[i]))) first--;
  const step = Math.max(0, ...ticks.slice(1).map((tick, k) => Math.max(...tick.target.map((p, i) => Math.abs(p - (ticks[k]?.target[i] ?? p))))));
  return { ticks: (ticks[first]?.tick ?? from) - from, step, rules: [...new Set(ticks.slice(first).flatMap((tick) => tick.rules))], mode: last.mode };
}
