/**
 * Where a checkpoint's files come from: a host, a folder, memory. Knows names and bytes; knows no format. Each source
 * says plainly that a file is not there (null) and fails (FailureError) when it is there but cannot be read.
 */
import { FailureError } from '#core/lib/failure.ts';
import type { ByteSource } from './safetensors.ts';

export interface CheckpointFiles {
  /** For people: `policies/pocket`, a folder's path. */
  readonly source: string;
  /** A small file as a whole, null where it is not there. Refuses more than `maxBytes` with `checkpoint/file-corrupt`. */
  readSmall(file: string, maxBytes: number): Promise<Uint8Array | null>;
  /** A large file to be read piece by piece, null where it is not there. */
  open(file: string): Promise<LargeFile | null>;
}

export interface LargeFile extends ByteSource {
  /** What the host says changes with the file (an ETag), null where it says nothing. */
  readonly stamp: string | null;
}

/** Files held in memory: tests, and folders handed over by the browser. */
export function memoryFiles(source: string, files: ReadonlyMap<string, Uint8Array>): CheckpointFiles {
  return {
    source,
    readSmall: async (file, maxBytes) => {
      const bytes = files.get(file);
      if (bytes !== undefined) refuseLarge(file, bytes.length, maxBytes);
      return bytes ?? null;
    },
    open: async (file) => {
      const bytes = files.get(file);
      return bytes === undefined ? null : { file, bytes: bytes.length, stamp: null, read: async (offset, length) => sliceOf(file, bytes, offset, length) };
    },
  };
}

export function refuseLarge(file: string, bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new FailureError('checkpoint/file-corrupt', { file, reason: `larger than ${maxBytes} bytes` });
}

/** Exactly `length` bytes as a view, or `checkpoint/file-truncated`. */
export function sliceOf(file: string, bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (offset + length > bytes.length) throw new FailureError('checkpoint/file-truncated', { file, expectedBytes: offset + length, foundBytes: bytes.length });
  return bytes.subarray(offset, offset + length);
}
