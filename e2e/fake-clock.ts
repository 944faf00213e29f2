/**
 * Reads the time off a picture of Chromium's fake camera: a bright sector in its middle that grows by 600 degrees a
 * second as far as 361 and begins anew (Chromium, `media/capture/video/fake_video_capture_device.cc`). So a picture says when it
 * was taken, modulo 602 ms, to two milliseconds, and no word of ours is needed for it.
 */
import type { Locator } from '@playwright/test';

const DEGREES_PER_S = 600;
const ROUND_MS = (361 / DEGREES_PER_S) * 1000;

export interface PictureTimes {
  readonly durationMs: number;
  /** When the picture of each row was taken, from the first one on; neighbours are less than half a round apart. */
  readonly timesMs: readonly number[];
}

/** Steps through a video on the page, row by row. */
export async function pictureTimes(video: Locator, rows: number, fps: number): Promise<PictureTimes> {
  const { durationMs, degrees } = await video.evaluate(readClock, { rows, fps });
  let atMs = 0;
  const timesMs = degrees.map((now, row) => {
    const step = ((now - (degrees[row - 1] ?? now)) / DEGREES_PER_S) * 1000;
    // The step nearest to one row's time.
    const expected = row === 0 ? 0 : 1000 / fps;
    return (atMs += step + Math.round((expected - step) / ROUND_MS) * ROUND_MS);
  });
  return { durationMs, timesMs };
}

/** In the page, so it leans on nothing of this file. */
async function readClock(element: Node, { rows, fps }: { readonly rows: number; readonly fps: number }): Promise<{ readonly durationMs: number; readonly degrees: readonly number[] }> {
  const video = element as HTMLVideoElement;
  video.scrollIntoView({ block: 'center' });
  if (video.readyState < HTMLMediaElement.HAVE_METADATA) await new Promise((done) => video.addEventListener('loadedmetadata', done, { once: true }));
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no canvas');
  const [x, y] = [video.videoWidth / 2, video.videoHeight / 2];
  const radius = Math.min(x, y) / 4;
  /** The browser says which frame it shows; `seeked` may come before that one. */
  const shows = (row: number): Promise<boolean> =>
    new Promise((done) => {
      const late = setTimeout(() => done(false), 2000);
      const look = (_: number, { mediaTime }: VideoFrameCallbackMetadata): void => {
        if (Math.abs(mediaTime * fps - row) > 0.5) return void video.requestVideoFrameCallback(look);
        clearTimeout(late);
        done(true);
      };
      video.requestVideoFrameCallback(look);
      video.currentTime = (row + 0.5) / fps;
    });
  // Somewhere else first: a frame that is shown already is not shown anew.
  await shows(rows - 1);
  const degrees: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (!(await shows(row)) && !(await shows(row))) throw new Error(`the browser does not show row ${row}`);
    context.drawImage(video, 0, 0);
    const { data, width } = context.getImageData(0, 0, canvas.width, canvas.height);
    // The ground is a green of 136, the sector one of 255.
    let bright = 0;
    for (let half = 0; half < 720; half++) {
      const angle = (half * Math.PI) / 360;
      const at = 4 * (Math.round(y + radius * Math.sin(angle)) * width + Math.round(x + radius * Math.cos(angle)));
      if ((data[at + 1] as number) > 195) bright++;
    }
    degrees.push(bright / 2);
  }
  return { durationMs: video.duration * 1000, degrees };
}
