/** A shard as the recipe reads it: offsets, names, every byte of the pictures. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { RecordedEpisode } from '#contracts/episode-api.ts';
import type { EpisodeCard, ShardCard } from '#contracts/episode.ts';
import { parseSafetensors } from '#core/conversion/safetensors.ts';
import { seededRandom } from '#core/lib/random.ts';
import { shardPlans, demonstrationRequest, refuseHeldOut } from './demonstration-plan.ts';
import { shardBytes } from './shard.ts';

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

describe('what is demonstrated', () => {
  const options = { cubes: 'mix', noise: 5, noiseShare: 0.5, mixShare: 0.7 } as const;

  it('follows from task and seed alone, in the shares that were asked for', () => {
    const all = Array.from({ length: 2000 }, (_, i) => demonstrationRequest('pick-up', 1_000_000 + i, options));
    expect(demonstrationRequest('pick-up', 1_000_007, options)).toEqual(all[7]);
    const share = (test: (request: (typeof all)[number]) => boolean): number => all.filter(test).length / all.length;
    expect(share((r) => r.injectedNoise === 5)).toBeCloseTo(0.5, 1);
    expect(share((r) => r.surroundings === 'training-mix')).toBeCloseTo(0.7, 1);
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
