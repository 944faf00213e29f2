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
}

export interface PackFileWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the file and keeps it under the name of its content. */
  keep(sha256: string): Promise<void>;
  /** Throws the half-written file away. Safe after `keep`. */
  discard(): Promise<void>;
}

export interface PackStore {
  /** Runs `work` while nobody else, in any tab, works on this name. */
  exclusively<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** The published pack whose files are all there in full size, else null. */
  find(name: string): Promise<StoredPack | null>;
  /** A new weight file for the pack that will be published as `name`; call it inside `exclusively(name)`. */
  createFile(name: string): Promise<PackFileWriter>;
  publish(name: string, pack: StoredPack): Promise<void>;
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
  const queues = new Map<string, Promise<unknown>>();
  return {
    exclusively: (name, work) => {
      const turn = (queues.get(name) ?? Promise.resolve()).then(work);
      queues.set(name, turn.catch(() => undefined));
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
    publish: async (name, pack) => void published.set(name, pack),
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

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
