/** A checkpoint folder that a person handed over (picked, or dropped on the page): Blobs by path. Knows no format. */
import type { FolderFile } from '#contracts/policy.ts';
import { FailureError } from '#core/lib/failure.ts';
import { type CheckpointFiles, refuseLarge } from './checkpoint-files.ts';

/**
 * The checkpoint may lie deeper: a training run's folder has it under `checkpoints/<step>/pretrained_model/`. The deepest
 * last one wins there, which is the newest step.
 */
export function blobFiles(source: string, files: readonly FolderFile[]): CheckpointFiles {
  const roots = files.map(({ path }) => path).filter((path) => /(?:^|\/)(?:config|adapter_config)\.json$/.test(path)).map((path) => path.slice(0, path.lastIndexOf('/') + 1));
  const root = roots.toSorted((a, b) => (a < b ? 1 : -1)).find((folder) => folder.includes('pretrained_model')) ?? roots.toSorted((a, b) => a.length - b.length)[0] ?? '';
  const byPath = new Map(files.filter(({ path }) => path.startsWith(root)).map(({ path, blob }) => [path.slice(root.length), blob]));
  const readable = async (file: string, blob: Blob): Promise<Uint8Array> => {
    try {
      return new Uint8Array(await blob.arrayBuffer());
    } catch (thrown) {
      // Moved, changed or unplugged since it was handed over.
      throw new FailureError('checkpoint/file-corrupt', { file, reason: String(thrown) });
    }
  };
  return {
    source,
    readSmall: async (file, maxBytes) => {
      const blob = byPath.get(file);
      if (blob === undefined) return null;
      refuseLarge(file, blob.size, maxBytes);
      return readable(file, blob);
    },
    open: async (file) => {
      const blob = byPath.get(file);
      if (blob === undefined) return null;
      const stamp = blob instanceof File ? String(blob.lastModified) : null;
      return {
        file,
        bytes: blob.size,
        stamp,
        read: async (offset, length) => {
          if (offset + length > blob.size) throw new FailureError('checkpoint/file-truncated', { file, expectedBytes: offset + length, foundBytes: blob.size });
          return readable(file, blob.slice(offset, offset + length));
        },
      };
    },
  };
}
