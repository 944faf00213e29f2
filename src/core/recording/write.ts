/**
 * Episodes as a LeRobotDataset v3.0: every file of it, one after another, so that a dataset larger than memory can be written.
 * Knows the layout; refuses to know where the files go and where the episodes came from.
 *
 *   data/chunk-000/file-000.parquet                    rows of many episodes, one row group an episode
 *   videos/<camera>/chunk-000/file-000.mp4             one file an episode: nothing is encoded twice to join them
 *   meta/info.json stats.json tasks.parquet            what it is, what to normalise with, the sentences
 *   meta/episodes/chunk-000/file-000.parquet           where each episode lies, and its own statistics
 *
 * LeRobot finds an episode's video by the chunk and file numbers in its row, so many small files are as good as few large ones.
 */
import type { FeatureStatistics } from '#contracts/dataset.ts';
import { JOINT_COUNT, JOINT_NAMES } from '#contracts/joints.ts';
import { addCounts, columnStatistics, pictureStatistics, type PictureCounts } from './statistics.ts';
import { writeTable, type Column } from './parquet.ts';

export interface CameraToWrite {
  /** `observation.images.<name>`. */
  readonly key: string;
  readonly width: number;
  readonly height: number;
  /** As FFmpeg names it; `png`: pictures inside the rows. */
  readonly codec: 'h264' | 'vp9' | 'av1' | 'png';
}

export interface EpisodeToWrite {
  readonly task: string;
  /** rows x 6, LeRobot joint units. */
  readonly state: Float32Array;
  readonly action: Float32Array;
  readonly pictures: Readonly<Record<string, EpisodePictures>>;
}

export interface EpisodePictures {
  readonly counts: PictureCounts;
  /** One mp4 of exactly as many frames as rows, at the dataset's rate; or an encoded PNG a row. */
  readonly content: { readonly kind: 'video'; readonly file: Blob | Uint8Array<ArrayBuffer> } | { readonly kind: 'png'; readonly frame: (row: number) => Uint8Array };
}

export interface DatasetToWrite {
  readonly robotType: string;
  readonly fps: number;
  readonly cameras: readonly CameraToWrite[];
  readonly count: number;
  /** Read one at a time, in order, once. */
  readonly episode: (index: number) => Promise<EpisodeToWrite>;
}

export interface FileToWrite {
  readonly path: string;
  readonly content: Blob | Uint8Array<ArrayBuffer>;
}

const FILES_A_CHUNK = 1000;
const DATA_FILE_BYTES = 100 << 20;
const VIDEO_FILE_MB = 200;
const STATE = 'observation.state';
const ACTION = 'action';
const INDEXES = ['timestamp', 'frame_index', 'episode_index', 'index', 'task_index'] as const;

interface EpisodeRow {
  readonly task: string;
  readonly rows: number;
  readonly from: number;
  readonly dataFile: number;
  readonly statistics: ReadonlyMap<string, FeatureStatistics>;
}

/** Rows that wait to be written as one data file. */
interface DataFile {
  readonly number: number;
  readonly episodes: { readonly index: number; readonly from: number; readonly task: number; readonly episode: EpisodeToWrite }[];
  bytes: number;
}

/** Every file of the dataset. Throws RangeError where an episode does not fit together. */
export async function* datasetFiles(dataset: DatasetToWrite): AsyncGenerator<FileToWrite> {
  const tasks: string[] = [];
  const written: EpisodeRow[] = [];
  const all = { state: [] as Float32Array[], action: [] as Float32Array[], index: [] as Float64Array[][], counts: new Map<string, PictureCounts[]>() };
  let rows = 0;
  let data: DataFile = { number: 0, episodes: [], bytes: 0 };
  for (let index = 0; index < dataset.count; index++) {
    const episode = await dataset.episode(index);
    const length = checked(dataset, episode, index);
    if (!tasks.includes(episode.task)) tasks.push(episode.task);
    const task = tasks.indexOf(episode.task);
    const columns = indexColumns({ rows: length, fps: dataset.fps, episode: index, from: rows, task });
    const statistics = new Map<string, FeatureStatistics>([
      [STATE, columnStatistics(episode.state, JOINT_COUNT)],
      [ACTION, columnStatistics(episode.action, JOINT_COUNT)],
      ...INDEXES.map((name, i): [string, FeatureStatistics] => [name, columnStatistics(columns[i] as Float64Array, 1)]),
    ]);
    for (const camera of dataset.cameras) {
      const { counts, content } = episode.pictures[camera.key] as EpisodePictures;
      statistics.set(camera.key, pictureStatistics(counts));
      all.counts.set(camera.key, [...(all.counts.get(camera.key) ?? []), counts]);
      if (content.kind === 'video') yield { path: videoPath(camera.key, index), content: content.file };
    }
    all.state.push(episode.state);
    all.action.push(episode.action);
    all.index.push(columns);
    data.episodes.push({ index, from: rows, task, episode });
    data.bytes += length * bytesARow(dataset, episode);
    written.push({ task: episode.task, rows: length, from: rows, dataFile: data.number, statistics });
    rows += length;
    if (data.bytes > DATA_FILE_BYTES || index === dataset.count - 1) {
      yield { path: dataPath(data.number), content: dataTable(dataset, data) };
      data = { number: data.number + 1, episodes: [], bytes: 0 };
    }
  }
  const overall = new Map<string, FeatureStatistics>([
    [STATE, columnStatistics(joined(all.state), JOINT_COUNT)],
    [ACTION, columnStatistics(joined(all.action), JOINT_COUNT)],
    ...INDEXES.map((name, i): [string, FeatureStatistics] => [name, columnStatistics(joined(all.index.map((columns) => columns[i] as Float64Array)), 1)]),
    ...dataset.cameras.map(({ key }): [string, FeatureStatistics] => [key, pictureStatistics(addCounts(all.counts.get(key) ?? []))]),
  ]);
  const pictures = new Set(dataset.cameras.map(({ key }) => key));
  yield { path: 'meta/episodes/chunk-000/file-000.parquet', content: episodesTable(dataset, written) };
  yield { path: 'meta/tasks.parquet', content: tasksTable(tasks) };
  yield { path: 'meta/stats.json', content: text(Object.fromEntries([...overall].map(([key, one]) => [key, statisticsJson(one, pictures.has(key) ? 'picture' : 'row')]))) };
  yield { path: 'meta/info.json', content: text(infoJson(dataset, { rows, tasks: tasks.length })) };
}

function checked(dataset: DatasetToWrite, { state, action, pictures }: EpisodeToWrite, index: number): number {
  const length = state.length / JOINT_COUNT;
  if (!Number.isInteger(length) || length < 1 || action.length !== state.length) throw new RangeError(`episode ${index}: ${state.length} state and ${action.length} action values`);
  for (const { key } of dataset.cameras) {
    const found = pictures[key];
    if (found === undefined) throw new RangeError(`episode ${index} has no pictures of ${key}`);
    if (found.counts.frames < 1) throw new RangeError(`episode ${index}: no frame of ${key} was counted`);
  }
  return length;
}

/** In the order of INDEXES. The timestamp is the row over the rate, exactly, as LeRobot checks it. */
function indexColumns(given: { readonly rows: number; readonly fps: number; readonly episode: number; readonly from: number; readonly task: number }): Float64Array[] {
  const column = (value: (row: number) => number): Float64Array => Float64Array.from({ length: given.rows }, (_, row) => value(row));
  return [column((row) => Math.fround(row / given.fps)), column((row) => row), column(() => given.episode), column((row) => given.from + row), column(() => given.task)];
}

function bytesARow({ cameras }: DatasetToWrite, { pictures }: EpisodeToWrite): number {
  const inRows = cameras.reduce((sum, { key }) => {
    const content = pictures[key]?.content;
    return sum + (content?.kind === 'png' ? content.frame(0).length : 0);
  }, 0);
  return 2 * 4 * JOINT_COUNT + 8 * INDEXES.length + inRows;
}

function dataTable(dataset: DatasetToWrite, file: DataFile): Uint8Array<ArrayBuffer> {
  const vectors = (pick: (episode: EpisodeToWrite) => Float32Array): readonly (readonly number[])[] =>
    file.episodes.flatMap(({ episode }) => Array.from({ length: pick(episode).length / JOINT_COUNT }, (_, row) => Array.from(pick(episode).subarray(row * JOINT_COUNT, (row + 1) * JOINT_COUNT))));
  const lengths = file.episodes.map(({ episode }) => episode.state.length / JOINT_COUNT);
  const indexes = file.episodes.map(({ index, from, task }, i) => indexColumns({ rows: lengths[i] as number, fps: dataset.fps, episode: index, from, task }));
  const scalars = INDEXES.map((name, i): Column => ({ kind: name === 'timestamp' ? 'float' : 'int64', name, data: indexes.flatMap((columns) => Array.from(columns[i] as Float64Array)) }));
  const inRows = dataset.cameras
    .filter(({ codec }) => codec === 'png')
    .map(({ key }): Column => ({ kind: 'picture', name: key, data: file.episodes.flatMap(({ episode, index }, i) => Array.from({ length: lengths[i] as number }, (_, row) => ({ bytes: frameOf(episode, key, row), path: `${key}-${index}-${row}.png` }))) }));
  return writeTable([{ kind: 'list', of: 'float', depth: 1, name: STATE, data: vectors(({ state }) => state) }, { kind: 'list', of: 'float', depth: 1, name: ACTION, data: vectors(({ action }) => action) }, ...inRows, ...scalars], lengths);
}

function frameOf(episode: EpisodeToWrite, key: string, row: number): Uint8Array {
  const content = episode.pictures[key]?.content;
  if (content?.kind !== 'png') throw new RangeError(`${key} is a video in one episode and pictures in another`);
  return content.frame(row);
}

function episodesTable(dataset: DatasetToWrite, episodes: readonly EpisodeRow[]): Uint8Array<ArrayBuffer> {
  const int = (name: string, value: (row: EpisodeRow, index: number) => number): Column => ({ kind: 'int64', name, data: episodes.map(value) });
  const videos = dataset.cameras
    .filter(({ codec }) => codec !== 'png')
    .flatMap(({ key }): Column[] => [
      int(`videos/${key}/chunk_index`, (_, index) => Math.floor(index / FILES_A_CHUNK)),
      int(`videos/${key}/file_index`, (_, index) => index % FILES_A_CHUNK),
      { kind: 'double', name: `videos/${key}/from_timestamp`, data: episodes.map(() => 0) },
      { kind: 'double', name: `videos/${key}/to_timestamp`, data: episodes.map(({ rows }) => rows / dataset.fps) },
    ]);
  const pictures = new Set(dataset.cameras.map(({ key }) => key));
  const statistics = [...(episodes[0]?.statistics.keys() ?? [])].flatMap((feature): Column[] => {
    const shape = pictures.has(feature) ? 'picture' : 'row';
    const json = episodes.map((episode) => statisticsJson(episode.statistics.get(feature) as FeatureStatistics, shape));
    return Object.keys(json[0] ?? {}).map((name): Column => {
      const data = json.map((one) => one[name] as readonly unknown[]);
      return name === 'count' ? { kind: 'list', of: 'int64', depth: 1, name: `stats/${feature}/${name}`, data: data.map((one) => (one as readonly number[]).map(BigInt)) } : { kind: 'list', of: 'double', depth: shape === 'picture' ? 3 : 1, name: `stats/${feature}/${name}`, data };
    });
  });
  const columns: Column[] = [
    int('episode_index', (_, index) => index),
    { kind: 'list', of: 'string', depth: 1, name: 'tasks', data: episodes.map(({ task }) => [task]) },
    int('length', ({ rows }) => rows),
    int('data/chunk_index', ({ dataFile }) => Math.floor(dataFile / FILES_A_CHUNK)),
    int('data/file_index', ({ dataFile }) => dataFile % FILES_A_CHUNK),
    int('dataset_from_index', ({ from }) => from),
    int('dataset_to_index', ({ from, rows }) => from + rows),
    ...videos,
    ...statistics,
    int('meta/episodes/chunk_index', () => 0),
    int('meta/episodes/file_index', () => 0),
  ];
  return writeTable(columns, [episodes.length]);
}

/** LeRobot reads it with pandas and takes the sentence from the frame's index, which pandas' own note says is `task`. */
function tasksTable(tasks: readonly string[]): Uint8Array<ArrayBuffer> {
  const column = (name: string, type: string, numpy: string) => ({ name, field_name: name, pandas_type: type, numpy_type: numpy, metadata: null });
  const pandas = {
    index_columns: ['task'],
    column_indexes: [{ name: null, field_name: null, pandas_type: 'unicode', numpy_type: 'object', metadata: { encoding: 'UTF-8' } }],
    columns: [column('task_index', 'int64', 'int64'), column('task', 'unicode', 'object')],
    creator: { library: 'vla-playground', version: '1' },
    pandas_version: '2.2.3',
  };
  return writeTable([{ kind: 'int64', name: 'task_index', data: tasks.map((_, i) => i) }, { kind: 'string', name: 'task', data: tasks }], [Math.max(1, tasks.length)], { pandas: JSON.stringify(pandas) });
}

/** Lists, as LeRobot writes them; of pictures 3 x 1 x 1, so that they fit over channels, rows and columns. */
function statisticsJson(one: FeatureStatistics, shape: 'picture' | 'row'): Readonly<Record<string, readonly unknown[]>> {
  const shaped = (values: readonly number[]): readonly unknown[] => (shape === 'picture' ? values.map((value) => [[value]]) : values);
  return {
    min: shaped(one.min),
    max: shaped(one.max),
    mean: shaped(one.mean),
    std: shaped(one.std),
    count: [one.count],
    ...Object.fromEntries(Object.entries(one.quantiles).map(([name, values]) => [name, shaped(values)])),
  };
}

function infoJson(dataset: DatasetToWrite, totals: { readonly rows: number; readonly tasks: number }): unknown {
  const joints = { dtype: 'float32', shape: [JOINT_COUNT], names: JOINT_NAMES.map((name) => `${name}.pos`) };
  const scalar = (dtype: string) => ({ dtype, shape: [1], names: null });
  const camera = ({ width, height, codec }: CameraToWrite) => ({
    dtype: codec === 'png' ? 'image' : 'video',
    shape: [height, width, 3],
    names: ['height', 'width', 'channels'],
    ...(codec === 'png'
      ? {}
      : { info: { 'video.height': height, 'video.width': width, 'video.codec': codec, 'video.pix_fmt': 'yuv420p', 'video.is_depth_map': false, 'video.fps': dataset.fps, 'video.channels': 3, has_audio: false } }),
  });
  return {
    codebase_version: 'v3.0',
    robot_type: dataset.robotType,
    total_episodes: dataset.count,
    total_frames: totals.rows,
    total_tasks: totals.tasks,
    chunks_size: FILES_A_CHUNK,
    data_files_size_in_mb: DATA_FILE_BYTES >> 20,
    video_files_size_in_mb: VIDEO_FILE_MB,
    fps: dataset.fps,
    splits: { train: `0:${dataset.count}` },
    data_path: 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet',
    video_path: dataset.cameras.some(({ codec }) => codec !== 'png') ? 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4' : null,
    features: {
      [ACTION]: joints,
      [STATE]: joints,
      ...Object.fromEntries(dataset.cameras.map((one) => [one.key, camera(one)])),
      timestamp: scalar('float32'),
      ...Object.fromEntries(INDEXES.slice(1).map((name) => [name, scalar('int64')])),
    },
  };
}

function numbered(index: number): string {
  const three = (value: number): string => String(value).padStart(3, '0');
  return `chunk-${three(Math.floor(index / FILES_A_CHUNK))}/file-${three(index % FILES_A_CHUNK)}`;
}

function dataPath(file: number): string {
  return `data/${numbered(file)}.parquet`;
}

function videoPath(key: string, index: number): string {
  return `videos/${key}/${numbered(index)}.mp4`;
}

function joined(parts: readonly (Float32Array | Float64Array)[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function text(json: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(json, null, 4)}\n`) as Uint8Array<ArrayBuffer>;
}
