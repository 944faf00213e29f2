/** A shard as the recipe reads it: offsets, names, every byte of the pictures. */
import { gunzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { RecordedEpisode } from '#contracts/episode-api.ts';
import type { EpisodeCard, ShardCard } from '#contracts/episode.ts';
import { parseSafetensors } from '#core/conversion/safetensors.ts';
import { seededRandom } from '#core/lib/random.ts';
import { shardPlans, demonstrationRequest, refuseHeldOut } from './demonstration-plan.ts';
import { blobFile, folderTree } from '#core/recording/files.ts';
import { readTable } from '#core/recording/parquet.ts';
import { openDataset } from '#core/recording/read.ts';
import { datasetFiles } from '#core/recording/write.ts';
import { shardBytes } from './shard.ts';
import { readShard, shardEpisode } from './shard-read.ts';

const SIDE = 4;

function episode(seed: number, ticks: number, shotTicks: readonly number[]): RecordedEpisode {
  const random = seededRandom(seed);
  const floats = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal());
  const picture = (): Uint8Array => Uint8Array.from({ length: shotTicks.length * SIDE * SIDE * 3 }, () => random.index(256));
  const card: EpisodeCard = { seed, goal: { kind: 'wave' }, sentence: 'wave', split: 'train', sceneHash: 'abc', source: 'expert', verdict: { kind: 'success', atSeconds: 1 }, ticks, injectedNoise: 0 };
  return { card, state: floats(ticks * 6), action: floats(ticks * 6), wanted: floats(ticks * 6), cubes: floats(ticks * 12), grip: floats(ticks * 3), shotTicks: Int32Array.from(shotTicks), pictures: { front: picture(), wrist: picture() } };
}

describe('a shard', () => {
  it('keeps every number and byte, and says where each episode begins', async () => {
    const episodes = [episode(1, 9, [0, 4, 8]), episode(2, 5, [0, 4])];
    const card: ShardCard = { format: 'vla-playground-episodes', version: 1, fps: 30, cameras: ['front', 'wrist'].map((short) => ({ key: `observation.images.${short}`, short, width: SIDE, height: SIDE })), pictureEveryTicks: 4, versions: {} };
    const file = parseSafetensors(new Uint8Array(gunzipSync(await shardBytes(episodes, card))), 'shard');
    const bytes = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(file.raw(name).bytes);
    const integers = (name: string): number[] => [...new Int32Array(bytes(name).buffer)];
    expect(integers('episode.first_tick')).toEqual([0, 9]);
    expect(integers('episode.first_shot')).toEqual([0, 3]);
    expect(integers('shot.tick')).toEqual([0, 4, 8, 9, 13]);
    for (const name of ['state', 'action', 'wanted', 'cubes', 'grip'] as const) {
      expect([...new Float32Array(bytes(name).buffer)], name).toEqual(episodes.flatMap((e) => [...e[name]]));
    }
    for (const short of ['front', 'wrist']) expect([...bytes(`pictures.${short}`)]).toEqual(episodes.flatMap((e) => [...(e.pictures[short] ?? [])]));
    expect(JSON.parse(file.header.metadata['episodes'] ?? '')).toEqual(episodes.map((e) => e.card));
    expect(JSON.parse(file.header.metadata['shard'] ?? '')).toEqual(card);
  });
});

describe('a shard as a LeRobot dataset', () => {
  it('has the wishes as actions, and in every row the newest picture, to the byte', async () => {
    const episodes = [episode(1, 9, [0, 4, 8]), episode(2, 5, [0, 4])];
    const card: ShardCard = { format: 'vla-playground-episodes', version: 1, fps: 30, cameras: ['front', 'wrist'].map((short) => ({ key: `observation.images.${short}`, short, width: SIDE, height: SIDE })), pictureEveryTicks: 4, versions: {} };
    const shard = readShard(await shardBytes(episodes, card), 'a.safetensors.gz');
    const files = new Map<string, Blob>();
    const dataset = { robotType: 'vla-playground-so100', fps: 30, cameras: card.cameras.map(({ key }) => ({ key, width: SIDE, height: SIDE, codec: 'png' as const })), count: 2, episode: async (at: number) => shardEpisode(shard, at) };
    for await (const { path, content } of datasetFiles(dataset)) files.set(path, new Blob([content]));
    const open = await openDataset(folderTree('d', files));
    for (const [i, original] of episodes.entries()) {
      const back = await open.episode(i);
      expect([...back.action]).toEqual([...original.wanted]);
      expect([...back.state]).toEqual([...original.state]);
    }
    const blob = files.get('data/chunk-000/file-000.parquet') as Blob;
    const rows = await readTable(blobFile(blob), { columns: ['observation.images.wrist'] });
    const pictures = rows.map((row) => rgbOf((row['observation.images.wrist'] as { readonly bytes: Uint8Array }).bytes));
    const size = SIDE * SIDE * 3;
    const shots = [0, 0, 0, 0, 1, 1, 1, 1, 2, 0, 0, 0, 0, 1];
    shots.forEach((shot, row) => expect(pictures[row], `row ${row}`).toEqual([...(episodes[row < 9 ? 0 : 1]?.pictures['wrist']?.subarray(shot * size, (shot + 1) * size) ?? [])]));
  });
});

/** A PNG of ours back to RGB: one IDAT, rows filtered by the pixel on the left. */
function rgbOf(png: Uint8Array): number[] {
  const bytes = Buffer.from(png);
  const at = bytes.indexOf('IDAT');
  const rows = inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)));
  const out: number[] = [];
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < 3 * SIDE; x++) out.push(((rows[y * (1 + 3 * SIDE) + 1 + x] as number) + (x < 3 ? 0 : (out.at(-3) as number))) & 255);
  }
  return out;
}

describe('what is demonstrated', () => {
  const options = { cubes: 'mix', noise: 5, noiseShare: 0.5, mixShare: 0.7, misledShare: 0.4, crookedShare: 0.2, actor: 'expert' } as const;

  it('follows from task and seed alone, in the shares that were asked for', () => {
    const all = Array.from({ length: 2000 }, (_, i) => demonstrationRequest('pick-up', 1_000_000 + i, options));
    expect(demonstrationRequest('pick-up', 1_000_007, options)).toEqual(all[7]);
    const share = (test: (request: (typeof all)[number]) => boolean): number => all.filter(test).length / all.length;
    expect(share((r) => r.injectedNoise === 5)).toBeCloseTo(0.5, 1);
    expect(share((r) => r.surroundings === 'training-mix')).toBeCloseTo(0.7, 1);
    expect(share((r) => r.prelude === 'misled')).toBeCloseTo(0.4, 1);
    expect(share((r) => r.prelude === 'crooked')).toBeCloseTo(0.2, 1);
    expect(demonstrationRequest('touch', 1_000_007, { ...options, misledShare: 0, crookedShare: 1 }).prelude).toBeUndefined();
    expect(share((r) => r.prelude === 'by-policy')).toBe(0);
    expect(demonstrationRequest('wave', 1_000_007, { ...options, misledShare: 1 }).prelude).toBeUndefined();
    expect(demonstrationRequest('touch', 1_000_007, { ...options, actor: 'policy-first' }).prelude).toBe('by-policy');
    expect(demonstrationRequest('touch', 1_000_007, { ...options, actor: 'policy' }).prelude).toBeUndefined();
    expect(share((r) => r.cubes === 4)).toBeCloseTo(0.5, 1);
    expect(share((r) => r.cubes === 1)).toBeGreaterThan(0.04);
    expect(all.every((r) => r.wording === 'train' && r.instruction === 'as-asked')).toBe(true);
  });

  it('never shares a table between two tasks, and never touches a held-out seed', () => {
    const plans = shardPlans(['touch', 'wave'], { first: 1_000_000, count: 120 }, 50);
    expect(plans.map((p) => p.count)).toEqual([50, 50, 50, 50, 20, 20]);
    const seeds = plans.flatMap((p) => Array.from({ length: p.count }, (_, i) => p.firstSeed + i));
    expect(new Set(seeds).size).toBe(240);
    expect(Math.min(...seeds)).toBe(1_000_000);
    expect(() => refuseHeldOut(999_999)).toThrow(/held out/);
  });
});
