/**
 * One golden case on any engine: the checkpoint through the real converter, the real letterbox and the real runner, and
 * every number compared with LeRobot's own. Runs in Node and in a browser alike: the engine and the file reader are
 * handed in. Knows no test framework: it returns comparisons, and the test says what it makes of them.
 */
import type { Engine, EyesReport, Provider } from '#contracts/engine.ts';
import type { OpenPack } from '#contracts/pack.ts';
import type { Picture } from '#contracts/picture.ts';
import type { Precision } from '#contracts/policy.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { memoryFiles } from '#core/conversion/checkpoint-files.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { parseSafetensors, writeSafetensors, type SafetensorsFile, type TensorToWrite } from '#core/conversion/safetensors.ts';
import { memoryStore } from '#core/conversion/store.ts';
import { anyFamilyRecipe, loadPolicy } from '../family.ts';
import type { ChunkRequest, LoadOptions } from '../policy.ts';
import { readSettings } from '../smolvla/settings.ts';
import type { GoldenCase } from './golden-sets.ts';

/** Reads `<folder>/<file>` of `testing/golden`. */
export type GoldenReader = (folder: string, file: string) => Promise<Uint8Array>;

export interface Comparison {
  readonly name: string;
  /** Largest |ours - LeRobot's|; of actions divided by each column's scale; of intermediate values divided by max(1, largest |LeRobot's|). */
  readonly difference: number;
  readonly tolerance: number;
}

export interface GoldenResult {
  readonly provider: Provider;
  readonly comparisons: readonly Comparison[];
}

/** What the issue asks of the result. */
export const RESULT_TOLERANCE = 2e-4;
/** Letterboxing and state are plain float32 arithmetic: a few roundings. */
const EXACT_TOLERANCE = 2e-6;
/** Values inside the network, relative to their largest: float32 sums in another order. */
const MID_TOLERANCE = 5e-5;

export interface OpenGolden {
  readonly pack: OpenPack;
  readonly request: ChunkRequest;
  readonly expected: { readonly x0: Float32Array; readonly actions: Float32Array | null; readonly mids: ReadonlyMap<string, Float32Array>; readonly pad: Float32Array | null };
}

/** Reads a case and converts its checkpoint. */
export async function openGolden(golden: GoldenCase, read: GoldenReader, precision: Precision = 'f32'): Promise<OpenGolden> {
  const files = new Map<string, Uint8Array>();
  for (const file of golden.files) files.set(file, await read(golden.folder, file));
  const opened = golden.layout === 'flat' ? openFlat(golden, files) : openCheckpointCase(files);
  changeConfig(golden, files);
  const store = memoryStore();
  await convertIntoStore({ files: memoryFiles(golden.name, files), recipe: anyFamilyRecipe, precision, store, name: golden.name });
  return { pack: await store.open(golden.name), ...opened };
}

/** Runs the case twice over one set of sessions: plainly, and with every intermediate value read back. */
export async function runGolden(golden: GoldenCase, engine: Engine, read: GoldenReader): Promise<GoldenResult> {
  const { pack, request, expected } = await openGolden(golden, read);
  const options: LoadOptions = { letterbox, clock: { nowMs: () => performance.now() } };
  const plainPolicy = await loadPolicy(pack, engine, options);
  const plain = await plainPolicy.predictChunk(request);
  await plainPolicy.dispose();
  const openedPolicy = await loadPolicy(pack, engine, { ...options, mids: 'all' });
  const opened = await openedPolicy.predictChunk(request);
  await openedPolicy.dispose();

  const comparisons: Comparison[] = [
    { name: 'x0', difference: largestDifference(plain.x0, expected.x0, 1), tolerance: RESULT_TOLERANCE },
    { name: 'x0 with intermediate values read back', difference: largestDifference(opened.x0, expected.x0, 1), tolerance: RESULT_TOLERANCE },
  ];
  if (expected.actions !== null) comparisons.push({ name: 'action', difference: actionDifference(pack, plain.actions, expected.actions), tolerance: RESULT_TOLERANCE });
  for (const [name, values] of expected.mids) {
    const ours = opened.mids.get(name);
    if (ours === undefined) throw new Error(`${golden.name}: the runner gives no ${name}`);
    const exact = name.startsWith('image.') || name.startsWith('prefix_p') || name === 'state_padded';
    const rows = name.startsWith('cache_') || name === 'prefix_embs' ? expected.pad : null;
    const scale = exact ? 1 : values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    comparisons.push({ name, difference: largestDifference(ours.data, values, scale, rows), tolerance: exact ? EXACT_TOLERANCE : MID_TOLERANCE });
  }
  return { provider: engine.provider, comparisons };
}

/** What a precision costs on one case, against LeRobot's own result. */
export interface PrecisionError {
  readonly largest: number;
  readonly mean: number;
  readonly cosine: number;
  readonly packBytes: number;
  readonly eyes: EyesReport | null;
}

/** x0 of the case with its weights kept in `precision`, and what stands between its products in `activations`. */
export async function precisionError(golden: GoldenCase, engine: Engine, read: GoldenReader, precision: Precision, activations: LoadOptions['activations'] = 'float32'): Promise<PrecisionError> {
  const { pack, request, expected } = await openGolden(golden, read, precision);
  const policy = await loadPolicy(pack, engine, { letterbox, clock: { nowMs: () => performance.now() }, activations });
  try {
    const { x0 } = await policy.predictChunk(request);
    return { ...errorOf(x0, expected.x0), eyes: policy.eyes, packBytes: pack.manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) };
  } finally {
    await policy.dispose();
  }
}

function errorOf(ours: Float32Array, theirs: Float32Array): { readonly largest: number; readonly mean: number; readonly cosine: number } {
  if (ours.length !== theirs.length) throw new Error(`${ours.length} numbers for ${theirs.length}`);
  let [largest, sum, dot, us, them] = [0, 0, 0, 0, 0];
  for (let i = 0; i < ours.length; i++) {
    const [a, b] = [ours[i]!, theirs[i]!];
    const difference = Math.abs(a - b);
    largest = Math.max(largest, difference);
    sum += difference;
    dot += a * b;
    us += a * a;
    them += b * b;
  }
  return { largest, mean: sum / ours.length, cosine: dot / Math.sqrt(us * them) };
}

/** `rows` 1/0 says which of the leading rows count. Lengths that differ are infinitely wrong. */
function largestDifference(ours: Float32Array, theirs: Float32Array, scale: number, rows: Float32Array | null = null): number {
  if (ours.length !== theirs.length || theirs.length === 0) return Infinity;
  const width = rows === null ? 1 : theirs.length / rows.length;
  let most = 0;
  for (let i = 0; i < theirs.length; i++) {
    if (rows !== null && rows[Math.floor(i / width)] === 0) continue;
    const difference = Math.abs(ours[i]! - theirs[i]!) / scale;
    // Not `>`: a NaN must not slip through.
    if (!(difference <= most)) most = Number.isNaN(difference) ? Infinity : difference;
  }
  return most;
}

function actionDifference(pack: OpenPack, ours: Float32Array, theirs: Float32Array): number {
  const { action, actionSize } = readSettings(pack.manifest.info.name, pack.manifest.settings);
  const scaleOf = (column: number): number => {
    if (action.mode === 'identity') return 1;
    return action.mode === 'mean-std' ? action.std[column]! : (action.high[column]! - action.low[column]!) / 2;
  };
  const scaled = (values: Float32Array): Float32Array => values.map((value, i) => value / scaleOf(i % actionSize));
  return largestDifference(scaled(ours), scaled(theirs), 1);
}

function picture(file: SafetensorsFile, tensor: string): Picture {
  const { dtype, shape, bytes } = file.raw(tensor);
  const [height, width, channels] = shape;
  if (dtype !== 'U8' || height === undefined || width === undefined || channels !== 3) throw new Error(`${tensor} is no picture`);
  return { width, height, channels, data: bytes };
}

function openCheckpointCase(files: ReadonlyMap<string, Uint8Array>): Pick<OpenGolden, 'request' | 'expected'> {
  const file = (name: string): SafetensorsFile => parseSafetensors(files.get(name)!, name);
  const [input, output, mid] = [file('case.safetensors'), file('expected.safetensors'), file('mid.safetensors')];
  const cameras = [...input.header.tensors.keys()].filter((name) => name.startsWith('observation.images.'));
  return {
    request: {
      pictures: new Map(cameras.map((camera) => [camera, picture(input, camera)])),
      state: input.float32('observation.state'),
      tokens: input.float32('tokens'),
      tokenMask: input.float32('token_mask'),
      noise: input.float32('noise'),
    },
    expected: {
      x0: output.float32('x0'),
      actions: output.float32('action'),
      mids: new Map([...mid.header.tensors.keys()].map((name) => [name, mid.float32(name)])),
      pad: mid.float32('prefix_pad'),
    },
  };
}

/** Names in `golden.safetensors` and what the runner calls them. */
const FLAT_MIDS: readonly (readonly [RegExp, string])[] = [
  [/^mid\.image(\d)_chw$/, 'image.$1'],
  [/^mid\.vision_out_img0$/, 'vision_out.0'],
  [/^mid\.connector_out_img0_unscaled$/, 'connector_out.0'],
  [/^mid\.state32$/, 'state_padded'],
  [/^mid\.(prefix_embs|prefix_pad|prefix_positions)$/, '$1'],
  [/^mid\.cacheK\.(\d+)$/, 'cache_k.$1'],
  [/^mid\.cacheV\.(\d+)$/, 'cache_v.$1'],
  [/^mid\.suffix_embs_t1$/, 'suffix_embs.t1'],
  [/^mid\.v_t_step0$/, 'v_t.step0'],
];

/** The flat folder, made into a checkpoint of today's format: its statistics go where LeRobot would put them. */
function openFlat(golden: GoldenCase, files: Map<string, Uint8Array>): Pick<OpenGolden, 'request' | 'expected'> {
  const all = parseSafetensors(files.get('golden.safetensors')!, 'golden.safetensors');
  const variants = parseSafetensors(files.get('golden_variants.safetensors')!, 'golden_variants.safetensors');
  const statistics: Record<string, TensorToWrite> = {};
  for (const name of all.header.tensors.keys()) {
    if (name.startsWith('stats.')) statistics[name.slice('stats.'.length)] = { dtype: 'F32', shape: all.raw(name).shape, data: all.float32(name) };
  }
  files.set('statistics.safetensors', writeSafetensors(statistics));
  const step = (registry_name: string): unknown => ({ registry_name, config: { eps: 1e-8, norm_map: { STATE: 'MEAN_STD', ACTION: 'MEAN_STD' } }, state_file: 'statistics.safetensors' });
  const tokenizer = { registry_name: 'tokenizer_processor', config: { max_length: 12, padding: 'max_length' } };
  setJson(files, 'policy_preprocessor.json', { steps: [tokenizer, step('normalizer_processor')] });
  setJson(files, 'policy_postprocessor.json', { steps: [step('unnormalizer_processor')] });

  const mids = new Map<string, Float32Array>();
  if (golden.variant === null) {
    for (const name of all.header.tensors.keys()) {
      for (const [pattern, ours] of FLAT_MIDS) if (pattern.test(name)) mids.set(name.replace(pattern, ours), all.float32(name));
    }
  }
  return {
    request: {
      pictures: new Map(['front', 'wrist'].map((camera) => [`observation.images.${camera}`, picture(all, `raw.${camera}_u8_hwc`)])),
      state: all.float32('raw.state'),
      tokens: all.float32('in.token_ids'),
      tokenMask: all.float32('in.token_mask'),
      noise: all.float32('in.noise'),
    },
    expected: {
      x0: golden.variant === null ? all.float32('out.x0_padded') : variants.float32(golden.variant),
      actions: golden.variant === null ? all.float32('out.actions_unnormalised') : null,
      mids,
      pad: all.float32('mid.prefix_pad'),
    },
  };
}

function changeConfig(golden: GoldenCase, files: Map<string, Uint8Array>): void {
  const config: unknown = JSON.parse(new TextDecoder().decode(files.get('config.json')));
  setJson(files, 'config.json', { ...(config as Record<string, unknown>), ...golden.config });
  if (golden.specialTokens !== null) setJson(files, 'special_tokens.json', golden.specialTokens);
}

function setJson(files: Map<string, Uint8Array>, file: string, value: unknown): void {
  files.set(file, new TextEncoder().encode(JSON.stringify(value)));
}
