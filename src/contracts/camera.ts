/**
 * Real cameras between the page and whoever takes their frames. The page opens a camera (only a page may ask for it) and moves
 * its stream of frames away whole: a frame is never on the page's thread, and the page only hears how the frames are doing.
 */

/** `chosen`: a person has put this device into this place. `again`: the one they chose before is back. */
export type CameraOccasion = 'chosen' | 'again';

/** To a worker that takes frames. `stream` is moved. Another stream for the same camera replaces the one before. */
export type CameraCommand =
  | { readonly kind: 'bind'; readonly camera: string; readonly device: string; readonly occasion: CameraOccasion; readonly stream: ReadableStream<VideoFrame> }
  /** Back to the simulated camera of that name, where there is one. */
  | { readonly kind: 'unbind'; readonly camera: string }
  /** The device is gone. The slot stays taken: nothing else is passed off as this camera. */
  | { readonly kind: 'lost'; readonly camera: string; readonly device: string };

/** From the worker, a few times a second for each bound camera. */
export interface CameraHealth {
  readonly camera: string;
  readonly width: number;
  readonly height: number;
  /** Frames since it was bound, and how many of them a newer one replaced before anybody looked. */
  readonly frames: number;
  readonly replaced: number;
  /** When the newest frame arrived; null before the first. */
  readonly newestAtMs: number | null;
  readonly toldAtMs: number;
}

/** From the recorder, where a camera that is being recorded has sent nothing for a while: a frame of it may have been lost on this page. */
export interface CameraSilent {
  readonly kind: 'silent';
  readonly camera: string;
}

/** LeRobot's own default for USB cameras, and little enough that two of them share a hub. */
export const CAMERA_SIZE = { width: 640, height: 480 } as const;
export const CAMERA_RATE = 30;
