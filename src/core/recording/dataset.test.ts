/** Datasets out and back, one that LeRobot's own recorder wrote, one of version 2.1, and ones that are damaged. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asFailure } from '#core/lib/failure.ts';
import { seededRandom } from '#core/lib/random.ts';
import { folderTree, type FileTree } from './files.ts';
import { readTable, tableColumns, writeTable } from './parquet.ts';
import { filled, openDataset } from './read.ts';
import { columnStatistics, pictureCounter, pictureStatistics } from './statistics.ts';
import { datasetFiles, type DatasetToWrite, type EpisodeToWrite } from './write.ts';
import { zipTree } from './zip.ts';
import { zipStream } from './zip-write.ts';

const FRONT = 'observation.images.front';
const TOP = 'observation.images.top';
const LEROBOT = join(import.meta.dirname, 'testing/lerobot');
const V21 = join(import.meta.dirname, 'testing/v21');

function episode(seed: number, rows: number): EpisodeToWrite {
  const random = seededRandom(seed);
  const numbers = (): Float32Array => Float32Array.from({ length: rows * 6 }, () => random.between(-90, 90));
  const counter = pictureCounter();
  for (let i = 0; i < rows; i++) counter.add({ width: 2, height: 2, channels: 3, data: Uint8Array.from({ length: 12 }, () => random.index(256)) });
  return { task: `task ${seed % 2}`, state: numbers(), action: numbers(), pictures: { [FRONT]: { counts: counter.counts(), content: { kind: 'video', file: new Blob([new Uint8Array([seed, rows])]) } } } };
}
function dataset(episodes: readonly EpisodeToWrite[]): DatasetToWrite {
  return { robotType: 'so100_follower', fps: 30, cameras: [{ key: FRONT, width: 2, height: 2, codec: 'h264' }], count: episodes.length, episode: async (i) => episodes[i] as EpisodeToWrite };
}
async function written(given: DatasetToWrite): Promise<Map<string, Blob>> {
  const files = new Map<string, Blob>();
  for await (const { path, content } of datasetFiles(given)) files.set(path, content instanceof Blob ? content : new Blob([content]));
  return files;
}
function folder(path: string): Map<string, Blob> {
  const all = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(all.map((entry) => [relative(path, join(entry.parentPath, entry.name)), new Blob([readFileSync(join(entry.parentPath, entry.name))])]));
}
const codeOf = (tree: FileTree | Promise<FileTree>) => Promise.resolve(tree).then(openDataset).then(() => null, asFailure);

describe('a dataset of ours', () => {
  const episodes = [episode(1, 40), episode(2, 3), episode(3, 25)];

  it('comes back number by number, as a folder and as a zip', async () => {
    const files = await written(dataset(episodes));
    const zip = await new Response(zipStream('mine', datasetFiles(dataset(episodes)))).blob();
    const outer = new Map([...files].map(([path, blob]) => [`somewhere/mine/${path}`, blob]));
    for (const tree of [folderTree('mine', files), folderTree('outer', outer), await zipTree('mine.zip', zip)]) {
      const open = await openDataset(tree);
      expect(open.info).toMatchObject({ version: 'v3.0', robotType: 'so100_follower', fps: 30, episodes: 3, frames: 68, cameras: [FRONT] });
      expect(open.episodes).toEqual([{ index: 0, task: 'task 1', rows: 40 }, { index: 1, task: 'task 0', rows: 3 }, { index: 2, task: 'task 1', rows: 25 }]);
      for (const [i, original] of episodes.entries()) {
        const back = await open.episode(i);
        expect(back.state).toEqual(original.state);
        expect(back.action).toEqual(original.action);
        expect([...back.timestamps]).toEqual(Array.from({ length: back.rows }, (_, row) => Math.fround(row / 30)));
        const video = back.videos[FRONT];
        expect(video).toEqual({ path: `videos/${FRONT}/chunk-000/file-00${i}.mp4`, fromSeconds: 0, toSeconds: back.rows / 30 });
        expect([...new Uint8Array(await (await open.video(video?.path ?? '')).arrayBuffer())]).toEqual([i + 1, back.rows]);
      }
    }
  });

  it('says of itself what LeRobot reads, with one row group an episode', async () => {
    const files = await written(dataset(episodes));
    const json = async (path: string) => JSON.parse((await files.get(path)?.text()) ?? '') as Record<string, Record<string, unknown>>;
    expect(await json('meta/info.json')).toMatchObject({ codebase_version: 'v3.0', total_tasks: 2, splits: { train: '0:3' }, features: { action: { names: ['shoulder_pan.pos', 'shoulder_lift.pos', 'elbow_flex.pos', 'wrist_flex.pos', 'wrist_roll.pos', 'gripper.pos'] }, [FRONT]: { dtype: 'video', shape: [2, 2, 3] } } });
    const stats = await json('meta/stats.json');
    const all = columnStatistics(episodes.flatMap((e) => [...e.action]), 6);
    expect(stats['action']).toEqual({ min: all.min, max: all.max, mean: all.mean, std: all.std, count: [68], ...all.quantiles });
    expect(stats[FRONT]?.['mean']).toHaveLength(3);
    expect(stats[FRONT]?.['count']).toEqual([68]);
    const rows = files.get('meta/episodes/chunk-000/file-000.parquet') as Blob;
    const columns = await tableColumns({ size: rows.size, bytes: (a, b) => rows.slice(a, b).arrayBuffer(), blob: async () => rows });
    for (const name of ['episode_index', 'tasks', 'length', 'dataset_from_index', 'dataset_to_index', `videos/${FRONT}/from_timestamp`, 'stats/action/q99', `stats/${FRONT}/mean`]) expect(columns).toContain(name);
  });

  it('refuses an episode that does not fit together', async () => {
    const short = { ...episode(1, 4), action: new Float32Array(18) };
    await expect(written(dataset([short]))).rejects.toThrow(RangeError);
    await expect(written(dataset([{ ...episode(1, 4), pictures: {} }]))).rejects.toThrow(/no pictures/);
    const broken = episode(1, 4);
    broken.state[7] = Number.NaN;
    await expect(written(dataset([broken]))).rejects.toThrow(/no number/);
  });
});

describe('what others wrote', () => {
  it("LeRobot's own recorder", async () => {
    const open = await openDataset(folderTree('lerobot', folder(LEROBOT)));
    expect(open.info).toMatchObject({ version: 'v3.0', robotType: 'so100_follower', fps: 30, episodes: 2, frames: 90, cameras: [FRONT] });
    expect(open.episodes.map(({ task, rows }) => [task, rows])).toEqual([['wave 0', 45], ['wave 1', 45]]);
    const second = await open.episode(1);
    // What evidence/lerobot-dataset.py wrote: 20 sin(t + 1), 5 t, -8 t, 2, 110, 40 + 10 t at t = 1 s.
    expect([...second.action.subarray(180, 186)]).toEqual([20 * Math.sin(2), 5, -8, 2, 110, 50].map((value) => expect.closeTo(value, 4) as number));
    expect(second.state[180]).toBeCloseTo(20 * Math.sin(2) - 0.5, 4);
    expect(second.videos[FRONT]).toEqual({ path: `videos/${FRONT}/chunk-000/file-000.mp4`, fromSeconds: 1.5, toSeconds: 3 });
    expect((await open.video(second.videos[FRONT]?.path ?? '')).size).toBe(6990);
  });

  it('the layout of version 2.1', async () => {
    const open = await openDataset(folderTree('v21', folder(V21)));
    expect(open.info).toMatchObject({ version: 'v2.1', robotType: 'so100', fps: 30, episodes: 2, frames: 90, cameras: [TOP] });
    expect(open.episodes).toEqual([{ index: 0, task: 'Wave to the left.', rows: 45 }, { index: 1, task: 'Wave to the right.', rows: 45 }]);
    for (const [index, side] of [-1, 1].entries()) {
      const episode = await open.episode(index);
      // What testing/write-v21.py wrote, at t = 1 s.
      const wanted = [side * 15 * Math.sin(1), -16, 4, 30, 5, 50];
      expect([...episode.action.subarray(180, 186)]).toEqual(wanted.map((value) => expect.closeTo(value, 4) as number));
      expect([...episode.state.subarray(180, 186)]).toEqual(wanted.map((value) => expect.closeTo(value - 0.25, 4) as number));
      expect(episode.timestamps[30]).toBe(1);
      const path = `videos/chunk-000/${TOP}/episode_00000${index}.mp4`;
      expect(episode.videos).toEqual({ [TOP]: { path, fromSeconds: 0, toSeconds: 1.5 } });
      expect((await open.video(path)).size).toBeGreaterThan(3000);
    }
    const other = folder(V21);
    other.set('data/chunk-000/episode_000001.parquet', other.get('data/chunk-000/episode_000000.parquet') as Blob);
    expect(await (await openDataset(folderTree('v21', other))).episode(1).catch(asFailure)).toMatchObject({ code: 'dataset/invalid' });
  });

  it('damaged ones are refused by file and field', async () => {
    const good = folder(LEROBOT);
    const without = (path: string) => new Map([...good].filter(([name]) => name !== path));
    const info = JSON.parse((await good.get('meta/info.json')?.text()) ?? '') as Record<string, unknown>;
    const withInfo = (change: Record<string, unknown>) => new Map([...good, ['meta/info.json', new Blob([JSON.stringify({ ...info, ...change })])]]);
    expect(await codeOf(folderTree('d', new Map()))).toEqual({ code: 'dataset/file-missing', facts: { file: 'meta/info.json', source: 'd' } });
    expect(await codeOf(folderTree('d', without('meta/episodes/chunk-000/file-000.parquet')))).toMatchObject({ code: 'dataset/file-missing' });
    expect(await codeOf(folderTree('d', withInfo({ codebase_version: 'v1.6' })))).toEqual({ code: 'dataset/unsupported', facts: { what: 'version', found: 'v1.6' } });
    expect(await codeOf(folderTree('d', withInfo({ fps: 'thirty' })))).toMatchObject({ code: 'dataset/invalid', facts: { file: 'meta/info.json: fps' } });
    expect(await codeOf(folderTree('d', withInfo({ data_path: '../../{file_index:03d}' })))).toMatchObject({ code: 'dataset/invalid' });
    expect(() => filled('/etc/passwd', {})).toThrow(/inside/);
    const table = new Uint8Array(await (good.get('meta/episodes/chunk-000/file-000.parquet') as Blob).arrayBuffer());
    const seed = 11;
    const random = seededRandom(seed);
    for (let round = 0; round < 60; round++) {
      const bytes = table.slice(0, random.index(table.length) + 1);
      for (let i = 0; i < 8; i++) bytes[random.index(bytes.length)] = random.index(256);
      const result = await codeOf(folderTree('d', new Map([...good, ['meta/episodes/chunk-000/file-000.parquet', new Blob([bytes])]])));
      if (result !== null) expect(['dataset/invalid', 'dataset/file-missing', 'dataset/unsupported'], `seed ${seed}, round ${round}: ${JSON.stringify(result)}`).toContain(result.code);
    }
  });

  it('a zip that is none, or cut short, is refused', async () => {
    const zip = await new Response(zipStream('mine', datasetFiles(dataset([episode(1, 4)])))).blob();
    expect(await codeOf(zipTree('a.zip', new Blob([new Uint8Array(100)])))).toMatchObject({ code: 'dataset/invalid' });
    expect(await codeOf(zipTree('a.zip', zip.slice(0, zip.size - 30)))).toMatchObject({ code: 'dataset/invalid' });
    expect(await codeOf(zipTree('a.zip', zip.slice(2000)))).toMatchObject({ code: 'dataset/invalid' });
  });
});

describe('statistics', () => {
  it('are what numpy says of the same numbers', () => {
    // np.quantile([1, 2, 4, 8], [.01, .1, .5, .9, .99]) and np.std, population.
    expect(columnStatistics([8, 1, 4, 2], 1)).toEqual({ min: [1], max: [8], mean: [3.75], std: [expect.closeTo(2.680951, 6)], count: 4, quantiles: { q01: [1.03], q10: [1.3], q50: [3], q90: [expect.closeTo(6.8, 12)], q99: [expect.closeTo(7.88, 12)] } });
    expect(() => columnStatistics([], 6)).toThrow(RangeError);
  });

  it('of pictures count every pixel of every colour, thinned as LeRobot thins', () => {
    const counter = pictureCounter();
    counter.add({ width: 2, height: 1, channels: 4, data: new Uint8Array([0, 51, 255, 9, 102, 51, 255, 9]) });
    const { min, max, mean, std, count, quantiles } = pictureStatistics(counter.counts());
    expect([min, max, mean, std, count]).toEqual([[0, 0.2, 1], [0.4, 0.2, 1], [0.2, 0.2, 1], [0.2, 0, 0], 1]);
    expect(quantiles.q50[0]).toBeCloseTo(0.2, 12);
    const large = pictureCounter();
    large.add({ width: 640, height: 480, channels: 3, data: new Uint8Array(640 * 480 * 3) });
    expect(large.counts().levels[0]).toBe(160 * 120);
  });

  it('tables keep lists, sentences and pictures', async () => {
    const bytes = writeTable([{ kind: 'string', name: 'task', data: ['ä', 'b'] }, { kind: 'picture', name: 'p', data: [{ bytes: new Uint8Array([1, 2]), path: 'x' }, { bytes: new Uint8Array([3]), path: 'y' }] }, { kind: 'list', of: 'double', depth: 3, name: 's', data: [[[[0.5]], [[1.5]]], [[[2.5]], [[3.5]]]] }], [1, 1]);
    const blob = new Blob([bytes]);
    const rows = await readTable({ size: blob.size, bytes: (a, b) => blob.slice(a, b).arrayBuffer(), blob: async () => blob }, { from: 1, to: 2 });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ task: 'b', s: [[[2.5]], [[3.5]]] });
  });
});
