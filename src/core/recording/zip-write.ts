/** Files into a zip while they are made, unpacked and without a limit on size. The one file that names client-zip. */
import { makeZip } from 'client-zip';
import type { FileToWrite } from './write.ts';

/** `folder` stands before every path. */
export function zipStream(folder: string, files: AsyncIterable<FileToWrite>): ReadableStream<Uint8Array> {
  // A fixed date: the same episodes give the same zip.
  const lastModified = new Date(Date.UTC(2026, 0, 1));
  async function* named(): AsyncGenerator<{ readonly name: string; readonly input: Blob | Uint8Array<ArrayBuffer>; readonly lastModified: Date }> {
    for await (const { path, content } of files) yield { name: `${folder}/${path}`, input: content, lastModified };
  }
  return makeZip(named());
}
