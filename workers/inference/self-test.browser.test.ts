/**
 * The start-up self-test on Chromium's software GPU, where the fault it looks for is known to be: the first device must
 * be refused and the second trusted, and the report must say so.
 */
import { expect, test } from 'vitest';
import { availableThreads, gpuBuild, loadOrt } from './engine-ort-web.ts';
import { openGpuDevice } from './gpu-device.ts';
import { attentionTest, SELF_TEST_TOLERANCE, trustedGpu } from './self-test.ts';

test('a device with subgroups is refused, the one without is trusted, and the report says so', async () => {
  expect(crossOriginIsolated).toBe(true);
  expect(gpuBuild()).toBe('jspi');
  const ort = await loadOrt({ build: gpuBuild(), threads: availableThreads() });
  const { gpu, engine, attempts } = await trustedGpu(ort);
  expect(engine.provider).toBe('webgpu');
  expect(gpu.adapter.architecture).toMatch(/swiftshader/i);
  expect(gpu.device.features.has('subgroups')).toBe(false);
  expect(gpu.device.limits.maxStorageBufferBindingSize).toBeGreaterThan(128 * 1024 * 1024);

  expect(attempts).toHaveLength(2);
  const [first, second] = attempts;
  expect(first?.features).toContain('subgroups');
  expect(first?.trusted).toBe(false);
  expect(first?.tests).toEqual([{ test: 'wgsl-loop-variable', passed: false, error: null }]);

  expect(second?.features).not.toContain('subgroups');
  expect(second?.trusted).toBe(true);
  expect(second?.tests.map(({ test: name, passed }) => [name, passed])).toEqual([
    ['wgsl-loop-variable', false],
    ['attention', true],
    ['matmul', true],
    ['pictures', true],
  ]);
  expect(engine.device?.patches).toBeInstanceOf(Function);
  for (const { error } of second?.tests.slice(1) ?? []) expect(error).toBeLessThan(SELF_TEST_TOLERANCE / 10);

  // The refusal was deserved: on a device with subgroups the attention itself is wrong, and only a test can tell.
  const refused = await openGpuDevice('with-subgroups');
  const judgement = await attentionTest(ort.webgpuEngine(refused));
  expect(judgement.passed).toBe(false);
  expect(judgement.error).toBeGreaterThan(0.02);
  expect(refused.takeUncapturedError()).toBeNull();
  expect(refused.lostFailure()).toBeNull();
  refused.close();
  gpu.close();
});
