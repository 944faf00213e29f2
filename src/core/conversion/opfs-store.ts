/**
 * The model store of the browser: files in the page's private file system (OPFS). Knows files and locks; knows no
 * model. The rules are those of `store.ts`; how they are kept here:
 *
 *   packs/contents/<sha256>.bin     weight files under the name of their content, never rewritten: an OPFS `File` is
 *                                   no snapshot, a rewrite would show through every Blob handed out earlier
 *   packs/manifests/<name>.json     replaced as a whole when its writer closes; only this makes a pack exist
 *   packs/unfinished/<name>.<n>     weight files still being written; swept when the next conversion of that name starts
 *   Web Lock `pack <name>`          one conversion of a name at a time, in all tabs
 */
import { FailureError } from '#core/lib/failure.ts';
import { openPackFrom } from './pack.ts';
import { findStored, type PackFileWriter, type PackStore, type StoredPack } from './store.ts';

/** OPFS can rename a file in place (Chromium 110, Safari 15.2, Firefox 111); the type library does not say so yet. */
interface MovableFile extends FileSystemFileHandle {
  move(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

interface Folders {
  readonly contents: FileSystemDirectoryHandle;
  readonly manifests: FileSystemDirectoryHandle;
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
    exclusively: async (name, work) => {
      if (navigator.locks === undefined) throw new FailureError('store/unavailable', { reason: 'no Web Locks: the page is not on https or localhost' });
      const result: { value: Awaited<ReturnType<typeof work>> } = await navigator.locks.request(`pack ${root} ${name}`, async () => {
        await sweep((await folders()).unfinished, name);
        return { value: await work() };
      });
      return result.value;
    },
    find: async (name) => {
      const pack = await readManifest(await folders(), name);
      return pack !== null && (await contentsOf(await folders(), pack)) !== null ? pack : null;
    },
    createFile: async (name) => createFile(await folders(), name),
    publish: async (name, pack) => publish(await folders(), name, pack),
    open: async (stored) => {
      const pack = await findStored(stored, async (name) => readManifest(await folders(), name));
      if (pack === null) throw new FailureError('store/not-found', { name: stored });
      const contents = await contentsOf(await folders(), pack);
      if (contents === null) throw new FailureError('store/corrupt', { name: stored, file: 'weights' });
      return openPackFrom(pack.manifest, contents);
    },
  };
}

async function openFolders(root: string): Promise<Folders> {
  return guarded(async () => {
    if (navigator.storage?.getDirectory === undefined) throw new FailureError('store/unavailable', { reason: 'this browser keeps no private files for the page' });
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(root, { create: true });
    const [contents, manifests, unfinished] = await Promise.all(['contents', 'manifests', 'unfinished'].map((part) => folder.getDirectoryHandle(part, { create: true })));
    return { contents, manifests, unfinished };
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

async function publish(folders: Folders, name: string, pack: StoredPack): Promise<void> {
  const before = await readManifest(folders, name);
  await guarded(async () => {
    const handle = await folders.manifests.getFileHandle(manifestName(name), { create: true });
    const stream = await handle.createWritable();
    await stream.write(JSON.stringify(pack));
    await stream.close();
  });
  if (before !== null) await removeUnused(folders, before);
}

/** Weight files that the replaced pack used and no published pack uses now. */
async function removeUnused(folders: Folders, replaced: StoredPack): Promise<void> {
  const used = new Set<string>();
  for await (const file of folders.manifests.keys()) {
    const pack = await readManifest(folders, decodeURIComponent(file.replace(/\.json$/, '')));
    for (const { sha256 } of pack?.manifest.files ?? []) used.add(sha256);
  }
  for (const { sha256 } of replaced.manifest.files) {
    if (!used.has(sha256)) await folders.contents.removeEntry(contentName(sha256)).catch(() => undefined);
  }
}

async function sweep(unfinished: FileSystemDirectoryHandle, name: string): Promise<void> {
  const names: string[] = [];
  for await (const file of unfinished.keys()) names.push(file);
  for (const file of names.filter((candidate) => candidate.startsWith(`${encodeURIComponent(name)}.`))) {
    await unfinished.removeEntry(file).catch(() => undefined);
  }
}

/** The manifest, null where there is none or where it is not one of ours (another version, a damaged disk). */
async function readManifest({ manifests }: Folders, name: string): Promise<StoredPack | null> {
  const file = await fileIn(manifests, manifestName(name));
  if (file === null) return null;
  try {
    const value: unknown = JSON.parse(await file.text());
    return isStoredPack(value) ? value : null;
  } catch {
    return null;
  }
}

/** We wrote it, so only its kind and version are asked; everything inside was checked before it was written. */
function isStoredPack(value: unknown): value is StoredPack {
  if (typeof value !== 'object' || value === null || !('identity' in value) || !('manifest' in value)) return false;
  const { manifest } = value;
  return typeof manifest === 'object' && manifest !== null && 'format' in manifest && manifest.format === 'vla-playground-pack' && 'version' in manifest && manifest.version === 1;
}

/** Every weight file by its name in the manifest; null where one is missing or of another size. */
async function contentsOf({ contents }: Folders, pack: StoredPack): Promise<Map<string, Blob> | null> {
  const files = new Map<string, Blob>();
  for (const { file, bytes, sha256 } of pack.manifest.files) {
    const blob = await fileIn(contents, contentName(sha256));
    if (blob?.size !== bytes) return null;
    files.set(file, blob);
  }
  return files;
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

function manifestName(name: string): string {
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
