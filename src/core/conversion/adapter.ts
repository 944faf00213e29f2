/**
 * LoRA adapters (PEFT's `adapter_config.json` and `adapter_model.safetensors`), merged into the base's weights while these
 * are read: W' = W + (alpha / r) B A, or alpha / sqrt(r) for the rank-stabilised kind. Knows PEFT's names and fields; knows no
 * model. Small enough to be in memory as a whole. What would change the result in another way is refused by name.
 *
 *   base_model.model.<module>.lora_A.weight [r, in]     <module>.weight of the base gets (alpha / r) B A
 *   base_model.model.<module>.lora_B.weight [out, r]
 *   base_model.model.<tensor>                           replaces the base's tensor (`modules_to_save`)
 */
import type { TensorHeader } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { CheckpointFiles } from './checkpoint-files.ts';
import { parseSafetensors, type SafetensorsFile } from './safetensors.ts';
import { sha256Hex } from './sha256.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;
/** LeRobot's default targets at rank 64 take 30 MB; a whole expert saved beside them 200 MB. */
const MAX_ADAPTER_BYTES = 512 * 1024 * 1024;
const PREFIX = 'base_model.model.';

export interface Adapter {
  readonly baseName: string;
  /** By the base's tensor name. */
  readonly low: ReadonlyMap<string, LowRank>;
  readonly replaced: ReadonlyMap<string, Float32Array>;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly bytes: number;
  readonly identity: Uint8Array;
}

interface LowRank {
  readonly rank: number;
  readonly factor: number;
  /** [rank, in] */
  readonly a: Float32Array;
  /** [out, rank] */
  readonly b: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** Null where the folder holds no adapter. Rejects with `checkpoint/...`. */
export async function readAdapter(files: CheckpointFiles): Promise<Adapter | null> {
  const json = await files.readSmall('adapter_config.json', MAX_CONFIG_BYTES);
  if (json === null) return null;
  const config = parseConfig(json);
  const bytes = await files.readSmall('adapter_model.safetensors', MAX_ADAPTER_BYTES);
  if (bytes === null) throw new FailureError('checkpoint/file-missing', { file: 'adapter_model.safetensors', source: files.source });
  const file = parseSafetensors(bytes, 'adapter_model.safetensors');
  const low = new Map<string, LowRank>();
  const replaced = new Map<string, Float32Array>();
  const shapes = new Map<string, readonly number[]>();
  for (const name of file.header.tensors.keys()) {
    if (!name.startsWith(PREFIX)) throw unsupported('adapter tensor', name);
    const inner = name.slice(PREFIX.length);
    if (inner.endsWith('.lora_B.weight')) continue;
    if (inner.endsWith('.lora_A.weight')) {
      const module = inner.slice(0, -'.lora_A.weight'.length);
      low.set(`${module}.weight`, lowRank(file, `${PREFIX}${module}`, config));
    } else if (inner.includes('lora_')) {
      throw unsupported('adapter tensor', name);
    } else {
      const target = inner.replace('.modules_to_save.default.', '.').replace('.modules_to_save.', '.');
      replaced.set(target, file.float32(name));
      shapes.set(target, file.raw(name).shape);
    }
  }
  return { baseName: config.baseName, low, replaced, shapes, bytes: bytes.length, identity: new TextEncoder().encode(`${sha256Hex(json)} ${sha256Hex(bytes)}`) };
}

interface AdapterConfig {
  readonly baseName: string;
  readonly rank: number;
  readonly alpha: number;
  readonly scaling: 'rank' | 'root';
}

function parseConfig(json: Uint8Array): AdapterConfig {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw new FailureError('checkpoint/file-corrupt', { file: 'adapter_config.json', reason: 'not JSON' });
  }
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const kind = fields['peft_type'] ?? 'LORA';
  if (kind !== 'LORA') throw unsupported('adapter type', String(kind));
  for (const field of ['use_dora', 'fan_in_fan_out', 'lora_bias', 'use_qalora']) if (fields[field] === true) throw unsupported(`adapter with ${field}`, 'true');
  if ((fields['bias'] ?? 'none') !== 'none') throw unsupported('adapter that trains biases', String(fields['bias']));
  for (const field of ['rank_pattern', 'alpha_pattern']) {
    const pattern = fields[field];
    if (typeof pattern === 'object' && pattern !== null && Object.keys(pattern).length > 0) throw unsupported(`adapter with ${field}`, Object.keys(pattern)[0]!.slice(0, 80));
  }
  const wrong = (field: string, expected: string, found: unknown): FailureError =>
    new FailureError('checkpoint/config', { field: `adapter_config.json: ${field}`, expected, found: String(found).slice(0, 80) });
  const { r: rank, lora_alpha: alpha, base_model_name_or_path: baseName, use_rslora: root } = fields;
  if (typeof rank !== 'number' || !Number.isInteger(rank) || rank < 1 || rank > 4096) throw wrong('r', 'a whole number from 1 to 4096', rank);
  if (typeof alpha !== 'number' || !Number.isFinite(alpha)) throw wrong('lora_alpha', 'a number', alpha);
  if (typeof baseName !== 'string' || baseName === '' || baseName.length > 200) throw wrong('base_model_name_or_path', 'the name of the base model', baseName);
  return { baseName, rank, alpha, scaling: root === true ? 'root' : 'rank' };
}

function lowRank(file: SafetensorsFile, module: string, { rank, alpha, scaling }: AdapterConfig): LowRank {
  const [a, b] = [file.raw(`${module}.lora_A.weight`), file.raw(`${module}.lora_B.weight`)];
  const [aRank, columns] = a.shape;
  const [rows, bRank] = b.shape;
  if (a.shape.length !== 2 || b.shape.length !== 2 || aRank !== rank || bRank !== rank || columns === undefined || rows === undefined) {
    throw new FailureError('checkpoint/tensor-shape', { tensor: `${module}.lora_A, lora_B`, expected: `[${rank}, in], [out, ${rank}]`, found: `[${a.shape.join(', ')}], [${b.shape.join(', ')}]` });
  }
  const factor = alpha / (scaling === 'root' ? Math.sqrt(rank) : rank);
  return { rank, factor, rows, columns, a: file.float32(`${module}.lora_A.weight`), b: file.float32(`${module}.lora_B.weight`) };
}

/** Every tensor the adapter speaks of must be there and have its shape: an adapter of another model is refused by name. */
export function checkAdapter(adapter: Adapter, tensors: ReadonlyMap<string, TensorHeader>): void {
  const check = (tensor: string, shape: readonly number[]): void => {
    const found = tensors.get(tensor);
    if (found === undefined) throw new FailureError('checkpoint/tensor-missing', { tensor });
    if (found.shape.join() !== shape.join()) throw new FailureError('checkpoint/tensor-shape', { tensor, expected: `[${shape.join(', ')}]`, found: `[${found.shape.join(', ')}]` });
  };
  for (const [tensor, { rows, columns }] of adapter.low) check(tensor, [rows, columns]);
  for (const [tensor, shape] of adapter.shapes) check(tensor, shape);
}

/** Numbers of a base's tensor with the adapter in it. */
export async function mergedNumbers(
  base: { readNumbers(tensor: string, first: number, count: number): Promise<Float32Array> },
  adapter: Adapter,
  tensor: string,
  first: number,
  count: number,
): Promise<Float32Array> {
  const whole = adapter.replaced.get(tensor);
  const numbers = whole === undefined ? await base.readNumbers(tensor, first, count) : whole.slice(first, first + count);
  const low = adapter.low.get(tensor);
  if (low === undefined) return numbers;
  const { rank, factor, a, b, columns } = low;
  for (let i = 0; i < count; i++) {
    const row = Math.floor((first + i) / columns);
    const column = (first + i) % columns;
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += b[row * rank + k]! * a[k * columns + column]!;
    numbers[i]! += factor * sum;
  }
  return numbers;
}

function unsupported(what: string, found: string): FailureError {
  return new FailureError('checkpoint/unsupported', { what, found: found.slice(0, 120) });
}
