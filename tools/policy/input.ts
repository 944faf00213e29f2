/**
 * The file of inputs that `policy chunk` reads: pictures, joint state, noise and perhaps tokens, each checked against
 * what the command line promises. Knows tensors by name; knows no policy.
 */
import { readFileSync, statSync } from 'node:fs';
import type { Picture } from '#contracts/picture.ts';
import { parseSafetensors, type SafetensorsFile } from '#core/conversion/safetensors.ts';
import { FailureError } from '#core/lib/failure.ts';

/** Pictures of a few cameras and a little noise: far more than any input, far less than memory. */
const MAX_INPUT_BYTES = 512 * 1024 * 1024;
const PICTURES = 'observation.images.';

/** The input file is at fault. `message` says what is wrong and `next` what to do, both for a person. */
export class InputError extends Error {
  readonly next: string;

  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}

export interface ChunkInput {
  /** By camera, as the robot names it. */
  readonly pictures: ReadonlyMap<string, Picture>;
  readonly state: Float32Array;
  /** With its shape, which only the policy can judge. */
  readonly noise: { readonly shape: readonly number[]; readonly values: Float32Array };
  /** Null where the input brings none and the sentence must be tokenised. */
  readonly tokens: { readonly ids: Float32Array; readonly mask: Uint8Array } | null;
}

/** Throws InputError. */
export function readChunkInput(path: string): ChunkInput {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true) throw new InputError(`There is no input file ${path}.`, 'Give --input a safetensors file; its tensors are listed by --help.');
  if (found.size > MAX_INPUT_BYTES) throw new InputError(`The input file ${path} has ${found.size} bytes, more than ${MAX_INPUT_BYTES}.`, 'An input holds a few pictures; check that this is the right file.');
  const file = parse(path);
  return { pictures: picturesOf(file), state: need(file, 'observation.state', 'F32', 1).values, noise: need(file, 'noise', 'F32', 2), tokens: tokensOf(file) };
}

function parse(path: string): SafetensorsFile {
  try {
    return parseSafetensors(new Uint8Array(readFileSync(path)), path);
  } catch (thrown) {
    if (!(thrown instanceof FailureError)) throw thrown;
    const { code, facts } = thrown.failure;
    const why = code === 'checkpoint/file-truncated' ? `it should have ${facts['expectedBytes']} bytes and has ${facts['foundBytes']}` : String(facts['reason'] ?? facts['found']);
    throw new InputError(`The input file ${path} cannot be read: ${why}.`, 'Write it again, as safetensors.');
  }
}

function picturesOf(file: SafetensorsFile): Map<string, Picture> {
  const pictures = new Map<string, Picture>();
  for (const name of file.header.tensors.keys()) {
    if (!name.startsWith(PICTURES)) continue;
    const { dtype, shape, bytes } = file.raw(name);
    const [height, width, channels] = shape;
    if (dtype !== 'U8' || shape.length !== 3 || channels !== 3 || height < 1 || width < 1) {
      throw new InputError(`${name} in the input is ${dtype} [${shape.join(', ')}].`, 'A picture is U8 [height, width, 3], red first.');
    }
    pictures.set(name, { width, height, channels: 3, data: bytes });
  }
  return pictures;
}

function tokensOf(file: SafetensorsFile): ChunkInput['tokens'] {
  if (!file.has('tokens')) return null;
  const ids = need(file, 'tokens', 'I32', 1).values;
  if (!file.has('token_mask')) return { ids, mask: new Uint8Array(ids.length).fill(1) };
  const mask = Uint8Array.from(need(file, 'token_mask', 'U8', 1).values);
  if (mask.length !== ids.length) throw new InputError(`The input has ${ids.length} tokens and a token_mask of ${mask.length}.`, 'Give one mask value a token: 1 real, 0 padding.');
  return { ids, mask };
}

function need(file: SafetensorsFile, tensor: string, dtype: 'F32' | 'I32' | 'U8', dimensions: number): { readonly shape: readonly number[]; readonly values: Float32Array } {
  const kind = `${dtype} with ${dimensions === 1 ? '1 dimension' : `${dimensions} dimensions`}`;
  if (!file.has(tensor)) throw new InputError(`The input has no ${tensor}.`, `Add it, ${kind}.`);
  const found = file.raw(tensor);
  if (found.dtype !== dtype || found.shape.length !== dimensions) throw new InputError(`${tensor} in the input is ${found.dtype} [${found.shape.join(', ')}].`, `It must be ${kind}.`);
  const values = file.float32(tensor);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new InputError(`${tensor} in the input is ${values[bad]} at position ${bad}.`, 'Every number must be finite.');
  return { shape: found.shape, values };
}
