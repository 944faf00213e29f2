/** Loading from the Hub, against a server that answers as it does: redirects, ranges, refusals, and answers that go wrong. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeHub, startFakeHub } from '../../../tools/fake-hub/fake-hub.ts';
import { convertIntoStore } from './convert.ts';
import { toBfloat16 } from './dtypes.ts';
import { hubFiles, type HubOptions, readHubName } from './hub-files.ts';
import { writeSafetensors } from './safetensors.ts';
import { memoryStore, type PackStore } from './store.ts';
import { TINY_BIAS, TINY_EMBEDDING, TINY_MATRIX, tinyCheckpoint, tinyRecipe, tinyWeights } from './testing/tiny-checkpoint.ts';

const ID = 'user/mine';
/** 12 MB that no plan asks for, between the needed tensors: ranges must step over it. */
const weights = writeSafetensors({ ...tinyWeights(), 'model.lm_head.weight': { dtype: 'F32', shape: [3_000_000], data: new Float32Array(3_000_000) } });

let hub: FakeHub;
beforeAll(async () => {
  hub = await startFakeHub();
});
afterAll(() => hub.close());
beforeEach(() => {
  hub.models.set(ID, { files: tinyCheckpoint({ 'model.safetensors': weights }) });
  hub.faults.length = 0;
  hub.listFaults.length = 0;
  hub.log.length = 0;
});

const pauses: number[] = [];
const open = (options: HubOptions = {}, id = ID, revision = 'main') => hubFiles({ id, revision }, { hubUrl: hub.url, pause: async (ms) => void pauses.push(ms), ...options });
const convert = async (store: PackStore = memoryStore(), options: HubOptions = {}) =>
  convertIntoStore({ files: await open(options), recipe: tinyRecipe, precision: 'f32', store, name: `hub/${ID}` });

describe('a model on the Hub', () => {
  it('is read at one commit, by ranges, and only what is needed', async () => {
    const files = await open();
    expect(files.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(files.sizeOf('model.safetensors')).toBe(weights.length);
    expect(await files.readSmall('not-there.json', 100)).toBeNull();
    await convert();
    expect(hub.log.some((line) => line.includes('not-there') || line.includes('adapter_config'))).toBe(false);
    const ranges = hub.log.filter((line) => line.startsWith('GET /storage/'));
    // Its head, and the one block at the end of the file where the small tensors lie.
    expect(ranges.length).toBeLessThanOrEqual(4);
    expect(hub.log.filter((line) => line.includes('/resolve/')).every((line) => line.includes(files.commit))).toBe(true);
  });

  it('is the same pack whatever goes wrong on the way', async () => {
    const plain = await convert();
    for (const faults of [
      [{ kind: 'status', status: 429, retryAfter: 1 }],
      [{ kind: 'status', status: 503 }, { kind: 'status', status: 500 }],
      [undefined, { kind: 'cut', afterBytes: 1000 }],
      [undefined, { kind: 'short' }],
    ] as const) {
      hub.faults.push(...(faults as unknown as typeof hub.faults));
      pauses.length = 0;
      expect(await convert()).toEqual(plain);
      expect(pauses.length).toBeGreaterThan(0);
    }
  });

  it.each([
    ['404', {}, 'user/nobody', 'hub/not-allowed'],
    ['404 for who may see everything', { token: 'hf_test' }, 'user/nobody', 'hub/not-found'],
  ] as const)('that does not exist: %s', async (_what, options, id, code) => {
    await expect(open(options, id)).rejects.toMatchObject({ failure: { code } });
  });

  it('that is private or gated wants a token, and gets one', async () => {
    hub.models.set(ID, { files: tinyCheckpoint(), access: 'private' });
    await expect(open()).rejects.toMatchObject({ failure: { code: 'hub/not-allowed', facts: { id: ID, status: 401 } } });
    await expect(convert(memoryStore(), { token: 'hf_test' })).resolves.toBeTruthy();
    hub.models.set(ID, { files: tinyCheckpoint(), access: 'gated' });
    await expect(convert()).rejects.toMatchObject({ failure: { code: 'hub/not-allowed', facts: { status: 403 } } });
    await expect(convert(memoryStore(), { token: 'hf_test' })).resolves.toBeTruthy();
  });

  it('at a revision that it has not', async () => {
    await expect(open({}, ID, 'v9')).rejects.toMatchObject({ failure: { code: 'hub/not-found', facts: { id: ID, revision: 'v9' } } });
    const { commit } = await open();
    await expect(open({}, ID, commit)).resolves.toBeTruthy();
  });

  it('that asks to wait is waited for, and then says so', async () => {
    hub.listFaults.push(...Array.from({ length: 4 }, () => ({ kind: 'status', status: 429, retryAfter: 7 }) as const));
    pauses.length = 0;
    await expect(open()).rejects.toMatchObject({ failure: { code: 'hub/busy', facts: { id: ID, status: 429, retryAfterSeconds: 7 } } });
    expect(pauses).toEqual([7000, 7000, 7000]);
  });

  it('whose file changes, lies about its size, or is a note of Git LFS is refused', async () => {
    hub.faults.push(undefined as never, { kind: 'changed' });
    await expect(convert()).rejects.toMatchObject({ failure: { code: 'checkpoint/changed', facts: { file: 'model.safetensors' } } });
    hub.listFaults.push({ kind: 'wrong-size' });
    await expect(convert()).rejects.toMatchObject({ failure: { code: 'checkpoint/file-truncated', facts: { expectedBytes: weights.length + 1, foundBytes: weights.length } } });
    hub.faults.push({ kind: 'pointer' });
    await expect(convert()).rejects.toMatchObject({ failure: { code: expect.stringMatching(/^checkpoint\/(?:lfs-pointer|file-truncated)$/) } });
  });

  it('whose storage answers 416 in the middle has changed: what was finished and what was stored stays', async () => {
    // Wide numbers come first in a file: the bias and the matrix in its head, the embedding 12 MB behind them. One weight file is finished before the trouble.
    const parted = (rows: Float32Array): Uint8Array =>
      writeSafetensors({
        'model.proj.weight': { dtype: 'F64', shape: [3, 2], data: Float64Array.from(TINY_MATRIX) },
        'model.proj.bias': { dtype: 'F64', shape: [3], data: Float64Array.from(TINY_BIAS) },
        'model.lm_head.weight': { dtype: 'F32', shape: [3_000_000], data: new Float32Array(3_000_000) },
        'model.embed.weight': { dtype: 'BF16', shape: [4, 3], data: toBfloat16(rows) },
      });
    hub.models.set(ID, { files: tinyCheckpoint({ 'model.safetensors': parted(TINY_EMBEDDING) }) });
    const store = memoryStore();
    const changed = { failure: { code: 'checkpoint/changed', facts: { file: 'model.safetensors' } } };
    hub.faults.push(undefined as never, { kind: 'shrunk', bytes: 1000 });
    pauses.length = 0;
    await expect(convert(store)).rejects.toMatchObject(changed);
    expect(hub.log.at(-1)).toMatch(/^GET \/storage\/.* bytes=8388608-/);
    // Asking again would not help.
    expect(pauses).toEqual([]);
    expect(await store.list()).toMatchObject([{ name: `hub/${ID}`, bytes: 88, pack: null }]);
    const { storedName } = await convert(store);
    expect(storedName).toBe((await convert()).storedName);

    // A push to the model, and 416 while it is fetched: the pack that was there is still the pack that is there.
    hub.models.set(ID, { files: tinyCheckpoint({ 'model.safetensors': parted(TINY_EMBEDDING.map((value) => 2 * value)) }) });
    hub.faults.push(undefined as never, { kind: 'status', status: 416 });
    await expect(convert(store)).rejects.toMatchObject(changed);
    await expect(store.open(storedName)).resolves.toBeTruthy();
    expect((await convert(store)).storedName).not.toBe(storedName);
  });

  it('whose storage answers 416 at once is cut short; 416 where no range was asked for is a host that errs', async () => {
    hub.faults.push({ kind: 'shrunk', bytes: 0 });
    await expect(convert()).rejects.toMatchObject({ failure: { code: 'checkpoint/file-truncated', facts: { file: 'model.safetensors', expectedBytes: weights.length, foundBytes: 0 } } });
    hub.listFaults.push({ kind: 'status', status: 416 });
    await expect(open()).rejects.toMatchObject({ failure: { code: 'download/failed', facts: { status: 416 } } });
  });

  it('can be cancelled', async () => {
    const abort = new AbortController();
    abort.abort();
    await expect(convert(memoryStore(), { signal: abort.signal })).rejects.toMatchObject({ failure: { code: 'download/cancelled' } });
  });
});

describe('what people paste', () => {
  it.each([
    ['lerobot/smolvla_base', 'lerobot/smolvla_base', 'main'],
    ['  user/model@v1 ', 'user/model', 'v1'],
    ['https://huggingface.co/user/my-model', 'user/my-model', 'main'],
    ['huggingface.co/user/my-model/tree/0c5f', 'user/my-model', '0c5f'],
    ['https://huggingface.co/user/m/blob/main/config.json?x=1', 'user/m', 'main'],
  ])('%s', (text, id, revision) => {
    expect(readHubName(text)).toEqual({ id, revision });
  });
  it.each(['', 'model', 'a/b/c', '../x', 'user/..', 'user/a b', 'https://example.org/user/model', 'user/model@', 'user/model@a..b', '<script>/x'])('%s is no name', (text) => {
    expect(() => readHubName(text)).toThrow(expect.objectContaining({ failure: expect.objectContaining({ code: 'hub/name' }) }));
  });
});
