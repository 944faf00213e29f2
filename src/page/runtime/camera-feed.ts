/**
 * Pictures for people: the slower second customer of the simulated cameras. It asks for what is being looked at, one
 * request at a time, a few times a second, and hands each picture to whoever draws it. Pictures never pass through a
 * store. It refuses to know how they are drawn, and it never asks while nobody looks or the tab is hidden: rendering a
 * picture costs the world worker 8 to 19 ms on a software GPU. So where nothing has moved none is drawn, and people keep the one they have.
 */
import type { Failure } from '#contracts/failure.ts';
import type { CameraPicture } from '#contracts/picture.ts';
import type { PictureReply, PictureRequest } from '#contracts/world.ts';
import type { Clock } from '#contracts/time.ts';

export interface CameraWatcher {
  readonly key: string;
  /** Size to render at; read again before every request. */
  readonly size: () => { readonly width: number; readonly height: number };
  readonly onPicture: (picture: CameraPicture) => void;
  readonly onFailure: (failure: Failure) => void;
}

export interface CameraFeed {
  /** Starts asking for this camera until the returned function is called. */
  watch(watcher: CameraWatcher): () => void;
  /** What people saw last, one picture a camera, at most; nothing is asked for. */
  latest(): readonly CameraPicture[];
  close(): void;
}

/** Six a second are enough to see motion. */
const PERIOD_MS = 165;
/**
 * Where a picture takes long (a software GPU that also draws the stage), people wait and physics does not: of the world
 * worker's time at most this share goes into their pictures.
 */
const MOST_SHARE = 0.2;
/** Longer than this between two pictures looks broken, whatever the reason of the last one's delay. */
const MOST_PAUSE_MS = 1000;
/** No answer for this long is a failed picture; the next request goes out all the same. */
const ANSWER_LIMIT_MS = 3000;

export function cameraFeed(port: MessagePort, clock: Clock, isHidden: () => boolean): CameraFeed {
  const watchers = new Set<CameraWatcher>();
  const seen = new Map<string, CameraPicture>();
  let open = true;
  let nextId = 1;
  /** Whether what was sent last is what is here: an answer that came too late was sent, and is not. */
  let holds: 'what-was-sent' | 'something-older' = 'something-older';
  let pending: { readonly id: number; readonly resolve: (reply: PictureReply) => void } | null = null;

  port.onmessage = (event: MessageEvent<PictureReply>) => {
    if (pending === null || pending.id !== event.data.id) return;
    pending.resolve(event.data);
    pending = null;
  };

  const ask = (request: PictureRequest): Promise<PictureReply> =>
    new Promise((resolve) => {
      pending = { id: request.id, resolve };
      port.postMessage(request);
      setTimeout(() => {
        const failure: Failure = { code: 'worker/deadline', facts: { worker: 'world', call: 'pictures', waitedMs: ANSWER_LIMIT_MS } };
        resolve({ id: request.id, kind: 'failed', failure });
      }, ANSWER_LIMIT_MS);
    });

  /** What these cameras were seen to show, which they show now too. */
  const still = (asked: readonly CameraWatcher[], capturedAtMs: number): readonly CameraPicture[] => [...seen.values()].filter(({ camera }) => asked.some(({ key }) => key === camera)).map((picture) => ({ ...picture, capturedAtMs }));

  const turn = async (): Promise<void> => {
    if (watchers.size === 0 || isHidden()) return;
    const asked = [...watchers];
    const reply = await ask({ id: nextId++, cameras: asked.map((watcher) => ({ key: watcher.key, ...watcher.size() })), want: holds === 'what-was-sent' ? 'changed' : 'always' });
    holds = reply.kind === 'failed' ? 'something-older' : 'what-was-sent';
    const pictures = reply.kind === 'failed' ? [] : reply.kind === 'pictures' ? reply.pictures : still(asked, reply.capturedAtMs);
    for (const picture of pictures) seen.set(picture.camera, picture);
    for (const watcher of asked) {
      if (!watchers.has(watcher)) continue;
      if (reply.kind === 'failed') watcher.onFailure(reply.failure);
      else deliver(watcher, pictures);
    }
  };

  const loop = async (): Promise<void> => {
    while (open) {
      const startedAtMs = clock.nowMs();
      await turn();
      const tookMs = clock.nowMs() - startedAtMs;
      await clock.sleepUntil(startedAtMs + Math.max(PERIOD_MS, Math.min(tookMs / MOST_SHARE, tookMs + MOST_PAUSE_MS)));
    }
  };
  void loop();

  return {
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    latest: () => [...seen.values()],
    close() {
      open = false;
      port.close();
    },
  };
}

function deliver(watcher: CameraWatcher, pictures: readonly CameraPicture[]): void {
  const picture = pictures.find((candidate) => candidate.camera === watcher.key);
  if (picture !== undefined) watcher.onPicture(picture);
  else watcher.onFailure({ code: 'observation/camera-missing', facts: { camera: watcher.key, present: pictures.map((p) => p.camera).join(', ') } });
}
