/**
 * The safetensors container, read and written. Knows the format; knows no checkpoint and no model.
 *
 *   byte 0        8          8 + n                    file size
 *        | n: u64 | header    | tensor bytes            |
 *                 | JSON, n   | in any order, no gaps   |
 *
 *   header: { "__metadata__": {string: string}, "<name>": { "dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12] } }
 *
 * Files come from strangers, so everything is checked before a byte of data is touched: the header's length against a
 * cap and the file, every tensor's bytes against its shape, and all of them together against the file: they must tile
 * it exactly. A file that is shorter than its header says was cut off on the way (`checkpoint/file-truncated`, with
 * both sizes); anything else that does not fit is `checkpoint/file-corrupt` with the reason.
 */
import type { TensorDtype, TensorHeader } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import { DTYPE_BYTES, isTensorDtype, toFloat32 } from './dtypes.ts';

/** SmolVLA's header has 500 tensors in 60 kB; the largest published models stay below 1 MB. */
export const MAX_HEADER_BYTES = 8 * 1024 * 1024;
export const MAX_TENSORS = 50_000;
export const MAX_DIMENSIONS = 8;

/** Bytes that can be read piece by piece: a file on disk, on a host, in memory. */
export interface ByteSource {
  /** For messages. */
  readonly file: string;
  readonly bytes: number;
  /** Exactly `length` bytes from `offset`; rejects with a FailureError where they cannot be had. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** These bytes will be asked for soon: a source that waits long for each may begin to fetch them. */
  soon?(offset: number, length: number): void;
}

/** Where a tensor lies: `begin` and `end` are byte positions in the whole file. */
export interface StoredTensor extends TensorHeader {
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The header's own JSON bytes, for hashing. */
  readonly json: Uint8Array;
}

/** Reads the header alone: two small reads, whatever the size of the file. */
export async function readHeader(source: ByteSource): Promise<SafetensorsHeader> {
  if (source.bytes < 8) throw truncated(source.file, 8, source.bytes);
  const prefix = await source.read(0, 8);
  // A clone without Git LFS, or a host that does not know it, gives a note of 130 bytes in place of the file.
  if (new TextDecoder().decode(prefix) === 'version ') throw new FailureError('checkpoint/lfs-pointer', { file: source.file });
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) throw corrupt(source.file, `header of ${length} bytes, more than ${MAX_HEADER_BYTES}`);
  const headerBytes = Number(length);
  if (source.bytes < 8 + headerBytes) throw truncated(source.file, 8 + headerBytes, source.bytes);
  return parseHeader(source.file, await source.read(8, headerBytes), source.bytes);
}

/** One tensor as float32, whatever it is stored as. Refuses a tensor larger than `maxBytes` in the file. */
export async function readFloat32(source: ByteSource, header: SafetensorsHeader, tensor: string, options: { readonly maxBytes?: number } = {}): Promise<Float32Array> {
  const stored = storedTensor(header, tensor);
  const bytes = stored.end - stored.begin;
  if (options.maxBytes !== undefined && bytes > options.maxBytes) {
    throw corrupt(source.file, `${tensor} takes ${bytes} bytes where at most ${options.maxBytes} are read`);
  }
  return toFloat32(stored.dtype, await source.read(stored.begin, bytes));
}

/** `count` numbers of a tensor from the `first`, in storage order, as float32. */
export async function readFloat32Piece(source: ByteSource, header: SafetensorsHeader, tensor: string, first: number, count: number): Promise<Float32Array> {
  const stored = storedTensor(header, tensor);
  const width = DTYPE_BYTES[stored.dtype];
  if (stored.begin + (first + count) * width > stored.end) throw new FailureError('internal', { message: `${tensor} has fewer than ${first + count} numbers` });
  return toFloat32(stored.dtype, await source.read(stored.begin + first * width, count * width));
}

export function storedTensor(header: SafetensorsHeader, tensor: string): StoredTensor {
  const stored = header.tensors.get(tensor);
  if (stored === undefined) throw new FailureError('checkpoint/tensor-missing', { tensor });
  return stored;
}

/** A small safetensors file that is in memory as a whole: statistics, golden vectors, the command line's inputs. */
export interface SafetensorsFile {
  readonly header: SafetensorsHeader;
  has(tensor: string): boolean;
  /** As float32, a fresh array. Throws `checkpoint/tensor-missing`. */
  float32(tensor: string): Float32Array;
  /** As stored, a view on the file's bytes. Throws `checkpoint/tensor-missing`. */
  raw(tensor: string): { readonly dtype: TensorDtype; readonly shape: readonly number[]; readonly bytes: Uint8Array };
}

/** `file` is only for messages. Throws `checkpoint/file-truncated` and `checkpoint/file-corrupt`. */
export function parseSafetensors(bytes: Uint8Array, file: string): SafetensorsFile {
  if (bytes.length < 8) throw truncated(file, 8, bytes.length);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) throw corrupt(file, `header of ${length} bytes, more than ${MAX_HEADER_BYTES}`);
  const headerBytes = Number(length);
  if (bytes.length < 8 + headerBytes) throw truncated(file, 8 + headerBytes, bytes.length);
  const header = parseHeader(file, bytes.subarray(8, 8 + headerBytes), bytes.length);
  const raw: SafetensorsFile['raw'] = (tensor) => {
    const stored = header.tensors.get(tensor);
    if (stored === undefined) throw new FailureError('checkpoint/tensor-missing', { tensor });
    return { dtype: stored.dtype, shape: stored.shape, bytes: bytes.subarray(stored.begin, stored.end) };
  };
  return {
    header,
    has: (tensor) => header.tensors.has(tensor),
    raw,
    float32: (tensor) => {
      const { dtype, bytes: stored } = raw(tensor);
      return toFloat32(dtype, stored);
    },
  };
}

/** What can be written: the bytes of a typed array, taken as they are. */
export interface TensorToWrite {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | BigInt64Array | Int32Array | Uint8Array;
}

/**
 * A whole safetensors file. Order as the reference implementation writes it: widest element first, then by name, so
 * that every tensor is aligned to its element; the header is padded with spaces to a multiple of 8. The same input
 * gives the same bytes.
 */
export function writeSafetensors(tensors: Readonly<Record<string, TensorToWrite>>, metadata: Readonly<Record<string, string>> = {}): Uint8Array<ArrayBuffer> {
  const ordered = Object.entries(tensors).sort(
    ([nameA, a], [nameB, b]) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype] || (nameA < nameB ? -1 : 1),
  );
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let end = 0;
  for (const [name, tensor] of ordered) {
    const bytes = elementCount(tensor.shape) * DTYPE_BYTES[tensor.dtype];
    if (bytes !== tensor.data.byteLength) {
      throw new FailureError('internal', { message: `${name}: ${tensor.data.byteLength} bytes for ${tensor.dtype} [${tensor.shape.join(', ')}]` });
    }
    header[name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  let json = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  json = padded;
  const out = new Uint8Array(8 + json.length + end);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  let at = 8 + json.length;
  for (const [, tensor] of ordered) {
    out.set(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength), at);
    at += tensor.data.byteLength;
  }
  return out;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function parseHeader(file: string, json: Uint8Array, fileBytes: number): SafetensorsHeader {
  const entries = Object.entries(parseJsonObject(file, json));
  if (entries.length > MAX_TENSORS) throw corrupt(file, `${entries.length} tensors, more than ${MAX_TENSORS}`);
  const dataStart = 8 + json.length;
  const tensors = new Map<string, StoredTensor>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of entries) {
    if (name === '__metadata__') metadata = parseMetadata(file, entry);
    else tensors.set(name, parseEntry(file, name, entry, dataStart));
  }
  checkTiling(file, tensors, dataStart, fileBytes);
  return { file, tensors, metadata, json };
}

function parseJsonObject(file: string, json: Uint8Array): object {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw corrupt(file, 'the header is not JSON');
  }
  if (!isObject(value)) throw corrupt(file, 'the header is not a JSON object');
  return value;
}

function parseMetadata(file: string, entry: unknown): Record<string, string> {
  if (!isObject(entry)) throw corrupt(file, '__metadata__ is not an object');
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== 'string') throw corrupt(file, `__metadata__.${key} is not a string`);
    metadata[key] = value;
  }
  return metadata;
}

function parseEntry(file: string, name: string, entry: unknown, dataStart: number): StoredTensor {
  if (!isObject(entry)) throw corrupt(file, `the entry of ${name} is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string') throw corrupt(file, `${name} has no dtype`);
  if (!isTensorDtype(dtype)) throw new FailureError('checkpoint/tensor-dtype', { tensor: name, found: dtype.slice(0, 40) });
  if (!isWholeNumbers(shape) || shape.length > MAX_DIMENSIONS) throw corrupt(file, `${name} has no usable shape`);
  if (!isWholeNumbers(offsets) || offsets.length !== 2) throw corrupt(file, `${name} has no usable data_offsets`);
  const [from = 0, to = 0] = offsets;
  const wanted = elementCount(shape) * DTYPE_BYTES[dtype];
  if (!Number.isSafeInteger(wanted) || to - from !== wanted) {
    throw corrupt(file, `${name} is ${dtype} [${shape.join(', ')}] but its data_offsets hold ${to - from} bytes`);
  }
  return { dtype, shape, begin: dataStart + from, end: dataStart + to };
}

/** Sorted by position, each tensor must begin where the one before ended, and the last must end the file. */
function checkTiling(file: string, tensors: ReadonlyMap<string, StoredTensor>, dataStart: number, fileBytes: number): void {
  const sorted = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = dataStart;
  for (const [name, { begin, end }] of sorted) {
    if (begin < at) throw corrupt(file, `${name} overlaps the tensor before it`);
    if (begin > at) throw corrupt(file, `a gap of ${begin - at} bytes before ${name}`);
    at = end;
  }
  if (fileBytes < at) throw truncated(file, at, fileBytes);
  if (fileBytes > at) throw corrupt(file, `${fileBytes - at} bytes after the last tensor`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWholeNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function truncated(file: string, expectedBytes: number, foundBytes: number): FailureError {
  return new FailureError('checkpoint/file-truncated', { file, expectedBytes, foundBytes });
}

function corrupt(file: string, reason: string): FailureError {
  // Names inside a stranger's file may be of any length; a message need not be.
  return new FailureError('checkpoint/file-corrupt', { file, reason: reason.slice(0, 300) });
}
