/**
 * A LeRobotDataset as somebody else wrote it, version 3.0 or 2.1: what it is, and an episode at a time. Untrusted: everything
 * is checked here, with caps, and refused by file and field. Knows the layout; refuses to know who looks at it.
 */
import * as v from 'valibot';
import type { DatasetEpisode, DatasetInfo, DatasetVideo } from '#contracts/dataset.ts';
import { JOINT_COUNT, JOINT_NAMES } from '#contracts/joints.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { ByteFile, FileTree } from './files.ts';
import { readTable } from './parquet.ts';

export interface OpenDataset {
  readonly name: string;
  readonly info: DatasetInfo;
  /** Sentence and rows of each episode, in order. */
  readonly episodes: readonly { readonly index: number; readonly task: string; readonly rows: number }[];
  episode(index: number): Promise<DatasetEpisode>;
  /** The file of a `DatasetVideo`. */
  video(path: string): Promise<Blob>;
}

const MOST_JSON_BYTES = 64 << 20;
const MOST_ROWS = 10_000_000;
const MOST_EPISODES = 100_000;

const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most));
const feature = v.object({ dtype: v.string(), shape: v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), names: v.optional(v.unknown()) });
const infoFile = v.object({
  codebase_version: v.picklist(['v3.0', 'v2.1']),
  robot_type: v.nullish(v.string()),
  fps: v.pipe(v.number(), v.minValue(1), v.maxValue(1000)),
  total_episodes: count(MOST_EPISODES),
  total_frames: count(MOST_ROWS),
  chunks_size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1000),
  data_path: v.string(),
  video_path: v.nullish(v.string()),
  features: v.record(v.string(), feature),
});
type InfoFile = v.InferOutput<typeof infoFile>;

/** Where one episode lies. */
interface Place {
  readonly index: number;
  readonly task: string;
  readonly rows: number;
  readonly dataPath: string;
  /** Its first row in that file. */
  readonly at: number;
  readonly videos: Readonly<Record<string, DatasetVideo>>;
}

/** Rejects with `dataset/file-missing`, `dataset/invalid` or `dataset/unsupported`. */
export async function openDataset(tree: FileTree): Promise<OpenDataset> {
  const raw = await json(tree, 'meta/info.json');
  const version = (raw as { readonly codebase_version?: unknown } | null)?.codebase_version;
  if (version !== 'v3.0' && version !== 'v2.1') throw new FailureError('dataset/unsupported', { what: 'version', found: String(version) });
  const info = parsed(infoFile, raw, 'meta/info.json');
  for (const name of ['observation.state', 'action']) {
    const found = info.features[name];
    if (found === undefined) throw new FailureError('dataset/unsupported', { what: `feature ${name}`, found: 'none' });
    if (found.shape.length !== 1 || found.shape[0] !== JOINT_COUNT) throw new FailureError('dataset/unsupported', { what: `shape of ${name}`, found: found.shape.join(' x ') });
  }
  const places = info.codebase_version === 'v3.0' ? await placesOf30(tree, info) : await placesOf21(tree, info);
  const cameras = Object.entries(info.features)
    .filter(([, { dtype }]) => dtype === 'video' || dtype === 'image')
    .map(([key]) => key);
  return {
    name: tree.name,
    info: {
      version: info.codebase_version,
      robotType: info.robot_type ?? null,
      fps: info.fps,
      episodes: places.length,
      frames: places.reduce((sum, { rows }) => sum + rows, 0),
      features: Object.fromEntries(Object.entries(info.features).map(([key, { dtype, shape, names }]) => [key, { dtype, shape, names: Array.isArray(names) ? names.map(String) : null }])),
      cameras,
    },
    episodes: places.map(({ index, task, rows }) => ({ index, task, rows })),
    async episode(index) {
      const place = places[index];
      if (place === undefined) throw new FailureError('control/out-of-range', { what: 'episode', found: index, least: 0, most: places.length - 1 });
      const file = await wanted(tree, place.dataPath);
      const rows = await damaged(place.dataPath, () => readTable(file, { columns: ['observation.state', 'action', 'timestamp', 'episode_index'], from: place.at, to: place.at + place.rows }));
      if (rows.length !== place.rows) throw new FailureError('dataset/invalid', { file: place.dataPath, expected: `${place.rows} rows of episode ${place.index}`, found: rows.length });
      if (rows.some((row) => row['episode_index'] !== place.index)) throw new FailureError('dataset/invalid', { file: place.dataPath, expected: `rows of episode ${place.index}`, found: 'rows of another' });
      return {
        index: place.index,
        task: place.task,
        rows: place.rows,
        fps: info.fps,
        state: vectors(rows, 'observation.state', place.dataPath),
        action: vectors(rows, 'action', place.dataPath),
        timestamps: Float32Array.from(rows, (row) => Number(row['timestamp'])),
        videos: place.videos,
      };
    },
    video: async (path) => (await wanted(tree, path)).blob(),
  };
}

async function placesOf30(tree: FileTree, info: InfoFile): Promise<readonly Place[]> {
  const sentences = await tasks30(tree);
  const videoKeys = Object.entries(info.features).filter(([, { dtype }]) => dtype === 'video').map(([key]) => key);
  const columns = ['episode_index', 'tasks', 'length', 'data/chunk_index', 'data/file_index', 'dataset_from_index', ...videoKeys.flatMap((key) => ['chunk_index', 'file_index', 'from_timestamp', 'to_timestamp'].map((part) => `videos/${key}/${part}`))];
  const rows: Readonly<Record<string, unknown>>[] = [];
  for (let number = 0; rows.length < info.total_episodes; number++) {
    const path = `meta/episodes/chunk-${three(Math.floor(number / info.chunks_size))}/file-${three(number % info.chunks_size)}.parquet`;
    const file = await wanted(tree, path);
    const more = await damaged(path, () => readTable(file, { columns }));
    if (more.length === 0) throw new FailureError('dataset/invalid', { file: path, expected: `${info.total_episodes} episodes`, found: rows.length });
    rows.push(...more);
  }
  // The first row of a data file is the least of its episodes' first rows.
  const firstOfFile = new Map<string, number>();
  const dataPath = (row: Readonly<Record<string, unknown>>): string => filled(info.data_path, { chunk_index: number(row, 'data/chunk_index'), file_index: number(row, 'data/file_index') });
  for (const row of rows) firstOfFile.set(dataPath(row), Math.min(firstOfFile.get(dataPath(row)) ?? Number.MAX_SAFE_INTEGER, number(row, 'dataset_from_index')));
  return rows.map((row): Place => {
    const path = dataPath(row);
    const named = row['tasks'];
    return {
      index: number(row, 'episode_index'),
      task: Array.isArray(named) && named.length > 0 ? String(named[0]) : (sentences[0] ?? ''),
      rows: number(row, 'length'),
      dataPath: path,
      at: number(row, 'dataset_from_index') - (firstOfFile.get(path) as number),
      videos: Object.fromEntries(
        videoKeys.map((key) => [
          key,
          {
            path: filled(info.video_path ?? '', { video_key: key, chunk_index: number(row, `videos/${key}/chunk_index`), file_index: number(row, `videos/${key}/file_index`) }),
            fromSeconds: number(row, `videos/${key}/from_timestamp`),
            toSeconds: number(row, `videos/${key}/to_timestamp`),
          },
        ]),
      ),
    };
  });
}

/** Sentences by number; the column of pandas' index has one of two names. */
async function tasks30(tree: FileTree): Promise<readonly string[]> {
  const file = await wanted(tree, 'meta/tasks.parquet');
  const rows = await damaged('meta/tasks.parquet', () => readTable(file));
  return rows.map((row) => String(row['task'] ?? row['__index_level_0__'] ?? ''));
}

const episodeLine = v.object({ episode_index: count(MOST_EPISODES), tasks: v.array(v.string()), length: count(MOST_ROWS) });

async function placesOf21(tree: FileTree, info: InfoFile): Promise<readonly Place[]> {
  const path = 'meta/episodes.jsonl';
  const lines = (await textOf(tree, path)).split('\n').filter((line) => line.trim() !== '');
  if (lines.length > MOST_EPISODES) throw new FailureError('dataset/invalid', { file: path, expected: `at most ${MOST_EPISODES} episodes`, found: lines.length });
  const videoKeys = Object.entries(info.features).filter(([, { dtype }]) => dtype === 'video').map(([key]) => key);
  return lines.map((line): Place => {
    const { episode_index: index, tasks, length } = parsed(episodeLine, parse(line, path), path);
    const places = { episode_index: index, episode_chunk: Math.floor(index / info.chunks_size) };
    return {
      index,
      task: tasks[0] ?? '',
      rows: length,
      dataPath: filled(info.data_path, places),
      at: 0,
      videos: Object.fromEntries(videoKeys.map((key) => [key, { path: filled(info.video_path ?? '', { ...places, video_key: key }), fromSeconds: 0, toSeconds: length / info.fps }])),
    };
  });
}

/** Python's format strings, as much as these paths use: `{file_index:03d}`, `{video_key}`. A path never leaves the dataset. */
export function filled(template: string, values: Readonly<Record<string, string | number>>): string {
  const path = template.replace(/\{(\w+)(?::0(\d)d)?\}/g, (whole, name: string, width: string | undefined) => {
    const value = values[name];
    if (value === undefined) throw new FailureError('dataset/invalid', { file: 'meta/info.json', expected: 'a path of known names', found: whole });
    return width === undefined ? String(value) : String(value).padStart(Number(width), '0');
  });
  if (path === '' || path.startsWith('/') || path.split('/').includes('..')) throw new FailureError('dataset/invalid', { file: 'meta/info.json', expected: 'a path inside the dataset', found: path });
  return path;
}

function vectors(rows: readonly Readonly<Record<string, unknown>>[], name: string, file: string): Float32Array {
  const out = new Float32Array(rows.length * JOINT_COUNT);
  rows.forEach((row, i) => {
    const value = row[name];
    const list = Array.isArray(value) ? value : ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : [];
    if (list.length !== JOINT_COUNT || !list.every((one) => typeof one === 'number' && Number.isFinite(one))) {
      throw new FailureError('dataset/invalid', { file, expected: `${JOINT_NAMES.length} numbers of ${name}`, found: `row ${i}: ${String(value).slice(0, 60)}` });
    }
    out.set(list as number[], i * JOINT_COUNT);
  });
  return out;
}

function number(row: Readonly<Record<string, unknown>>, name: string): number {
  const value = row[name];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new FailureError('dataset/invalid', { file: 'meta/episodes', expected: name, found: String(value) });
  return value;
}

async function wanted(tree: FileTree, path: string): Promise<ByteFile> {
  const file = await tree.open(path);
  if (file === null) throw new FailureError('dataset/file-missing', { file: path, source: tree.name });
  return file;
}

async function textOf(tree: FileTree, path: string): Promise<string> {
  const file = await wanted(tree, path);
  if (file.size > MOST_JSON_BYTES) throw new FailureError('dataset/invalid', { file: path, expected: `at most ${MOST_JSON_BYTES} bytes`, found: file.size });
  return new TextDecoder().decode(await file.bytes(0, file.size));
}

async function json(tree: FileTree, path: string): Promise<unknown> {
  return parse(await textOf(tree, path), path);
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    throw new FailureError('dataset/invalid', { file, expected: 'JSON', found: String(thrown) });
  }
}

function parsed<Schema extends v.GenericSchema>(schema: Schema, value: unknown, file: string): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new FailureError('dataset/invalid', { file: `${file}: ${v.getDotPath(issue) ?? ''}`, expected: issue.expected ?? issue.message, found: issue.received });
}

/** What a parquet reader throws is about a damaged file. */
async function damaged<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof FailureError) throw thrown;
    throw new FailureError('dataset/invalid', { file, expected: 'a readable parquet table', found: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}

function three(value: number): string {
  return String(value).padStart(3, '0');
}
