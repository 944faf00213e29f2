/** The converter and the memory store: what a pack holds, when weights are read again, and what is refused. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FailureError } from '#core/lib/failure.ts';
import { seededRandom } from '#core/lib/random.ts';
import { type CheckpointFiles, memoryFiles } from './checkpoint-files.ts';
import { type ConversionProgress, convertIntoStore } from './convert.ts';
import { toBfloat16 } from './dtypes.ts';
import { writeSafetensors } from './safetensors.ts';
import { memoryStore, type PackStore } from './store.ts';
import { TINY_EMBEDDING, tinyCheckpoint, tinyRecipe, tinyWeights } from './testing/tiny-checkpoint.ts';

function convert(files: CheckpointFiles, store: PackStore, onProgress?: (progress: ConversionProgress) => void) {
  return convertIntoStore({ files, recipe: tinyRecipe, precision: 'f32', store, name: 'tiny', ...(onProgress ? { onProgress } : {}) });
}
const filesOf = (changes: Parameters<typeof tinyCheckpoint>[0] = {}): CheckpointFiles => memoryFiles('tiny', tinyCheckpoint(changes));
const weightsWith = (changes: Parameters<typeof writeSafetensors>[0]): Uint8Array => writeSafetensors({ ...tinyWeights(), ...changes });

describe('a pack', () => {
  it('holds what was planned, aligned, hashed, and readable row by row', async () => {
    const store = memoryStore();
    const seen: number[] = [];
    expect(await convert(filesOf(), store, ({ doneTensors }) => seen.push(doneTensors))).toMatchObject({ bytes: 64 + 24 + 48, fromStore: false });
    expect([...new Set(seen)]).toEqual([0, 1, 2, 3]);
    const pack = await store.open('tiny');
    expect(pack.manifest.tensors.map(({ name, file, offset, length }) => [name, file, offset, length])).toEqual([
      ['bias', 'step', 0, 12],
      ['embedding', 'host', 0, 48],
      ['matrix', 'step', 64, 24],
    ]);
    expect(await pack.tensor('embedding')).toEqual(TINY_EMBEDDING);
    expect([...(await pack.tensor('matrix'))]).toEqual([0, 0.5, 1, 0.25, 0.75, 1.25]);
    expect([...(await pack.rows('embedding', 1, 2))]).toEqual([...TINY_EMBEDDING.subarray(3, 9)]);
    for (const { file, bytes, sha256 } of pack.manifest.files) {
      const content = await pack.weights(file);
      if (!(content instanceof Uint8Array)) throw new Error('the memory store keeps bytes');
      expect(content.length).toBe(bytes);
      expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    }
    expect(pack.manifest.tokenizer?.json).toBe('{"version":"1.0"}');
    await expect(pack.rows('embedding', 3, 2)).rejects.toMatchObject({ failure: { code: 'internal' } });
  });

  it('is made once: the second time no weight is read', async () => {
    const store = memoryStore();
    await convert(filesOf(), store);
    const files = filesOf();
    const reads: (readonly [number, number])[] = [];
    const watched: CheckpointFiles = {
      ...files,
      open: async (file) => {
        const large = await files.open(file);
        return large === null ? null : { ...large, read: (offset, length) => (reads.push([offset, length]), large.read(offset, length)) };
      },
    };
    expect(await convert(watched, store)).toMatchObject({ fromStore: true });
    // The length of the header and the header.
    expect(reads.map(([offset]) => offset)).toEqual([0, 8]);
  });

  it('is made again when the checkpoint changes, and two conversions of one name wait for each other', async () => {
    const store = memoryStore();
    const results = await Promise.all([convert(filesOf(), store), convert(filesOf(), store), convert(filesOf({ 'card.json': '{"version":2}' }), store)]);
    expect(results.map(({ fromStore }) => fromStore)).toEqual([false, true, false]);
  });

  it('is made again where an older page made it in another way, and is then the same on every machine', async () => {
    const store = memoryStore();
    const { storedName } = await convert(filesOf(), store);
    const pack = await store.find('tiny');
    await store.publish('tiny', { ...pack!, identity: '0'.repeat(64) });
    expect(await convert(filesOf(), store)).toMatchObject({ fromStore: false, storedName });
    expect((await store.find('tiny'))?.identity).toBe(pack!.identity);
  });

  it('is opened by its name, or by name and content, and then never another', async () => {
    const store = memoryStore();
    const first = await convert(filesOf(), store);
    // The same content from elsewhere keeps its name, though it is converted again.
    expect(await convert(filesOf({ 'card.json': '{"version":2}' }), store)).toEqual({ ...first, fromStore: false });
    const second = await convert(filesOf({ 'model.safetensors': weightsWith({ 'model.proj.bias': { dtype: 'F32', shape: [3], data: new Float32Array(3) } }), 'card.json': '{"version":3}' }), store);
    expect(first.storedName).toMatch(/^tiny@[0-9a-f]{16}$/);
    expect(second.storedName).not.toBe(first.storedName);
    await expect(store.open('tiny')).resolves.toBeTruthy();
    await expect(store.open(second.storedName)).resolves.toBeTruthy();
    await expect(store.open(first.storedName)).rejects.toMatchObject({ failure: { code: 'store/not-found', facts: { name: first.storedName } } });
  });

  it('is used as it is when the host cannot be reached, and not when the host refuses', async () => {
    const store = memoryStore();
    await convert(filesOf(), store);
    const failing = (status: number | null): CheckpointFiles => ({
      source: 'tiny',
      readSmall: () => Promise.reject(new FailureError('download/failed', { url: 'x', status })),
      open: async () => null,
    });
    expect(await convert(failing(null), store)).toMatchObject({ fromStore: true });
    await expect(convert(failing(null), memoryStore())).rejects.toMatchObject({ failure: { code: 'download/failed' } });
    await expect(convert(failing(503), store)).rejects.toMatchObject({ failure: { code: 'download/failed', facts: { status: 503 } } });
  });
});

describe('an interrupted conversion', () => {
  it('goes on where it stopped, three times, and gives the same bytes', async () => {
    const whole = memoryStore();
    const expected = await convertIntoStore({ files: filesOf(), recipe: tinyRecipe, precision: 'f32', store: whole, name: 'tiny', partBytes: 16 });
    const store = memoryStore();
    let reads = 0;
    // Every tensor read counts; the host goes away after the second, then again and again.
    const failing = (allowed: number): CheckpointFiles => {
      const files = filesOf();
      return {
        ...files,
        open: async (file) => {
          const large = await files.open(file);
          if (large === null) return null;
          let left = allowed + 2;
          return {
            ...large,
            read: (offset, length) => {
              if (left-- <= 0) return Promise.reject(new FailureError('download/failed', { url: 'x', status: null }));
              reads += 1;
              return large.read(offset, length);
            },
          };
        },
      };
    };
    const attempt = (files: CheckpointFiles) => convertIntoStore({ files, recipe: tinyRecipe, precision: 'f32', store, name: 'tiny', partBytes: 16 });
    for (const finished of [1, 2]) {
      await expect(attempt(failing(1))).rejects.toMatchObject({ failure: { code: 'download/failed' } });
      expect(await store.find('tiny')).toBeNull();
      expect((await store.journal('tiny'))?.files.length).toBe(finished);
      expect(await store.list()).toMatchObject([{ name: 'tiny', pack: null }]);
    }
    expect(await attempt(failing(9))).toEqual(expected);
    // Two for each header, and each of the three tensors once.
    expect(reads).toBe(3 * 2 + 3);
    expect(await store.journal('tiny')).toBeNull();
    const [ours, theirs] = [await store.open('tiny'), await whole.open('tiny')];
    expect(ours.manifest).toEqual(theirs.manifest);
    for (const { file } of theirs.manifest.files) expect(await ours.weights(file)).toEqual(await theirs.weights(file));
  });

  it('who waits for another is told once, may leave at once, and may refuse to wait', async () => {
    const store = memoryStore();
    let finish: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const running = store.exclusively('tiny', () => first);
    const [abort, told] = [new AbortController(), [] as string[]];
    const leaves = store.exclusively('tiny', async () => told.push('left and worked'), { onWait: () => void told.push('waits'), signal: abort.signal });
    const stays = store.exclusively('tiny', async () => told.push('works'));
    const refuses = store.exclusively('tiny', async () => told.push('refused and worked'), {
      onWait: () => {
        throw new Error('busy');
      },
    });
    await expect(refuses).rejects.toThrow('busy');
    abort.abort();
    await expect(leaves).rejects.toMatchObject({ failure: { code: 'download/cancelled' } });
    expect(told).toEqual(['waits']);
    finish();
    await Promise.all([running, stays]);
    expect(told).toEqual(['waits', 'works']);
  });

  it('can be cancelled, listed, renamed and deleted', async () => {
    const store = memoryStore();
    const abort = new AbortController();
    const running = convertIntoStore({ files: filesOf(), recipe: tinyRecipe, precision: 'f32', store, name: 'tiny', partBytes: 16, signal: abort.signal, onProgress: ({ doneTensors }) => doneTensors === 2 && abort.abort() });
    await expect(running).rejects.toMatchObject({ failure: { code: 'download/cancelled' } });
    expect(await store.list()).toMatchObject([{ name: 'tiny', pack: null }]);
    await convert(filesOf(), store);
    await store.rename('tiny', 'my own');
    expect(await store.list()).toMatchObject([{ name: 'tiny', bytes: 136, pack: { title: 'my own' } }]);
    await convert(filesOf({ 'card.json': '{"version":2}' }), store);
    expect((await store.list())[0]?.pack?.title).toBe('my own');
    await store.remove('tiny');
    expect(await store.list()).toEqual([]);
    await expect(store.rename('tiny', 'x')).rejects.toMatchObject({ failure: { code: 'store/not-found' } });
  });
});

describe('weights that cannot be right', () => {
  const nan = toBfloat16(new Float32Array([0, 1, 2, NaN, 4, 5]));
  const cases: readonly (readonly [string, Parameters<typeof writeSafetensors>[0], unknown])[] = [
    ['a NaN', { 'model.proj.weight': { dtype: 'BF16', shape: [3, 2], data: nan } }, { code: 'checkpoint/not-finite', facts: { tensor: 'model.proj.weight', index: 3 } }],
    ['an infinity', { 'model.proj.bias': { dtype: 'F32', shape: [3], data: new Float32Array([0, -Infinity, 0]) } }, { code: 'checkpoint/not-finite', facts: { tensor: 'model.proj.bias', index: 1 } }],
    ['a float64 beyond float32', { 'model.proj.bias': { dtype: 'F64', shape: [3], data: new Float64Array([0, 0, 1e40]) } }, { code: 'checkpoint/not-finite', facts: { tensor: 'model.proj.bias', index: 2 } }],
    ['another shape', { 'model.proj.bias': { dtype: 'F32', shape: [4], data: new Float32Array(4) } }, { code: 'checkpoint/tensor-shape', facts: { tensor: 'model.proj.bias', expected: '3', found: '4' } }],
  ];
  it.each(cases)('%s is refused and nothing is published', async (_what, weights, failure) => {
    const store = memoryStore();
    await expect(convert(filesOf({ 'model.safetensors': weightsWith(weights) }), store)).rejects.toMatchObject({ failure });
    expect(await store.find('tiny')).toBeNull();
  });

  it('a tensor that no plan asks for may hold anything', async () => {
    expect(Number.isNaN(tinyWeights()['model.never_read.weight'].data[0])).toBe(true);
    await expect(convert(filesOf(), memoryStore())).resolves.toMatchObject({ fromStore: false });
  });
});

describe('fuzz', () => {
  it('400 checkpoints with random damage each end in a typed failure or a correct pack', async () => {
    const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_101);
    console.log(`fuzz seed ${seed} (FUZZ_SEED to repeat)`);
    const random = seededRandom(seed);
    const ends = new Map<string, number>();
    for (let round = 0; round < 400; round++) {
      const files = tinyCheckpoint();
      const names = [...files.keys()];
      const name = random.uniform() < 0.5 ? 'model.safetensors' : names[random.index(names.length)];
      files.set(name, damage(files.get(name) ?? new Uint8Array(), random));
      const store = memoryStore();
      const end = await convert(memoryFiles('tiny', files), store).then(
        () => 'converted',
        (thrown: unknown) => (thrown instanceof FailureError ? thrown.failure.code : `round ${round}: ${String(thrown)}`),
      );
      ends.set(end, (ends.get(end) ?? 0) + 1);
      if (end !== 'converted') {
        expect(end, `round ${round}, ${name}`).toMatch(/^checkpoint\//);
        expect(await store.find('tiny')).toBeNull();
        continue;
      }
      const pack = await store.open('tiny');
      for (const tensor of pack.manifest.tensors) expect((await pack.tensor(tensor.name)).every(Number.isFinite)).toBe(true);
    }
    // The damage must reach both outcomes, or this test tests nothing.
    expect(ends.get('converted') ?? 0).toBeGreaterThan(20);
    expect(ends.size).toBeGreaterThan(3);
  });
});

/** Flips, cuts, doubles or overwrites a few bytes, favouring the first 600 where headers lie. */
function damage(bytes: Uint8Array, random: ReturnType<typeof seededRandom>): Uint8Array {
  const out = [...bytes];
  const place = (): number => random.index(Math.max(1, random.uniform() < 0.8 ? Math.min(600, out.length) : out.length));
  for (let n = 0; n <= random.index(3); n++) {
    const at = place();
    const kind = random.index(4);
    if (kind === 0) out[at] = random.index(256);
    else if (kind === 1) out.splice(at, 1 + random.index(20));
    else if (kind === 2) out.splice(at, 0, ...out.slice(at, at + random.index(20)));
    else out[at] = '0123456789-[]{},:"'.charCodeAt(random.index(18));
  }
  return Uint8Array.from(out);
}
