/** Reaching into the page's workers, to break them; and what must hold of the arm whatever broke. */
import type { Worker } from '@playwright/test';
import type { App } from './app.ts';
import { expect } from './site.ts';

/** The arm holds where it is, whatever else happened. */
export async function expectHolding(app: App): Promise<void> {
  const before = await app.state();
  expect(before.arm.mode).toMatch(/idle|stopped|manual/);
  await app.page.waitForTimeout(700);
  const after = await app.state();
  expect(after.arm.tick).toBeGreaterThan(before.arm.tick);
  expect(after.arm.target).toEqual(before.arm.target);
  await app.expectAlive();
}

export function worker(app: App, name: string): Worker {
  const found = app.page.workers().filter((one) => new RegExp(`/assets/${name}-worker-`).test(one.url()));
  // The engine's own threads are the same script under another name, and started later.
  const [first] = found;
  if (first === undefined) throw new Error(`no ${name} worker among ${app.page.workers().map((one) => one.url()).join()}`);
  return first;
}

export async function kill(app: App, name: string): Promise<void> {
  await worker(app, name).evaluate('self.close()').catch(() => undefined);
}
