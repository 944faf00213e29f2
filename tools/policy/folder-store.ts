/**
 * A model store in a folder on disk, by the rules of `core/conversion/store.ts`: for the command line, where a full-size pack
 * should not be in memory. Knows Node's files; knows no model. One process at a time.
 */
import { closeSync, existsSync, mkdirSync, openAsBlob, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openPackFrom } from '#core/conversion/pack.ts';
import { findStored, type Journal, listed, type PackStore, type StoredPack, usedContents } from '#core/conversion/store.ts';
import { FailureError } from '#core/lib/failure.ts';

export function folderStore(root: string): PackStore {
  const [contents, manifests, journals] = ['contents', 'manifests', 'journals'].map((part) => join(root, part)) as [string, string, string];
  for (const folder of [contents, manifests, journals]) mkdirSync(folder, { recursive: true });
  const contentPath = (sha256: string): string => join(contents, `${sha256}.bin`);
  const jsonPath = (folder: string, name: string): string => join(folder, `${encodeURIComponent(name)}.json`);
  const read = <T>(folder: string, name: string): T | null => (existsSync(jsonPath(folder, name)) ? (JSON.parse(readFileSync(jsonPath(folder, name), 'utf8')) as T) : null);
  const all = <T>(folder: string): Map<string, T> =>
    new Map(readdirSync(folder).map((file) => decodeURIComponent(file.replace(/\.json$/, ''))).map((name): [string, T] => [name, read<T>(folder, name)!]));
  const isWhole = (files: Journal['files']): boolean => files.every(({ sha256, bytes }) => existsSync(contentPath(sha256)) && statSync(contentPath(sha256)).size === bytes);
  const find = async (name: string): Promise<StoredPack | null> => {
    const pack = read<StoredPack>(manifests, name);
    return pack !== null && isWhole(pack.manifest.files) ? pack : null;
  };
  const sweep = (): void => {
    const used = usedContents(all<StoredPack>(manifests).values(), all<Journal>(journals).values());
    for (const file of readdirSync(contents)) if (!used.has(file.replace(/\.bin$/, ''))) rmSync(join(contents, file));
  };
  let unfinished = 0;
  return {
    exclusively: (_name, work) => work(),
    find,
    createFile: async () => {
      const path = join(root, `unfinished-${process.pid}-${unfinished++}`);
      const handle = openSync(path, 'w');
      let open = true;
      const close = (): void => {
        if (open) closeSync(handle);
        open = false;
      };
      return {
        write: async (bytes) => void writeSync(handle, bytes),
        keep: async (sha256) => {
          close();
          renameSync(path, contentPath(sha256));
        },
        discard: async () => {
          close();
          rmSync(path, { force: true });
        },
      };
    },
    publish: async (name, pack) => {
      writeFileSync(jsonPath(manifests, name), JSON.stringify(pack));
      rmSync(jsonPath(journals, name), { force: true });
      sweep();
    },
    journal: async (name) => {
      const journal = read<Journal>(journals, name);
      return journal !== null && isWhole(journal.files) ? journal : null;
    },
    setJournal: async (name, journal) => {
      if (journal !== null) return writeFileSync(jsonPath(journals, name), JSON.stringify(journal));
      rmSync(jsonPath(journals, name), { force: true });
      sweep();
    },
    list: async () => listed(all<StoredPack>(manifests), all<Journal>(journals)),
    rename: async (name, title) => {
      const pack = read<StoredPack>(manifests, name);
      if (pack === null) throw new FailureError('store/not-found', { name });
      writeFileSync(jsonPath(manifests, name), JSON.stringify({ ...pack, title }));
    },
    remove: async (name) => {
      for (const folder of [manifests, journals]) rmSync(jsonPath(folder, name), { force: true });
      sweep();
    },
    open: async (stored) => {
      const pack = await findStored(stored, find);
      if (pack === null) throw new FailureError('store/not-found', { name: stored });
      const files = await Promise.all(pack.manifest.files.map(async ({ file, sha256 }): Promise<[string, Blob]> => [file, await openAsBlob(contentPath(sha256))]));
      return openPackFrom(pack.manifest, new Map(files));
    },
  };
}
