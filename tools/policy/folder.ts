/** A checkpoint folder on disk as the converter reads it. Knows Node's files; knows no format. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckpointFiles, refuseLarge } from '#core/conversion/checkpoint-files.ts';
import { FailureError } from '#core/lib/failure.ts';

export function folderFiles(folder: string): CheckpointFiles {
  return {
    source: folder,
    readSmall: async (file, maxBytes) => {
      const size = sizeOf(join(folder, file));
      if (size === null) return null;
      refuseLarge(file, size, maxBytes);
      return readable(file, () => new Uint8Array(readFileSync(join(folder, file))));
    },
    open: async (file) => {
      const path = join(folder, file);
      const bytes = sizeOf(path);
      if (bytes === null) return null;
      return { file, bytes, stamp: null, read: async (offset, length) => readable(file, () => readPiece(path, file, offset, length)) };
    },
  };
}

/** Null where there is no such file, also where a folder of that name stands. */
function sizeOf(path: string): number | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true ? found.size : null;
}

function readPiece(path: string, file: string, offset: number, length: number): Uint8Array {
  const handle = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const got = readSync(handle, bytes, at, length - at, offset + at);
      if (got === 0) throw new FailureError('checkpoint/file-truncated', { file, expectedBytes: offset + length, foundBytes: offset + at });
      at += got;
    }
    return bytes;
  } finally {
    closeSync(handle);
  }
}

function readable<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof FailureError) throw thrown;
    throw new FailureError('checkpoint/file-corrupt', { file, reason: String(thrown) });
  }
}
