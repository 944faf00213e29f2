/**
 * What a policy leaves in GPU memory when it goes: nothing, because its device goes with it. On the real engines of a worker, with
 * Chromium's software GPU. That a change of policy closes the device too is in `choose.test.ts`.
 */
import { expect, test } from 'vitest';
import type { Engine } from '#contracts/engine.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { loadPolicy } from '#core/policy/family.ts';
import { GOLDEN_CASES } from '#core/policy/testing/golden-sets.ts';
import { openGolden, type GoldenReader } from '#core/policy/testing/golden-suite.ts';
import { chooseEngine } from './choose.ts';
import { openEngines } from './engines.ts';
import { policyRunner } from './policy-runner.ts';
import { countMemory, type MemoryCount } from './testing/count-memory.ts';

const readGolden: GoldenReader = async (folder, file) => {
  const response = await fetch(`/src/core/policy/testing/golden/${folder}/${file}`);
  if (!response.ok) throw new Error(`no golden file ${folder}/${file}`);
  return new Uint8Array(await response.arrayBuffer());
};

test('the proof of a recording ends with one policy in GPU memory, on a device that was tested again; closed, it takes all along', async () => {
  const { pack } = await openGolden(GOLDEN_CASES.find((one) => one.name === 'base')!, readGolden);
  const engines = openEngines(() => undefined);
  const clock = { nowMs: () => performance.now(), sleepUntil: () => Promise.resolve() };
  const parts = { loadPolicy, openTokenizer: async () => () => ({ ids: Int32Array.of(1, 2, 3), mask: Uint8Array.of(1, 1, 1) }), letterbox, clock };
  const devices: { readonly device: GPUDevice; readonly memory: MemoryCount; gone: boolean }[] = [];
  const watched = async (): Promise<Engine> => {
    const engine = await engines.webgpu();
    const device = engines.device()!;
    if (devices.at(-1)?.device === device) return engine;
    const entry = { device, memory: countMemory(device), gone: false };
    void device.lost.then(({ reason }) => void (entry.gone = reason === 'destroyed'));
    devices.push(entry);
    return engine;
  };
  const watching = { ...engines, webgpu: watched };

  const { runner } = await chooseEngine({ choice: 'webgpu', engines: watching, precision: 'f32', build: (engine) => policyRunner(pack, engine, parts), clock, onProgress: () => undefined });
  const oneSet = devices[0]!.memory.liveBytes();
  expect(oneSet).toBeGreaterThan(8e6);

  // A software GPU is not recorded by itself; what is done on a card is done here by hand.
  const renew = async (): Promise<Engine> => {
    await watching.closeGpu();
    return watching.webgpu();
  };
  expect(await runner.record(renew)).toEqual({ kind: 'recorded' });
  expect(devices.map(({ gone }) => gone)).toEqual([true, false]);
  expect(devices[1]!.memory.liveBytes()).toBeLessThan(1.1 * oneSet);
  // The second device was judged too; only what the first one taught about subgroups was not tried again.
  expect(engines.facts().attempts.map(({ trusted }) => trusted)).toEqual([false, true]);

  await runner.dispose();
  await engines.closeGpu();
  expect((await devices[1]!.device.lost).reason).toBe('destroyed');
  expect(engines.device()).toBe(null);
  for (const { memory } of devices) memory.stop();
});
