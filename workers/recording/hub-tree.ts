/**
 * A dataset on the Hugging Face Hub as a tree of files: the list of them first, then of each file only the bytes that are asked for,
 * all at one commit. Knows how a failure of the Hub is told about a dataset; knows no layout.
 */
import { hubFiles, type HubOptions, readHubDatasetName } from '#core/conversion/hub-files.ts';
import type { LargeFile } from '#core/conversion/checkpoint-files.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { ByteFile, FileTree } from '#core/recording/files.ts';

/** A video is played from memory, whole. LeRobot begins a new file at 200 MB. */
const MOST_WHOLE_BYTES = 512 << 20;
const PIECE_BYTES = 4 << 20;

/** `text`: `user/name`, `user/name@revision`, or the address of its page. Rejects with `hub/...`, `download/...`. */
export async function hubTree(text: string, options: HubOptions = {}): Promise<FileTree> {
  const { id, revision } = readHubDatasetName(text);
  const name = id.slice('datasets/'.length);
  const files = await told(() => hubFiles({ id, revision }, options));
  const opened = new Map<string, Promise<ByteFile | null>>();
  const open = async (path: string): Promise<ByteFile | null> => {
    const large = await told(() => files.open(path));
    return large === null ? null : byteFile(large);
  };
  return {
    name,
    open(path) {
      const before = opened.get(path);
      if (before !== undefined) return before;
      const file = open(path);
      opened.set(path, file);
      // Asked again after a failure.
      file.catch(() => opened.delete(path));
      return file;
    },
  };
}

function byteFile(large: LargeFile): ByteFile {
  // A copy: what `read` returns may be a view of a block that is kept.
  const bytes = (start: number, end: number): Promise<ArrayBuffer> => told(async () => new Uint8Array(await large.read(start, Math.min(end, large.bytes) - start)).buffer);
  return {
    size: large.bytes,
    bytes,
    async blob() {
      if (large.bytes > MOST_WHOLE_BYTES) throw new FailureError('dataset/unsupported', { what: 'file', found: `${large.file}, ${large.bytes} bytes` });
      const pieces: ArrayBuffer[] = [];
      for (let at = 0; at < large.bytes; at += PIECE_BYTES) pieces.push(await bytes(at, Math.min(at + PIECE_BYTES, large.bytes)));
      return new Blob(pieces);
    },
  };
}

/** What the reader of checkpoints says of a file is said of a dataset's here. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof FailureError) || !thrown.failure.code.startsWith('checkpoint/')) throw thrown;
    const { code, facts } = thrown.failure;
    throw new FailureError('dataset/invalid', { file: String(facts['file'] ?? 'a file'), expected: 'the file that the Hub lists', found: code === 'checkpoint/changed' ? 'another, it has changed' : String(facts['reason'] ?? `${facts['foundBytes']} bytes`) });
  }
}
