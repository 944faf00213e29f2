/**
 * Writes a checkpoint with exactly the tensors of SmolVLA-450M (500 of them, 450,046,176 numbers, bfloat16 but for 26) and
 * seeded random weights, 0.9 GB, into a folder outside the repository:
 *
 *   npx tsx tools/make-full-size.ts FOLDER [seed]
 *
 * It has learned nothing. It is for everything that depends on size: conversion, memory, speed, precision at full width.
 * The same seed gives the same bytes on every machine.
 */
import { closeSync, cpSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TensorToWrite, writeSafetensors } from '#core/conversion/safetensors.ts';
import { BASE_CONFIG, baseTensors } from '../src/core/policy/testing/smolvla-base.ts';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..');
const STATE = 'policy_preprocessor_step_5_normalizer_processor.safetensors';
const POST_STATE = 'policy_postprocessor_step_0_unnormalizer_processor.safetensors';
const CAMERAS = ['observation.images.front', 'observation.images.wrist'] as const;

/** LeRobot keeps these in float32 whatever the rest is. */
function isFloat32(name: string): boolean {
  return /^model\.(?:state_proj|action_)/.test(name) || /lm_expert\.layers\.\d*[13579]\.self_attn\.[kv]_proj/.test(name);
}

export function writeFullSize(folder: string, seed = 1): void {
  mkdirSync(folder, { recursive: true });
  const tensors = [...baseTensors()].sort(([a], [b]) => (isFloat32(a) === isFloat32(b) ? (a < b ? -1 : 1) : isFloat32(a) ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const [name, { shape }] of tensors) {
    const bytes = shape.reduce((product, size) => product * size, 1) * (isFloat32(name) ? 4 : 2);
    header[name] = { dtype: isFloat32(name) ? 'F32' : 'BF16', shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, 0x20);
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  writeSync(file, length);
  writeSync(file, padded);
  for (const [i, [name, { shape }]] of tensors.entries()) writeTensor(file, name, shape, (seed * 7919 + i * 104729) >>> 0);
  closeSync(file);
  writeSmallFiles(folder);
}

const SLAB = 1 << 20;

function writeTensor(file: number, name: string, shape: readonly number[], seed: number): void {
  const count = shape.reduce((product, size) => product * size, 1);
  const isNorm = /norm\d?\.weight$|layernorm\.weight$/.test(name);
  const isBias = name.endsWith('.bias');
  // Rows keep the size of what they read, a little less, so that thirty layers neither grow nor vanish.
  const spread = isBias ? 0.02 : 0.8 / Math.sqrt(count / shape[0]!);
  const scale = name.includes('embed_tokens') ? 1 / 31 : name.includes('position_embedding') ? 0.3 : spread;
  let state = seed | 1;
  for (let first = 0; first < count; first += SLAB) {
    const values = new Float32Array(Math.min(SLAB, count - first));
    for (let i = 0; i < values.length; i++) {
      // xorshift32 (Marsaglia 2003); four of its bytes summed are near enough to normal, standard deviation 147.8.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const sum = (state & 255) + ((state >>> 8) & 255) + ((state >>> 16) & 255) + (state >>> 24) - 510;
      values[i] = isNorm ? 1 + sum / 4000 : (sum / 147.8) * scale;
    }
    if (isFloat32(name)) {
      writeSync(file, new Uint8Array(values.buffer));
      continue;
    }
    const bits = new Uint32Array(values.buffer);
    const halves = Uint16Array.from(bits, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16);
    writeSync(file, new Uint8Array(halves.buffer));
  }
}

function writeSmallFiles(folder: string): void {
  const features = {
    'observation.state': { type: 'STATE', shape: [6] },
    ...Object.fromEntries(CAMERAS.map((camera) => [camera, { type: 'VISUAL', shape: [3, 480, 640] }])),
  };
  const action = { action: { type: 'ACTION', shape: [6] } };
  const norm_map = { VISUAL: 'IDENTITY', STATE: 'MEAN_STD', ACTION: 'MEAN_STD' };
  const vector = (...values: number[]): TensorToWrite => ({ dtype: 'F32', shape: [values.length], data: new Float32Array(values) });
  const statistics = writeSafetensors(
    Object.fromEntries(
      ['observation.state', 'action'].flatMap((feature) => [
        [`${feature}.mean`, vector(0, -30, 30, 45, 0, 30)],
        [`${feature}.std`, vector(25, 35, 30, 20, 30, 25)],
        [`${feature}.min`, vector(-80, -100, -70, -40, -90, 0)],
        [`${feature}.max`, vector(80, 60, 95, 98, 90, 100)],
      ]),
    ),
  );
  const tokenizer = { registry_name: 'tokenizer_processor', config: { max_length: 48, padding: 'max_length', truncation: true }, artifacts: { tokenizer_name: 'tokenizer' } };
  const json: Readonly<Record<string, unknown>> = {
    'config.json': { ...BASE_CONFIG, input_features: features, output_features: action },
    'policy_preprocessor.json': { name: 'policy_preprocessor', steps: [tokenizer, { registry_name: 'normalizer_processor', config: { eps: 1e-8, norm_map }, state_file: STATE }] },
    'policy_postprocessor.json': { name: 'policy_postprocessor', steps: [{ registry_name: 'unnormalizer_processor', config: { eps: 1e-8, norm_map }, state_file: POST_STATE }] },
    'card.json': { fps: 30, training: { kind: 'untrained' }, sentences: ['pick up the red cube'] },
  };
  for (const [file, value] of Object.entries(json)) writeFileSync(join(folder, file), `${JSON.stringify(value, null, 1)}\n`);
  writeFileSync(join(folder, STATE), statistics);
  writeFileSync(join(folder, POST_STATE), statistics);
  // Any tokenizer whose ids the vocabulary holds will do: the weights know no word.
  cpSync(join(REPOSITORY, 'public', 'policies', 'pocket', 'tokenizer'), join(folder, 'tokenizer'), { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , folder, seed = '1'] = process.argv;
  if (folder === undefined) {
    console.error('say where: npx tsx tools/make-full-size.ts FOLDER [seed]');
    process.exit(2);
  }
  writeFullSize(folder, Number(seed));
  console.log(`0.9 GB in ${folder}`);
}
