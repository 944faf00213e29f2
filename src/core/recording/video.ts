/**
 * One camera's frames as an mp4, written while they come: a frame a row, each at exactly row / fps. The one file that names
 * mediabunny. Knows codecs and files; knows no camera.
 */
import { EncodedPacket, EncodedVideoPacketSource, Mp4OutputFormat, Output, StreamTarget } from 'mediabunny';
import { FailureError } from '#core/lib/failure.ts';

/** What LeRobot's decoders read, the one that costs least first. */
const CODECS = [
  { webcodecs: ['avc1.4d0028', 'avc1.42e028', 'avc1.42001f'], container: 'avc', ffmpeg: 'h264' },
  { webcodecs: ['vp09.00.40.08'], container: 'vp9', ffmpeg: 'vp9' },
  { webcodecs: ['av01.0.08M.08'], container: 'av1', ffmpeg: 'av1' },
] as const;

export type FfmpegCodec = (typeof CODECS)[number]['ffmpeg'];

/** As LeRobot: every second frame stands alone, so that a trainer may open any row at once. */
const KEY_EVERY = 2;
/** Bits a pixel and frame; at 640 x 480 and 30 a second 4.6 Mbit/s, 35 MB a minute. */
const BITS_A_PIXEL = 0.5;

export interface VideoWriter {
  readonly codec: FfmpegCodec;
  /** Takes a frame for this row and does not close it. Rows in order, none left out. */
  add(frame: VideoFrame, row: number): void;
  /** Frames handed over and not yet encoded. */
  readonly waiting: number;
  /** Resolves when everything is in the file. Rejects with what the encoder failed with. */
  finish(): Promise<void>;
  close(): void;
}

export interface VideoWriterOptions {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly write: (data: Uint8Array<ArrayBuffer>, position: number) => void;
}

/** Rejects with `recording/unavailable` where the browser encodes none of the codecs at this size. */
export async function videoWriter({ width, height, fps, write }: VideoWriterOptions): Promise<VideoWriter> {
  if (typeof VideoEncoder === 'undefined') throw new FailureError('recording/unavailable', { what: 'WebCodecs' });
  const found = await supported(width, height, fps);
  if (found === null) throw new FailureError('recording/unavailable', { what: `a video encoder for ${width} x ${height}` });
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: false }), target: new StreamTarget(new WritableStream({ write: ({ data, position }) => write(data, position) })) });
  const source = new EncodedVideoPacketSource(found.codec.container);
  output.addVideoTrack(source, { frameRate: fps });
  await output.start();
  let failure: unknown = null;
  let writing: Promise<void> = Promise.resolve();
  const encoder = new VideoEncoder({
    output: (chunk, meta) => {
      writing = writing.then(() => source.add(EncodedPacket.fromEncodedChunk(chunk), meta));
      writing.catch((thrown: unknown) => (failure ??= thrown));
    },
    error: (thrown) => (failure ??= thrown),
  });
  encoder.configure(found.config);
  return {
    codec: found.codec.ffmpeg,
    add(frame, row) {
      if (failure !== null) throw new FailureError('recording/ended', { reason: `The video encoder failed: ${String(failure)}` });
      const timed = new VideoFrame(frame, { timestamp: Math.round((row * 1e6) / fps), duration: Math.round(1e6 / fps) });
      encoder.encode(timed, { keyFrame: row % KEY_EVERY === 0 });
      timed.close();
    },
    get waiting() {
      return encoder.encodeQueueSize;
    },
    async finish() {
      await encoder.flush();
      encoder.close();
      await writing;
      if (failure !== null) throw new FailureError('recording/ended', { reason: `The video could not be written: ${String(failure)}` });
      await output.finalize();
    },
    close() {
      if (encoder.state !== 'closed') encoder.close();
      output.cancel().catch(() => undefined);
    },
  };
}

async function supported(width: number, height: number, fps: number): Promise<{ readonly codec: (typeof CODECS)[number]; readonly config: VideoEncoderConfig } | null> {
  for (const codec of CODECS) {
    for (const name of codec.webcodecs) {
      const config: VideoEncoderConfig = { codec: name, width, height, framerate: fps, bitrate: Math.round(BITS_A_PIXEL * width * height * fps), latencyMode: 'realtime' };
      if ((await VideoEncoder.isConfigSupported(config)).supported === true) return { codec, config };
    }
  }
  return null;
}
