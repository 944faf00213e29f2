/**
 * The heads that LeRobot has not got: their arithmetic against its own definition, and through the whole network against what
 * `training/action_heads.py` gives on the same golden checkpoint (`testing/golden/heads`).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '#contracts/engine.ts';
import type { CheckpointView } from '#contracts/pack.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { asFailure } from '#core/lib/failure.ts';
import { seededRandom } from '#core/lib/random.ts';
import { loadPolicy } from '../family.ts';
import type { Guide } from '../policy.ts';
import { createNodeEngine } from '../testing/engine-ort-node.ts';
import { readGolden } from '../testing/golden-files.ts';
import { HEAD_CASES, openHead } from '../testing/golden-heads.ts';
import { checkHead, guidedVelocity, likeliest, readHead, stepFactors } from './heads.ts';

const largest = (a: Float32Array, b: Float32Array): number => (a.length === b.length ? a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) : Infinity);
const normal = (seed: number, length: number): Float32Array => {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => random.normal());
};

describe('a step', () => {
  const clean = normal(1, 60);
  const noise = normal(2, 60);

  it.each([
    { kind: 'flow', steps: 5 },
    { kind: 'diffusion', steps: 1 },
    { kind: 'diffusion', steps: 10 },
    { kind: 'diffusion', steps: 37 },
  ] as const)('of $kind, with a network that knows: $steps steps lead from noise to the chunk', ({ kind, steps }) => {
    const { keep, turn } = stepFactors({ kind }, steps);
    let x = noise;
    for (let s = 0; s < steps; s++) {
      const a = ((1 - s / steps) * Math.PI) / 2;
      const velocity = clean.map((value, i) => (kind === 'flow' ? noise[i]! - value : Math.cos(a) * noise[i]! - Math.sin(a) * value));
      x = x.map((value, i) => keep * value + turn * velocity[i]!);
    }
    expect(largest(x, clean)).toBeLessThan(2e-5);
  });

  it('a guide is shown where a diffusion is heading as a flow would say it, and what it makes of that is what counts', () => {
    for (const t of [1, 0.7, 0.1]) {
      const [cos, sin] = [Math.cos((t * Math.PI) / 2), Math.sin((t * Math.PI) / 2)];
      const noisy = clean.map((value, i) => cos * value + sin * noise[i]!);
      const velocity = clean.map((value, i) => cos * noise[i]! - sin * value);
      const step = { noisy, velocity, t, columns: 6 };
      let shown = new Float32Array();
      const same: Guide = (seen) => {
        shown = seen.noisy.map((x, i) => x - seen.t * seen.velocity[i]!);
        return seen.velocity;
      };
      expect(largest(guidedVelocity({ kind: 'diffusion' }, same, step), velocity)).toBeLessThan(2e-5);
      expect(largest(shown, clean)).toBeLessThan(2e-5);
      // A guide that moves the clean chunk by one.
      const moved = guidedVelocity({ kind: 'diffusion' }, (seen) => seen.velocity.map((value) => value - 1 / seen.t), step);
      expect(largest(moved.map((value, i) => cos * noisy[i]! - sin * value), clean.map((value) => value + 1))).toBeLessThan(2e-5);
    }
  });
});

describe('bins', () => {
  const head = { kind: 'bins', count: 4, low: [-1, 0], high: [1, 8] } as const;
  const bins = { ...head, low: [...head.low], high: [...head.high] };

  it('the middle of the likeliest one, columns beyond the joints 0', () => {
    const scores = Float32Array.of(0, 1, 0, 0, 9, 1, 2, 3, /* row 1 */ -5, -4, -3, -2, 0, 0, 0, 0);
    expect([...likeliest(bins, scores, 3)]).toEqual([-0.25, 1, 0, 0.75, 1, 0]);
  });

  it('a score that is no number makes none', () => {
    const chunk = likeliest(bins, Float32Array.of(0, 1, Number.NaN, 0, 0, 0, 0, 1), 2);
    expect(chunk[0]).toBeNaN();
    expect(chunk[1]).toBe(7);
  });

  it('refuses what does not fit the joints or asks for more than one pass', () => {
    const code = (work: () => void): unknown => {
      try {
        work();
        return null;
      } catch (thrown) {
        return asFailure(thrown).facts['field'];
      }
    };
    expect(code(() => checkHead(bins, 2, 1))).toBeNull();
    expect(code(() => checkHead({ kind: 'diffusion' }, 2, 10))).toBeNull();
    expect(code(() => checkHead(bins, 3, 1))).toBe('action_head.json: low');
    expect(code(() => checkHead({ ...bins, high: [1, 0] }, 2, 1))).toBe('action_head.json: high');
    expect(code(() => checkHead(bins, 2, 5))).toBe('config.json: num_steps');
    const said = (json: unknown): unknown => code(() => readHead({ json: new Map([['action_head.json', json]]) } as unknown as CheckpointView));
    expect(said({ kind: 'telepathy' })).toBe('action_head.json: kind');
    expect(said({ kind: 'bins', count: 1, low: [], high: [] })).toBe('action_head.json: count');
    expect(readHead({ json: new Map() } as unknown as CheckpointView)).toEqual({ kind: 'flow' });
  });
});

describe('through the network', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createNodeEngine();
  });
  afterAll(() => engine.dispose());

  it.each(HEAD_CASES)('$name equals the PyTorch twin, in all of its steps and in fewer', async (head) => {
    const { pack, request, chunks, expected } = await openHead(head, readGolden);
    const policy = await loadPolicy(pack, engine, { letterbox, clock: { nowMs: () => 0 } });
    expect(policy.info).toMatchObject({ head: head.name, denoisingSteps: head.steps });
    for (const [steps, chunk] of chunks) expect(largest((await policy.predictChunk({ ...request, steps })).x0, chunk), `${steps} steps`).toBeLessThan(head.tolerance);
    const whole = await policy.predictChunk(request);
    expect(largest(whole.x0, expected.x0)).toBeGreaterThan(1e-2);
    // A guide that changes nothing changes nothing; bins ask none.
    expect(largest((await policy.predictChunk({ ...request, guide: ({ velocity }) => velocity })).x0, whole.x0)).toBeLessThan(head.tolerance);
    const other = await policy.predictChunk({ ...request, noise: normal(3, request.noise.length) });
    expect(largest(other.x0, whole.x0) > 1e-2).toBe(head.name === 'diffusion');
    await policy.dispose();
  });
});
