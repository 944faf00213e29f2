/** Read as onnxruntime reads: slice by slice, into a buffer of the reader's or not, from a file in OPFS. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { steadyBlob } from './steady-blob.ts';

const NAME = 'steady-blob-test';
const BYTES = Uint8Array.from({ length: 3_000_017 }, (_, index) => (index * 2654435761) >>> 13);

let file: File;
beforeAll(async () => {
  const root = await navigator.storage.getDirectory();
  const handle = await root.getFileHandle(NAME, { create: true });
  const writer = await handle.createWritable();
  await writer.write(BYTES);
  await writer.close();
  file = await handle.getFile();
});
afterAll(async () => (await navigator.storage.getDirectory()).removeEntry(NAME));

/** What onnxruntime's reader does, with a buffer of `room` bytes that goes round; null asks for the stream's own pieces. */
async function readAll(blob: Blob, room: number | null): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  if (room === null) {
    const reader = blob.stream().getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
  } else {
    const reader = blob.stream().getReader({ mode: 'byob' });
    let buffer = new ArrayBuffer(room);
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      // It asks for the buffer back after the last read, too.
      if (value === undefined) throw new Error('the buffer did not come back');
      parts.push(value.slice());
      buffer = value.buffer;
      if (done) break;
    }
  }
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

test('it passes for a Blob of the same size', () => {
  const steady = steadyBlob(file);
  expect(steady instanceof Blob).toBe(true);
  expect(steady.size).toBe(BYTES.length);
});

test('it is read whole where a build asks for that', async () => {
  const whole = new Uint8Array(await steadyBlob(file).arrayBuffer());
  expect(whole.every((byte, index) => byte === BYTES[index])).toBe(true);
  expect(whole.length).toBe(BYTES.length);
});

const SLICES: readonly (readonly [number, number])[] = [
  [0, BYTES.length],
  [0, 0],
  [0, 1],
  [17, 4096],
  [1_048_576, 2_097_152],
  [BYTES.length - 5, BYTES.length],
];

test.each([null, 7_777, 1_048_576])('every slice comes whole and ends (reader with a buffer of %s)', async (room) => {
  for (const [from, to] of SLICES) {
    const read = await readAll(steadyBlob(file).slice(from, to), room);
    expect(read.length).toBe(to - from);
    expect(read.every((byte, index) => byte === BYTES[from + index])).toBe(true);
  }
});

test('a file that changed under it breaks the read instead of waiting', async () => {
  const root = await navigator.storage.getDirectory();
  const handle = await root.getFileHandle(`${NAME}-changed`, { create: true });
  const write = async (bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
    const writer = await handle.createWritable();
    await writer.write(bytes);
    await writer.close();
  };
  await write(BYTES);
  const before = steadyBlob(await handle.getFile());
  await write(BYTES.slice(0, 10));
  await expect(readAll(before.slice(0, 100), 64)).rejects.toThrow();
  await root.removeEntry(`${NAME}-changed`);
});
