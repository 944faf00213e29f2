/** The browser's store in a real browser: published packs survive, broken and half-written ones do not pass for whole. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryFiles } from './checkpoint-files.ts';
import { convertIntoStore } from './convert.ts';
import { opfsStore } from './opfs-store.ts';
import { writeSafetensors } from './safetensors.ts';
import { TINY_EMBEDDING, tinyCheckpoint, tinyRecipe, tinyWeights } from './testing/tiny-checkpoint.ts';

let root = '';
beforeEach(() => {
  root = `test-packs-${crypto.randomUUID()}`;
});
afterEach(async () => {
  await (await navigator.storage.getDirectory()).removeEntry(root, { recursive: true }).catch(() => undefined);
});

const convert = (name = 'policies/tiny', changes: Parameters<typeof tinyCheckpoint>[0] = {}) =>
  convertIntoStore({ files: memoryFiles('tiny', tinyCheckpoint(changes)), recipe: tinyRecipe, precision: 'f32', store: opfsStore(root), name });

async function folder(part: string): Promise<FileSystemDirectoryHandle> {
  return (await (await navigator.storage.getDirectory()).getDirectoryHandle(root)).getDirectoryHandle(part);
}

async function namesIn(part: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of (await folder(part)).keys()) names.push(name);
  return names;
}

describe('the model store in OPFS', () => {
  it('keeps a pack across store objects and gives its weights as Blobs', async () => {
    const { storedName } = await convert();
    expect(await convert()).toEqual({ storedName, bytes: 136, fromStore: true });
    const pack = await opfsStore(root).open(storedName);
    const weights = await pack.weights('step');
    expect(weights).toBeInstanceOf(Blob);
    expect(await pack.tensor('embedding')).toEqual(TINY_EMBEDDING);
    expect([...(await pack.rows('embedding', 2, 1))]).toEqual([...TINY_EMBEDDING.subarray(6, 9)]);
    expect(await namesIn('unfinished')).toEqual([]);
    expect((await namesIn('contents')).toSorted()).toEqual(pack.manifest.files.map(({ sha256 }) => `${sha256}.bin`).toSorted());
  });

  it('shares equal contents between names, and removes what a replaced pack alone used', async () => {
    await convert('a');
    await convert('b');
    expect((await namesIn('contents')).length).toBe(2);
    const other = { 'model.safetensors': writeSafetensors({ ...tinyWeights(), 'model.proj.bias': { dtype: 'F32', shape: [3], data: new Float32Array(3) } }) };
    await convert('a', other);
    expect((await namesIn('contents')).length).toBe(3);
    await convert('b', other);
    // The embedding is the same in both; the first bias is used by nobody now.
    expect((await namesIn('contents')).length).toBe(2);
    await expect(opfsStore(root).open('a')).resolves.toBeTruthy();
  });

  it('does not take a half-converted or damaged pack for a whole one', async () => {
    await expect(opfsStore(root).open('nobody')).rejects.toMatchObject({ failure: { code: 'store/not-found', facts: { name: 'nobody' } } });
    await convert();
    const [content] = await namesIn('contents');
    const handle = await (await folder('contents')).getFileHandle(content);
    const stream = await handle.createWritable({ keepExistingData: true });
    await stream.truncate(5);
    await stream.close();
    await expect(opfsStore(root).open('policies/tiny')).rejects.toMatchObject({ failure: { code: 'store/corrupt' } });
    expect(await convert()).toMatchObject({ fromStore: false });
    await expect(opfsStore(root).open('policies/tiny')).resolves.toBeTruthy();
  });

  it('sweeps what a crashed conversion of this name left, and leaves others alone', async () => {
    await convert('b');
    const unfinished = await folder('unfinished');
    await unfinished.getFileHandle('a.1', { create: true });
    await unfinished.getFileHandle('other.1', { create: true });
    await convert('a');
    expect(await namesIn('unfinished')).toEqual(['other.1']);
  });

  it('lets a second conversion of one name wait for the first', async () => {
    expect((await Promise.all([convert('a'), convert('a'), convert('a')])).map(({ fromStore }) => fromStore)).toEqual([false, true, true]);
  });

  it('a failed conversion leaves the pack that was there', async () => {
    await convert('a');
    // The last planned tensor is the bad one: both weight files are half written by then.
    const broken = writeSafetensors({ ...tinyWeights(), 'model.proj.weight': { dtype: 'F32', shape: [3, 2], data: new Float32Array(6).fill(NaN) } });
    await expect(convert('a', { 'model.safetensors': broken })).rejects.toMatchObject({ failure: { code: 'checkpoint/not-finite' } });
    await expect(opfsStore(root).open('a')).resolves.toBeTruthy();
    expect(await namesIn('unfinished')).toEqual([]);
  });
});
