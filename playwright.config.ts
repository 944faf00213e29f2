/** The stories: a real Chromium with a software GPU, against the built page, one at a time. */
import { defineConfig } from '@playwright/test';
import { CHROMIUM_FLAGS, findChromium } from './tools/chromium.ts';

export default defineConfig({
  testDir: 'e2e',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  // One page at a time: physics, cameras and a software GPU share two cores.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: true,
  timeout: 150_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    headless: true,
    viewport: { width: 1440, height: 900 },
    screenshot: 'off',
    trace: 'off',
    actionTimeout: 15_000,
    launchOptions: { executablePath: findChromium() ?? undefined, args: [...CHROMIUM_FLAGS] },
  },
});
