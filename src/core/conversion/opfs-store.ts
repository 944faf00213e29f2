/**
 * The model store of the browser: files in the page's private file system (OPFS). Knows files and locks; knows no
 * model. The rules are those of `store.ts`; how they are kept here:
 *
 *   packs/contents/<sha256>.bin     weight files under the name of their content, never rewritten: an OPFS `File` is
 *                                   no snapshot, a rewrite would show through every Blob handed out earlier
 *   packs/manifests/<name>.json     replaced as a whole when its writer closes; only this makes a pack exist
 *   packs/journals/<name>.json      finished parts of a conversion that has not published yet: it goes on from there
 *   packs/unfinished/<name>.<n>     weight files still being written; swept when the next conversion of that name starts
 *   Web Lock `pack <name>`          one conversion of a name at a time, in all tabs
 */
import type { PackManifest } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import { openPackFrom } from './pack.ts';
import { findStored, type Journal, listed, type PackFileWriter, type PackStore, type StoredPack, usedContents } from './store.ts';

/** OPFS can rename a file in place (Chromium 110, Safari 15.2, Firefox 111); the type library does not say so yet. */
interface MovableFile extends FileSystemFileHandle {
  move(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

interface Folders {
  readonly contents: FileSystemDirectoryHandle;
  readonly manifests: FileSystemDirectoryHandle;
  readonly journals: FileSystemDirectoryHandle;
  readonly unfinished: FileSystemDirectoryHandle;
}

/** `root` names the folder in OPFS; tests take their own. */
export function opfsStore(root = 'packs'): PackStore {
  let opened: Promise<Folders> | null = null;
  const folders = (): Promise<Folders> => {
    opened ??= openFolders(root).catch((thrown: unknown) => {
      opened = null;
      throw thrown;
    });
    return opened;
  };
  return {
    exclusively: async (name, work, { onWait, signal } = {}) => {
      if (navigator.locks === undefined) throw new FailureError('store/unavailable', { reason: 'no Web Locks: the page is not on https or localhost' });
      const lock = `pack ${root} ${name}`;
      const locked = async (): Promise<{ value: Awaited<ReturnType<typeof work>> }> => {
        await sweep((await folders()).unfinished, name);
        return { value: await work() };
      };
      const atOnce = await navigator.locks.request(lock, { ifAvailable: true }, async (got) => (got === null ? null : locked()));
      if (atOnce !== null) return atOnce.value;
      onWait?.();
      // Once the lock is held the signal is nobody's here: only the wait is refused.
      let held = false;
      const heldNow = (): ReturnType<typeof locked> => {
        held = true;
        return locked();
      };
      try {
        return (await navigator.locks.request(lock, signal === undefined ? {} : { signal }, heldNow)).value;
      } catch (thrown) {
        throw !held && signal?.aborted === true ? new FailureError('download/cancelled') : thrown;
      }
    },
    find: async (name) => {
      const pack = await readManifest(await folders(), name);
      return pack !== null && (await blobsOf(await folders(), pack.manifest.files)) !== null ? pack : null;
    },
    createFile: async (name) => createFile(await folders(), name),
    publish: async (name, pack) => {
      const here = await folders();
      const before = await filesOf(here, name);
      await writeJson(here.manifests, name, pack);
      await removeEntry(here.journals, jsonName(name));
      await removeUnused(here, before);
    },
    journal: async (name) => {
      const here = await folders();
      const journal = await readJournal(here, name);
      return journal !== null && (await blobsOf(here, journal.files)) !== null ? journal : null;
    },
    setJournal: async (name, journal) => {
      const here = await folders();
      if (journal !== null) return writeJson(here.journals, name, journal);
      const before = await filesOf(here, name);
      await removeEntry(here.journals, jsonName(name));
      await removeUnused(here, before);
    },
    list: async () => {
      const here = await folders();
      return listed(await all(here.manifests, (name) => readManifest(here, name)), await all(here.journals, (name) => readJournal(here, name)));
    },
    rename: async (name, title) => {
      const here = await folders();
      const pack = await readManifest(here, name);
      if (pack === null) throw new FailureError('store/not-found', { name });
      await writeJson(here.manifests, name, { ...pack, title });
    },
    remove: async (name) => {
      const here = await folders();
      const before = await filesOf(here, name);
      await removeEntry(here.manifests, jsonName(name));
      await removeEntry(here.journals, jsonName(name));
      await removeUnused(here, before);
    },
    open: async (stored) => {
      const pack = await findStored(stored, async (name) => readManifest(await folders(), name));
      if (pack === null) throw new FailureError('store/not-found', { name: stored });
      const contents = await blobsOf(await folders(), pack.manifest.files);
      if (contents === null) throw new FailureError('store/corrupt', { name: stored, file: 'weights' });
      return openPackFrom(pack.manifest, contents);
    },
  };
}

async function openFolders(root: string): Promise<Folders> {
  return guarded(async () => {
    if (navigator.storage?.getDirectory === undefined) throw new FailureError('store/unavailable', { reason: 'this browser keeps no private files for the page' });
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(root, { create: true });
    const [contents, manifests, journals, unfinished] = await Promise.all(['contents', 'manifests', 'journals', 'unfinished'].map((part) => folder.getDirectoryHandle(part, { create: true })));
    return { contents, manifests, journals, unfinished };
  });
}

async function createFile({ contents, unfinished }: Folders, name: string): Promise<PackFileWriter> {
  const unfinishedName = `${encodeURIComponent(name)}.${crypto.randomUUID()}`;
  return guarded(async () => {
    const handle = await unfinished.getFileHandle(unfinishedName, { create: true });
    const stream = await handle.createWritable();
    let state: 'open' | 'kept' | 'discarded' = 'open';
    let writtenBytes = 0;
    return {
      write: (bytes) =>
        guarded(async () => {
          writtenBytes += bytes.length;
          // The stream's type wants unshared memory; the copy is also what makes the caller free to reuse its bytes.
          await stream.write(bytes.slice());
        }, writtenBytes + bytes.length),
      keep: (sha256) =>
        guarded(async () => {
          await stream.close();
          state = 'kept';
          const finalName = contentName(sha256);
          const present = await fileIn(contents, finalName);
          // Same name, same content: only a file of the wrong size (a damaged disk) is replaced.
          if (present?.size === writtenBytes) return unfinished.removeEntry(unfinishedName);
          if (present !== null) await contents.removeEntry(finalName);
          await (handle as MovableFile).move(contents, finalName);
        }, writtenBytes),
      discard: async () => {
        if (state !== 'open') return;
        state = 'discarded';
        await stream.abort().catch(() => undefined);
        await unfinished.removeEntry(unfinishedName).catch(() => undefined);
      },
    };
  });
}

async function writeJson(folder: FileSystemDirectoryHandle, name: string, value: StoredPack | Journal): Promise<void> {
  await guarded(async () => {
    const handle = await folder.getFileHandle(jsonName(name), { create: true });
    const stream = await handle.createWritable();
    await stream.write(JSON.stringify(value));
    await stream.close();
  });
}

async function removeEntry(folder: FileSystemDirectoryHandle, file: string): Promise<void> {
  await folder.removeEntry(file).catch(() => undefined);
}

/**
 * Those of `files` that no pack and no journal uses. A part that another tab has closed and not yet noted may go with them,
 * if its content is the same: that tab's pack is then found incomplete and made again.
 */
async function removeUnused(folders: Folders, files: PackManifest['files']): Promise<void> {
  const manifests = await all(folders.manifests, (name) => readManifest(folders, name));
  const journals = await all(folders.journals, (name) => readJournal(folders, name));
  const used = usedContents(manifests.values(), journals.values());
  for (const { sha256 } of files) if (!used.has(sha256)) await removeEntry(folders.contents, contentName(sha256));
}

async function filesOf(folders: Folders, name: string): Promise<PackManifest['files']> {
  return [...((await readManifest(folders, name))?.manifest.files ?? []), ...((await readJournal(folders, name))?.files ?? [])];
}

/** Everything of a folder of JSON files that is ours, by name. */
async function all<T>(folder: FileSystemDirectoryHandle, read: (name: string) => Promise<T | null>): Promise<Map<string, T>> {
  const found = new Map<string, T>();
  for (const file of await namesIn(folder)) {
    const name = decodeURIComponent(file.replace(/\.json$/, ''));
    const value = await read(name);
    if (value !== null) found.set(name, value);
  }
  return found;
}

async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const file of folder.keys()) names.push(file);
  return names;
}

async function sweep(unfinished: FileSystemDirectoryHandle, name: string): Promise<void> {
  for (const file of await namesIn(unfinished)) if (file.startsWith(`${encodeURIComponent(name)}.`)) await removeEntry(unfinished, file);
}

/** The manifest, null where there is none or where it is not one of ours (another version, a damaged disk). */
async function readManifest({ manifests }: Folders, name: string): Promise<StoredPack | null> {
  const value = await readJson(manifests, name);
  return isStoredPack(value) ? value : null;
}

async function readJournal({ journals }: Folders, name: string): Promise<Journal | null> {
  const value = await readJson(journals, name);
  return isJournal(value) ? value : null;
}

async function readJson(folder: FileSystemDirectoryHandle, name: string): Promise<unknown> {
  const file = await fileIn(folder, jsonName(name));
  try {
    return file === null ? null : JSON.parse(await file.text());
  } catch {
    return null;
  }
}

/** We wrote it, so only its kind and version are asked; everything inside was checked before it was written. */
function isStoredPack(value: unknown): value is StoredPack {
  if (typeof value !== 'object' || value === null || !('identity' in value) || !('manifest' in value)) return false;
  const { manifest } = value;
  return typeof manifest === 'object' && manifest !== null && 'format' in manifest && manifest.format === 'vla-playground-pack' && 'version' in manifest && manifest.version === 2;
}

function isJournal(value: unknown): value is Journal {
  return typeof value === 'object' && value !== null && 'identity' in value && 'files' in value && Array.isArray(value.files);
}

/** Every weight file by its name in the manifest; null where one is missing or of another size. */
async function blobsOf({ contents }: Folders, files: PackManifest['files']): Promise<Map<string, Blob> | null> {
  const blobs = new Map<string, Blob>();
  for (const { file, bytes, sha256 } of files) {
    const blob = await fileIn(contents, contentName(sha256));
    if (blob?.size !== bytes) return null;
    blobs.set(file, blob);
  }
  return blobs;
}

async function fileIn(folder: FileSystemDirectoryHandle, name: string): Promise<File | null> {
  try {
    return await (await folder.getFileHandle(name)).getFile();
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'NotFoundError') return null;
    throw new FailureError('store/unavailable', { reason: String(thrown) });
  }
}

function contentName(sha256: string): string {
  return `${sha256}.bin`;
}

function jsonName(name: string): string {
  return `${encodeURIComponent(name)}.json`;
}

/** The browser's own errors as failures: a full disk says how much was wanted and how much is left. */
async function guarded<T>(work: () => Promise<T>, neededBytes: number | null = null): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof FailureError) throw thrown;
    if (thrown instanceof DOMException && thrown.name === 'QuotaExceededError') {
      const { quota, usage } = await navigator.storage.estimate();
      throw new FailureError('store/full', { neededBytes, freeBytes: quota === undefined || usage === undefined ? null : quota - usage });
    }
    throw new FailureError('store/unavailable', { reason: String(thrown) });
  }
}
