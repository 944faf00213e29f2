/** When commands are recorded: only after chunks that were played came out as those that were told, to the last bit. */
import { expect, test } from 'vitest';
import type { Engine } from '#contracts/engine.ts';
import type { OpenPack } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import { manualClock } from '#core/lib/manual-clock.ts';
import type { LoadOptions, Policy } from '#core/policy/policy.ts';
import { policyRunner } from './policy-runner.ts';
import { ARITHMETIC, FRONT } from './testing/arithmetic.ts';

type Manner = NonNullable<LoadOptions['manner']>;

/** A policy whose x0 is its noise plus its first pixel, and whatever `bend` makes of the n-th chunk of a manner. */
async function runner(bend: (x0: Float32Array, manner: Manner, chunk: number) => Float32Array, opens: (manner: Manner) => void = () => undefined) {
  const events: string[] = [];
  let alive = 0;
  const load = async (_pack: OpenPack, _engine: Engine, { manner = 'plain' }: LoadOptions): Promise<Policy> => {
    events.push(manner);
    opens(manner);
    alive++;
    let chunk = 0;
    let forgotten = true;
    return {
      info: ARITHMETIC,
      provider: 'webgpu',
      eyes: null,
      text: { ending: '', maxTokens: 48, padding: 'longest', truncation: 'on' },
      noiseColumns: 6,
      forget: () => void (forgotten = true),
      async predictChunk({ pictures, noise }) {
        if (!forgotten) throw new Error('a chunk of a proof that did not look at its pictures');
        forgotten = false;
        const x0 = bend(noise.map((value) => value + pictures.get(FRONT)!.data[0]!), manner, chunk++);
        return { actions: x0, x0, timings: { preprocessMs: 0, visionMs: 0, prefixMs: 0, denoiseMs: 0, totalMs: 0 }, mids: new Map() };
      },
      dispose: async () => void alive--,
    };
  };
  const pack = { manifest: { info: ARITHMETIC, tokenizer: null } } as unknown as OpenPack;
  const engine = { provider: 'webgpu' } as Engine;
  const parts = { loadPolicy: load, openTokenizer: async () => () => ({ ids: new Int32Array(1), mask: Uint8Array.of(1) }), letterbox: () => new Float32Array(), clock: manualClock(0) };
  /** A device is let go of only with nothing on it. */
  const renew = async (): Promise<Engine> => {
    expect(alive).toBe(0);
    return { provider: 'webgpu' } as Engine;
  };
  return { made: await policyRunner(pack, engine, parts), renew, events, alive: () => alive };
}

test('equal chunks: recorded, and the sessions that told are gone', async () => {
  const { made, renew, events, alive } = await runner((x0) => x0);
  expect(await made.record(renew)).toEqual({ kind: 'recorded' });
  expect(events).toEqual(['plain', 'recorded']);
  expect(alive()).toBe(1);
  await made.dispose();
  expect(alive()).toBe(0);
});

test.each([
  ['the last bit of one number', (x0: Float32Array, manner: Manner) => (manner === 'plain' ? x0 : x0.map((value, i) => (i === 11 ? value * (1 + 2 ** -23) : value)))],
  ['the recording plays the first chunk again', frozen()],
  ['only the last one played', (x0: Float32Array, manner: Manner, chunk: number) => (manner === 'recorded' && chunk === 2 ? x0.map(() => 0) : x0)],
  ['no number', (x0: Float32Array, manner: Manner) => (manner === 'plain' ? x0 : x0.map(() => Number.NaN))],
] as const)('different by %s: told kernel by kernel', async (_what, bend) => {
  const { made, renew, events, alive } = await runner(bend);
  expect(await made.record(renew)).toEqual({ kind: 'plain', reason: 'different' });
  expect(events).toEqual(['plain', 'recorded', 'plain']);
  expect(alive()).toBe(1);
  expect((await made.sampleChunk()).x0.every(Number.isFinite)).toBe(true);
});

function frozen(): (x0: Float32Array, manner: Manner, chunk: number) => Float32Array {
  let first: Float32Array | null = null;
  return (x0, manner) => (manner === 'plain' ? x0 : (first ??= x0));
}

test('a graph that cannot be recorded is told, and the reason is kept', async () => {
  const { made, renew, events, alive } = await runner((x0) => x0, (manner) => {
    if (manner === 'recorded') throw new FailureError('engine/session-failed', { graph: 'step', message: 'a node on the CPU' });
  });
  expect(await made.record(renew)).toEqual({ kind: 'plain', reason: 'refused', message: 'a node on the CPU' });
  expect(events).toEqual(['plain', 'recorded', 'plain']);
  expect(alive()).toBe(1);
});

test('a device that is lost meanwhile is lost', async () => {
  const { made, renew } = await runner((x0) => x0, (manner) => {
    if (manner === 'recorded') throw new FailureError('engine/device-lost', { reason: 'unknown', message: '' });
  });
  await expect(made.record(renew)).rejects.toMatchObject({ failure: { code: 'engine/device-lost' } });
});
