/** Real-time chunking on the whole network: the `base` checkpoint guided by a leftover, against LeRobot's own chunks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '#contracts/engine.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { PREFIX_SCHEDULES } from '#contracts/inference.ts';
import { guideVelocity, padLeftover } from '#core/chunks/real-time-chunking.ts';
import { parseSafetensors, type SafetensorsFile } from '#core/conversion/safetensors.ts';
import { loadPolicy } from '../family.ts';
import type { Policy } from '../policy.ts';
import { createNodeEngine } from '../testing/engine-ort-node.ts';
import { readGolden } from '../testing/golden-files.ts';
import { GOLDEN_CASES } from '../testing/golden-sets.ts';
import { openGolden, RESULT_TOLERANCE, type OpenGolden } from '../testing/golden-suite.ts';

let engine: Engine;
let base: OpenGolden;
let policy: Policy;
let golden: SafetensorsFile;
let settings: { readonly inference_delay: number; readonly execution_horizon: number; readonly max_guidance_weight: number };
beforeAll(async () => {
  engine = await createNodeEngine();
  base = await openGolden(GOLDEN_CASES.find((one) => one.name === 'base')!, readGolden);
  policy = await loadPolicy(base.pack, engine, { letterbox, clock: { nowMs: () => performance.now() } });
  golden = parseSafetensors(await readGolden('base', 'rtc.safetensors'), 'rtc.safetensors');
  settings = JSON.parse(new TextDecoder().decode(await readGolden('base', 'rtc.json'))) as typeof settings;
});
afterAll(() => engine.dispose());

const largest = (a: Float32Array, b: Float32Array): number => (a.length === b.length ? a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) : Infinity);

describe('real-time chunking through the policy', () => {
  it.each(PREFIX_SCHEDULES)('equals LeRobot with the schedule %s', async (schedule) => {
    const leftover = padLeftover(golden.float32('prev_chunk_left_over'), policy.info.actionSize, policy.noiseColumns);
    const guidance = { horizon: settings.execution_horizon, delay: settings.inference_delay, maxWeight: settings.max_guidance_weight, schedule };
    const { x0 } = await policy.predictChunk({ ...base.request, guide: (step) => guideVelocity(step, leftover, guidance) });
    const difference = largest(x0, golden.float32(`x0.${schedule}`));
    console.log(`${schedule}: largest difference ${difference.toExponential(1)}`);
    expect(difference).toBeLessThan(RESULT_TOLERANCE);
    expect(largest(x0, base.expected.x0)).toBeGreaterThan(1e-2);
  });

  it('without a leftover it is the plain chunk', async () => {
    const { x0 } = await policy.predictChunk({ ...base.request, guide: (step) => guideVelocity(step, new Float32Array(0), { horizon: 10, delay: 3, maxWeight: 10, schedule: 'LINEAR' }) });
    expect(largest(x0, base.expected.x0)).toBeLessThan(RESULT_TOLERANCE);
  });
});
