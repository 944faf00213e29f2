/**
 * The start-up self-test on Chromium's software GPU, where the fault it looks for is known to be: the first device must
 * be refused and the second trusted, and the report must say so.
 */
import { expect, test } from 'vitest';
import { availableThreads, gpuBuild, loadOrt } from './engine-ort-web.ts';
import { trustedGpu } from './self-test.ts';

test('a device with subgroups is refused, the one without is trusted, and the report says so', async () => {
  expect(crossOriginIsolated).toBe(true);
  expect(gpuBuild()).toBe('jspi');
  const ort = await loadOrt({ build: gpuBuild(), threads: availableThreads() });
  const started = performance.now();
  const { gpu, engine, attempts } = await trustedGpu(ort);
  console.info(`self-test ${Math.round(performance.now() - started)} ms`, JSON.stringify(attempts));
  expect(engine.provider).toBe('webgpu');
  expect(gpu.adapter.architecture).toMatch(/swiftshader/i);
  expect(attempts).toHaveLength(2);
  const [first, second] = attempts;
  expect(first?.trusted).toBe(false);
  expect(first?.features).toContain('subgroups');
  expect(second?.trusted).toBe(true);
  expect(second?.features).not.toContain('subgroups');
});
