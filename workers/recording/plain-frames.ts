/**
 * A camera's frame as a video encoder takes it. Most cameras' frames pass untouched: Y, U and V, of which range the file says. Some
 * have a format that WebCodecs has no name for (16-bit grey of depth and infrared cameras, what stays on a GPU), and at the first
 * of those Chromium's encoder ends with `OperationError: Encoding error.` They are drawn on a canvas in ordinary memory: 5 to 7 ms
 * for 640 x 480 on a busy two-core machine. Knows formats; knows no camera, row or file.
 */

const TAKEN: readonly (string | null)[] = ['I420', 'NV12', 'RGBA', 'RGBX', 'BGRA', 'BGRX'];

/**
 * Of one camera. What it returns belongs to the caller, who closes it, and shows what the given frame shows at the same size; the
 * given frame stays open.
 */
export function plainFrames(): (frame: VideoFrame) => VideoFrame {
  let canvas: OffscreenCanvas | null = null;
  return (frame) => {
    if (TAKEN.includes(frame.format)) return frame.clone();
    const { displayWidth: width, displayHeight: height } = frame;
    if (canvas?.width !== width || canvas.height !== height) canvas = new OffscreenCanvas(width, height);
    // Read often: so that the browser keeps it where an encoder without a GPU can read it.
    const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
    if (context === null) throw new TypeError(`no canvas of ${width} x ${height}`);
    context.drawImage(frame, 0, 0, width, height);
    return new VideoFrame(canvas, { timestamp: frame.timestamp, alpha: 'discard' });
  };
}
