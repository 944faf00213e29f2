/**
 * Reads a zip where it lies: its list from the end, then only the files that are asked for. Stored and deflated entries, with
 * the 64-bit sizes that a long recording needs. Untrusted: every offset is checked against the file.
 */
import { FailureError } from '#core/lib/failure.ts';
import { blobFile, commonFolder, type FileTree } from './files.ts';

interface Entry {
  readonly at: number;
  readonly packed: number;
  readonly size: number;
  readonly method: number;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const END_64_LOCATOR = 0x07064b50;
const LISTED = 0x02014b50;
const LOCAL = 0x04034b50;
/** A comment may follow the end record; this much of the tail is searched for it. */
const TAIL = 65_557;
const MOST_LIST_BYTES = 64 << 20;
/** A deflated file is unpacked whole; datasets store their videos. */
const MOST_UNPACKED = 512 << 20;

/** Throws `dataset/invalid` where it is no zip, or a damaged one. */
export async function zipTree(name: string, zip: Blob): Promise<FileTree> {
  const entries = await list(zip, name);
  const prefix = commonFolder([...entries.keys()]);
  return {
    name,
    async open(path) {
      const entry = entries.get(prefix + path);
      if (entry === undefined) return null;
      const head = await view(zip, entry.at, 30, name);
      if (head.getUint32(0, true) !== LOCAL) throw broken(name, 'an entry is not where the list says');
      const from = entry.at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
      if (from + entry.packed > zip.size) throw broken(name, 'an entry ends after the file');
      const packed = zip.slice(from, from + entry.packed);
      if (entry.method === 0) return blobFile(packed);
      if (entry.method !== 8 || entry.size > MOST_UNPACKED) throw new FailureError('dataset/unsupported', { what: 'zip entry', found: `${path}, method ${entry.method}` });
      return blobFile(await new Response(packed.stream().pipeThrough(new DecompressionStream('deflate-raw'))).blob());
    },
  };
}

async function list(zip: Blob, name: string): Promise<ReadonlyMap<string, Entry>> {
  const tailAt = Math.max(0, zip.size - TAIL);
  const tail = await view(zip, tailAt, zip.size - tailAt, name);
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end--;
  if (end < 0) throw broken(name, 'no end record');
  let [count, bytes, at] = [tail.getUint16(end + 10, true), tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if ((count === 0xffff || bytes === 0xffffffff || at === 0xffffffff) && end >= 20 && tail.getUint32(end - 20, true) === END_64_LOCATOR) {
    const big = await view(zip, Number(tail.getBigUint64(end - 12, true)), 56, name);
    if (big.getUint32(0, true) !== END_64) throw broken(name, 'no 64-bit end record');
    [count, bytes, at] = [Number(big.getBigUint64(32, true)), Number(big.getBigUint64(40, true)), Number(big.getBigUint64(48, true))];
  }
  if (bytes > MOST_LIST_BYTES) throw broken(name, `a list of ${bytes} bytes`);
  const listed = await view(zip, at, bytes, name);
  const entries = new Map<string, Entry>();
  for (let i = 0, from = 0; i < count; i++) {
    if (from + 46 > bytes || listed.getUint32(from, true) !== LISTED) throw broken(name, 'a damaged list');
    const [nameBytes, extraBytes, commentBytes] = [listed.getUint16(from + 28, true), listed.getUint16(from + 30, true), listed.getUint16(from + 32, true)];
    const next = from + 46 + nameBytes + extraBytes + commentBytes;
    if (next > bytes) throw broken(name, 'a damaged list');
    const path = new TextDecoder().decode(new Uint8Array(listed.buffer, listed.byteOffset + from + 46, nameBytes));
    entries.set(path, entryAt(listed, from, nameBytes, extraBytes));
    from = next;
  }
  return entries;
}

function entryAt(listed: DataView, from: number, nameBytes: number, extraBytes: number): Entry {
  let [packed, size, at] = [listed.getUint32(from + 20, true), listed.getUint32(from + 24, true), listed.getUint32(from + 42, true)];
  // What does not fit into 32 bits follows in field 1, in this order.
  for (let extra = from + 46 + nameBytes, last = extra + extraBytes; extra + 4 <= last; ) {
    const [field, length] = [listed.getUint16(extra, true), listed.getUint16(extra + 2, true)];
    if (field === 1) {
      let big = extra + 4;
      const take = (): number => Number(listed.getBigUint64((big += 8) - 8, true));
      if (size === 0xffffffff) size = take();
      if (packed === 0xffffffff) packed = take();
      if (at === 0xffffffff) at = take();
    }
    extra += 4 + length;
  }
  return { at, packed, size, method: listed.getUint16(from + 10, true) };
}

async function view(zip: Blob, at: number, length: number, name: string): Promise<DataView> {
  if (!(at >= 0 && length >= 0 && at + length <= zip.size)) throw broken(name, 'it is cut short');
  return new DataView(await zip.slice(at, at + length).arrayBuffer());
}

function broken(name: string, reason: string): FailureError {
  return new FailureError('dataset/invalid', { file: name, expected: 'a zip', found: reason });
}
