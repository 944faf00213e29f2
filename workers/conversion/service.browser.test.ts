/**
 * The real conversion worker in a real browser: started by its entry, called by comlink, the shipped pocket policy read
 * over HTTP into OPFS, opened there and equal to the files it came from.
 */
import { wrap } from 'comlink';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConversionApi, LoadProgress } from '#contracts/inference.ts';
import type { WorkerBooted } from '#contracts/worker.ts';
import { toFloat32 } from '#core/conversion/dtypes.ts';
import { opfsStore } from '#core/conversion/opfs-store.ts';
import { parseSafetensors } from '#core/conversion/safetensors.ts';
import { memoryStore } from '#core/conversion/store.ts';
import { unwrap } from '#core/lib/failure.ts';
import { anyFamilyRecipe } from '#core/policy/family.ts';
import { ConversionService } from './service.ts';

const POCKET = { kind: 'shipped', name: 'policies/pocket' } as const;
const baseUrl = new URL('/', location.href).href;

let worker: Worker;
let api: Pick<ConversionApi, 'convert'>;
const progress: LoadProgress[] = [];

beforeAll(async () => {
  worker = new Worker(new URL('./entry.ts', import.meta.url), { type: 'module', name: 'conversion' });
  const calls = new MessageChannel();
  const steps = new MessageChannel();
  steps.port1.onmessage = (event: MessageEvent<LoadProgress>) => void progress.push(event.data);
  const slot = (): SharedArrayBuffer => new SharedArrayBuffer(8);
  const booted = new Promise<WorkerBooted>((resolve) => worker.addEventListener('message', (event: MessageEvent<WorkerBooted>) => resolve(event.data), { once: true }));
  const memory = { targets: slot(), joints: slot(), poses: slot(), arm: slot(), stop: slot() };
  worker.postMessage({ kind: 'boot', memory, api: calls.port2, ports: { progress: steps.port2 }, aliveLock: `test ${crypto.randomUUID()}`, baseUrl }, [calls.port2, steps.port2]);
  expect(await booted).toEqual({ kind: 'booted' });
  api = wrap<ConversionApi>(calls.port1);
});
afterAll(async () => {
  worker.terminate();
  await (await navigator.storage.getDirectory()).removeEntry('packs', { recursive: true }).catch(() => undefined);
});

describe('the conversion worker', () => {
  it('puts the pocket policy into the model store, and reads no weight the second time', async () => {
    const first = unwrap(await api.convert(POCKET));
    expect(first).toMatchObject({ fromStore: false, storedName: expect.stringMatching(/^policies\/pocket@[0-9a-f]{16}$/) });
    const fetched = progress.filter((step) => step.phase === 'fetch');
    expect(fetched.at(-1)).toMatchObject({ what: 'model.safetensors' });
    expect(fetched.at(-1)?.doneBytes).toBe(fetched.at(-1)?.totalBytes);
    expect(progress.at(-1)).toMatchObject({ phase: 'convert' });
    expect(unwrap(await api.convert(POCKET))).toEqual({ ...first, fromStore: true });
    expect(progress.filter((step) => step.phase === 'fetch').length).toBe(fetched.length);
    expect(unwrap(await api.convert({ kind: 'stored', name: first.storedName }))).toEqual({ ...first, fromStore: true });
  });

  it('stores exactly what the checkpoint holds', async () => {
    const { storedName } = unwrap(await api.convert(POCKET));
    const pack = await opfsStore().open(storedName);
    const file = parseSafetensors(new Uint8Array(await (await fetch(`${baseUrl}policies/pocket/model.safetensors`)).arrayBuffer()), 'model.safetensors');
    const embedding = file.raw('model.vlm_with_expert.vlm.model.text_model.embed_tokens.weight');
    const rows = await pack.rows('embed', 10, 3);
    const width = embedding.shape[1];
    expect(rows.length).toBe(3 * width);
    const stored = toFloat32(embedding.dtype, embedding.bytes).subarray(10 * width, 13 * width);
    // The family may scale the rows; their ratios are the checkpoint's.
    const ratio = rows[0] / stored[0];
    expect(rows.every((value, i) => Math.abs(value - stored[i] * ratio) <= 1e-6 * Math.abs(value) + 1e-9)).toBe(true);
    expect(await pack.weights('vision')).toBeInstanceOf(Blob);
    expect(pack.manifest.tokenizer).not.toBeNull();
  });

  it('answers with failures as plain data', async () => {
    expect(await api.convert({ kind: 'shipped', name: 'policies/nobody' })).toMatchObject({ ok: false, failure: { code: 'checkpoint/file-missing', facts: { file: 'config.json', source: 'policies/nobody' } } });
    expect(await api.convert({ kind: 'shipped', name: '../secrets' })).toMatchObject({ ok: false, failure: { code: 'checkpoint/unsupported' } });
    expect(await api.convert({ kind: 'shipped', name: 'https://example.org/x' })).toMatchObject({ ok: false, failure: { code: 'checkpoint/unsupported' } });
    expect(await api.convert({ kind: 'stored', name: 'policies/pocket@0000000000000000' })).toMatchObject({ ok: false, failure: { code: 'store/not-found' } });
  });

  it('is the same class on a memory store: bytes told in order, conversion after them', async () => {
    const told: LoadProgress[] = [];
    let now = 0;
    const service = new ConversionService({ baseUrl, store: memoryStore(), recipe: anyFamilyRecipe, onProgress: (step) => void told.push(step), clock: { nowMs: () => (now += 1000) } });
    unwrap(await service.convert(POCKET));
    const phases = told.map(({ phase }) => phase);
    expect(phases.lastIndexOf('fetch')).toBeLessThan(phases.lastIndexOf('convert'));
    const bytes = told.flatMap((step) => (step.phase === 'fetch' ? [step.doneBytes] : []));
    expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
  });
});
