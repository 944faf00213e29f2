/**
 * Tabs and the model store, in a real browser: real private files, real Web Locks, every tab a frame with a conversion
 * worker of its own, and closing a tab is taking its frame away, which ends its worker between two instructions.
 *
 *   closed in the middle of a conversion   the next tab goes on; the pack is byte for byte that of a calm conversion
 *   a second tab on the same model         is told that it waits; may leave; may not delete; else gets the first one's pack
 */
import { proxy, type Remote, wrap } from 'comlink';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { opfsStore } from '#core/conversion/opfs-store.ts';
import { unwrap } from '#core/lib/failure.ts';
import { seededRandom } from '#core/lib/random.ts';
import type { Tab } from './testing/tab.ts';

const SET = { kind: 'shipped', name: 'self-attention' } as const;
const baseUrl = new URL('/src/core/policy/testing/golden/', location.href).href;

let root = '';
const open = new Set<HTMLIFrameElement>();
beforeEach(() => {
  root = `test-tabs-${crypto.randomUUID()}`;
});
afterEach(async () => {
  for (const frame of open) frame.remove();
  open.clear();
  const files = await navigator.storage.getDirectory();
  for (const name of [root, `${root}-calm`]) await files.removeEntry(name, { recursive: true }).catch(() => undefined);
});

interface OpenTab {
  readonly tab: Remote<Tab>;
  /** Resolves once the tab waits for another, or stands still in the middle of its work. */
  readonly waiting: Promise<void>;
  readonly standing: Promise<void>;
  close(): void;
}

/**
 * A new frame now and then does not get its worker's script (Chromium 156: an `error` event that names no line, in one start of ten on an idle
 * machine), and what is sent to such a worker waits for ever. That is no matter of the store: another frame is made, and no message is sent
 * before the worker has said that it listens.
 */
async function frameWithWorker(): Promise<{ readonly frame: HTMLIFrameElement; readonly worker: Worker }> {
  for (let attempt = 1; ; attempt++) {
    const frame = document.createElement('iframe');
    document.body.append(frame);
    open.add(frame);
    const { Worker } = frame.contentWindow as Window & typeof globalThis;
    const worker = new Worker(new URL('./testing/tab.ts', import.meta.url), { type: 'module' });
    const listens = await new Promise<'yes' | 'no'>((told) => {
      worker.addEventListener('message', () => told('yes'), { once: true });
      worker.addEventListener('error', () => told('no'), { once: true });
    });
    if (listens === 'yes') return { frame, worker };
    frame.remove();
    open.delete(frame);
    if (attempt === 6) throw new Error('six frames in a row got no worker');
  }
}

async function openTab(standsAfterWrites: number | null = null, folder = root): Promise<OpenTab> {
  const { frame, worker } = await frameWithWorker();
  const tab = wrap<Tab>(worker);
  const told = new EventTarget();
  const once = (what: string): Promise<void> => new Promise((resolve) => told.addEventListener(what, () => resolve(), { once: true }));
  const [waiting, standing] = [once('waiting'), once('standing')];
  await tab.open({ root: folder, baseUrl, standsAfterWrites }, proxy((what) => void told.dispatchEvent(new Event(what))));
  return { tab, waiting, standing, close: () => frame.remove() };
}

async function folderOf(of: string, part: string): Promise<FileSystemDirectoryHandle> {
  return (await (await navigator.storage.getDirectory()).getDirectoryHandle(of)).getDirectoryHandle(part);
}

/** Every file of a folder by name, as one line each: equal lines are equal bytes. */
async function contentsOf(of: string, part = 'contents'): Promise<string[]> {
  const lines: string[] = [];
  const folder = await folderOf(of, part);
  for await (const name of folder.keys()) {
    const bytes = await (await (await folder.getFileHandle(name)).getFile()).arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    lines.push(`${name} ${bytes.byteLength} ${[...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`);
  }
  return lines.toSorted();
}

/** A conversion that nobody disturbs, in a store of its own: what it is called, its bytes, how many writes it takes. */
async function calmly(): Promise<{ readonly storedName: string; readonly contents: string[]; readonly writes: number }> {
  const { tab, close } = await openTab(null, `${root}-calm`);
  const { storedName } = unwrap(await tab.convert(SET));
  const writes = await tab.writes();
  close();
  return { storedName, contents: await contentsOf(`${root}-calm`), writes };
}

it('a tab closed in the middle of a conversion, three times: the next one goes on, and the pack is the same to the byte', async () => {
  const calm = await calmly();
  const seed = 20_261_121;
  const random = seededRandom(seed);
  let kept = 0;
  for (let time = 0; time < 3; time++) {
    const { tab, standing, close } = await openTab(random.index(Math.floor(calm.writes / 3)));
    void tab.convert(SET);
    await standing;
    close();
    // Nobody takes it for a whole pack, and what was finished stays finished.
    const store = opfsStore(root);
    expect(await store.find('self-attention')).toBeNull();
    const finished = (await store.journal('self-attention'))?.files.length ?? 0;
    expect(finished, `seed ${seed}, time ${time}`).toBeGreaterThanOrEqual(kept);
    kept = finished;
  }
  // Or nothing was gone on with.
  expect(kept).toBeGreaterThan(0);
  const { tab } = await openTab();
  expect(unwrap(await tab.convert(SET))).toMatchObject({ storedName: calm.storedName, fromStore: false });
  expect(await tab.writes()).toBeLessThan(calm.writes);
  expect(await contentsOf(root)).toEqual(calm.contents);
  expect(await contentsOf(root, 'unfinished')).toEqual([]);
  expect((await opfsStore(root).list()).map(({ name, pack }) => [name, pack === null])).toEqual([['self-attention', false]]);
});

it('a second tab on the same model is told that it waits, may leave, may not delete, and then gets the first one’s pack', async () => {
  const first = await openTab(3);
  const converted = first.tab.convert(SET);
  await first.standing;

  const second = await openTab();
  const left = second.tab.convert(SET);
  await second.waiting;
  expect(await second.tab.remove('self-attention')).toEqual({ ok: false, failure: { code: 'store/busy', facts: { name: 'self-attention' } } });
  await second.tab.cancel();
  expect(await left).toMatchObject({ ok: false, failure: { code: 'download/cancelled' } });

  const again = await openTab();
  const waited = again.tab.convert(SET);
  await again.waiting;
  await first.tab.goOn();
  const { storedName } = unwrap(await converted);
  expect(unwrap(await waited)).toMatchObject({ storedName, fromStore: true });
  expect([await second.tab.writes(), await again.tab.writes()]).toEqual([0, 0]);
  // Nobody works on it now: it can be opened by all, and deleted.
  await expect(opfsStore(root).open(storedName)).resolves.toBeTruthy();
  expect(await second.tab.remove('self-attention')).toMatchObject({ ok: true });
  expect([await contentsOf(root), await opfsStore(root).list()]).toEqual([[], []]);
});

it('a tab that waits for one that is closed takes over where that one stopped', async () => {
  const calm = await calmly();
  const first = await openTab(Math.floor(calm.writes / 2));
  void first.tab.convert(SET);
  await first.standing;
  const second = await openTab();
  const waited = second.tab.convert(SET);
  await second.waiting;
  first.close();
  expect(unwrap(await waited)).toMatchObject({ storedName: calm.storedName, fromStore: false });
  expect(await second.tab.writes()).toBeLessThan(calm.writes);
  expect(await contentsOf(root)).toEqual(calm.contents);
});
