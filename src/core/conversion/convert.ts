/**
 * Carries out a family's plan: reads each source tensor once it is its turn, checks that every number is finite, lets
 * the plan rearrange it, encodes it and writes it to the store. One planned tensor is in memory at a time, and of one that
 * is only passed through (the embedding table is the largest of all) a slab of rows. Knows no model: the plan says what
 * goes where.
 *
 *   checkpoint ──► plan (headers only) ──► is this very pack stored? ── yes ──► done, no weight was read
 *                                                │ no
 *                                                └──► part by part ──► journal ──► ... ──► manifest published
 *                                                        ▲                │
 *                                                        └── interrupted ─┘ finished parts are not made again
 */
import type { CheckpointReport } from '#contracts/inference.ts';
import type { FamilyRecipe, PackManifest, PackPlan, PackTensor, PlannedTensor } from '#contracts/pack.ts';
import type { Precision } from '#contracts/policy.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import { type Checkpoint, openCheckpoint, type OpenOptions } from './checkpoint.ts';
import type { CheckpointFiles } from './checkpoint-files.ts';
import { encode } from './encode.ts';
import { layOut, PART_BYTES } from './pack.ts';
import { elementCount } from './safetensors.ts';
import { sha256, type Sha256, sha256Hex } from './sha256.ts';
import { type PackFileWriter, type PackStore, storedName, type StoredPack } from './store.ts';

/** Counts changes of the pack's layout or of how numbers are encoded: a stored pack of another revision is made again. */
const CONVERTER_REVISION = 3;

export interface ConversionRequest {
  readonly files: CheckpointFiles;
  readonly recipe: FamilyRecipe;
  readonly precision: Precision;
  readonly store: PackStore;
  /** The name under which the pack is published. */
  readonly name: string;
  /** Where the base of a LoRA adapter is. */
  readonly base?: OpenOptions['base'];
  /** Bytes are those of the checkpoint's own tensors, as far as they are needed; what a journal had counts as done. */
  readonly onProgress?: (progress: ConversionProgress) => void;
  /** Somebody else, in another tab perhaps, works on this name; this one waits. */
  readonly onWait?: () => void;
  /** Ends the conversion with `download/cancelled`; what is finished by then is kept for the next time. */
  readonly signal?: AbortSignal;
  /** A part is closed once it is this large; absent: `PART_BYTES`. */
  readonly partBytes?: number;
}

export interface ConversionProgress {
  readonly doneTensors: number;
  readonly totalTensors: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface ConversionResult {
  /** Name and content, for `PackStore.open`. */
  readonly storedName: string;
  readonly bytes: number;
  /** True where the pack was there already and no weight was read. */
  readonly fromStore: boolean;
}

/**
 * Publishes the pack of a checkpoint under `name`, unless it is there already. Without a network a pack published
 * earlier under this name is used as it is.
 * Rejects with `checkpoint/...`, `download/failed` or `store/...`.
 */
export async function convertIntoStore(request: ConversionRequest): Promise<ConversionResult> {
  const { store, name, onWait, signal } = request;
  return store.exclusively(name, () => convertAlone(request), { ...(onWait === undefined ? {} : { onWait }), ...(signal === undefined ? {} : { signal }) });
}

async function convertAlone(request: ConversionRequest): Promise<ConversionResult> {
  const { recipe, precision, store, name } = request;
  const stored = await store.find(name);
  let checkpoint: Checkpoint;
  try {
    checkpoint = await openCheckpoint(request.files, request.base === undefined ? {} : { base: request.base });
  } catch (thrown) {
    const { code, facts } = asFailure(thrown);
    // No status: the host was never reached. A checkpoint that is reached and wrong is refused, stored pack or not.
    const offline = code === 'download/failed' && facts.status === null;
    if (offline && stored !== null) return resultOf(name, stored, 'from-store');
    throw thrown;
  }
  const plan = await recipe.plan(checkpoint.view, precision);
  const identity = identityOf(checkpoint, plan, request);
  if (stored?.identity === identity) return resultOf(name, stored, 'from-store');
  const manifest = await writePack(checkpoint, plan, identity, request);
  const pack: StoredPack = { identity, manifest, ...(stored?.title === undefined ? {} : { title: stored.title }) };
  await store.publish(name, pack);
  return resultOf(name, pack, 'converted');
}

/** What a conversion would read and write, from headers and small files alone. Rejects as `convertIntoStore` does. */
export async function inspectCheckpoint(request: Pick<ConversionRequest, 'files' | 'recipe' | 'precision' | 'store' | 'name' | 'base' | 'partBytes'>): Promise<Omit<CheckpointReport, 'commit'>> {
  const checkpoint = await openCheckpoint(request.files, request.base === undefined ? {} : { base: request.base });
  const plan = await request.recipe.plan(checkpoint.view, request.precision);
  const placed = layOut(plan.tensors, request.partBytes);
  const stored = await request.store.find(request.name);
  return {
    info: plan.info,
    fileBytes: checkpoint.weightBytes,
    neededBytes: [...new Set(plan.tensors.flatMap(({ sources }) => sources))].reduce((sum, source) => sum + checkpoint.bytesOf(source), 0),
    packBytes: placed.reduce((sum, { length, scales }) => sum + length + (scales?.length ?? 0), 0),
    largestTensorBytes: placed.reduce((most, { length }) => Math.max(most, length), 0),
    tokenizer: checkpoint.tokenizer === null ? 'missing' : 'present',
    stored: stored?.identity === identityOf(checkpoint, plan, request),
  };
}

function resultOf(name: string, pack: StoredPack, how: 'from-store' | 'converted'): ConversionResult {
  const bytes = pack.manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  return { storedName: storedName(name, pack.manifest), bytes, fromStore: how === 'from-store' };
}

function identityOf(checkpoint: Checkpoint, plan: PackPlan, { precision, partBytes = PART_BYTES }: Pick<ConversionRequest, 'precision' | 'partBytes'>): string {
  const tensors = plan.tensors.map(({ name, file, shape, sources, storage }) => [name, file, shape, sources, storage ?? null]);
  const said = JSON.stringify([CONVERTER_REVISION, partBytes, checkpoint.identity, precision, plan.family, plan.info, plan.settings, tensors]);
  return sha256Hex(new TextEncoder().encode(said));
}

/** A part and the tensors in it, in the order they are written. */
interface Part {
  readonly file: string;
  readonly tensors: readonly { readonly planned: PlannedTensor; readonly place: PackTensor }[];
}

function partsOfPlan(plan: PackPlan, placed: readonly PackTensor[]): Part[] {
  const parts = new Map<string, Part['tensors'][number][]>();
  for (const [i, planned] of plan.tensors.entries()) {
    const place = placed[i]!;
    const tensors = parts.get(place.file);
    if (tensors === undefined) parts.set(place.file, [{ planned, place }]);
    else tensors.push({ planned, place });
  }
  return [...parts].map(([file, tensors]) => ({ file, tensors }));
}

/**
 * Writes what the journal does not have yet. A finished part is kept and noted at once, so that whatever ends this
 * conversion (a lost network, a closed tab, a full disk, Cancel) leaves a store from which the next one goes on.
 */
async function writePack(checkpoint: Checkpoint, plan: PackPlan, identity: string, request: ConversionRequest): Promise<PackManifest> {
  const { store, name, onProgress, signal } = request;
  const placed = layOut(plan.tensors, request.partBytes);
  const parts = partsOfPlan(plan, placed);
  const journal = await store.journal(name);
  // Parts of another checkpoint, precision or recipe are of no use now.
  if (journal !== null && journal.identity !== identity) await store.setJournal(name, null);
  const kept = journal !== null && journal.identity === identity ? journal.files : [];
  const files: PackManifest['files'][number][] = [];
  const sizes = parts.map((part) => part.tensors.reduce((sum, { planned }) => sum + sourceBytes(checkpoint, planned), 0));
  const total = { tensors: plan.tensors.length, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) };
  let doneTensors = 0;
  let doneBytes = 0;
  const report = (): void => onProgress?.({ doneTensors, totalTensors: total.tensors, doneBytes, totalBytes: total.bytes });
  const queue = parts.flatMap((part) => (kept.some(({ file }) => file === part.file) ? [] : part.tensors.map(({ planned }) => planned)));

  for (const [p, part] of parts.entries()) {
    const finished = kept.find(({ file }) => file === part.file);
    if (finished !== undefined) {
      files.push(finished);
      doneTensors += part.tensors.length;
      doneBytes += sizes[p]!;
      report();
      continue;
    }
    const file: OpenFile = { writer: await store.createFile(name), hash: sha256(), bytes: 0 };
    try {
      for (const { planned, place } of part.tensors) {
        queue.shift();
        for (const soon of queue.slice(0, READ_AHEAD)) for (const source of soon.sources) checkpoint.soon(source);
        for await (const step of writeTensor(checkpoint, planned, place, file)) {
          throwIfCancelled(signal);
          doneBytes += step.sourceBytes;
          report();
        }
        doneTensors += 1;
        report();
      }
      const hex = file.hash.hex();
      await file.writer.keep(hex);
      files.push({ file: part.file, bytes: file.bytes, sha256: hex });
    } catch (thrown) {
      await file.writer.discard();
      throw thrown;
    }
    await store.setJournal(name, { identity, files });
  }
  return { format: 'vla-playground-pack', version: 2, family: plan.family, info: plan.info, settings: plan.settings, tensors: placed, files, tokenizer: checkpoint.tokenizer };
}

/** Planned tensors whose bytes are asked for before it is their turn. */
const READ_AHEAD = 3;

function sourceBytes(checkpoint: Checkpoint, { sources }: PlannedTensor): number {
  return sources.reduce((sum, source) => sum + checkpoint.bytesOf(source), 0);
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new FailureError('download/cancelled');
}

interface OpenFile {
  readonly writer: PackFileWriter;
  readonly hash: Sha256;
  bytes: number;
}

async function append(file: OpenFile, offset: number, values: Uint8Array): Promise<void> {
  for (const piece of [new Uint8Array(offset - file.bytes), values]) {
    if (piece.length === 0) continue;
    file.hash.update(piece);
    await file.writer.write(piece);
  }
  file.bytes = offset + values.length;
}

/** Numbers of a tensor that is only passed through, held at once: 4 MiB of float32. */
const SLAB_NUMBERS = 1024 * 1024;

async function* writeTensor(checkpoint: Checkpoint, planned: PlannedTensor, place: PackTensor, file: OpenFile): AsyncGenerator<{ readonly sourceBytes: number }> {
  const scales: Float32Array[] = [];
  let offset = place.offset;
  const put = async (values: Float32Array): Promise<void> => {
    const encoded = encode(place.storage, values);
    await append(file, offset, encoded.bytes);
    offset += encoded.bytes.length;
    scales.push(encoded.scales);
  };
  const [only] = planned.sources;
  if (planned.make === undefined && only !== undefined && planned.sources.length === 1) {
    const count = elementCount(planned.shape);
    if (checkpoint.countOf(only) !== count) throw wrongCount(planned, checkpoint.countOf(only));
    const row = planned.shape.slice(1).reduce((product, size) => product * size, 1);
    const slab = Math.max(1, Math.floor(SLAB_NUMBERS / row)) * row;
    for (let first = 0; first < count; first += slab) {
      const values = await checkpoint.readNumbers(only, first, Math.min(slab, count - first));
      requireFinite(only, values, first);
      await put(values);
      yield { sourceBytes: (checkpoint.bytesOf(only) / count) * values.length };
    }
  } else {
    await put(await makeTensor(checkpoint, planned));
    yield { sourceBytes: sourceBytes(checkpoint, planned) };
  }
  if (place.scales === undefined) return;
  for (const [i, piece] of scales.entries()) {
    await append(file, i === 0 ? place.scales.offset : file.bytes, new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
  }
}

async function makeTensor(checkpoint: Checkpoint, planned: PlannedTensor): Promise<Float32Array> {
  const sources: Float32Array[] = [];
  for (const source of planned.sources) {
    const values = await checkpoint.readNumbers(source, 0, checkpoint.countOf(source));
    requireFinite(source, values, 0);
    sources.push(values);
  }
  const made = planned.make === undefined ? sources[0] : planned.make(sources);
  if (made === undefined || made.length !== elementCount(planned.shape)) throw wrongCount(planned, made?.length ?? 0);
  requireFinite(planned.name, made, 0);
  return made;
}

function wrongCount(planned: PlannedTensor, found: number): FailureError {
  return new FailureError('internal', { message: `${planned.name}: ${found} numbers for [${planned.shape.join(', ')}]` });
}

function requireFinite(tensor: string, values: Float32Array, first: number): void {
  // x - x is 0 for every finite x and NaN otherwise: one addition an element, and no branch until the end.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! - values[i]!;
  if (sum === 0) return;
  throw new FailureError('checkpoint/not-finite', { tensor, index: first + values.findIndex((value) => !Number.isFinite(value)) });
}
