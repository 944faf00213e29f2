/**
 * How the page starts a worker: one `boot` message with the ports and the shared memory it works with, then comlink on
 * its own port. A worker answers `booted` or `boot-failed` and nothing else outside its ports.
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
   *   inference: `control`, `cameras` (PictureRequest / PictureReply, to the world), `progress` (LoadProgress, to the page)
   *   world:     `cameras-inference`, `cameras-page` (PictureRequest / PictureReply)
   *   conversion: `progress` (LoadProgress, to the page)
   */
  readonly ports: Readonly<Record<string, MessagePort>>;
  /** The page's own base URL, for files on the page's host (works under a sub-path). */
  readonly baseUrl: string;
}

export type WorkerBooted = { readonly kind: 'booted' } | { readonly kind: 'boot-failed'; readonly failure: Failure };
