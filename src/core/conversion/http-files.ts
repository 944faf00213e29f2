/**
 * A checkpoint folder on a web host. Knows HTTP; knows no format and no particular host. Of a large file the beginning comes
 * first, where its header is; the rest is read by byte ranges in blocks of 4 MiB of which the last few are kept, so that
 * memory stays bounded while neighbouring tensors cost one request, and what is needed soon is fetched while the present is
 * worked on. A host that answers a range with the whole file is served from that one answer, up to a cap.
 *
 * A block that fails for a reason that passes (the network, 429, 5xx) is asked for again a few times, then the failure is
 * told; what was finished is in the store. A file whose stamp or size changes between two blocks is two files: refused.
 */
import { FailureError } from '#core/lib/failure.ts';
import { type CheckpointFiles, type LargeFile, refuseLarge, sliceOf } from './checkpoint-files.ts';

/** Enough for every published header, so that looking at a checkpoint costs this much and no more. */
const HEAD_BYTES = 128 * 1024;
const BLOCK_BYTES = 4 * 1024 * 1024;
const BLOCKS_KEPT = 8;
/** Blocks fetched beside the one that is waited for. */
const BLOCKS_AHEAD = 3;
/** The most that is kept of a file whose host cannot send ranges. */
const MAX_WHOLE_BYTES = 512 * 1024 * 1024;
/** Waits before each further try, ms. */
const RETRY_AFTER_MS: readonly number[] = [500, 2000, 6000];
/** The longest a host may ask us to wait, ms. */
const MAX_RETRY_AFTER_MS = 30_000;

export interface FetchProgress {
  readonly file: string;
  readonly doneBytes: number;
  readonly totalBytes: number | null;
}

export interface HttpOptions {
  readonly fetch?: typeof fetch;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Sent with every request, e.g. an access token. The browser drops them where a request is redirected to another host. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** What a status means on this host; absent: `download/failed`. 404, 410, and 416 where a range was asked for, are understood before. */
  readonly refusal?: (status: number, retryAfterSeconds: number | null) => FailureError | null;
  /** Ends after so many ms; tests hand in a quick one. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** `baseUrl` ends with a slash; `source` is what people are shown. */
export function httpFiles(source: string, baseUrl: string, options: HttpOptions = {}): CheckpointFiles {
  const host = new Host(options);
  const urlOf = (file: string): string => new URL(file, baseUrl).href;
  const report = options.onProgress ?? (() => undefined);
  return {
    source,
    readSmall: async (file, maxBytes) =>
      host.patiently(async () => {
        const response = await host.get(urlOf(file), {});
        if (isAbsent(response, file)) return null;
        refuseLarge(file, Number(response.headers.get('content-length') ?? 0), maxBytes);
        return collect(response, file, maxBytes, (doneBytes) => report({ file, doneBytes, totalBytes: null }));
      }, 'beginning'),
    open: (file) => host.patiently(() => openLarge(host, urlOf(file), file, report), 'beginning'),
  };
}

/** Requests to one host: its headers, its refusals, and patience. */
export class Host {
  private readonly options: HttpOptions;

  constructor(options: HttpOptions) {
    this.options = options;
  }

  /** Answers also with 404 and 410, and with 416 where a range was asked for; any other refusal is a failure. */
  async get(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const { headers: always = {}, signal, refusal } = this.options;
    const ask = this.options.fetch ?? fetch;
    let response: Response;
    try {
      response = await ask(url, { headers: { ...always, ...headers }, ...(signal === undefined ? {} : { signal }) });
    } catch (thrown) {
      throw this.lost(url, thrown);
    }
    // No range was asked for: then 416 is a server that errs, not a file that ends early.
    if (response.ok || [404, 410].includes(response.status) || (response.status === 416 && 'Range' in headers)) return response;
    const told = Number(response.headers.get('retry-after') ?? Number.NaN);
    const retryAfterSeconds = Number.isFinite(told) ? told : null;
    await response.body?.cancel().catch(() => undefined);
    throw refusal?.(response.status, retryAfterSeconds) ?? new FailureError('download/failed', { url, status: response.status, retryAfterSeconds });
  }

  /** No answer at all, or one that broke off. */
  lost(url: string, thrown: unknown): FailureError {
    if (this.options.signal?.aborted === true) return new FailureError('download/cancelled');
    return new FailureError('download/failed', { url, status: null, reason: String(thrown) });
  }

  /**
   * Again, after a while, where waiting may help. A host that cannot be reached at all is only waited for in the middle of a
   * file: before that, what is stored may serve.
   */
  async patiently<T>(work: () => Promise<T>, when: 'beginning' | 'middle'): Promise<T> {
    const pause = this.options.pause ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)));
    for (let attempt = 0; ; attempt++) {
      try {
        return await work();
      } catch (thrown) {
        const wait = RETRY_AFTER_MS[attempt];
        if (wait === undefined || !(thrown instanceof FailureError) || !mayPass(thrown, when) || this.options.signal?.aborted === true) throw thrown;
        const asked = Number(thrown.failure.facts['retryAfterSeconds'] ?? 0) * 1000;
        await pause(Math.min(Math.max(wait, asked), MAX_RETRY_AFTER_MS));
      }
    }
  }
}

function mayPass({ failure: { code, facts } }: FailureError, when: 'beginning' | 'middle'): boolean {
  if (code === 'hub/busy') return true;
  if (code !== 'download/failed') return false;
  const { status } = facts;
  // 200 or 206: the answer began and broke off. None at all: no network, or not yet.
  if (typeof status !== 'number') return when === 'middle';
  return status === 429 || status >= 500 || status < 300;
}

async function openLarge(host: Host, url: string, file: string, report: (progress: FetchProgress) => void): Promise<LargeFile | null> {
  const response = await host.get(url, { Range: `bytes=0-${HEAD_BYTES - 1}` });
  // No first byte to send: the file is there and empty.
  if (response.status === 416) return { file, bytes: 0, stamp: null, read: async (offset, length) => sliceOf(file, new Uint8Array(), offset, length) };
  if (isAbsent(response, file)) return null;
  const stamp = stampOf(response);
  const total = totalFromRange(response);
  if (total === null) {
    const declared = response.headers.get('content-encoding') === null ? Number(response.headers.get('content-length') ?? Number.NaN) : Number.NaN;
    const totalBytes = Number.isFinite(declared) ? declared : null;
    const whole = await collect(response, file, MAX_WHOLE_BYTES, (doneBytes) => report({ file, doneBytes, totalBytes }));
    if (totalBytes !== null && whole.length !== totalBytes) throw new FailureError('checkpoint/file-truncated', { file, expectedBytes: totalBytes, foundBytes: whole.length });
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
    const from = doneBytes;
    const fetched = host.patiently(() =>
      fetchBlock(host, url, { file, index, total, stamp }, (bytes) => report({ file, doneBytes: Math.min(total, Math.max(doneBytes, from + bytes)), totalBytes: total })),
      'middle',
    );
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
    soon: (offset, length) => {
      if (offset + length <= head.length || offset + length > total) return;
      const last = Math.floor((offset + length - 1) / BLOCK_BYTES);
      let ahead = 0;
      for (let index = Math.floor(offset / BLOCK_BYTES); index <= last && ahead < BLOCKS_AHEAD; index++, ahead++) {
        // Whoever reads the block hears of its failure.
        if (!blocks.has(index) && blocks.size < BLOCKS_KEPT - 1) block(index).catch(() => undefined);
      }
    },
  };
}

interface BlockOf {
  readonly file: string;
  readonly index: number;
  readonly total: number;
  readonly stamp: string | null;
}

async function fetchBlock(host: Host, url: string, { file, index, total, stamp }: BlockOf, onBytes: (bytes: number) => void): Promise<Uint8Array> {
  const first = index * BLOCK_BYTES;
  const last = Math.min(first + BLOCK_BYTES, total) - 1;
  const response = await host.get(url, { Range: `bytes=${first}-${last}` });
  if (response.status === 416) throw new FailureError('checkpoint/changed', { file });
  if (response.status !== 206) {
    await response.body?.cancel().catch(() => undefined);
    throw response.status === 200 ? new FailureError('checkpoint/changed', { file }) : new FailureError('download/failed', { url, status: response.status });
  }
  const now = stampOf(response);
  if (totalFromRange(response) !== total || (stamp !== null && now !== null && now !== stamp)) throw new FailureError('checkpoint/changed', { file });
  const bytes = await collect(response, file, BLOCK_BYTES, onBytes);
  if (bytes.length !== last - first + 1) throw new FailureError('download/failed', { url, status: null, reason: `${bytes.length} bytes for ${last - first + 1}` });
  return bytes;
}

/** What changes with the file. Weak stamps and the quotes around strong ones are the transport's business. */
function stampOf(response: Response): string | null {
  return response.headers.get('etag') ?? response.headers.get('last-modified');
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
    if (thrown instanceof DOMException && thrown.name === 'AbortError') throw new FailureError('download/cancelled');
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
