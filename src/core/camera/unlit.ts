/**
 * Whether a frame is what Chromium sends for a track that is switched off, and shows nothing that a camera saw: I420 whose brightness is
 * 0 everywhere. A camera in the dark sends noise, and 16 for black. Knows a frame's planes; knows no camera.
 */

/** As much of a `VideoFrame` as is looked at. */
export interface UnlitFrame {
  readonly format: string | null;
  readonly displayWidth: number;
  readonly displayHeight: number;
  readonly visibleRect?: { readonly width: number; readonly height: number } | null;
  allocationSize(): number;
  copyTo(destination: Uint8Array): Promise<readonly { readonly offset: number; readonly stride: number }[]>;
}

export async function isUnlit(frame: UnlitFrame): Promise<boolean> {
  if (frame.format !== 'I420') return false;
  const data = new Uint8Array(frame.allocationSize());
  const [brightness] = await frame.copyTo(data);
  const { width, height } = frame.visibleRect ?? { width: frame.displayWidth, height: frame.displayHeight };
  if (brightness === undefined) return false;
  for (let y = 0; y < height; y++) {
    const from = brightness.offset + y * brightness.stride;
    if (data.subarray(from, from + width).some((value) => value !== 0)) return false;
  }
  return true;
}
