/**
 * A file of weights as onnxruntime may read it. Knows one trap: onnxruntime reads each tensor of a Blob with
 * `blob.slice(from, to).stream()`, and in Chromium (156) about one such stream in several hundred of a file in OPFS never
 * ends, so that making a session waits for ever (1 load of the pocket policy in 10). `slice().arrayBuffer()` does
 * not. Refuses to read more than is asked for: a policy may be larger than what fits into memory twice.
 */

/** A part of a file, as far as onnxruntime looks at it. */
type Slice = Pick<Blob, 'stream'>;

/**
 * Looks like `blob` to onnxruntime, and reads a slice in one piece. The JSPI build asks for `size` and `slice().stream()`,
 * the builds without it for the whole `arrayBuffer()`.
 */
export function steadyBlob(blob: Blob): Blob {
  const slice = (from?: number, to?: number): Slice => ({ stream: () => streamOf(blob.slice(from, to)) });
  return Object.create(Blob.prototype, { size: { value: blob.size }, slice: { value: slice }, arrayBuffer: { value: () => blob.arrayBuffer() } }) as Blob;
}

/** Opens and ends, or breaks with what the read rejected with. A byte stream: onnxruntime asks for one that fills its own buffer. */
function streamOf(part: Blob): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    type: 'bytes',
    async start(controller) {
      const bytes = new Uint8Array(await part.arrayBuffer());
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
      // A read into the caller's own buffer that waits already is answered only then.
      controller.byobRequest?.respond(0);
    },
  });
}
