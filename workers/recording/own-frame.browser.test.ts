/**
 * The three kinds of frames that cameras send, from Chromium's own fake devices: I420 in television's range, 16-bit grey that
 * WebCodecs has no name for, and JPEG. Each becomes a video that shows what the camera showed, and a camera goes on while copies are kept.
 */
import { ALL_FORMATS, BlobSource, Input, VideoSampleSink } from 'mediabunny';
import { expect, it } from 'vitest';
import { videoWriter } from '#core/recording/video.ts';
import { isUnlit } from '#core/camera/unlit.ts';
import { ownFrame } from './own-frame.ts';

declare class MediaStreamTrackProcessor {
  constructor(options: { readonly track: MediaStreamTrack });
  readonly readable: ReadableStream<VideoFrame>;
}

const [WIDTH, HEIGHT, FPS, ROWS] = [640, 480, 30, 6];

async function rgba(frame: VideoFrame): Promise<Uint8Array> {
  const data = new Uint8Array(frame.allocationSize({ format: 'RGBA' }));
  await frame.copyTo(data, { format: 'RGBA' });
  return data;
}

/** Mean |a - b| of red, green and blue, levels of 255. */
function meanDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  let sum = 0;
  for (let i = 0; i < a.length; i++) if (i % 4 !== 3) sum += Math.abs((a[i] as number) - (b[i] as number));
  return sum / ((a.length / 4) * 3);
}

async function camera(nth: number): Promise<{ readonly track: MediaStreamTrack; readonly read: () => Promise<VideoFrame>; readonly close: () => Promise<void> }> {
  // Labels and identities come with the permission.
  for (const track of (await navigator.mediaDevices.getUserMedia({ video: true })).getTracks()) track.stop();
  const device = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === 'videoinput')[nth];
  const stream = await navigator.mediaDevices.getUserMedia({ video: { deviceId: { exact: device?.deviceId ?? 'none' }, width: WIDTH, height: HEIGHT, frameRate: FPS } });
  const [track] = stream.getVideoTracks() as [MediaStreamTrack];
  const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
  return {
    track,
    read: async () => {
      const { value } = await reader.read();
      if (value === undefined) throw new Error('the device ended');
      return value;
    },
    close: async () => {
      await reader.cancel();
      track.stop();
    },
  };
}

async function film(nth: number) {
  const device = await camera(nth);
  let bytes = new Uint8Array(4 << 20);
  let size = 0;
  const writer = await videoWriter({
    width: WIDTH,
    height: HEIGHT,
    fps: FPS,
    write: (data, at) => {
      bytes.set(data, at);
      size = Math.max(size, at + data.length);
    },
  });
  const shown: Uint8Array[] = [];
  let kind: { readonly format: string | null; readonly full: boolean } | null = null;
  for (let row = 0; row < ROWS; row++) {
    const frame = await device.read();
    kind = { format: frame.format, full: frame.colorSpace.fullRange === true };
    const given = await ownFrame(frame);
    writer.add(given, row);
    given.close();
    shown.push(await rgba(frame));
    frame.close();
  }
  await writer.finish();
  await device.close();
  bytes = bytes.slice(0, size);
  const input = new Input({ source: new BlobSource(new Blob([bytes])), formats: ALL_FORMATS });
  const video = await input.getPrimaryVideoTrack();
  if (video === null) throw new Error('no video in the file');
  const differences: number[] = [];
  const times: number[] = [];
  for await (const sample of new VideoSampleSink(video).samples()) {
    const frame = sample.toVideoFrame();
    times.push(sample.timestamp);
    differences.push(meanDifference(await rgba(frame), shown[differences.length] as Uint8Array));
    frame.close();
    sample.close();
  }
  return { kind, differences, times };
}

it.each([
  ['I420 in the range of television', 0, { format: 'I420', full: false }],
  ['16-bit grey, a format without a name', 1, { format: null, full: false }],
  ['JPEG, in the full range', 2, { format: 'I420', full: true }],
] as const)('%s becomes a video of the same pictures, a frame a row', async (_, nth, kind) => {
  const filmed = await film(nth);
  expect(filmed.kind).toEqual(kind);
  expect(filmed.times).toEqual(Array.from({ length: ROWS }, (__, row) => expect.closeTo(row / FPS, 4) as number));
  // Flat colours with sharp edges, through H.264: 0.04, 0.08 and 0.47 levels were seen.
  expect(Math.max(...filmed.differences)).toBeLessThan(1.5);
});

it('a camera goes on while copies of its frames are kept, however many', async () => {
  const device = await camera(0);
  const kept: VideoFrame[] = [];
  // Held themselves, two of its frames are the last.
  for (let i = 0; i < 20; i++) {
    const frame = await device.read();
    kept.push(await ownFrame(frame));
    frame.close();
  }
  const shown = await Promise.all(kept.map(rgba));
  expect(new Set(shown.map((picture) => picture.reduce((sum, value, i) => (sum * 31 + value * (i % 7)) % 1_000_003, 0))).size).toBeGreaterThan(10);
  for (const frame of kept) frame.close();
  await device.close();
});

it('what a track sends while it is switched off is told from what a camera sees', async () => {
  const device = await camera(0);
  const unlit = async (): Promise<boolean> => {
    const frame = await device.read();
    const own = await ownFrame(frame);
    frame.close();
    const is = await isUnlit(own);
    own.close();
    return is;
  };
  expect(await unlit()).toBe(false);
  device.track.enabled = false;
  await expect.poll(unlit).toBe(true);
  device.track.enabled = true;
  await expect.poll(unlit).toBe(false);
  await device.close();
});
