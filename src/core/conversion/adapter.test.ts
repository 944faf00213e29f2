/** LoRA adapters: merged exactly, on one base, and refused by name where they would change the result in another way. */
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from './checkpoint.ts';
import { memoryFiles } from './checkpoint-files.ts';
import { type TensorToWrite, writeSafetensors } from './safetensors.ts';
import { TINY_BIAS, TINY_MATRIX, tinyCheckpoint } from './testing/tiny-checkpoint.ts';

const A = new Float32Array([1, -2]);
const B = new Float32Array([0.5, 1, -1]);
const CONFIG = { peft_type: 'LORA', r: 1, lora_alpha: 4, base_model_name_or_path: 'user/base', target_modules: ['proj'] };
const f32 = (data: Float32Array, ...shape: number[]): TensorToWrite => ({ dtype: 'F32', shape, data });
const LORA = { 'base_model.model.model.proj.lora_A.weight': f32(A, 1, 2), 'base_model.model.model.proj.lora_B.weight': f32(B, 3, 1) };

function adapter(config: object = {}, tensors: Record<string, TensorToWrite> = LORA): ReturnType<typeof memoryFiles> {
  const json = new TextEncoder().encode(JSON.stringify({ ...CONFIG, ...config }));
  return memoryFiles(
    'user/adapter',
    new Map([
      ['adapter_config.json', json],
      ['adapter_model.safetensors', writeSafetensors(tensors)],
    ]),
  );
}
const base = { base: async (name: string) => (name === 'user/base' ? memoryFiles(name, tinyCheckpoint()) : null) };

describe('an adapter', () => {
  it('is added to the weights of its base: W + (alpha / r) B A', async () => {
    const opened = await openCheckpoint(adapter(), base);
    const expected = [...TINY_MATRIX].map((value, i) => value + 4 * B[Math.floor(i / 2)]! * A[i % 2]!);
    expect([...(await opened.readNumbers('model.proj.weight', 0, 6))]).toEqual(expected);
    expect([...(await opened.readNumbers('model.proj.weight', 2, 3))]).toEqual(expected.slice(2, 5));
    expect(await opened.readNumbers('model.proj.bias', 0, 3)).toEqual(TINY_BIAS);
    expect(opened.view.name).toBe('user/adapter');
    expect(opened.view.json.get('config.json')).toEqual({ type: 'tiny', rows: 4 });
    expect(opened.identity).not.toBe((await openCheckpoint(memoryFiles('b', tinyCheckpoint()))).identity);
    expect((await openCheckpoint(adapter({ use_rslora: true, r: 1 }), base)).identity).not.toBe(opened.identity);
  });

  it('may replace whole tensors', async () => {
    const own = new Float32Array([7, 8, 9]);
    const opened = await openCheckpoint(adapter({}, { 'base_model.model.model.proj.bias': f32(own, 3) }), base);
    expect(await opened.readNumbers('model.proj.bias', 0, 3)).toEqual(own);
  });

  it.each([
    ['no base', { base_model_name_or_path: 'user/other' }, LORA, 'checkpoint/base-missing'],
    ['DoRA', { use_dora: true }, LORA, 'checkpoint/unsupported'],
    ['another kind', { peft_type: 'IA3' }, LORA, 'checkpoint/unsupported'],
    ['trained biases', { bias: 'all' }, LORA, 'checkpoint/unsupported'],
    ['ranks by layer', { rank_pattern: { x: 2 } }, LORA, 'checkpoint/unsupported'],
    ['another rank', { r: 2 }, LORA, 'checkpoint/tensor-shape'],
    ['no rank', { r: 'many' }, LORA, 'checkpoint/config'],
    ['half of a pair', {}, { 'base_model.model.model.proj.lora_A.weight': f32(A, 1, 2) }, 'checkpoint/tensor-missing'],
    ['a layer the base has not', {}, { 'base_model.model.nowhere.lora_A.weight': f32(A, 1, 2), 'base_model.model.nowhere.lora_B.weight': f32(B, 3, 1) }, 'checkpoint/tensor-missing'],
    ['a layer of another size', {}, { ...LORA, 'base_model.model.model.proj.lora_B.weight': f32(new Float32Array(4), 4, 1) }, 'checkpoint/tensor-shape'],
    ['embeddings of its own', {}, { 'base_model.model.model.embed.lora_embedding_A': f32(A, 1, 2) }, 'checkpoint/unsupported'],
  ] as const)('with %s is refused', async (_what, config, tensors, code) => {
    await expect(openCheckpoint(adapter(config, tensors), base)).rejects.toMatchObject({ failure: { code } });
  });

  it('without anybody who knows bases is refused with the base’s name', async () => {
    await expect(openCheckpoint(adapter())).rejects.toMatchObject({ failure: { code: 'checkpoint/base-missing', facts: { base: 'user/base' } } });
  });
});
