/**
 * The recording worker as the page sees it: writes down what arm and cameras do, keeps finished episodes on this machine, makes
 * LeRobot datasets of them and opens datasets of others.
 */
import type { DatasetEpisode, DatasetInfo } from './dataset.ts';
import type { Failure, Outcome } from './failure.ts';
import type { SceneInfo } from './scene.ts';

export interface RecordingCamera {
  /** `observation.images.<name>`. */
  readonly key: string;
  readonly width: number;
  readonly height: number;
  /** `simulated`: drawn after the episode from where everything stood at each row, so that picture and row are the same instant. */
  readonly source: 'simulated' | 'real';
}

export interface RecordingStart {
  readonly task: string;
  readonly fps: number;
  readonly by: 'hand' | 'policy';
  readonly cameras: readonly RecordingCamera[];
  /** What the simulated cameras are drawn of. */
  readonly scene: SceneInfo;
}

/** How far in time a row's picture lies from its joint reading, milliseconds; over all rows and cameras. */
export interface Alignment {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface EpisodeSummary {
  readonly id: string;
  readonly task: string;
  readonly by: 'hand' | 'policy';
  readonly fps: number;
  readonly rows: number;
  readonly recordedAtMs: number;
  readonly cameras: readonly RecordingCamera[];
  /** Ticks that the control loop left out because it was late: time that no row shows. */
  readonly lateTicks: number;
  /** Rows of real cameras for which no newer frame had come, over all of them. */
  readonly repeatedFrames: number;
  readonly alignment: Alignment;
  readonly sceneHash: string;
  readonly reset: SceneInfo['request'];
}

export interface RecordingStatus {
  readonly now: { readonly task: string; readonly rows: number; readonly seconds: number; readonly lateTicks: number; readonly repeatedFrames: number; readonly mostWaiting: number } | null;
  /** Pictures of simulated cameras being drawn. */
  readonly drawing: { readonly id: string; readonly done: number; readonly of: number } | null;
  readonly episodes: readonly EpisodeSummary[];
  /** Episodes that were cut off by a crash before this visit and are gone. */
  readonly cutOff: number;
  /** Why the last recording ended by itself; null when it did not. */
  readonly failure: Failure | null;
  readonly usedBytes: number;
  readonly freeBytes: number;
}

/** Where a dataset lies. `hub`: `user/name`, `user/name@revision`, or the address of its page. */
export type DatasetFiles =
  | { readonly kind: 'files'; readonly name: string; readonly files: readonly { readonly path: string; readonly file: File }[] }
  | { readonly kind: 'zip'; readonly file: File }
  | { readonly kind: 'hub'; readonly name: string };

export interface OpenedDataset {
  readonly name: string;
  readonly info: DatasetInfo;
  readonly episodes: readonly { readonly index: number; readonly task: string; readonly rows: number }[];
}

export interface RecordingApi {
  status(): Promise<Outcome<RecordingStatus>>;
  /** Resolves when the stream of each of these real cameras has arrived. `recording/ended`. */
  streamsArrived(cameras: readonly string[]): Promise<Outcome<null>>;
  /** Waits for a new picture of what each of these real cameras sees, a second at most; which have sent none. */
  withoutPicture(cameras: readonly string[]): Promise<Outcome<readonly string[]>>;
  /** `recording/no-room`, `recording/unavailable`; `recording/ended` where a real camera sends nothing that it sees. */
  begin(start: RecordingStart): Promise<Outcome<null>>;
  /** Null where it was not kept. */
  end(what: 'keep' | 'discard'): Promise<Outcome<EpisodeSummary | null>>;
  remove(id: string): Promise<Outcome<null>>;
  /** A recorded episode as a dataset's. */
  recorded(id: string): Promise<Outcome<DatasetEpisode>>;
  /** All kept episodes as a LeRobotDataset v3.0, a zip of which lies on this machine. Waits until all pictures are drawn. */
  exportZip(name: string): Promise<Outcome<File>>;
  /** The same, into a folder that a person chose. */
  exportFolder(folder: FileSystemDirectoryHandle): Promise<Outcome<{ readonly files: number; readonly bytes: number }>>;
  /** Somebody's dataset, to look at and to replay. One at a time. `dataset/...`; of the Hub also `hub/...`, `download/...`. */
  open(files: DatasetFiles): Promise<Outcome<OpenedDataset>>;
  episode(index: number): Promise<Outcome<DatasetEpisode>>;
  /** A file of a `DatasetVideo`, of the open dataset or of a recorded episode. */
  video(path: string): Promise<Outcome<Blob>>;
}
