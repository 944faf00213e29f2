/**
 * Reads the time off pictures of Chromium's fake camera: a bright sector in their middle that grows by 600 degrees a second as far as
 * 361 and begins anew (Chromium, `media/capture/video/fake_video_capture_device.cc`). So a picture says when it was taken, modulo
 * 602 ms, to two milliseconds, and no word of ours is needed for it.
 */
import type { Page } from '@playwright/test';
import type { VideoPackets } from '../tools/video-packets.ts';

const DEGREES_PER_S = 600;
const ROUND_MS = (361 / DEGREES_PER_S) * 1000;

/** When the picture of each row was taken, ms from the first one on; neighbours are less than half a round apart. */
export async function pictureTimes(page: Page, video: VideoPackets, fps: number): Promise<readonly number[]> {
  const degrees = await page.evaluate(readClock, video);
  let atMs = 0;
  return degrees.map((now, row) => {
    const step = ((now - (degrees[row - 1] ?? now)) / DEGREES_PER_S) * 1000;
    // The step nearest to one row's time.
    const expected = row === 0 ? 0 : 1000 / fps;
    return (atMs += step + Math.round((expected - step) / ROUND_MS) * ROUND_MS);
  });
}

/** Degrees of the sector, a picture each. In the page, which has the decoder, so it leans on nothing of this file. */
async function readClock({ codec, description, packets }: VideoPackets): Promise<readonly number[]> {
  const bytes = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const degrees: number[] = [];
  let reading: Promise<void> = Promise.resolve();
  const read = async (frame: VideoFrame): Promise<void> => {
    // Its first plane is the brightness, whatever comes after it.
    const data = new Uint8Array(frame.allocationSize());
    const [plane] = await frame.copyTo(data);
    const [x, y] = [frame.displayWidth / 2, frame.displayHeight / 2];
    frame.close();
    if (plane === undefined) throw new Error('a picture without brightness');
    const radius = Math.min(x, y) / 4;
    let bright = 0;
    for (let half = 0; half < 720; half++) {
      const angle = (half * Math.PI) / 360;
      if ((data[plane.offset + Math.round(y + radius * Math.sin(angle)) * plane.stride + Math.round(x + radius * Math.cos(angle))] as number) > 127) bright++;
    }
    degrees.push(bright / 2);
  };
  await new Promise<void>((done, failed) => {
    const decoder = new VideoDecoder({ output: (frame) => void (reading = reading.then(() => read(frame))), error: failed });
    decoder.configure({ codec, ...(description === '' ? {} : { description: bytes(description) }) });
    for (const { type, timestampUs, data } of packets) decoder.decode(new EncodedVideoChunk({ type, timestamp: timestampUs, data: bytes(data) }));
    decoder.flush().then(() => reading).then(done, failed);
  });
  return degrees;
}
