/**
 * A checkpoint of four tensors in LeRobot's file layout, and a recipe that understands it: enough to test everything
 * this room does without knowing any real model.
 */
import type { CheckpointView, FamilyRecipe } from '#contracts/pack.ts';
import type { PolicyInfo } from '#contracts/policy.ts';
import { FailureError } from '#core/lib/failure.ts';
import { toBfloat16 } from '../dtypes.ts';
import { type TensorToWrite, writeSafetensors } from '../safetensors.ts';

export const TINY_EMBEDDING = Float32Array.from({ length: 12 }, (_, i) => i - 4);
export const TINY_MATRIX = Float32Array.from({ length: 6 }, (_, i) => i / 4);
export const TINY_BIAS = new Float32Array([0.5, -0.5, 0.25]);

export function tinyWeights(): Record<string, TensorToWrite> {
  return {
    'model.embed.weight': { dtype: 'F32', shape: [4, 3], data: TINY_EMBEDDING },
    'model.proj.weight': { dtype: 'BF16', shape: [3, 2], data: toBfloat16(TINY_MATRIX) },
    'model.proj.bias': { dtype: 'F32', shape: [3], data: TINY_BIAS },
    'model.never_read.weight': { dtype: 'F32', shape: [2], data: new Float32Array([NaN, Infinity]) },
  };
}

const STATE_FILE = 'policy_preprocessor_step_5_normalizer_processor.safetensors';
const POST_STATE_FILE = 'policy_postprocessor_step_0_unnormalizer_processor.safetensors';

export function tinyCheckpoint(changes: Readonly<Record<string, Uint8Array | string | null>> = {}): Map<string, Uint8Array> {
  const vector = (...values: readonly number[]): TensorToWrite => ({ dtype: 'F32', shape: [values.length], data: new Float32Array(values) });
  const files = new Map<string, Uint8Array | string>([
    ['config.json', JSON.stringify({ type: 'tiny', rows: 4 })],
    ['model.safetensors', writeSafetensors(tinyWeights(), { format: 'pt' })],
    ['policy_preprocessor.json', JSON.stringify({ name: 'policy_preprocessor', steps: [{ registry_name: 'normalizer_processor', config: {}, state_file: STATE_FILE }] })],
    ['policy_postprocessor.json', JSON.stringify({ name: 'policy_postprocessor', steps: [{ registry_name: 'unnormalizer_processor', config: {}, state_file: POST_STATE_FILE }] })],
    [STATE_FILE, writeSafetensors({ 'observation.state.mean': vector(1, 2), 'action.mean': vector(3) })],
    [POST_STATE_FILE, writeSafetensors({ 'observation.state.mean': vector(9, 9), 'action.mean': vector(4) })],
    ['tokenizer/tokenizer.json', '{"version":"1.0"}'],
    ['tokenizer/tokenizer_config.json', '{"truncation_side":"left"}'],
  ]);
  for (const [file, content] of Object.entries(changes)) {
    if (content === null) files.delete(file);
    else files.set(file, content);
  }
  return new Map([...files].map(([file, content]) => [file, typeof content === 'string' ? new TextEncoder().encode(content) : content]));
}

const INFO: PolicyInfo = {
  name: 'tiny',
  family: 'smolvla',
  precision: 'f32',
  parameterCount: 21,
  cameras: [],
  stateSize: 2,
  actionSize: 1,
  chunkRows: 1,
  denoisingSteps: 1,
  fps: 30,
  training: { kind: 'untrained' },
  sentences: [],
  missingStatistics: [],
};

/** Two files: the matrix transposed and the bias for the graph, the embedding for the host. */
export const tinyRecipe: FamilyRecipe = {
  family: 'smolvla',
  plan: async (checkpoint: CheckpointView) => {
    const shapeOf = (tensor: string, expected: string): readonly number[] => {
      const header = checkpoint.tensors.get(tensor);
      if (header === undefined) throw new FailureError('checkpoint/tensor-missing', { tensor });
      if (header.shape.join(',') !== expected) throw new FailureError('checkpoint/tensor-shape', { tensor, expected, found: header.shape.join(',') });
      return header.shape;
    };
    return {
      family: 'smolvla',
      info: INFO,
      settings: { mean: [...(checkpoint.statistics.get('observation.state.mean') ?? [])] },
      tensors: [
        { name: 'bias', file: 'step', shape: shapeOf('model.proj.bias', '3'), sources: ['model.proj.bias'] },
        { name: 'embedding', file: 'host', shape: shapeOf('model.embed.weight', '4,3'), sources: ['model.embed.weight'] },
        {
          name: 'matrix',
          file: 'step',
          shape: [2, shapeOf('model.proj.weight', '3,2')[0]],
          sources: ['model.proj.weight'],
          make: ([matrix]) => Float32Array.from({ length: 6 }, (_, i) => matrix[(i % 3) * 2 + Math.floor(i / 3)]),
        },
      ],
    };
  },
};
