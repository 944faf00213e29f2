/**
 * A file of known pictures for Chromium's fake camera (`--use-file-for-fake-video-capture`), and what the policy must see of it.
 *
 * The picture follows from a formula of whole numbers, so that `e2e/known-picture.py` makes the same one and asks OpenCV and LeRobot.
 */
import type { CameraPicture } from '#contracts/picture.ts';
import { letterbox } from '#core/camera/letterbox.ts';

export const KNOWN_WIDTH = 640;
export const KNOWN_HEIGHT = 480;

/** Y, U and V at a place; U and V at half the size. */
const PATTERNS = {
  known: { y: (x: number, y: number): number => 16 + ((3 * y + 7 * x + Math.floor((x * y) / 97)) % 220), u: (x: number, y: number): number => 16 + ((5 * x + 2 * y) % 225), v: (x: number, y: number): number => 16 + ((x + 9 * y) % 225) },
  black: { y: (): number => 16, u: (): number => 128, v: (): number => 128 },
} as const;

/** One frame, repeated by the fake camera for ever. YUV4MPEG2, 4:2:0. */
export function knownVideo(pattern: keyof typeof PATTERNS): Buffer {
  const [width, height] = [KNOWN_WIDTH, KNOWN_HEIGHT];
  const { y, u, v } = PATTERNS[pattern];
  const plane = (columns: number, rows: number, value: (x: number, y: number) => number): Buffer => Buffer.from(Uint8Array.from({ length: columns * rows }, (_, i) => value(i % columns, Math.floor(i / columns))));
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F30:1 Ip A1:1 C420jpeg\nFRAME\n`), plane(width, height, y), plane(width / 2, height / 2, u), plane(width / 2, height / 2, v)]);
}

export interface KnownTensor {
  readonly side: number;
  /** Every so many values of the tensor, 3 x side x side. */
  readonly every: number;
  readonly values: readonly number[];
}

/** Largest difference between the tensor of a picture that a policy was handed and the reference. */
export function tensorDifference({ picture }: Pick<CameraPicture, 'picture'>, reference: KnownTensor): number {
  const tensor = letterbox(picture, { width: reference.side, height: reference.side });
  return reference.values.reduce((most, value, i) => Math.max(most, Math.abs((tensor[i * reference.every] as number) - value)), 0);
}
