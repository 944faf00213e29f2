/**
 * A checkpoint folder on a web host. Knows HTTP; knows no format. Of a large file the beginning comes first, where its
 * header is; the rest is read by byte ranges in blocks of 4 MiB of which the last few are kept, so that memory stays
 * bounded while neighbouring tensors cost one request. A host that answers a range with the whole file is served from
 * that one answer, up to a cap.
 */
import { FailureError } from '#core/lib/failure.ts';
import { type CheckpointFiles, type LargeFile, refuseLarge, sliceOf } from './checkpoint-files.ts';

/** Enough for every published header, so that looking at a checkpoint costs this much and no more. */
const HEAD_BYTES = 128 * 1024;
const BLOCK_BYTES = 4 * 1024 * 1024;
const BLOCKS_KEPT = 8;
/** The most that is kept of a file whose host cannot send ranges. */
const MAX_WHOLE_BYTES = 512 * 1024 * 1024;

export interface FetchProgress {
  readonly file: string;
  readonly doneBytes: number;
  readonly totalBytes: number | null;
}

export interface HttpOptions {
  readonly fetch?: typeof fetch;
  readonly onProgress?: (progress: FetchProgress) => void;
}

/** `baseUrl` ends with a slash; `source` is what people are shown. */
export function httpFiles(source: string, baseUrl: string, options: HttpOptions = {}): CheckpointFiles {
  const get = options.fetch ?? fetch;
  const urlOf = (file: string): string => new URL(file, baseUrl).href;
  const report = options.onProgress ?? (() => undefined);
  return {
    source,
    readSmall: async (file, maxBytes) => {
      const response = await request(get, urlOf(file), {});
      if (isAbsent(response, file)) return null;
      const declared = Number(response.headers.get('content-length') ?? 0);
      refuseLarge(file, declared, maxBytes);
      return collect(response, file, maxBytes, (doneBytes) => report({ file, doneBytes, totalBytes: null }));
    },
    open: (file) => openLarge(get, urlOf(file), file, report),
  };
}

async function openLarge(get: typeof fetch, url: string, file: string, report: (progress: FetchProgress) => void): Promise<LargeFile | null> {
  const response = await request(get, url, { headers: { Range: `bytes=0-${HEAD_BYTES - 1}` } });
  // No first byte to send: the file is there and empty.
  if (response.status === 416) return { file, bytes: 0, stamp: null, read: async (offset, length) => sliceOf(file, new Uint8Array(), offset, length) };
  if (isAbsent(response, file)) return null;
  const stamp = response.headers.get('etag') ?? response.headers.get('last-modified');
  const total = totalFromRange(response);
  if (total === null) {
    const declared = response.headers.get('content-encoding') === null ? Number(response.headers.get('content-length') ?? Number.NaN) : Number.NaN;
    const totalBytes = Number.isFinite(declared) ? declared : null;
    const whole = await collect(response, file, MAX_WHOLE_BYTES, (doneBytes) => report({ file, doneBytes, totalBytes }));
    return { file, bytes: whole.length, stamp, read: async (offset, length) => sliceOf(file, whole, offset, length) };
  }
  const head = await collect(response, file, HEAD_BYTES, () => undefined);
  let doneBytes = 0;
  const blocks = new Map<number, Promise<Uint8Array>>();
  const block = (index: number): Promise<Uint8Array> => {
    const kept = blocks.get(index);
    if (kept !== undefined) {
      // Last used goes last: the map's order is the order of leaving.
      blocks.delete(index);
      blocks.set(index, kept);
      return kept;
    }
    const fetched = fetchBlock(get, url, file, index, total, (bytes) => report({ file, doneBytes: Math.min(total, doneBytes + bytes), totalBytes: total }));
    blocks.set(index, fetched);
    fetched.then(
      (bytes) => (doneBytes += bytes.length),
      () => blocks.delete(index),
    );
    for (const oldest of blocks.keys()) {
      if (blocks.size <= BLOCKS_KEPT) break;
      blocks.delete(oldest);
    }
    return fetched;
  };
  return {
    file,
    bytes: total,
    stamp,
    read: async (offset, length) => {
      if (offset + length > total) throw new FailureError('checkpoint/file-truncated', { file, expectedBytes: offset + length, foundBytes: total });
      if (offset + length <= head.length) return head.subarray(offset, offset + length);
      const out = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const index = Math.floor((offset + at) / BLOCK_BYTES);
        const bytes = await block(index);
        const from = offset + at - index * BLOCK_BYTES;
        const piece = bytes.subarray(from, Math.min(from + length - at, bytes.length));
        out.set(piece, at);
        at += piece.length;
      }
      return out;
    },
  };
}

async function fetchBlock(get: typeof fetch, url: string, file: string, index: number, total: number, onBytes: (bytes: number) => void): Promise<Uint8Array> {
  const first = index * BLOCK_BYTES;
  const last = Math.min(first + BLOCK_BYTES, total) - 1;
  const response = await request(get, url, { headers: { Range: `bytes=${first}-${last}` } });
  if (response.status !== 206) throw new FailureError('download/failed', { url, status: response.status });
  const bytes = await collect(response, file, BLOCK_BYTES, onBytes);
  if (bytes.length !== last - first + 1) {
    throw new FailureError('checkpoint/file-truncated', { file, expectedBytes: last - first + 1, foundBytes: bytes.length });
  }
  return bytes;
}

async function request(get: typeof fetch, url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await get(url, init);
  } catch (thrown) {
    throw new FailureError('download/failed', { url, status: null, reason: String(thrown) });
  }
  if (!response.ok && ![404, 410, 416].includes(response.status)) {
    throw new FailureError('download/failed', { url, status: response.status });
  }
  return response;
}

/** Gone, or a single-page host that answers every unknown path with its own page. */
function isAbsent(response: Response, file: string): boolean {
  if (!response.ok) return true;
  return !file.endsWith('.html') && (response.headers.get('content-type') ?? '').startsWith('text/html');
}

/** The whole file's size from `Content-Range: bytes 0-4194303/10485760`; null where the host ignored the range. */
function totalFromRange(response: Response): number | null {
  if (response.status !== 206) return null;
  const total = Number(/^bytes \d+-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(total)) throw new FailureError('download/failed', { url: response.url, status: 206, reason: 'no Content-Range' });
  return total;
}

async function collect(response: Response, file: string, maxBytes: number, onBytes: (doneBytes: number) => void): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  try {
    for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
      pieces.push(next.value);
      bytes += next.value.length;
      refuseLarge(file, bytes, maxBytes);
      onBytes(bytes);
    }
  } catch (thrown) {
    await reader?.cancel().catch(() => undefined);
    if (thrown instanceof FailureError) throw thrown;
    throw new FailureError('download/failed', { url: response.url, status: response.status, reason: String(thrown) });
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
