/**
 * A LeRobot checkpoint, opened: its JSON files parsed, its processors' statistics read, the header of its weights
 * checked. Knows where LeRobot puts things (`config.json`, `policy_preprocessor.json` and the `state_file`s it names,
 * `model.safetensors`, `tokenizer/`), old and new formats alike; knows no model: what the fields and tensors mean is
 * the family's business. No weight is read here.
 *
 * Also carried, where a folder has them: `vlm_config.json` (the backbone's own config.json, what `vlm_model_name`
 * points at), `special_tokens.json`, and `card.json` (what the makers say of the policy).
 */
import type { CheckpointView, PackManifest, TensorHeader } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { CheckpointFiles, LargeFile } from './checkpoint-files.ts';
import { parseSafetensors, readFloat32, readHeader, type SafetensorsHeader } from './safetensors.ts';
import { sha256 } from './sha256.ts';

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
const CARRIED = ['vlm_config.json', 'special_tokens.json', 'card.json'] as const;

export interface Checkpoint {
  readonly view: CheckpointView;
  readonly tokenizer: PackManifest['tokenizer'];
  /** sha-256 of everything but the weights' own bytes: JSON, statistics, tokenizer, header, size, the host's stamp. */
  readonly identity: string;
  readonly weightBytes: number;
  /** One tensor as float32. Rejects with `checkpoint/tensor-missing` or `checkpoint/file-truncated`. */
  readTensor(tensor: string): Promise<Float32Array>;
}

/** Rejects with `checkpoint/...` or `download/failed`, naming the file. */
export async function openCheckpoint(files: CheckpointFiles): Promise<Checkpoint> {
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

  if ((await readJson('config.json')) === null) throw missing(files, 'config.json');
  const steps: PipelineStep[] = [];
  for (const file of PIPELINES) steps.push(...stepsOf(file, await readJson(file)));
  for (const file of CARRIED) await readJson(file);

  const statistics = await readStatistics(files, steps, (file, bytes) => addTo(identity, file, bytes));
  const tokenizer = await readTokenizer(files, steps, (file, bytes) => addTo(identity, file, bytes));

  const weights = await files.open(WEIGHTS);
  if (weights === null) return refuseWithoutWeights(files);
  const header = await readHeader(weights);
  addTo(identity, WEIGHTS, header.json);
  identity.update(new TextEncoder().encode(`${weights.bytes} ${weights.stamp ?? ''}`));

  const names = readableNames(header);
  return {
    view: {
      name: files.source,
      json,
      tensors: new Map([...names].map(([name, stored]): [string, TensorHeader] => [name, tensorHeader(header, stored)])),
      statistics,
      readSmall: (tensor) => readNamed(weights, header, names, tensor, { maxBytes: MAX_SMALL_TENSOR_BYTES }),
    },
    tokenizer,
    identity: identity.hex(),
    weightBytes: weights.bytes,
    readTensor: (tensor) => readNamed(weights, header, names, tensor, {}),
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
  if ((await files.readSmall('adapter_config.json', MAX_JSON_BYTES)) !== null) {
    throw new FailureError('checkpoint/unsupported', { what: 'a LoRA adapter without its base model', found: 'adapter_config.json' });
  }
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

async function readNamed(weights: LargeFile, header: SafetensorsHeader, names: ReadonlyMap<string, string>, tensor: string, options: { readonly maxBytes?: number }): Promise<Float32Array> {
  return readFloat32(weights, header, names.get(tensor) ?? tensor, options);
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
