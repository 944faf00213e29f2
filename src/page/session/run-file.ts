/**
 * A run as text, and back. Numbers and pictures keep every bit: typed arrays travel as base64, everything else as JSON.
 * A file is checked whole at this door, with caps, before anybody uses it; the complaint names the path of the bad
 * value. It refuses to know what a run means.
 *
 *   Float32Array  ->  { "typed": "float32", "base64": "..." }      little-endian, as on every machine Chrome runs on
 *   Uint8Array    ->  { "typed": "uint8",   "base64": "..." }
 */
import * as v from 'valibot';
import { PREFIX_SCHEDULES } from '#contracts/inference.ts';
import type { RunFile } from '#contracts/run.ts';
import { CUBE_COLOURS } from '#contracts/scene.ts';
import { FailureError } from '#core/lib/failure.ts';

/** A run of 1000 chunks with two pictures of 512 x 512 would be 2 GB: more than a tab can hold as text. */
export const MAX_RUN_FILE_BYTES = 512 * 1024 * 1024;
const MAX_CHUNKS = 10_000;
const MAX_SIDE = 4096;
const MAX_CAMERAS = 8;
const MAX_TEXT = 10_000;
/** Rows x columns; LeRobot's largest is 50 x 32. */
const MAX_ACTIONS = 1_000_000;

const finite = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(MAX_TEXT));
const floats = (most: number) =>
  v.pipe(
    v.instance(Float32Array),
    v.check((array) => array.length > 0 && array.length <= most, `1 to ${most} numbers`),
    v.check((array) => array.every((value) => Number.isFinite(value)), 'finite numbers'),
  );

const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SIDE));

const picture = v.pipe(
  v.object({ width: side, height: side, channels: v.picklist([3, 4]), data: v.instance(Uint8Array) }),
  v.check((p) => p.data.length === p.width * p.height * p.channels, 'height x width x channels bytes'),
);

const chunkRecord = v.object({
  index: count,
  observedTick: count,
  pictures: v.pipe(v.array(v.object({ camera: text, picture, capturedAtMs: finite, sequence: count })), v.maxLength(MAX_CAMERAS)),
  state: floats(64),
  noiseSeed: v.pipe(v.number(), v.integer()),
  actions: floats(MAX_ACTIONS),
  x0: floats(MAX_ACTIONS),
  timings: v.object({ observeMs: finite, preprocessMs: finite, visionMs: finite, prefixMs: finite, denoiseMs: finite, totalMs: finite }),
  provider: v.picklist(['webgpu', 'wasm', 'cpu']),
  guidance: v.exactOptional(
    v.object({ horizon: count, schedule: v.picklist(PREFIX_SCHEDULES), maxWeight: finite, delay: count, leftover: floats(MAX_ACTIONS), columns: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64)) }),
  ),
  noiseScale: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  reduction: v.exactOptional(v.object({ rung: count, steps: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), cameras: v.pipe(v.array(text), v.minLength(1), v.maxLength(MAX_CAMERAS)) })),
});

const runFile = v.object({
  format: v.literal('vla-playground-run'),
  version: v.literal(1),
  versions: v.object({ app: text, scene: text, policy: text, provider: text }),
  sentence: v.pipe(text, v.minLength(1)),
  seed: v.pipe(v.number(), v.integer()),
  reset: v.object({
    task: text,
    seed: v.pipe(v.number(), v.integer()),
    lightLevel: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
    cubes: v.exactOptional(v.pipe(v.array(v.picklist(CUBE_COLOURS)), v.maxLength(CUBE_COLOURS.length))),
  }),
  rateHz: v.pipe(v.number(), v.minValue(1), v.maxValue(1000)),
  chunks: v.pipe(v.array(chunkRecord), v.minLength(1), v.maxLength(MAX_CHUNKS)),
});

/** The whole run as JSON text, pictures included. */
export function encodeRunFile(file: RunFile): string {
  return encodeTyped(file);
}

/** Anything as JSON text, typed arrays as above. */
export function encodeTyped(content: unknown): string {
  return JSON.stringify(content, (_key, value: unknown) => {
    if (value instanceof Float32Array) return { typed: 'float32', base64: toBase64(bytesOf(value)) };
    if (value instanceof Uint8Array) return { typed: 'uint8', base64: toBase64(value) };
    return value;
  });
}

/** Throws FailureError `run/file-invalid` naming the path of the first bad value. */
export function decodeRunFile(content: string): RunFile {
  if (content.length > MAX_RUN_FILE_BYTES) throw invalid('', `at most ${MAX_RUN_FILE_BYTES} bytes`, `${content.length}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(content, (_key, value: unknown) => fromTyped(value));
  } catch (thrown) {
    if (thrown instanceof FailureError) throw thrown;
    throw invalid('', 'JSON text', thrown instanceof Error ? thrown.message : String(thrown));
  }
  return checkRunFile(parsed);
}

/** The same check for a run that was never text. Throws `run/file-invalid`. */
export function checkRunFile(candidate: unknown): RunFile {
  const result = v.safeParse(runFile, candidate);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw invalid(v.getDotPath(issue) ?? '', issue.expected ?? issue.message, issue.received);
}

function fromTyped(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('typed' in value) || !('base64' in value)) return value;
  const { typed, base64 } = value;
  if (typeof base64 !== 'string') throw invalid('base64', 'text', typeof base64);
  const bytes = fromBase64(base64);
  switch (typed) {
    case 'uint8':
      return bytes;
    case 'float32':
      if (bytes.length % 4 !== 0) throw invalid('base64', 'a multiple of 4 bytes', `${bytes.length}`);
      return new Float32Array(bytes.buffer);
    default:
      throw invalid('typed', 'float32 or uint8', String(typed));
  }
}

function invalid(path: string, expected: string, found: string): FailureError {
  return new FailureError('run/file-invalid', { path, expected, found: found.slice(0, 200) });
}

function bytesOf(array: Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** `String.fromCharCode` takes its bytes as arguments, of which engines allow about 65,000. */
const PIECE = 0x8000;

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += PIECE) binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(binary);
}

function fromBase64(base64: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(base64);
  } catch {
    throw invalid('base64', 'base64 text', base64.slice(0, 40));
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
