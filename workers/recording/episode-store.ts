/**
 * Finished episodes as files of this page on this machine: a folder each, `episode.json` written last. A folder without it is
 * what a crash left of the episode that was being recorded, and is removed. Knows files; knows no camera and no dataset.
 *
 *   recordings/<id>/rows.f64          rows x ROW_NUMBERS
 *                  /poses.f64         rows x 7 numbers a body, until the pictures are drawn
 *                  /<camera>.mp4      a frame a row
 *                  /episode.json      StoredEpisode
 */
import type { EpisodeSummary } from '#contracts/recording.ts';
import type { SceneDescription } from '#contracts/scene.ts';
import type { FfmpegCodec } from '#core/recording/video.ts';
import type { PictureCounts } from '#core/recording/statistics.ts';

export interface StoredEpisode {
  readonly version: 1;
  readonly summary: EpisodeSummary;
  readonly scene: SceneDescription;
  /** Cameras whose video is there. */
  readonly videos: Readonly<Record<string, { readonly codec: FfmpegCodec; readonly counts: PictureCounts }>>;
}

export interface EpisodeFolder {
  readonly id: string;
  write(name: string, data: Uint8Array<ArrayBuffer>): Promise<void>;
  /** For writing in pieces; close it. */
  open(name: string): Promise<FileSystemSyncAccessHandle>;
  file(name: string): Promise<File>;
  remove(name: string): Promise<void>;
  /** Says that it is whole, or that it has changed. */
  publish(episode: StoredEpisode): Promise<void>;
}

export interface EpisodeStore {
  readonly cutOff: number;
  list(): readonly StoredEpisode[];
  get(id: string): StoredEpisode | undefined;
  create(id: string): Promise<EpisodeFolder>;
  folder(id: string): Promise<EpisodeFolder>;
  remove(id: string): Promise<void>;
  /** A file beside the episodes, made anew. */
  scratch(name: string): Promise<{ readonly handle: FileSystemSyncAccessHandle; readonly file: () => Promise<File> }>;
}

const MARK = 'episode.json';

/** Another tab of this page may be recording: what it has not finished yet is not removed (its lock is held). */
export async function episodeStore(): Promise<EpisodeStore> {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('recordings', { create: true });
  const episodes = new Map<string, StoredEpisode>();
  let cutOff = 0;
  for await (const [id, handle] of root.entries()) {
    if (handle.kind !== 'directory') continue;
    const stored = await readMark(handle as FileSystemDirectoryHandle);
    if (stored !== null) episodes.set(id, stored);
    else if (await removedUnlessHeld(root, id)) cutOff++;
  }
  const held = new Map<string, () => void>();

  const folderOf = (id: string, directory: FileSystemDirectoryHandle): EpisodeFolder => ({
    id,
    async write(name, data) {
      const handle = await (await directory.getFileHandle(name, { create: true })).createSyncAccessHandle();
      handle.truncate(0);
      handle.write(data, { at: 0 });
      handle.flush();
      handle.close();
    },
    open: async (name) => (await directory.getFileHandle(name, { create: true })).createSyncAccessHandle(),
    file: async (name) => (await directory.getFileHandle(name)).getFile(),
    remove: (name) => directory.removeEntry(name).catch(() => undefined),
    async publish(episode) {
      // Under another name until it is whole.
      const part = await directory.getFileHandle(`${MARK}.part`, { create: true });
      const handle = await part.createSyncAccessHandle();
      handle.truncate(0);
      handle.write(new TextEncoder().encode(JSON.stringify(episode)), { at: 0 });
      handle.flush();
      handle.close();
      await (part as FileSystemFileHandle & { move(name: string): Promise<void> }).move(MARK);
      episodes.set(id, episode);
      held.get(id)?.();
      held.delete(id);
    },
  });
  return {
    cutOff,
    list: () => [...episodes.values()].sort((a, b) => a.summary.recordedAtMs - b.summary.recordedAtMs),
    get: (id) => episodes.get(id),
    async create(id) {
      await new Promise<void>((ready) => {
        void navigator.locks.request(lockOf(id), () => {
          ready();
          return new Promise<void>((release) => held.set(id, release));
        });
      });
      return folderOf(id, await root.getDirectoryHandle(id, { create: true }));
    },
    folder: async (id) => folderOf(id, await root.getDirectoryHandle(id)),
    async remove(id) {
      episodes.delete(id);
      await root.removeEntry(id, { recursive: true }).catch(() => undefined);
      held.get(id)?.();
      held.delete(id);
    },
    async scratch(name) {
      await root.removeEntry(name).catch(() => undefined);
      const entry = await root.getFileHandle(name, { create: true });
      return { handle: await entry.createSyncAccessHandle(), file: () => entry.getFile() };
    },
  };
}

function lockOf(id: string): string {
  return `recording ${id}`;
}

async function removedUnlessHeld(root: FileSystemDirectoryHandle, id: string): Promise<boolean> {
  return navigator.locks.request(lockOf(id), { ifAvailable: true }, async (lock) => {
    if (lock === null) return false;
    await root.removeEntry(id, { recursive: true });
    return true;
  });
}

/** Null where there is none, or not a whole one. */
async function readMark(directory: FileSystemDirectoryHandle): Promise<StoredEpisode | null> {
  try {
    const episode = JSON.parse(await (await (await directory.getFileHandle(MARK)).getFile()).text()) as StoredEpisode;
    return episode.version === 1 ? episode : null;
  } catch {
    return null;
  }
}
