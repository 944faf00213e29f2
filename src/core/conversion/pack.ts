/**
 * A pack's layout and how it is read: weight files with tensors at multiples of 64 bytes, and a manifest that says
 * where each lies. Knows bytes; knows no store and no model.
 */
import type { OpenPack, PackManifest, PackTensor, PlannedTensor } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import { elementCount } from './safetensors.ts';

/** onnxruntime maps external data at these offsets; 64 is a cache line and satisfies every alignment it asks for. */
const ALIGNMENT = 64;

/** Where each planned tensor goes: in the plan's order, file by file. */
export function layOut(tensors: readonly PlannedTensor[]): PackTensor[] {
  const ends = new Map<string, number>();
  const seen = new Set<string>();
  return tensors.map(({ name, file, shape }) => {
    if (seen.has(name)) throw new FailureError('internal', { message: `two planned tensors are called ${name}` });
    seen.add(name);
    const offset = Math.ceil((ends.get(file) ?? 0) / ALIGNMENT) * ALIGNMENT;
    const length = 4 * elementCount(shape);
    ends.set(file, offset + length);
    return { name, file, shape, dtype: 'F32', offset, length };
  });
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
  const floats = async (tensor: PackTensor, from: number, bytes: number): Promise<Float32Array> => {
    const copy = await readPiece(fileOf(tensor.file), tensor.offset + from, bytes);
    if (copy.byteLength !== bytes) throw new FailureError('store/corrupt', { name: manifest.info.name, file: tensor.file });
    return new Float32Array(copy);
  };
  return {
    manifest,
    weights: async (file) => fileOf(file),
    tensor: async (name) => {
      const tensor = tensorOf(name);
      return floats(tensor, 0, tensor.length);
    },
    rows: async (name, first, count) => {
      const tensor = tensorOf(name);
      const [rows, columns] = tensor.shape;
      if (rows === undefined || columns === undefined || first < 0 || count < 0 || first + count > rows) {
        throw new FailureError('internal', { message: `rows ${first} to ${first + count} of ${name} [${tensor.shape.join(', ')}]` });
      }
      return floats(tensor, 4 * first * columns, 4 * count * columns);
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
