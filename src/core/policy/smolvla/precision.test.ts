/**
 * What each precision costs, stated: x0 of every golden set with weights in f16, 8 and 4 bits, against LeRobot's own
 * float32 result. The sets' weights are random and their layers 32 to 192 wide: rounding averages out less than in SmolVLA's
 * 960, and ten steps of an untrained expert carry it on. At 4 bits one of the sets stays below a cosine of 0.99 and says how
 * far it gets. What all of them show is that nothing but rounding happens.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '#contracts/engine.ts';
import { createNodeEngine } from '../testing/engine-ort-node.ts';
import { readGolden } from '../testing/golden-files.ts';
import { GOLDEN_CASES } from '../testing/golden-sets.ts';
import { precisionError } from '../testing/golden-suite.ts';

const LEAST_COSINE = { f16: 0.999999, q8: 0.999, int8: 0.999 } as const;
const LEAST_COSINE_Q4: Readonly<Record<string, number>> = { 'special-tokens': 0.975 };

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine();
});
afterAll(() => engine.dispose());

describe.each(['f16', 'q8', 'q4', 'int8'] as const)('%s', (precision) => {
  it.each(GOLDEN_CASES)('$name', async (golden) => {
    const { largest, mean, cosine, packBytes } = await precisionError(golden, engine, readGolden, precision);
    if (process.env['GOLDEN_TABLE'] !== undefined) {
      console.log(`${precision} ${golden.name}: largest ${largest.toExponential(1)}, mean ${mean.toExponential(1)}, cosine ${cosine.toFixed(7)}, ${(packBytes / 1e6).toFixed(2)} MB`);
    }
    expect(cosine).toBeGreaterThan(precision === 'q4' ? (LEAST_COSINE_Q4[golden.name] ?? 0.99) : LEAST_COSINE[precision]);
    // Rounding shows: a precision that changed nothing would not have been applied.
    expect(largest).toBeGreaterThan(1e-6);
  });
});
