/** A camera picture as bytes: rows top to bottom, pixels left to right, no row padding. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 3 = RGB (golden sets, datasets), 4 = RGBA (cameras; alpha is ignored by every policy). */
  readonly channels: 3 | 4;
  /** height x width x channels. */
  readonly data: Uint8Array;
}

/** What a camera hands over: the newest picture and when the light was caught. */
export interface CameraPicture {
  /** The camera as the robot names it, e.g. `observation.images.front`. */
  readonly camera: string;
  readonly picture: Picture;
  readonly capturedAtMs: number;
  /** Counts up by one a capture, so that a frozen camera shows. */
  readonly sequence: number;
  /** Absent: simulated. */
  readonly source?: 'real';
}
