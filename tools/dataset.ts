/**
 * `npm run dataset -- --from DIR --out DIR`: episode shards (`npm run demonstrations`) as a LeRobotDataset v3.0.
 *
 *   --from DIR     the shards; --out DIR  a folder that is not there yet
 *   --episodes N   at most so many; --failed  also episodes that did not succeed
 *
 * Rows at 30 a second. Pictures stand in the rows as PNG, without loss; a shard that kept one picture in so many ticks gives
 * each of those rows its newest picture, as a slower camera would.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { datasetFiles, type EpisodeToWrite } from '#core/recording/write.ts';
import { readShard, shardEpisode, type ReadShard } from './episodes/shard-read.ts';

const { values } = parseArgs({ options: { from: { type: 'string' }, out: { type: 'string' }, episodes: { type: 'string', default: '100000' }, failed: { type: 'boolean', default: false } } });
if (values.from === undefined || values.out === undefined) throw new Error('--from DIR holds the shards, --out DIR is made');
const [from, out] = [resolve(values.from), resolve(values.out)];
if (existsSync(out)) throw new Error(`${out} is there already`);
const most = Number(values.episodes);

/** Which shard an episode is in; the shards themselves are read one at a time. */
const places: { readonly file: string; readonly at: number }[] = [];
let cameras: ReadShard['card']['cameras'] | null = null;
let fps = 30;
for (const file of readdirSync(from).filter((name) => /\.safetensors(\.gz)?$/.test(name)).sort()) {
  const shard = readShard(readFileSync(join(from, file)), file);
  if (cameras !== null && JSON.stringify(cameras) !== JSON.stringify(shard.card.cameras)) throw new Error(`${file} has other cameras than the shards before it`);
  cameras = shard.card.cameras;
  fps = shard.card.fps;
  shard.episodes.forEach((episode, at) => {
    if (values.failed || episode.verdict.kind === 'success') places.push({ file, at });
  });
  if (places.length >= most) break;
}
if (cameras === null || places.length === 0) throw new Error(`no episodes under ${from}`);
const chosen = places.slice(0, most);

let open: { readonly file: string; readonly shard: ReadShard } | null = null;
const episode = async (index: number): Promise<EpisodeToWrite> => {
  const { file, at } = chosen[index] as (typeof chosen)[number];
  if (open?.file !== file) open = { file, shard: readShard(readFileSync(join(from, file)), file) };
  return shardEpisode(open.shard, at);
};

const began = performance.now();
let bytes = 0;
const dataset = { robotType: 'vla-playground-so100', fps, cameras: cameras.map(({ key, width, height }) => ({ key, width, height, codec: 'png' as const })), count: chosen.length, episode };
for await (const { path, content } of datasetFiles(dataset)) {
  const to = join(out, path);
  mkdirSync(dirname(to), { recursive: true });
  const data = content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : content;
  writeFileSync(to, data);
  bytes += data.length;
}
console.log(`${chosen.length} episodes, ${(bytes / 1e6).toFixed(1)} MB in ${((performance.now() - began) / 1000).toFixed(1)} s: ${out}`);
