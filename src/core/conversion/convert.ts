/**
 * Carries out a family's plan: reads each source tensor once it is its turn, checks that every number is finite, lets
 * the plan rearrange it, and writes it to the store. One planned tensor is in memory at a time. Knows no model: the
 * plan says what goes where.
 *
 *   checkpoint ──► plan (headers only) ──► is this very pack stored? ── yes ──► done, no weight was read
 *                                                │ no
 *                                                └──► tensor by tensor ──► weight files ──► manifest published
 */
import type { FamilyRecipe, PackManifest, PackPlan, PackTensor, PlannedTensor } from '#contracts/pack.ts';
import type { Precision } from '#contracts/policy.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import type { CheckpointFiles } from './checkpoint-files.ts';
import { layOut } from './pack.ts';
import { elementCount } from './safetensors.ts';
import { sha256, type Sha256, sha256Hex } from './sha256.ts';
import { type PackFileWriter, type PackStore, storedName, type StoredPack } from './store.ts';

/** Counts changes of the pack's layout: a stored pack of another revision is made again. */
const CONVERTER_REVISION = 1;

export interface ConversionRequest {
  readonly files: CheckpointFiles;
  readonly recipe: FamilyRecipe;
  readonly precision: Precision;
  readonly store: PackStore;
  /** The name under which the pack is published. */
  readonly name: string;
  readonly onProgress?: (progress: { readonly doneTensors: number; readonly totalTensors: number }) => void;
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
  return request.store.exclusively(request.name, () => convertAlone(request));
}

async function convertAlone(request: ConversionRequest): Promise<ConversionResult> {
  const { recipe, precision, store, name } = request;
  const stored = await store.find(name);
  let checkpoint: Checkpoint;
  try {
    checkpoint = await openCheckpoint(request.files);
  } catch (thrown) {
    const { code, facts } = asFailure(thrown);
    // No status: the host was never reached. A checkpoint that is reached and wrong is refused, stored pack or not.
    const offline = code === 'download/failed' && facts.status === null;
    if (offline && stored !== null) return resultOf(name, stored, 'from-store');
    throw thrown;
  }
  const plan = await recipe.plan(checkpoint.view, precision);
  const identity = identityOf(checkpoint, plan, precision);
  if (stored?.identity === identity) return resultOf(name, stored, 'from-store');
  const pack: StoredPack = { identity, manifest: await writePack(checkpoint, plan, request) };
  await store.publish(name, pack);
  return resultOf(name, pack, 'converted');
}

function resultOf(name: string, pack: StoredPack, how: 'from-store' | 'converted'): ConversionResult {
  const bytes = pack.manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  return { storedName: storedName(name, pack.manifest), bytes, fromStore: how === 'from-store' };
}

function identityOf(checkpoint: Checkpoint, plan: PackPlan, precision: Precision): string {
  const tensors = plan.tensors.map(({ name, file, shape, sources }) => [name, file, shape, sources]);
  const said = JSON.stringify([CONVERTER_REVISION, checkpoint.identity, precision, plan.family, plan.info, plan.settings, tensors]);
  return sha256Hex(new TextEncoder().encode(said));
}

interface OpenFile {
  readonly writer: PackFileWriter;
  readonly hash: Sha256;
  bytes: number;
}

async function writePack(checkpoint: Checkpoint, plan: PackPlan, { store, name, onProgress }: ConversionRequest): Promise<PackManifest> {
  const placed = layOut(plan.tensors);
  const open = new Map<string, OpenFile>();
  try {
    for (const [i, planned] of plan.tensors.entries()) {
      const values = await makeTensor(checkpoint, planned);
      let file = open.get(planned.file);
      if (file === undefined) {
        file = { writer: await store.createFile(name), hash: sha256(), bytes: 0 };
        open.set(planned.file, file);
      }
      await append(file, placed[i], new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      onProgress?.({ doneTensors: i + 1, totalTensors: plan.tensors.length });
    }
    const files: PackManifest['files'][number][] = [];
    for (const [file, { writer, hash, bytes }] of open) {
      const hex = hash.hex();
      await writer.keep(hex);
      files.push({ file, bytes, sha256: hex });
    }
    return { format: 'vla-playground-pack', version: 1, family: plan.family, info: plan.info, settings: plan.settings, tensors: placed, files, tokenizer: checkpoint.tokenizer };
  } catch (thrown) {
    for (const { writer } of open.values()) await writer.discard();
    throw thrown;
  }
}

async function append(file: OpenFile, place: PackTensor, values: Uint8Array): Promise<void> {
  const gap = new Uint8Array(place.offset - file.bytes);
  for (const piece of [gap, values]) {
    if (piece.length === 0) continue;
    file.hash.update(piece);
    await file.writer.write(piece);
  }
  file.bytes = place.offset + values.length;
}

async function makeTensor(checkpoint: Checkpoint, planned: PlannedTensor): Promise<Float32Array> {
  const sources: Float32Array[] = [];
  for (const source of planned.sources) {
    const values = await checkpoint.readTensor(source);
    requireFinite(source, values);
    sources.push(values);
  }
  const made = planned.make === undefined ? sources[0] : planned.make(sources);
  if (made === undefined || made.length !== elementCount(planned.shape)) {
    throw new FailureError('internal', { message: `${planned.name}: ${made?.length ?? 'no'} numbers for [${planned.shape.join(', ')}]` });
  }
  requireFinite(planned.name, made);
  return made;
}

function requireFinite(tensor: string, values: Float32Array): void {
  // x - x is 0 for every finite x and NaN otherwise: one addition an element, and no branch until the end.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] - values[i];
  if (sum === 0) return;
  throw new FailureError('checkpoint/not-finite', { tensor, index: values.findIndex((value) => !Number.isFinite(value)) });
}
