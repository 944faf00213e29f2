/** How the runner behaves, on the golden `base` and `rename-map` checkpoints and ONNX Runtime's CPU provider. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '#contracts/engine.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { asFailure } from '#core/lib/failure.ts';
import { createNodeEngine } from '../testing/engine-ort-node.ts';
import { loadPolicy } from '../family.ts';
import type { ChunkRequest, LoadOptions, Policy } from '../policy.ts';
import { readGolden } from '../testing/golden-files.ts';
import { GOLDEN_CASES } from '../testing/golden-sets.ts';
import { openGolden, type OpenGolden } from '../testing/golden-suite.ts';

let ticks = 0;
const OPTIONS: LoadOptions = { letterbox, clock: { nowMs: () => ticks++ } };
const FRONT = 'observation.images.front';
const WRIST = 'observation.images.wrist';

let engine: Engine;
let base: OpenGolden;
let policy: Policy;
beforeAll(async () => {
  engine = await createNodeEngine();
  base = await openGolden(GOLDEN_CASES.find((golden) => golden.name === 'base')!, readGolden);
  policy = await loadPolicy(base.pack, engine, OPTIONS);
});
afterAll(() => engine.dispose());

function without(camera: string): ChunkRequest {
  const pictures = new Map(base.request.pictures);
  pictures.delete(camera);
  return { ...base.request, pictures };
}

function largest(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

const failureOf = (request: ChunkRequest) => policy.predictChunk(request).then(() => null, asFailure);

describe('one set of sessions', () => {
  it('the same observation and noise give the same chunk, bit for bit', async () => {
    const first = await policy.predictChunk(base.request);
    await policy.predictChunk(without(FRONT));
    expect((await policy.predictChunk(base.request)).x0).toEqual(first.x0);
  });

  it('padding of the sentence changes nothing, and its words do', async () => {
    const ids = [...Array(base.request.tokens.length).keys()].filter((i) => base.request.tokenMask[i] !== 0).map((i) => base.request.tokens[i]!);
    const whole = await policy.predictChunk(base.request);
    const bare = await policy.predictChunk({ ...base.request, tokens: ids, tokenMask: ids.map(() => 1) });
    expect(bare.x0).toEqual(whole.x0);
    const other = await policy.predictChunk({ ...base.request, tokens: ids.map((id) => (id + 1) % 500), tokenMask: ids.map(() => 1) });
    expect(largest(other.x0, whole.x0)).toBeGreaterThan(1e-3);
  });

  it('a picture that has not changed is seen once, whoever holds its bytes; a single changed number is seen, and so is everything after forgetting', async () => {
    let visions = 0;
    const counting: Engine = {
      ...engine,
      createSession: async (graph) => {
        const session = await engine.createSession(graph);
        return {
          run(feeds, fetches) {
            if (graph.name === 'vision') visions++;
            return session.run(feeds, fetches);
          },
          dispose: () => session.dispose(),
        };
      },
    };
    const mine = await loadPolicy(base.pack, counting, OPTIONS);
    const copied = (request: ChunkRequest): ChunkRequest => ({ ...request, pictures: new Map([...request.pictures].map(([camera, picture]) => [camera, { ...picture, data: picture.data.slice() }])) });
    const request = copied(base.request);
    const first = await mine.predictChunk(request);
    // The caller may do with its bytes what it likes.
    for (const { data } of request.pictures.values()) data.fill(0);
    expect((await mine.predictChunk(copied(base.request))).x0).toEqual(first.x0);
    expect(visions).toBe(2);
    const changed = copied(base.request);
    changed.pictures.get(WRIST)!.data[changed.pictures.get(WRIST)!.data.length - 1]! ^= 128;
    expect((await mine.predictChunk(changed)).x0).not.toEqual(first.x0);
    expect(visions).toBe(3);
    await mine.predictChunk(without(WRIST));
    expect(visions).toBe(3);
    expect((await mine.predictChunk(base.request)).x0).toEqual(first.x0);
    expect(visions).toBe(4);
    mine.forget();
    expect((await mine.predictChunk(base.request)).x0).toEqual(first.x0);
    expect(visions).toBe(6);
    await mine.dispose();
  });

  it.each([FRONT, WRIST])('without %s it equals sessions that never had that camera', async (absent) => {
    const left = absent === FRONT ? WRIST : FRONT;
    const masked = await policy.predictChunk(without(absent));
    const narrow = await loadPolicy(base.pack, engine, { ...OPTIONS, cameras: [left] });
    const alone = await narrow.predictChunk(base.request);
    await narrow.dispose();
    expect(largest(masked.x0, alone.x0)).toBeLessThan(1e-5);
    expect(largest(masked.x0, (await policy.predictChunk(base.request)).x0)).toBeGreaterThan(1e-3);
  });

  it('in fewer steps it equals a checkpoint that asks for so few; none, more and half a step are refused', async () => {
    const { manifest } = base.pack;
    const settings = { ...(manifest.settings as Readonly<Record<string, unknown>>), steps: 2 };
    const few = await loadPolicy({ ...base.pack, manifest: { ...manifest, settings } }, engine, OPTIONS);
    const own = await few.predictChunk(base.request);
    await few.dispose();
    expect((await policy.predictChunk({ ...base.request, steps: 2 })).x0).toEqual(own.x0);
    expect(largest(own.x0, (await policy.predictChunk(base.request)).x0)).toBeGreaterThan(1e-4);
    for (const steps of [0, 11, 1.5]) expect(await failureOf({ ...base.request, steps })).toMatchObject({ code: 'checkpoint/config', facts: { field: 'steps' } });
  });

  it('a picture may come under the policy’s own name instead of the robot’s', async () => {
    const renamed = await openGolden(GOLDEN_CASES.find((golden) => golden.name === 'rename-map')!, readGolden);
    const own = await loadPolicy(renamed.pack, engine, OPTIONS);
    const pictures = new Map([...renamed.request.pictures].map(([camera, picture]) => [camera === FRONT ? 'observation.images.camera1' : camera, picture]));
    expect((await own.predictChunk({ ...renamed.request, pictures })).x0).toEqual((await own.predictChunk(renamed.request)).x0);
    expect(own.info.cameras.map((camera) => camera.robotKey)).toEqual([FRONT, WRIST, 'observation.images.camera3']);
    await own.dispose();
  });

  it('says what it is and where the time went', async () => {
    expect(policy.info).toMatchObject({ chunkRows: 10, stateSize: 5, actionSize: 5, missingStatistics: [] });
    expect(policy.info.cameras.map((camera) => camera.key)).toEqual([FRONT, WRIST]);
    expect([policy.provider, policy.noiseColumns, policy.text]).toEqual(['cpu', 8, { ending: '\n', maxTokens: 12, padding: 'max_length', truncation: 'on' }]);
    const { timings, mids } = await policy.predictChunk(base.request);
    // The test's clock counts its readings: one at each stage's end.
    expect(timings).toEqual({ preprocessMs: 1, visionMs: 1, prefixMs: 1, denoiseMs: 1, totalMs: 4 });
    expect(mids.size).toBe(0);
  });
});

describe('what is refused', () => {
  it('no camera of the policy', async () => {
    const [, picture] = [...base.request.pictures][0]!;
    expect(await failureOf({ ...base.request, pictures: new Map([['observation.images.other', picture]]) })).toEqual({
      code: 'observation/camera-missing',
      facts: { camera: `${FRONT}, ${WRIST}`, present: 'observation.images.other' },
    });
    await expect(loadPolicy(base.pack, engine, { ...OPTIONS, cameras: ['observation.images.other'] })).rejects.toMatchObject({ failure: { code: 'observation/camera-missing' } });
  });

  it('a state or a noise of another size, too long a sentence, a token of another tokenizer', async () => {
    expect(await failureOf({ ...base.request, state: new Float32Array(6) })).toEqual({ code: 'observation/state-size', facts: { expected: 5, found: 6 } });
    expect(await failureOf({ ...base.request, noise: new Float32Array(50) })).toMatchObject({ code: 'checkpoint/tensor-shape', facts: { tensor: 'noise' } });
    const long = Array.from({ length: 13 }, () => 1);
    expect(await failureOf({ ...base.request, tokens: long, tokenMask: long })).toEqual({ code: 'observation/sentence-too-long', facts: { tokens: 13, limit: 12 } });
    expect(await failureOf({ ...base.request, tokens: [512], tokenMask: [1] })).toEqual({ code: 'checkpoint/config', facts: { field: 'tokens', expected: 'ids below 512', found: 512 } });
  });

  it('numbers that are none, in the result', async () => {
    const noise = base.request.noise.slice();
    noise[11] = NaN;
    // A hidden key's weight of 0 times NaN is NaN: one bad number spoils every row, and the first is named.
    expect(await failureOf({ ...base.request, noise })).toEqual({ code: 'policy/output-not-finite', facts: { row: 0, column: 0 } });
    expect(await failureOf(base.request)).toBeNull();
  });

  it('a pack whose settings are not ours', async () => {
    const manifest = { ...base.pack.manifest, settings: { revision: 0 } };
    await expect(loadPolicy({ ...base.pack, manifest }, engine, OPTIONS)).rejects.toMatchObject({ failure: { code: 'store/corrupt' } });
  });
});
