/**
 * How the page starts a worker: one `boot` message with the ports and the shared memory it works with, then comlink on
 * its own port. A worker answers `booted` or `boot-failed` and nothing else outside its ports.
 *
 * A dying worker tells nobody. So before it answers `booted` a worker takes the Web Lock `aliveLock` and never lets go
 * (`navigator.locks.request(aliveLock, () => new Promise(() => {}))`); the browser frees it when the worker ends, the
 * page waits for the same lock, and knows at once, however busy the worker was.
 *
 * Inference may be started again without a reload. Its neighbours then get `new-port` messages: close the old port of
 * that name, use this one.
 */
import type { Failure } from './failure.ts';

export interface SharedMemory {
  readonly targets: SharedArrayBuffer;
  readonly joints: SharedArrayBuffer;
  readonly poses: SharedArrayBuffer;
  readonly arm: SharedArrayBuffer;
  readonly stop: SharedArrayBuffer;
}

export interface WorkerBoot {
  readonly kind: 'boot';
  readonly memory: SharedMemory;
  /** Comlink speaks here. */
  readonly api: MessagePort;
  /**
   * Direct ports by name.
   *   control:   `inference` (ControlToInference / InferenceToControl), `reports` (ControlReport, to the page)
   *   inference: `control`, `cameras` (PictureRequest / PictureReply, to the world), `progress` (LoadProgress, to the page),
   *              `real-cameras` (CameraCommand in, CameraHealth[] out, with the page)
   *   world:     `cameras-inference`, `cameras-page` (PictureRequest / PictureReply)
   *   recording: `real-cameras` (CameraCommand in), `ticks` (TickReport[] in), both from the page
   *   conversion: `progress` (LoadProgress, to the page)
   */
  readonly ports: Readonly<Record<string, MessagePort>>;
  /** Held by the worker for as long as it lives. */
  readonly aliveLock: string;
  /** The page's own base URL, for files on the page's host (works under a sub-path). */
  readonly baseUrl: string;
}

/** To a running worker, on the worker itself like `boot`: its neighbour was started again. */
export interface WorkerNewPort {
  readonly kind: 'new-port';
  /** A name of `WorkerBoot.ports`. */
  readonly name: string;
  readonly port: MessagePort;
}

export type WorkerBooted = { readonly kind: 'booted' } | { readonly kind: 'boot-failed'; readonly failure: Failure };
