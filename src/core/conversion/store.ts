/**
 * What the converter asks of a place that keeps packs, and the simplest such place: memory. The browser's is
 * `opfs-store.ts`. The rules of every store:
 *
 *   1. A weight file is written once, under a name nobody knows yet, and closed.
 *   2. A pack exists from the moment its manifest is published, all at once. A crash before that leaves only rubbish.
 *   3. Two conversions of one name never run at the same time, in any tab.
 *
 * A stored name says which pack is meant: `policies/pocket@0c5f2a...` is that very content, `policies/pocket` whatever is
 * published under the name. A run file that names its policy in the first way cannot be replayed on another by mistake.
 */
import type { OpenPack, PackManifest } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import { openPackFrom } from './pack.ts';
import { sha256Hex } from './sha256.ts';

export interface StoredPack {
  /** What it was made from, as one sha-256: checkpoint (with its host's stamp), plan, converter. Decides whether to convert again. */
  readonly identity: string;
  readonly manifest: PackManifest;
  /** What a person called it; absent: the name it is published under. */
  readonly title?: string;
}

/** How far an interrupted conversion came: the parts that are finished and kept, for exactly this identity. */
export interface Journal {
  readonly identity: string;
  readonly files: PackManifest['files'];
}

/** One line of what is stored here. */
export interface StoredEntry {
  readonly name: string;
  readonly bytes: number;
  /** Null: begun and not finished; loading it again goes on where it stopped. */
  readonly pack: StoredPack | null;
}

export interface PackFileWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the file and keeps it under the name of its content. */
  keep(sha256: string): Promise<void>;
  /** Throws the half-written file away. Safe after `keep`. */
  discard(): Promise<void>;
}

/** What a call does while somebody else, in another tab perhaps, works on its name. */
export interface Waiting {
  /** Called once, before the wait begins; what it throws is the answer, and nothing is waited for. */
  readonly onWait?: () => void;
  /** Ends the wait with `download/cancelled`. Says nothing to work that has begun. */
  readonly signal?: AbortSignal;
}

export interface PackStore {
  /** Runs `work` while nobody else, in any tab, works on this name. */
  exclusively<T>(name: string, work: () => Promise<T>, waiting?: Waiting): Promise<T>;
  /** The published pack whose files are all there in full size, else null. */
  find(name: string): Promise<StoredPack | null>;
  /** A new weight file for the pack that will be published as `name`; call it inside `exclusively(name)`. */
  createFile(name: string): Promise<PackFileWriter>;
  /** Also ends the journal of that name. */
  publish(name: string, pack: StoredPack): Promise<void>;
  /** Null where no conversion of that name was interrupted, or one of its parts is gone. Inside `exclusively(name)`. */
  journal(name: string): Promise<Journal | null>;
  /** Replaces the journal; null ends it and frees the parts that nothing else uses. Inside `exclusively(name)`. */
  setJournal(name: string, journal: Journal | null): Promise<void>;
  /** Everything stored, finished or not, by name. */
  list(): Promise<readonly StoredEntry[]>;
  /** Rejects with `store/not-found`. */
  rename(name: string, title: string): Promise<void>;
  /** Frees its files as well, where no other pack uses them. Nothing happens where there is no such name. */
  remove(name: string): Promise<void>;
  /** By stored name, with or without the content. Rejects with `store/not-found` or `store/corrupt`. */
  open(stored: string): Promise<OpenPack>;
}

const CONTENT_DIGITS = 16;

/** The name of this very pack, the same on every host and machine that has the same weights and settings. */
export function storedName(name: string, manifest: PackManifest): string {
  return `${name}@${contentOf(manifest)}`;
}

function contentOf({ family, settings, tensors, files, tokenizer }: PackManifest): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify([family, settings, tensors, files, tokenizer]))).slice(0, CONTENT_DIGITS);
}

/** The published pack that a stored name means; null where there is none or its content is another. */
export async function findStored(stored: string, find: (name: string) => Promise<StoredPack | null>): Promise<StoredPack | null> {
  const at = stored.lastIndexOf('@');
  if (at < 0) return find(stored);
  const pack = await find(stored.slice(0, at));
  return pack !== null && contentOf(pack.manifest) === stored.slice(at + 1) ? pack : null;
}

/** Keeps packs in memory: the command line and the tests. */
export function memoryStore(): PackStore {
  const contents = new Map<string, Uint8Array>();
  const published = new Map<string, StoredPack>();
  const journals = new Map<string, Journal>();
  const queues = new Map<string, Promise<unknown>>();
  const sweep = (): void => {
    const used = usedContents(published.values(), journals.values());
    for (const sha256 of contents.keys()) if (!used.has(sha256)) contents.delete(sha256);
  };
  return {
    exclusively: async (name, work, { onWait, signal } = {}) => {
      const before = queues.get(name);
      if (before !== undefined) onWait?.();
      const turn = unlessAborted(before ?? Promise.resolve(), signal).then(work);
      const settled = Promise.allSettled([before, turn]).then(() => void (queues.get(name) === settled && queues.delete(name)));
      queues.set(name, settled);
      return turn;
    },
    find: async (name) => published.get(name) ?? null,
    createFile: async () => {
      let pieces: Uint8Array[] = [];
      return {
        write: async (bytes) => void pieces.push(bytes.slice()),
        keep: async (sha256) => {
          contents.set(sha256, joined(pieces));
          pieces = [];
        },
        discard: async () => {
          pieces = [];
        },
      };
    },
    publish: async (name, pack) => {
      published.set(name, pack);
      journals.delete(name);
      sweep();
    },
    journal: async (name) => journals.get(name) ?? null,
    setJournal: async (name, journal) => {
      if (journal === null) journals.delete(name);
      else journals.set(name, journal);
      sweep();
    },
    list: async () => listed(published, journals),
    rename: async (name, title) => {
      const pack = published.get(name);
      if (pack === undefined) throw new FailureError('store/not-found', { name });
      published.set(name, { ...pack, title });
    },
    remove: async (name) => {
      published.delete(name);
      journals.delete(name);
      sweep();
    },
    open: async (stored) => {
      const pack = await findStored(stored, async (name) => published.get(name) ?? null);
      if (pack === null) throw new FailureError('store/not-found', { name: stored });
      const files = pack.manifest.files.flatMap(({ file, sha256 }) => {
        const bytes = contents.get(sha256);
        return bytes === undefined ? [] : [[file, bytes] as const];
      });
      return openPackFrom(pack.manifest, new Map(files));
    },
  };
}

/** `wait`, or `download/cancelled` as soon as the signal says so. */
function unlessAborted(wait: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancelled = (): void => reject(new FailureError('download/cancelled'));
    if (signal?.aborted === true) return cancelled();
    signal?.addEventListener('abort', cancelled, { once: true });
    void wait.then(() => {
      signal?.removeEventListener('abort', cancelled);
      resolve();
    });
  });
}

/** Contents that a pack or a journal still needs. */
export function usedContents(packs: Iterable<StoredPack>, journals: Iterable<Journal>): Set<string> {
  const used = new Set<string>();
  for (const { manifest } of packs) for (const { sha256 } of manifest.files) used.add(sha256);
  for (const { files } of journals) for (const { sha256 } of files) used.add(sha256);
  return used;
}

/** Packs and what was begun, each name once, by name. A name that is published and being made again counts as published. */
export function listed(packs: ReadonlyMap<string, StoredPack>, journals: ReadonlyMap<string, Journal>): StoredEntry[] {
  const bytesOf = (files: PackManifest['files']): number => files.reduce((sum, file) => sum + file.bytes, 0);
  const entries = new Map<string, StoredEntry>();
  for (const [name, { files }] of journals) entries.set(name, { name, bytes: bytesOf(files), pack: null });
  for (const [name, pack] of packs) entries.set(name, { name, bytes: bytesOf(pack.manifest.files), pack });
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
