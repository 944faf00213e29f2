/**
 * Two kinds of test: `unit` runs in Node, `browser` in a real Chromium with a software GPU and the isolation headers.
 * The last part of a file's name says which: `x.test.ts`, `x.browser.test.ts`. Those of `workers/inference` are a project
 * of their own: they ask for numbers, not for times, so that they may run beside the unit tests.
 */
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { CHROMIUM_FLAGS, findChromium } from './tools/chromium.ts';

const folders = '{src,workers,tools}';
const INFERENCE = 'workers/inference';
const executablePath = findChromium() ?? undefined;

/** Tests in a real Chromium, one page at a time: two cores, and every timing test would measure its neighbour. */
function inBrowser(name: string, include: string[], exclude: string[]): TestProjectInlineConfiguration {
  return {
    extends: true,
    // Each project has a server of its own; two that prepare the same packages at the same time would share a folder.
    cacheDir: `node_modules/.vite-${name}`,
    // Vite would otherwise find these one by one and reload the page in the middle of a test.
    optimizeDeps: {
      exclude: ['onnxruntime-web', '@mujoco/mujoco'],
      include: ['react', 'react-dom', 'react-dom/client', 'react/jsx-runtime', 'react/jsx-dev-runtime', 'three', 'zustand', 'zustand/vanilla', 'comlink', 'valibot', 'uplot', 'mediabunny', '@huggingface/tokenizers'],
    },
    server: { headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Resource-Policy': 'same-origin' } },
    test: {
      name,
      include,
      exclude: [...exclude, '**/node_modules/**'],
      testTimeout: 120_000,
      hookTimeout: 120_000,
      fileParallelism: false,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        // Three fake cameras, one of each kind of frame, and nobody to ask for permission.
        provider: playwright({ launchOptions: { ...(executablePath === undefined ? {} : { executablePath }), args: [...CHROMIUM_FLAGS, '--use-fake-device-for-media-stream=device-count=3,fps=30', '--use-fake-ui-for-media-stream'] } }),
        instances: [{ browser: 'chromium' }],
      },
    },
  };
}

export default defineConfig({
  define: { __APP_VERSION__: JSON.stringify('test') },
  worker: { format: 'es' },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          environment: 'node',
          isolate: false,
          include: [`${folders}/**/*.test.ts`, `${folders}/**/*.test.tsx`],
          exclude: ['**/*.browser.test.ts', '**/*.browser.test.tsx', '**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      inBrowser('inference', [`${INFERENCE}/**/*.browser.test.ts`], []),
      inBrowser('browser', [`${folders}/**/*.browser.test.ts`, `${folders}/**/*.browser.test.tsx`], [`${INFERENCE}/**`]),
    ],
  },
});
