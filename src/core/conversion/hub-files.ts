/**
 * A checkpoint on the Hugging Face Hub, or a dataset. Knows the Hub's two addresses and what its answers mean; knows no format.
 *
 *   /api/models/<id>/revision/<revision>?blobs=true   which commit that is, which files it has, how large, their hashes
 *   /<id>/resolve/<commit>/<file>                     the file; a large one by a redirect to the Hub's storage
 *
 * Of a dataset: /api/datasets/<id>/... and /datasets/<id>/...
 *
 * The commit is asked for once and everything is read at it, so that a push in the middle of a download changes nothing.
 * Files that the list does not name are never asked for. A large file's size must be the one the list says.
 */
import { FailureError } from '#core/lib/failure.ts';
import type { CheckpointFiles, LargeFile } from './checkpoint-files.ts';
import { Host, httpFiles, type HttpOptions } from './http-files.ts';

export const HUB_URL = 'https://huggingface.co/';

/** The list of a repository with ten thousand files is below this. */
const MAX_LIST_BYTES = 16 * 1024 * 1024;

export interface HubModel {
  /** `user/model`; of a dataset `datasets/user/name`. */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

export interface HubFiles extends CheckpointFiles {
  readonly commit: string;
  /** sha-256 the Hub states for a large file, null where it states none. */
  sha256Of(file: string): string | null;
  sizeOf(file: string): number | null;
}

/**
 * What a person pastes: `user/model`, `user/model@revision`, or the address of the model's page. Throws `hub/name`.
 */
export function readHubName(text: string): HubModel {
  const trimmed = text.trim();
  const page = /^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/([^?#]*)/.exec(trimmed);
  const [path = '', at] = page === null ? trimmed.split('@') : [page[1]!];
  const parts = path.split('/').filter((part) => part !== '');
  const [user = '', model = '', kind, ...rest] = parts;
  const name = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
  const tail = page !== null && (kind === 'tree' || kind === 'blob') ? rest[0] : undefined;
  const revision = at ?? tail ?? 'main';
  const isPlain = page === null ? parts.length === 2 : parts.length >= 2;
  if (!isPlain || !name.test(user) || !name.test(model) || model.includes('..') || !/^[A-Za-z0-9][A-Za-z0-9._/-]{0,120}$/.test(revision) || revision.includes('..')) {
    throw new FailureError('hub/name', { found: trimmed.slice(0, 100) });
  }
  return { id: `${user}/${model}`, revision };
}

/** As `readHubName`, of a dataset: `user/name`, `user/name@revision`, or the address of the dataset's page. Throws `hub/name`. */
export function readHubDatasetName(text: string): HubModel {
  const { id, revision } = readHubName(text.trim().replace(/^((?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/)?datasets\//, '$1'));
  return { id: `datasets/${id}`, revision };
}

export interface HubOptions extends Pick<HttpOptions, 'fetch' | 'onProgress' | 'signal' | 'pause'> {
  /** Ends with a slash. Tests have a hub of their own. */
  readonly hubUrl?: string;
  /** An access token with read permission; only ever sent to the Hub, never kept. */
  readonly token?: string | null;
}

/** Rejects with `hub/...`, `download/...`. */
export async function hubFiles({ id, revision }: HubModel, options: HubOptions = {}): Promise<HubFiles> {
  const { hubUrl = HUB_URL, token = null, ...rest } = options;
  const http: HttpOptions = {
    ...rest,
    headers: token === null ? {} : { Authorization: `Bearer ${token}` },
    refusal: (status, retryAfterSeconds) => {
      if (status === 401 || status === 403) return new FailureError('hub/not-allowed', { id, status });
      if (status === 429) return new FailureError('hub/busy', { id, status, retryAfterSeconds: retryAfterSeconds ?? 60 });
      return null;
    },
  };
  const list = await readList({ id, revision }, hubUrl, http);
  const files = httpFiles(id, new URL(`${id}/resolve/${list.commit}/`, hubUrl).href, http);
  const known = (file: string): boolean => list.files.has(file);
  return {
    source: id,
    commit: list.commit,
    sha256Of: (file) => list.files.get(file)?.sha256 ?? null,
    sizeOf: (file) => list.files.get(file)?.bytes ?? null,
    readSmall: async (file, maxBytes) => (known(file) ? files.readSmall(file, maxBytes) : null),
    open: async (file): Promise<LargeFile | null> => {
      if (!known(file)) return null;
      const large = await files.open(file);
      const { bytes, sha256 } = list.files.get(file)!;
      if (large !== null && bytes !== null && large.bytes !== bytes) throw new FailureError('checkpoint/file-truncated', { file, expectedBytes: bytes, foundBytes: large.bytes });
      // The content's own hash is the better stamp: the same wherever the Hub's storage answers from.
      return large === null || sha256 === null ? large : { ...large, stamp: sha256 };
    },
  };
}

interface FileList {
  readonly commit: string;
  readonly files: ReadonlyMap<string, { readonly bytes: number | null; readonly sha256: string | null }>;
}

async function readList({ id, revision }: HubModel, hubUrl: string, http: HttpOptions): Promise<FileList> {
  const url = new URL(`api/${id.startsWith('datasets/') ? id : `models/${id}`}/revision/${encodeURIComponent(revision)}?blobs=true`, hubUrl).href;
  const host = new Host(http);
  const bytes = await host.patiently(async () => {
    const response = await host.get(url, {});
    if (!response.ok) throw new FailureError('hub/not-found', { id, revision });
    const text = await response.arrayBuffer().catch((thrown: unknown) => Promise.reject(host.lost(url, thrown)));
    if (text.byteLength > MAX_LIST_BYTES) throw new FailureError('checkpoint/file-corrupt', { file: 'list of files', reason: `larger than ${MAX_LIST_BYTES} bytes` });
    return new Uint8Array(text);
  }, 'beginning');
  return parseList(bytes);
}

function parseList(bytes: Uint8Array): FileList {
  const corrupt = (reason: string): FailureError => new FailureError('checkpoint/file-corrupt', { file: 'list of files', reason });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw corrupt('not JSON');
  }
  const { sha, siblings } = record(value);
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha)) throw corrupt('no commit');
  if (!Array.isArray(siblings)) throw corrupt('no files');
  const files = new Map<string, { bytes: number | null; sha256: string | null }>();
  for (const sibling of siblings as unknown[]) {
    const { rfilename, size, lfs } = record(sibling);
    if (typeof rfilename !== 'string') throw corrupt('a file without a name');
    const large = record(lfs);
    const sha256 = typeof large['sha256'] === 'string' && /^[0-9a-f]{64}$/.test(large['sha256']) ? large['sha256'] : null;
    files.set(rfilename, { bytes: typeof size === 'number' ? size : null, sha256 });
  }
  return { commit: sha, files };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
