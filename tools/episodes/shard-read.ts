/** A shard back to episodes, and each of them as a LeRobot dataset has it. Layout: `contracts/episode.ts`. */
import { gunzipSync } from 'node:zlib';
import type { EpisodeCard, ShardCard } from '#contracts/episode.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import { parseSafetensors } from '#core/conversion/safetensors.ts';
import { pictureCounter } from '#core/recording/statistics.ts';
import type { EpisodePictures, EpisodeToWrite } from '#core/recording/write.ts';
import { pngOf } from './png.ts';

export interface ReadShard {
  readonly card: ShardCard;
  readonly episodes: readonly EpisodeCard[];
  readonly tensor: (name: string) => Uint8Array<ArrayBuffer>;
}

export function readShard(bytes: Buffer, name: string): ReadShard {
  const file = parseSafetensors(new Uint8Array(name.endsWith('.gz') ? gunzipSync(bytes) : bytes), name);
  const { metadata } = file.header;
  return {
    card: JSON.parse(metadata['shard'] ?? 'null') as ShardCard,
    episodes: JSON.parse(metadata['episodes'] ?? '[]') as readonly EpisodeCard[],
    tensor: (tensor) => new Uint8Array(file.raw(tensor).bytes),
  };
}

/** Actions are what was wanted: what expert or policy asked for, before the gate, as the training recipe takes them. */
export function shardEpisode({ card, episodes, tensor }: ReadShard, at: number): EpisodeToWrite {
  const integers = (name: string): Int32Array => new Int32Array(tensor(name).buffer);
  const firstTicks = integers('episode.first_tick');
  const firstShots = integers('episode.first_shot');
  const { ticks, sentence } = episodes[at] as EpisodeCard;
  const first = firstTicks[at] as number;
  const shots = integers('shot.tick');
  const [shotFrom, shotTo] = [firstShots[at] as number, firstShots[at + 1] ?? shots.length];
  const rows = (name: string): Float32Array => new Float32Array(tensor(name).buffer).slice(first * JOINT_COUNT, (first + ticks) * JOINT_COUNT);
  /** The newest instant at or before each tick. */
  const shotOf = Int32Array.from({ length: ticks }, (_, tick) => {
    let shot = shotFrom;
    while (shot + 1 < shotTo && (shots[shot + 1] as number) <= first + tick) shot++;
    return shot;
  });
  const pictures = Object.fromEntries(
    card.cameras.map(({ key, short, width, height }): [string, EpisodePictures] => {
      const all = tensor(`pictures.${short}`);
      const size = width * height * 3;
      const counter = pictureCounter();
      for (const shot of shotOf) counter.add({ width, height, channels: 3, data: all.subarray(shot * size, (shot + 1) * size) });
      const encoded = new Map<number, Uint8Array>();
      const frame = (row: number): Uint8Array => {
        const shot = shotOf[row] as number;
        const png = encoded.get(shot) ?? pngOf(width, height, all.subarray(shot * size, (shot + 1) * size));
        encoded.set(shot, png);
        return png;
      };
      return [key, { counts: counter.counts(), content: { kind: 'png', frame } }];
    }),
  );
  return { task: sentence, state: rows('state'), action: rows('wanted'), pictures };
}
