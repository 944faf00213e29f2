/**
 * A LeRobot checkpoint, opened: its JSON files parsed, its processors' statistics read, the header of its weights
 * checked. Knows where LeRobot puts things (`config.json`, `policy_preprocessor.json` and the `state_file`s it names,
 * `model.safetensors`, `tokenizer/`), old and new formats alike; knows no model: what the fields and tensors mean is
 * the family's business. No weight is read here.
 *
 * Also carried, where a folder has them: `vlm_config.json` (the backbone's own config.json, what `vlm_model_name`
 * points at), `special_tokens.json`, `action_head.json` (a head that is not LeRobot's flow) and `card.json` (what the makers
 * say of the policy).
 */
import type { CheckpointView, PackManifest, TensorHeader } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { CheckpointFiles } from './checkpoint-files.ts';
import { type Adapter, checkAdapter, mergedNumbers, readAdapter } from './adapter.ts';
import { elementCount, parseSafetensors, readFloat32, readFloat32Piece, readHeader, type SafetensorsHeader, storedTensor } from './safetensors.ts';
import { sha256, type Sha256 } from './sha256.ts';

/** The largest config and processor files published are below 20 kB. */
const MAX_JSON_BYTES = 1024 * 1024;
/** The backbone's tokenizer.json is 3.5 MB. */
const MAX_TOKENIZER_BYTES = 32 * 1024 * 1024;
const MAX_STATE_FILE_BYTES = 4 * 1024 * 1024;
const MAX_STEPS = 64;
/** A statistic is a vector a joint or a colour channel. */
const MAX_SMALL_TENSOR_BYTES = 1024 * 1024;

const WEIGHTS = 'model.safetensors';
const PIPELINES = ['policy_preprocessor.json', 'policy_postprocessor.json'] as const;
const CARRIED = ['vlm_config.json', 'special_tokens.json', 'action_head.json', 'card.json'] as const;

export interface Checkpoint {
  readonly view: CheckpointView;
  readonly tokenizer: PackManifest['tokenizer'];
  /** sha-256 of everything but the weights' own bytes: JSON, statistics, tokenizer, header, size, the host's stamp. */
  readonly identity: string;
  readonly weightBytes: number;
  /** Numbers in a tensor. Throws `checkpoint/tensor-missing`. */
  countOf(tensor: string): number;
  /** Bytes that reading it costs: those of an adapter that is added to it count too. */
  bytesOf(tensor: string): number;
  /** `count` numbers of a tensor from the `first`, in storage order, as float32. Rejects with `checkpoint/tensor-missing`, `checkpoint/file-truncated`, `download/...`. */
  readNumbers(tensor: string, first: number, count: number): Promise<Float32Array>;
  /** It will be read soon. */
  soon(tensor: string): void;
}

export interface OpenOptions {
  /**
   * Where the base model of a LoRA adapter is, by the name its `adapter_config.json` gives; null where it cannot be had.
   * Absent: adapters are refused.
   */
  readonly base?: (name: string) => Promise<CheckpointFiles | null>;
}

/** Rejects with `checkpoint/...` or `download/failed`, naming the file. */
export async function openCheckpoint(files: CheckpointFiles, options: OpenOptions = {}): Promise<Checkpoint> {
  const identity = sha256();
  const json = new Map<string, unknown>();
  const readJson = async (file: string): Promise<unknown> => {
    const bytes = await files.readSmall(file, MAX_JSON_BYTES);
    if (bytes === null) return null;
    addTo(identity, file, bytes);
    const value = parseJson(file, bytes);
    json.set(file, value);
    return value;
  };

  // An adapter may leave the config to its base; whether this is one is asked when the weights are missing.
  if ((await readJson('config.json')) === null && (await files.readSmall('adapter_config.json', MAX_JSON_BYTES)) === null) throw missing(files, 'config.json');
  const steps: PipelineStep[] = [];
  for (const file of PIPELINES) steps.push(...stepsOf(file, await readJson(file)));
  for (const file of CARRIED) await readJson(file);

  const statistics = await readStatistics(files, steps, (file, bytes) => addTo(identity, file, bytes));
  const tokenizer = await readTokenizer(files, steps, (file, bytes) => addTo(identity, file, bytes));

  const weights = await files.open(WEIGHTS);
  if (weights === null) {
    const adapter = await readAdapter(files);
    if (adapter === null) return refuseWithoutWeights(files);
    addTo(identity, 'adapter', adapter.identity);
    const base = await openBase(adapter.baseName, options);
    const own: OwnFiles = { name: files.source, json, statistics, tokenizer, identity };
    return withAdapter(base, adapter, own);
  }
  const header = await readHeader(weights);
  addTo(identity, WEIGHTS, header.json);
  identity.update(new TextEncoder().encode(`${weights.bytes} ${weights.stamp ?? ''}`));

  const names = readableNames(header);
  const storedName = (tensor: string): string => names.get(tensor) ?? tensor;
  return {
    view: {
      name: files.source,
      json,
      tensors: new Map([...names].map(([name, stored]): [string, TensorHeader] => [name, tensorHeader(header, stored)])),
      statistics,
      readSmall: (tensor) => readFloat32(weights, header, storedName(tensor), { maxBytes: MAX_SMALL_TENSOR_BYTES }),
    },
    tokenizer,
    identity: identity.hex(),
    weightBytes: weights.bytes,
    countOf: (tensor) => elementCount(storedTensor(header, storedName(tensor)).shape),
    bytesOf: (tensor) => {
      const { begin, end } = storedTensor(header, storedName(tensor));
      return end - begin;
    },
    readNumbers: (tensor, first, count) => readFloat32Piece(weights, header, storedName(tensor), first, count),
    soon: (tensor) => {
      const { begin, end } = storedTensor(header, storedName(tensor));
      weights.soon?.(begin, end - begin);
    },
  };
}

/** An adapter brings its own config and processors, or leaves those of its base in force. */
interface OwnFiles {
  readonly name: string;
  readonly json: ReadonlyMap<string, unknown>;
  readonly statistics: ReadonlyMap<string, Float32Array>;
  readonly tokenizer: PackManifest['tokenizer'];
  readonly identity: Sha256;
}

async function openBase(name: string, options: OpenOptions): Promise<Checkpoint> {
  const files = (await options.base?.(name)) ?? null;
  if (files === null) throw new FailureError('checkpoint/base-missing', { base: name });
  // One level: an adapter of an adapter has no `base` to go on with and is refused.
  return openCheckpoint(files);
}

function withAdapter(base: Checkpoint, adapter: Adapter, own: OwnFiles): Checkpoint {
  checkAdapter(adapter, base.view.tensors);
  own.identity.update(new TextEncoder().encode(base.identity));
  const hasPipelines = PIPELINES.some((file) => own.json.has(file));
  const inherited = [...base.view.json].filter(([file]) => !(hasPipelines && PIPELINES.some((pipeline) => pipeline === file)));
  return {
    ...base,
    view: {
      name: own.name,
      json: new Map([...inherited, ...own.json]),
      tensors: base.view.tensors,
      statistics: hasPipelines ? own.statistics : base.view.statistics,
      readSmall: (tensor) => base.view.readSmall(tensor),
    },
    tokenizer: own.tokenizer ?? base.tokenizer,
    identity: own.identity.hex(),
    weightBytes: base.weightBytes + adapter.bytes,
    readNumbers: (tensor, first, count) => mergedNumbers(base, adapter, tensor, first, count),
  };
}

interface PipelineStep {
  readonly pipeline: (typeof PIPELINES)[number];
  readonly stateFile: string | null;
  /** Folder of the tokenizer the step brought along, where it did. */
  readonly tokenizerFolder: string | null;
}

function stepsOf(pipeline: PipelineStep['pipeline'], value: unknown): PipelineStep[] {
  if (value === null) return [];
  const steps = isObject(value) ? value.steps : undefined;
  if (!Array.isArray(steps)) throw new FailureError('checkpoint/config', { field: `${pipeline}: steps`, expected: 'a list', found: typeof steps });
  if (steps.length > MAX_STEPS) throw new FailureError('checkpoint/config', { field: `${pipeline}: steps`, expected: `at most ${MAX_STEPS}`, found: steps.length });
  return steps.map((step: unknown, i) => {
    const field = `${pipeline}: steps.${i}`;
    if (!isObject(step)) throw new FailureError('checkpoint/config', { field, expected: 'an object', found: typeof step });
    const artifacts = isObject(step.artifacts) ? step.artifacts : {};
    return {
      pipeline,
      stateFile: plainName(`${field}.state_file`, step.state_file),
      tokenizerFolder: plainName(`${field}.artifacts.tokenizer_name`, artifacts.tokenizer_name),
    };
  });
}

/** A name inside the checkpoint folder: a stranger's file must not lead us out of it. */
function plainName(field: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}$/.test(value)) return value;
  throw new FailureError('checkpoint/config', { field, expected: 'the name of a file in the folder', found: String(value).slice(0, 100) });
}

/**
 * Every tensor of the processors' state files, by its name there (`observation.state.mean`). Both pipelines carry the
 * same table; should they differ, what is observed is normalised by the first and what is done by the second.
 */
async function readStatistics(files: CheckpointFiles, steps: readonly PipelineStep[], used: (file: string, bytes: Uint8Array) => void): Promise<Map<string, Float32Array>> {
  const statistics = new Map<string, Float32Array>();
  for (const { pipeline, stateFile } of steps) {
    if (stateFile === null) continue;
    const bytes = await files.readSmall(stateFile, MAX_STATE_FILE_BYTES);
    if (bytes === null) throw missing(files, stateFile);
    used(stateFile, bytes);
    const state = parseSafetensors(bytes, stateFile);
    for (const name of state.header.tensors.keys()) {
      const decides = pipeline === 'policy_preprocessor.json' || name.startsWith('action.');
      if (decides || !statistics.has(name)) statistics.set(name, state.float32(name));
    }
  }
  return statistics;
}

/** `tokenizer/` (or the folder a processor step names) first, else the root, where model repositories keep it. */
async function readTokenizer(files: CheckpointFiles, steps: readonly PipelineStep[], used: (file: string, bytes: Uint8Array) => void): Promise<PackManifest['tokenizer']> {
  const named = steps.find((step) => step.tokenizerFolder !== null)?.tokenizerFolder ?? 'tokenizer';
  for (const folder of [`${named}/`, '']) {
    const file = `${folder}tokenizer.json`;
    const bytes = await files.readSmall(file, MAX_TOKENIZER_BYTES);
    if (bytes === null) continue;
    const configFile = `${folder}tokenizer_config.json`;
    const config = await files.readSmall(configFile, MAX_TOKENIZER_BYTES);
    used(file, bytes);
    parseJson(file, bytes);
    if (config === null) return { json: textOf(file, bytes), config: null };
    used(configFile, config);
    parseJson(configFile, config);
    return { json: textOf(file, bytes), config: textOf(configFile, config) };
  }
  return null;
}

/** Says which other kind of checkpoint this is before saying that the file is missing. */
async function refuseWithoutWeights(files: CheckpointFiles): Promise<never> {
  if ((await files.readSmall('model.safetensors.index.json', MAX_JSON_BYTES)) !== null) {
    throw new FailureError('checkpoint/unsupported', { what: 'weights split over several files', found: 'model.safetensors.index.json' });
  }
  throw missing(files, WEIGHTS);
}

/** Names as they were before `torch.compile` put `_orig_mod.` into them, to names in the file. */
function readableNames(header: SafetensorsHeader): Map<string, string> {
  return new Map([...header.tensors.keys()].map((stored) => [stored.replaceAll('_orig_mod.', ''), stored]));
}

function tensorHeader(header: SafetensorsHeader, stored: string): TensorHeader {
  const tensor = header.tensors.get(stored);
  if (tensor === undefined) throw new FailureError('checkpoint/tensor-missing', { tensor: stored });
  return { dtype: tensor.dtype, shape: tensor.shape };
}

function parseJson(file: string, bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(textOf(file, bytes));
  } catch (thrown) {
    if (thrown instanceof FailureError) throw thrown;
    throw new FailureError('checkpoint/file-corrupt', { file, reason: 'not JSON' });
  }
  if (!isObject(value)) throw new FailureError('checkpoint/file-corrupt', { file, reason: 'not a JSON object' });
  return value;
}

function textOf(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FailureError('checkpoint/file-corrupt', { file, reason: 'not UTF-8 text' });
  }
}

function addTo(identity: { update(bytes: Uint8Array): void }, file: string, bytes: Uint8Array): void {
  identity.update(new TextEncoder().encode(`\n${file} ${bytes.length}\n`));
  identity.update(bytes);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function missing(files: CheckpointFiles, file: string): FailureError {
  return new FailureError('checkpoint/file-missing', { file, source: files.source });
}
