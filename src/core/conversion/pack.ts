/**
 * A pack's layout and how it is read: weight files with tensors at multiples of 64 bytes, and a manifest that says
 * where each lies. Knows bytes; knows no store and no model.
 *
 * A large weight file is cut into parts between tensors. A part is what an interrupted conversion need not do again, what
 * a GPU is handed at once, and what stays far below every limit on the size of one buffer.
 */
import type { OpenPack, PackManifest, PackTensor, PlannedTensor } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import { decode, encodedBytes, scaleRange } from './encode.ts';
import { elementCount } from './safetensors.ts';

/** onnxruntime maps external data at these offsets; 64 is a cache line and satisfies every alignment it asks for. */
const ALIGNMENT = 64;

/** A part is closed once it is this large; only a single larger tensor makes a larger one. */
export const PART_BYTES = 24 * 1024 * 1024;

const F32 = { kind: 'F32' } as const;

/** Where each planned tensor goes, part after part and in the plan's order within each. The plan's own order otherwise. */
export function layOut(tensors: readonly PlannedTensor[], partBytes = PART_BYTES): PackTensor[] {
  const ends = new Map<string, { part: number; end: number }>();
  const seen = new Set<string>();
  return tensors.map(({ name, file, shape, storage = F32, make }) => {
    if (seen.has(name)) throw new FailureError('internal', { message: `two planned tensors are called ${name}` });
    seen.add(name);
    const count = elementCount(shape);
    if (storage.kind === 'blocks' && (shape.length !== 2 || shape[1]! % storage.block !== 0)) {
      throw new FailureError('internal', { message: `${name} [${shape.join(', ')}] cannot be cut into blocks of ${storage.block}` });
    }
    if (storage.kind === 'columns' && (shape.at(-1) !== storage.width || make === undefined)) {
      throw new FailureError('internal', { message: `${name} [${shape.join(', ')}] cannot have a scale for each of ${storage.width} columns` });
    }
    const length = encodedBytes(storage, count);
    const scaleBytes = 4 * scaleRange(storage, 0, count).count;
    const at = ends.get(file) ?? { part: 0, end: 0 };
    if (at.end > 0 && aligned(at.end) + length + scaleBytes > partBytes) {
      at.part += 1;
      at.end = 0;
    }
    const offset = aligned(at.end);
    const scales = scaleBytes > 0 ? { offset: aligned(offset + length), length: scaleBytes } : undefined;
    at.end = scales === undefined ? offset + length : scales.offset + scales.length;
    ends.set(file, at);
    return { name, file: partName(file, at.part), shape, storage, offset, length, ...(scales === undefined ? {} : { scales }) };
  });
}

function partName(file: string, part: number): string {
  return part === 0 ? file : `${file}.${part}`;
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

/** `files` holds every file of the manifest, in memory or on disk. */
export function openPackFrom(manifest: PackManifest, files: ReadonlyMap<string, Uint8Array | Blob>): OpenPack {
  const tensors = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
  const fileOf = (file: string): Uint8Array | Blob => {
    const bytes = files.get(file);
    if (bytes === undefined) throw new FailureError('store/corrupt', { name: manifest.info.name, file });
    return bytes;
  };
  const tensorOf = (name: string): PackTensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new FailureError('internal', { message: `the pack has no tensor ${name}` });
    return tensor;
  };
  const bytesOf = async (file: string, from: number, length: number): Promise<Uint8Array> => {
    const copy = await readPiece(fileOf(file), from, length);
    if (copy.byteLength !== length) throw new FailureError('store/corrupt', { name: manifest.info.name, file });
    return new Uint8Array(copy);
  };
  /** `count` numbers from the `first`; whole blocks, whole rows. */
  const floats = async ({ file, storage, offset, scales }: PackTensor, first: number, count: number): Promise<Float32Array> => {
    const bytes = await bytesOf(file, offset + encodedBytes(storage, first), encodedBytes(storage, count));
    const range = scaleRange(storage, first, count);
    const factors = scales === undefined ? new Uint8Array() : await bytesOf(file, scales.offset + 4 * range.first, 4 * range.count);
    return decode(storage, bytes, new Float32Array(factors.buffer));
  };
  return {
    manifest,
    parts: (file) => manifest.files.map((part) => part.file).filter((part) => part === file || (part.startsWith(`${file}.`) && /^\d+$/.test(part.slice(file.length + 1)))),
    weights: async (part) => fileOf(part),
    tensor: async (name) => {
      const tensor = tensorOf(name);
      return floats(tensor, 0, elementCount(tensor.shape));
    },
    columns: async (name) => {
      const { file, storage, offset, length, scales } = tensorOf(name);
      if (storage.kind !== 'columns' || scales === undefined) throw new FailureError('internal', { message: `${name} is kept in ${storage.kind}, not in columns` });
      const codes = await bytesOf(file, offset, length);
      const factors = await bytesOf(file, scales.offset, scales.length);
      return { codes: new Int8Array(codes.buffer), scales: new Float32Array(factors.buffer) };
    },
    rows: async (name, first, count) => {
      const tensor = tensorOf(name);
      const [rows, columns] = tensor.shape;
      if (rows === undefined || columns === undefined || first < 0 || count < 0 || first + count > rows) {
        throw new FailureError('internal', { message: `rows ${first} to ${first + count} of ${name} [${tensor.shape.join(', ')}]` });
      }
      return floats(tensor, first * columns, count * columns);
    },
  };
}

async function readPiece(file: Uint8Array | Blob, from: number, length: number): Promise<ArrayBuffer> {
  if (file instanceof Uint8Array) return file.slice(from, from + length).buffer;
  try {
    return await file.slice(from, from + length).arrayBuffer();
  } catch {
    // The file was removed or rewritten under the open pack: an empty answer is reported as corrupt by the caller.
    return new ArrayBuffer(0);
  }
}
