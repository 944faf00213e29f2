/**
 * The recording worker's verbs. Rows are taken as the control loop makes them; frames of real cameras are encoded as they come;
 * pictures of simulated cameras are drawn afterwards, from where everything stood at each row, so that recording costs the
 * running arm nothing and a picture shows exactly its row's instant. A plain class over its parts.
 */
import type { TickReport } from '#contracts/control.ts';
import type { DatasetEpisode } from '#contracts/dataset.ts';
import type { Failure, Outcome } from '#contracts/failure.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { Picture } from '#contracts/picture.ts';
import type { Alignment, DatasetFiles, EpisodeSummary, OpenedDataset, RecordingApi, RecordingCamera, RecordingStart, RecordingStatus } from '#contracts/recording.ts';
import type { SceneDescription } from '#contracts/scene.ts';
import type { Clock } from '#contracts/time.ts';
import { planesToRgb, type FramePlanes } from '#core/camera/planes.ts';
import { asFailure, FailureError, outcome } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import { folderTree, type FileTree } from '#core/recording/files.ts';
import { openDataset, type OpenDataset } from '#core/recording/read.ts';
import { pictureCounter, type PictureCounter } from '#core/recording/statistics.ts';
import { videoWriter, type VideoWriter } from '#core/recording/video.ts';
import { datasetFiles, type DatasetToWrite, type EpisodePictures } from '#core/recording/write.ts';
import { zipTree } from '#core/recording/zip.ts';
import { zipStream } from '#core/recording/zip-write.ts';
import type { CameraRenderer } from '#core/world/cameras.ts';
import type { EpisodeFolder, EpisodeStore, StoredEpisode } from './episode-store.ts';
import type { Frames } from './frames.ts';
import { hubTree } from './hub-tree.ts';
import { episodeRows, ROW_NUMBERS, type Rows } from './rows.ts';
import { silence, type Silence } from './silence.ts';

export interface RecordingParts {
  readonly store: EpisodeStore;
  readonly clock: Clock;
  readonly memory: { readonly arm: SharedArrayBuffer; readonly poses: SharedArrayBuffer };
  readonly frames: Frames;
  /** Opened when the first simulated picture is drawn. */
  readonly openRenderer: (scene: SceneDescription) => CameraRenderer;
  readonly room: () => Promise<{ readonly usedBytes: number; readonly freeBytes: number }>;
}

interface Filming {
  readonly camera: RecordingCamera;
  readonly writer: VideoWriter;
  readonly handle: FileSystemSyncAccessHandle;
  readonly counter: PictureCounter;
  lastSequence: number;
  readonly silence: Silence;
}

interface Recording {
  readonly start: RecordingStart;
  readonly folder: EpisodeFolder;
  readonly rows: Rows;
  readonly films: readonly Filming[];
  readonly frameErrors: number[];
  repeatedFrames: number;
  mostWaiting: number;
  over: boolean;
}

/** The control loop reports ten times a second; what it says of the last rows comes this late on a busy machine. */
const LAST_REPORT_MS = 300;
/** The control loop ticks every 33 ms; a row is seen at most this much later, and its poses with it. */
const LOOK_EVERY_MS = 3;
/** However late, an older picture is of no row. */
const OLDEST_FRAME_MS = 2000;
/** Every so many rows of a real camera are counted for the statistics: converting every frame costs 4 ms each. */
const COUNT_EVERY = 5;
/** Two seconds of two cameras waiting for the encoder: it will not catch up. */
const MOST_WAITING = 120;
/** A camera needs up to a second to wake, and a busy machine longer; one that has sent nothing by then is named. */
const FIRST_FRAME_LIMIT_MS = 8000;
/** A camera that is on already sends within a tenth of a second. */
const USUAL_FIRST_FRAME_MS = 1000;
const LEAST_ROOM_BYTES = 200 << 20;

export class RecordingService implements RecordingApi {
  readonly #parts: RecordingParts;
  #recording: Recording | null = null;
  #drawing: RecordingStatus['drawing'] = null;
  #failure: Failure | null = null;
  #renderer: CameraRenderer | null = null;
  #queue: Promise<void> = Promise.resolve();
  #open: OpenDataset | null = null;

  constructor(parts: RecordingParts) {
    this.#parts = parts;
    // A visit that ended while pictures were being drawn.
    for (const { summary } of parts.store.list()) this.#draw(summary.id);
  }

  /** What the control loop says of its ticks. */
  ticks(ticks: readonly TickReport[]): void {
    this.#recording?.rows.take(ticks);
  }

  status(): Promise<Outcome<RecordingStatus>> {
    return outcome(async () => {
      const now = this.#recording;
      return {
        now: now === null ? null : { task: now.start.task, rows: now.rows.count, seconds: now.rows.count / now.start.fps, lateTicks: now.rows.lateTicks, repeatedFrames: now.repeatedFrames, mostWaiting: now.mostWaiting },
        drawing: this.#drawing,
        episodes: this.#parts.store.list().map(({ summary }) => summary),
        cutOff: this.#parts.store.cutOff,
        failure: this.#failure,
        ...(await this.#parts.room()),
      };
    });
  }

  streamsArrived(cameras: readonly string[]): Promise<Outcome<null>> {
    return outcome(async () => {
      await this.#allAre(cameras, (camera) => this.#parts.frames.bound(camera), 'did not reach the recorder');
      return null;
    });
  }

  withoutPicture(cameras: readonly string[]): Promise<Outcome<readonly string[]>> {
    const { frames } = this.#parts;
    // One that is here already says nothing of a camera that has stopped since.
    const known = new Map(cameras.map((camera) => [camera, frames.newest(camera)?.sequence ?? null]));
    return outcome(() => this.#waitFor(cameras, (camera) => (frames.newest(camera)?.sequence ?? null) !== known.get(camera), USUAL_FIRST_FRAME_MS));
  }

  begin(start: RecordingStart): Promise<Outcome<null>> {
    return outcome(async () => {
      if (this.#recording !== null) throw new FailureError('run/already-running');
      const { freeBytes } = await this.#parts.room();
      if (freeBytes < LEAST_ROOM_BYTES) throw new FailureError('recording/no-room', { freeBytes });
      this.#failure = null;
      // Only then can the first row have one.
      await this.#allAre(start.cameras.filter(({ source }) => source === 'real').map(({ key }) => key), (camera) => this.#parts.frames.newest(camera) !== null, 'sends no pictures of anything');
      const folder = await this.#parts.store.create(crypto.randomUUID());
      const films: Filming[] = [];
      try {
        for (const camera of start.cameras.filter(({ source }) => source === 'real')) {
          const handle = await folder.open(`${camera.key}.mp4`);
          const writer = await videoWriter({ width: camera.width, height: camera.height, fps: start.fps, write: (data, at) => void handle.write(data, { at }) });
          films.push({ camera, writer, handle, counter: pictureCounter(), lastSequence: 0, silence: silence() });
        }
      } catch (thrown) {
        for (const { handle } of films) handle.close();
        await this.#parts.store.remove(folder.id);
        throw thrown;
      }
      const rows = episodeRows({ ...this.#parts.memory, fps: start.fps, bodies: start.scene.bodies.names.length });
      const recording: Recording = { start, folder, rows, films, frameErrors: [], repeatedFrames: 0, mostWaiting: 0, over: false };
      this.#recording = recording;
      void this.#follow(recording);
      return null;
    });
  }

  /** Names the first that is not so after the longest wait. */
  async #allAre(cameras: readonly string[], is: (camera: string) => boolean, otherwise: string): Promise<void> {
    const [first] = await this.#waitFor(cameras, is, FIRST_FRAME_LIMIT_MS);
    if (first !== undefined) throw new FailureError('recording/ended', { reason: `The ${nameOf(first)} camera ${otherwise}` });
  }

  /** Which are still not so after `limitMs`. */
  async #waitFor(cameras: readonly string[], is: (camera: string) => boolean, limitMs: number): Promise<readonly string[]> {
    const { clock } = this.#parts;
    const giveUpAtMs = clock.nowMs() + limitMs;
    for (;;) {
      const missing = cameras.filter((camera) => !is(camera));
      if (missing.length === 0 || clock.nowMs() > giveUpAtMs) return missing;
      await clock.sleepUntil(clock.nowMs() + LOOK_EVERY_MS);
    }
  }

  end(what: 'keep' | 'discard'): Promise<Outcome<EpisodeSummary | null>> {
    return outcome(async () => {
      const recording = this.#recording;
      if (recording === null) return null;
      recording.over = true;
      if (what === 'discard' || recording.rows.count < 2) {
        this.#recording = null;
        await this.#abandon(recording);
        return null;
      }
      await this.#parts.clock.sleepUntil(this.#parts.clock.nowMs() + LAST_REPORT_MS);
      this.#recording = null;
      const stored = await this.#keep(recording);
      this.#draw(stored.summary.id);
      return stored.summary;
    });
  }

  remove(id: string): Promise<Outcome<null>> {
    return outcome(async () => {
      await this.#parts.store.remove(id);
      return null;
    });
  }

  recorded(id: string): Promise<Outcome<DatasetEpisode>> {
    return outcome(async () => {
      const stored = this.#stored(id);
      const { summary } = stored;
      const numbers = await this.#numbers(id);
      const pick = (from: number): Float32Array => Float32Array.from({ length: summary.rows * JOINT_COUNT }, (_, i) => numbers[Math.floor(i / JOINT_COUNT) * ROW_NUMBERS + from + (i % JOINT_COUNT)] as number);
      return {
        index: this.#parts.store.list().indexOf(stored),
        task: summary.task,
        rows: summary.rows,
        fps: summary.fps,
        state: pick(1),
        action: pick(1 + JOINT_COUNT),
        timestamps: Float32Array.from({ length: summary.rows }, (_, row) => row / summary.fps),
        videos: Object.fromEntries(Object.keys(stored.videos).map((key) => [key, { path: `${RECORDED}${id}/${key}.mp4`, fromSeconds: 0, toSeconds: summary.rows / summary.fps }])),
      };
    });
  }

  exportZip(name: string): Promise<Outcome<File>> {
    return outcome(async () => {
      const dataset = await this.#dataset();
      const { handle, file } = await this.#parts.store.scratch('export.zip');
      let at = 0;
      try {
        const reader = zipStream(name, datasetFiles(dataset)).getReader();
        for (let next = await reader.read(); !next.done; next = await reader.read()) at += handle.write(next.value as Uint8Array<ArrayBuffer>, { at });
        handle.flush();
      } finally {
        handle.close();
      }
      return new File([await file()], `${name}.zip`, { type: 'application/zip' });
    });
  }

  exportFolder(folder: FileSystemDirectoryHandle): Promise<Outcome<{ readonly files: number; readonly bytes: number }>> {
    return outcome(async () => {
      let files = 0;
      let bytes = 0;
      for await (const { path, content } of datasetFiles(await this.#dataset())) {
        const parts = path.split('/');
        const name = parts.pop() as string;
        let directory = folder;
        for (const part of parts) directory = await directory.getDirectoryHandle(part, { create: true });
        const to = await (await directory.getFileHandle(name, { create: true })).createWritable();
        await to.write(content);
        await to.close();
        files++;
        bytes += content instanceof Blob ? content.size : content.length;
      }
      return { files, bytes };
    });
  }

  open(files: DatasetFiles): Promise<Outcome<OpenedDataset>> {
    return outcome(async () => {
      this.#open = await openDataset(await treeOf(files));
      const { name, info, episodes } = this.#open;
      return { name, info, episodes };
    });
  }

  episode(index: number): Promise<Outcome<DatasetEpisode>> {
    return outcome(() => {
      if (this.#open === null) throw new FailureError('dataset/file-missing', { file: 'meta/info.json', source: 'nothing' });
      return this.#open.episode(index);
    });
  }

  video(path: string): Promise<Outcome<Blob>> {
    return outcome(async () => {
      if (path.startsWith(RECORDED)) {
        const [id = '', name = ''] = path.slice(RECORDED.length).split('/');
        return (await this.#parts.store.folder(this.#stored(id).summary.id)).file(name);
      }
      if (this.#open === null) throw new FailureError('dataset/file-missing', { file: path, source: 'nothing' });
      return this.#open.video(path);
    });
  }

  async #follow(recording: Recording): Promise<void> {
    const { clock } = this.#parts;
    let lookedMs = clock.nowMs();
    while (!recording.over) {
      try {
        const nowMs = clock.nowMs();
        for (const film of recording.films) this.#watch(film, nowMs - lookedMs);
        lookedMs = nowMs;
        const seen = recording.rows.look();
        if ('ended' in seen) throw new FailureError('recording/ended', { reason: seen.ended });
        for (const { row, atMs } of seen.rows) for (const film of recording.films) this.#film(recording, film, row, atMs);
      } catch (thrown) {
        if (recording.over) return;
        recording.over = true;
        if (this.#recording === recording) this.#recording = null;
        this.#failure = asFailure(thrown);
        await this.#abandon(recording);
        return;
      }
      await clock.sleepUntil(clock.nowMs() + LOOK_EVERY_MS);
    }
  }

  /** Throws where the camera has stopped. */
  #watch(film: Filming, sinceMs: number): void {
    const newest = this.#parts.frames.newest(film.camera.key);
    const verdict = film.silence.look(newest?.sequence ?? null, sinceMs);
    switch (verdict) {
      case 'sends':
        return;
      case 'quiet':
        return this.#parts.frames.tellSilent(film.camera.key);
      case 'stopped':
        throw new FailureError('recording/ended', { reason: `The ${nameOf(film.camera.key)} camera stopped sending pictures` });
      default:
        return unreachable(verdict);
    }
  }

  /** The newest frame of this camera for this row; the same again where no newer one has come, and counted. */
  #film(recording: Recording, film: Filming, row: number, atMs: number): void {
    const newest = this.#parts.frames.newest(film.camera.key);
    if (newest === null || atMs - newest.atMs > OLDEST_FRAME_MS) throw new FailureError('recording/ended', { reason: `This computer was too busy for pictures of the ${nameOf(film.camera.key)} camera` });
    if (newest.sequence === film.lastSequence) recording.repeatedFrames++;
    film.lastSequence = newest.sequence;
    recording.frameErrors.push(Math.abs(atMs - newest.atMs));
    film.writer.add(newest.frame, row);
    recording.mostWaiting = Math.max(recording.mostWaiting, film.writer.waiting);
    if (film.writer.waiting > MOST_WAITING) throw new FailureError('recording/ended', { reason: 'This computer cannot encode the pictures as fast as they come' });
    if (row % COUNT_EVERY === 0) void count(newest.frame.clone(), film.counter);
  }

  async #abandon(recording: Recording): Promise<void> {
    for (const { writer, handle } of recording.films) {
      writer.close();
      handle.close();
    }
    await this.#parts.store.remove(recording.folder.id);
  }

  async #keep({ start, folder, rows, films, frameErrors, repeatedFrames }: Recording): Promise<StoredEpisode> {
    const count = rows.count;
    const videos: Record<string, StoredEpisode['videos'][string]> = {};
    for (const { camera, writer, handle, counter } of films) {
      await writer.finish();
      handle.flush();
      handle.close();
      videos[camera.key] = { codec: writer.codec, counts: counter.counts() };
    }
    await folder.write('rows.f64', new Uint8Array(rows.numbers().buffer, 0, count * ROW_NUMBERS * 8));
    await folder.write('poses.f64', new Uint8Array(rows.poses().buffer));
    const simulated = start.cameras.some(({ source }) => source === 'simulated');
    const summary: EpisodeSummary = {
      id: folder.id,
      task: start.task,
      by: start.by,
      fps: start.fps,
      rows: count,
      recordedAtMs: this.#parts.clock.nowMs(),
      cameras: start.cameras,
      lateTicks: rows.lateTicks,
      repeatedFrames,
      alignment: alignmentOf([...frameErrors, ...(simulated ? rows.poseErrors : [])]),
      sceneHash: start.scene.hash,
      reset: start.scene.request,
    };
    const stored: StoredEpisode = { version: 1, summary, scene: start.scene.description, videos };
    await folder.publish(stored);
    return stored;
  }

  /** Queued: one episode's pictures at a time, and none while one is being recorded. */
  #draw(id: string): void {
    this.#queue = this.#queue.then(() => this.#drawNow(id)).catch((thrown: unknown) => {
      this.#failure = asFailure(thrown);
      this.#drawing = null;
    });
  }

  async #drawNow(id: string): Promise<void> {
    let stored = this.#parts.store.get(id);
    if (stored === undefined) return;
    const missing = stored.summary.cameras.filter(({ key, source }) => source === 'simulated' && stored?.videos[key] === undefined);
    if (missing.length === 0) return;
    const folder = await this.#parts.store.folder(id);
    const { rows, fps } = stored.summary;
    const poses = new Float64Array(await (await folder.file('poses.f64')).arrayBuffer());
    const wide = poses.length / rows;
    const renderer = this.#renderer ?? (this.#renderer = this.#parts.openRenderer(stored.scene));
    renderer.setScene(stored.scene);
    const films = await Promise.all(
      missing.map(async (camera) => {
        const handle = await folder.open(`${camera.key}.mp4`);
        handle.truncate(0);
        return { camera, handle, counter: pictureCounter(), writer: await videoWriter({ width: camera.width, height: camera.height, fps, write: (data, at) => void handle.write(data, { at }) }) };
      }),
    );
    try {
      for (let row = 0; row < rows; row++) {
        if (this.#parts.store.get(id) === undefined) return;
        while (this.#recording !== null) await this.#parts.clock.sleepUntil(this.#parts.clock.nowMs() + 200);
        this.#drawing = { id, done: row, of: rows };
        const where = poses.subarray(row * wide, (row + 1) * wide);
        const pictures = await Promise.all(films.map(({ camera }) => renderer.capture(camera.key, camera.width, camera.height, where)));
        for (const [i, { writer, counter }] of films.entries()) {
          const picture = pictures[i] as Picture;
          counter.add(picture);
          const frame = new VideoFrame(picture.data as Uint8Array<ArrayBuffer>, { format: 'RGBX', codedWidth: picture.width, codedHeight: picture.height, timestamp: 0 });
          writer.add(frame, row);
          frame.close();
          while (writer.waiting > 8) await this.#parts.clock.sleepUntil(this.#parts.clock.nowMs() + 2);
        }
      }
      for (const { camera, writer, counter, handle } of films) {
        await writer.finish();
        handle.flush();
        stored = { ...stored, videos: { ...stored.videos, [camera.key]: { codec: writer.codec, counts: counter.counts() } } };
      }
    } finally {
      for (const { handle, writer } of films) {
        writer.close();
        handle.close();
      }
      this.#drawing = null;
    }
    await folder.publish(stored);
    await folder.remove('poses.f64');
  }

  async #dataset(): Promise<DatasetToWrite> {
    await this.#queue;
    const episodes = this.#parts.store.list();
    const [first] = episodes;
    if (first === undefined) throw new FailureError('dataset/file-missing', { file: 'episodes', source: 'this page' });
    const shape = (stored: StoredEpisode): string => JSON.stringify([stored.scene.robot.name, stored.summary.fps, stored.summary.cameras.map(({ key, width, height }) => [key, width, height, stored.videos[key]?.codec])]);
    const other = episodes.find((stored) => shape(stored) !== shape(first));
    if (other !== undefined) throw new FailureError('dataset/unsupported', { what: 'episodes', found: 'some have another arm, other cameras or another rate than the first; delete those, or save them apart' });
    return {
      robotType: `vla-playground-${first.scene.robot.name}`,
      fps: first.summary.fps,
      cameras: first.summary.cameras.map(({ key, width, height }) => ({ key, width, height, codec: first.videos[key]?.codec ?? 'h264' })),
      count: episodes.length,
      episode: async (index) => {
        const stored = episodes[index] as StoredEpisode;
        const episode = await this.recorded(stored.summary.id);
        if (!episode.ok) throw new FailureError(episode.failure.code, episode.failure.facts);
        const folder = await this.#parts.store.folder(stored.summary.id);
        const pictures: Record<string, EpisodePictures> = {};
        for (const [key, { counts }] of Object.entries(stored.videos)) pictures[key] = { counts, content: { kind: 'video', file: await folder.file(`${key}.mp4`) } };
        return { task: stored.summary.task, state: episode.value.state, action: episode.value.action, pictures };
      },
    };
  }

  #stored(id: string): StoredEpisode {
    const stored = this.#parts.store.get(id);
    if (stored === undefined) throw new FailureError('dataset/file-missing', { file: id, source: 'this page' });
    return stored;
  }

  async #numbers(id: string): Promise<Float64Array> {
    return new Float64Array(await (await (await this.#parts.store.folder(id)).file('rows.f64')).arrayBuffer());
  }
}

const RECORDED = 'recorded/';

function nameOf(key: string): string {
  return key.split('.').at(-1) ?? key;
}

function treeOf(files: DatasetFiles): FileTree | Promise<FileTree> {
  switch (files.kind) {
    case 'zip':
      return zipTree(files.file.name, files.file);
    case 'files':
      return folderTree(files.name, new Map(files.files.map(({ path, file }) => [path, file])));
    case 'hub':
      return hubTree(files.name);
    default:
      return unreachable(files);
  }
}

function alignmentOf(errors: readonly number[]): Alignment {
  const sorted = Float64Array.from(errors).sort();
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0 };
}

/** Closes the frame. One that cannot be read is left out of the statistics, not of the video. */
async function count(frame: VideoFrame, counter: PictureCounter): Promise<void> {
  try {
    const native = frame.format === 'I420' || frame.format === 'NV12';
    const options = native ? undefined : ({ format: 'RGBA' } as const);
    const data = new Uint8Array(frame.allocationSize(options));
    const layout = await frame.copyTo(data, options);
    const format: FramePlanes['format'] = frame.format === 'I420' ? 'I420' : frame.format === 'NV12' ? 'NV12' : 'RGBA';
    counter.add(planesToRgb({ format, width: frame.displayWidth, height: frame.displayHeight, data, layout, matrix: frame.colorSpace.matrix === 'bt709' ? 'bt709' : 'bt601', range: frame.colorSpace.fullRange === true ? 'full' : 'limited' }));
  } catch {
    return;
  } finally {
    frame.close();
  }
}
