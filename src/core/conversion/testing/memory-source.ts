/** Bytes in memory as a source that counts what is read from it. */
import type { ByteSource } from '../safetensors.ts';

export interface CountingSource extends ByteSource {
  readBytes(): number;
}

export function memorySource(file: string, bytes: Uint8Array): CountingSource {
  let total = 0;
  return {
    file,
    bytes: bytes.length,
    readBytes: () => total,
    read: async (offset, length) => {
      if (offset < 0 || offset + length > bytes.length) throw new Error(`read outside ${file}: ${offset} + ${length} of ${bytes.length}`);
      total += length;
      return bytes.slice(offset, offset + length);
    },
  };
}
