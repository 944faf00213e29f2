/** The encoded frames of a camera in a saved dataset, for a test that decodes them itself. Knows zips and mp4s; knows no picture. */
import { ALL_FORMATS, BlobSource, EncodedPacketSink, Input } from 'mediabunny';
import { zipTree } from '#core/recording/zip.ts';

export interface VideoPackets {
  /** Of WebCodecs; `description` in base64. */
  readonly codec: string;
  readonly description: string;
  /** In the order of the file; `data` in base64. */
  readonly packets: readonly { readonly type: 'key' | 'delta'; readonly timestampUs: number; readonly data: string }[];
}

/** Of the dataset's first file of this camera. */
export async function videoPackets(zip: Blob, camera: string): Promise<VideoPackets> {
  const path = `videos/${camera}/chunk-000/file-000.mp4`;
  const file = await (await zipTree('dataset', zip)).open(path);
  if (file === null) throw new Error(`no ${path}`);
  const input = new Input({ source: new BlobSource(await file.blob()), formats: ALL_FORMATS });
  const track = await input.getPrimaryVideoTrack();
  const config = await track?.getDecoderConfig();
  if (track === null || config === null || config === undefined) throw new Error(`no video of ${camera}`);
  const packets: VideoPackets['packets'][number][] = [];
  for await (const { type, timestamp, data } of new EncodedPacketSink(track).packets()) packets.push({ type, timestampUs: Math.round(timestamp * 1e6), data: Buffer.from(data).toString('base64') });
  const { description } = config;
  return { codec: config.codec, description: description === undefined ? '' : Buffer.from(ArrayBuffer.isView(description) ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength) : new Uint8Array(description)).toString('base64'), packets };
}
