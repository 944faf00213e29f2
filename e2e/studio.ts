/**
 * Browsers that have cameras: Chromium's own fake ones, which go through the whole capture path. Each is a browser of its own, because
 * what its cameras show is said when it starts. Knows flags and permissions; knows no picture.
 */
import type { Browser } from '@playwright/test';
import { CHROMIUM_FLAGS, findChromium } from '../tools/chromium.ts';
import { open, type App } from './app.ts';
import { expect, newSite, test as base, type Site } from './site.ts';

export interface Studio {
  /** A page in a browser with these flags besides the usual ones, the cameras allowed, the policy ready. */
  enter(flags: readonly string[]): Promise<App>;
}

export const test = base.extend<{ studio: Studio }>({
  studio: async ({ playwright }, use) => {
    const opened: { readonly browser: Browser; readonly site: Site }[] = [];
    await use({
      async enter(flags) {
        const browser = await playwright.chromium.launch({ executablePath: findChromium() ?? undefined, args: [...CHROMIUM_FLAGS, ...flags] });
        const site = newSite(browser);
        opened.push({ browser, site });
        const visit = await site.visit();
        await visit.context.grantPermissions(['camera'], { origin: new URL(visit.url).origin });
        return open(visit, { query: 'engine=wasm', until: 'policy' });
      },
    });
    for (const { site, browser } of opened) {
      await site.close();
      await browser.close();
    }
  },
});

/** `index`: of the list a person chooses from; 0 is the simulated camera. */
export async function useCamera(app: App, place: 'Front' | 'Wrist', index: number): Promise<void> {
  await app.page.getByLabel(`${place} camera: which device`).selectOption({ index });
  await expect(app.page.getByTestId(`camera-${place.toLowerCase()}`)).toHaveAttribute('data-state', 'live', { timeout: 60_000 });
}
