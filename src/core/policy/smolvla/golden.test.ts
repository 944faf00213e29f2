/**
 * The runner equals LeRobot: every golden set on ONNX Runtime's CPU provider, results and intermediate values. The same
 * suite runs in Chromium on WASM and WebGPU.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '#contracts/engine.ts';
import { createNodeEngine } from '../testing/engine-ort-node.ts';
import { readGolden } from '../testing/golden-files.ts';
import { GOLDEN_CASES } from '../testing/golden-sets.ts';
import { runGolden } from '../testing/golden-suite.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine();
});
afterAll(() => engine.dispose());

describe('SmolVLA equals LeRobot in float32', () => {
  for (const golden of GOLDEN_CASES) {
    it(golden.name, async () => {
      const { provider, comparisons } = await runGolden(golden, engine, readGolden);
      expect(provider).toBe('cpu');
      const table = comparisons.map(({ name, difference, tolerance }) => `${difference <= tolerance ? 'ok ' : 'BAD'} ${name} ${difference.toExponential(2)} (${tolerance})`);
      expect(table.filter((line) => line.startsWith('BAD'))).toEqual([]);
      // 2 of x0, 1 action, and the intermediate values: at least image, vision, connector, state, prefix x 3, cache, suffix, velocity.
      expect(comparisons.length).toBeGreaterThanOrEqual(golden.variant === null ? 15 : 2);
      if (process.env['GOLDEN_TABLE'] !== undefined) console.log(`${golden.name}\n${table.join('\n')}`);
    });
  }
});
