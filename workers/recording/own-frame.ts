/**
 * A camera's frame in memory of our own. A camera has a few buffers only and goes on when they come back: Chromium's fake one stops
 * sending once two of its frames are held, and an encoder that is behind holds more. So a recorder keeps copies, of half a megabyte
 * for 640 x 480. A format that WebCodecs has no name for (16-bit grey of depth and infrared cameras, what stays on a GPU) becomes
 * RGB on the way: at the first frame of such a one Chromium's encoder ends with `OperationError: Encoding error.` Knows formats;
 * knows no camera, row or file.
 */

const NAMED: readonly (string | null)[] = ['I420', 'NV12', 'RGBA', 'RGBX', 'BGRA', 'BGRX'];

/** What it resolves to belongs to the caller, and shows what the given frame shows; the given frame stays open. Rejects where it cannot be read. */
export async function ownFrame(frame: VideoFrame): Promise<VideoFrame> {
  const { format, timestamp, displayWidth, displayHeight } = frame;
  const { width: codedWidth, height: codedHeight } = frame.visibleRect ?? { width: frame.codedWidth, height: frame.codedHeight };
  const size = { codedWidth, codedHeight, displayWidth, displayHeight, timestamp };
  if (format !== null && NAMED.includes(format)) {
    const data = new Uint8Array(frame.allocationSize());
    const layout = await frame.copyTo(data);
    return new VideoFrame(data, { ...size, format, layout, colorSpace: frame.colorSpace.toJSON() });
  }
  const data = new Uint8Array(frame.allocationSize({ format: 'RGBA' }));
  const layout = await frame.copyTo(data, { format: 'RGBA' });
  return new VideoFrame(data, { ...size, format: 'RGBX', layout });
}
