/** What a plan takes, leaves and refuses, on the shape of the published smolvla_base. No weights are involved. */
import { describe, expect, it } from 'vitest';
import type { CheckpointView, PackPlan } from '#contracts/pack.ts';
import { layOut } from '#core/conversion/pack.ts';
import { asFailure } from '#core/lib/failure.ts';
import { anyFamilyRecipe } from '../family.ts';
import { BASE_CONFIG, baseTensors, viewOf } from '../testing/smolvla-base.ts';
import { readSettings, type SmolVlaSettings } from './settings.ts';

const plan = (view: CheckpointView): Promise<PackPlan> => anyFamilyRecipe.plan(view, 'f32');
const settingsOf = async (view: CheckpointView): Promise<SmolVlaSettings> => readSettings('base', (await plan(view)).settings);
const failureOf = async (view: CheckpointView) => plan(view).then(() => null, asFailure);
const elements = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);
const LAYER = 'model.vlm_with_expert.lm_expert.layers.1.self_attn.k_proj.weight';

describe('smolvla_base', () => {
  it('has 500 tensors and 450,046,176 parameters, of which 393,519,456 are read', async () => {
    const tensors = baseTensors();
    expect(tensors.size).toBe(500);
    const { info, tensors: planned } = await plan(viewOf({ 'config.json': BASE_CONFIG }));
    expect(info.parameterCount).toBe(450_046_176);
    const read = new Set(planned.flatMap((tensor) => tensor.sources));
    expect([...read].reduce((sum, name) => sum + elements(tensors.get(name)!.shape), 0)).toBe(393_519_456);
    // Every source's numbers end up in the pack once, save the patch bias, which is added into the position table.
    expect(planned.reduce((sum, tensor) => sum + elements(tensor.shape), 0)).toBe(393_519_456 - 768);
    expect(new Set(planned.map((tensor) => tensor.file))).toEqual(new Set(['vision', 'prefix', 'step', 'host']));
  });

  it('is at most 350 MB in q4: 4 bits but for pictures, what attention looks at, words, and the small matrices of every action', async () => {
    const { tensors } = await anyFamilyRecipe.plan(viewOf({ 'config.json': BASE_CONFIG }), 'q4');
    const bytes = layOut(tensors).reduce((sum, { length, scales }) => sum + length + (scales?.length ?? 0), 0);
    expect(bytes).toBeLessThanOrEqual(350e6);
    expect(bytes).toBeGreaterThan(345e6);
    const forms = new Map(tensors.map(({ name, storage }): [string, string] => [name, storage?.kind === 'blocks' ? `${storage.bits} bits in ${storage.block}s` : 'F32']));
    expect(['text.3.qkv.weight', 'text.15.kv.weight', 'cross.1.k.weight', 'expert.4.o.weight', 'vision.0.fc1.weight'].map((name) => forms.get(name))).toEqual(Array(5).fill('8 bits in 32s'));
    expect(['text.3.o.weight', 'text.3.down.weight', 'expert.4.down.weight'].map((name) => forms.get(name))).toEqual(Array(3).fill('4 bits in 32s'));
    expect(['expert.4.qkv.weight', 'expert.3.q.weight', 'expert.4.gate.weight'].map((name) => forms.get(name))).toEqual(Array(3).fill('4 bits in 16s'));
    expect([forms.get('embed'), forms.get('action.in.weight'), forms.get('action.out.weight')]).toEqual(['8 bits in 96s', 'F32', 'F32']);
  });

  it('leaves the language head, the final norm and most of the last text layer behind', async () => {
    const { tensors } = await plan(viewOf({ 'config.json': BASE_CONFIG }));
    const read = new Set(tensors.flatMap((tensor) => tensor.sources));
    const left = [...baseTensors().keys()].filter((name) => !read.has(name));
    const last = 'model.vlm_with_expert.vlm.model.text_model.layers.15.';
    expect(left.toSorted()).toEqual(
      [
        'model.vlm_with_expert.vlm.lm_head.weight',
        'model.vlm_with_expert.vlm.model.text_model.norm.weight',
        ...['self_attn.q_proj', 'self_attn.o_proj', 'mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj', 'post_attention_layernorm'].map((part) => `${last}${part}.weight`),
      ].toSorted(),
    );
  });

  it('says which cameras, sizes and steps, and that its statistics are missing', async () => {
    const { info } = await plan(viewOf({ 'config.json': BASE_CONFIG }));
    expect(info).toMatchObject({
      family: 'smolvla',
      stateSize: 6,
      actionSize: 6,
      chunkRows: 50,
      denoisingSteps: 10,
      fps: 30,
      training: { kind: 'unknown' },
      missingStatistics: ['observation.state', 'action'],
    });
    expect(info.cameras.map((camera) => camera.key)).toEqual(['observation.images.camera1', 'observation.images.camera2', 'observation.images.camera3']);
  });

  it('keeps the settings that follow from the tensors', async () => {
    const settings = await settingsOf(viewOf({ 'config.json': BASE_CONFIG }));
    expect(settings.vision).toMatchObject({ layers: 12, hidden: 768, heads: 12, feedForward: 3072, shuffle: 4, imageSize: 512, patchSize: 16 });
    expect(settings.text).toMatchObject({ layers: 16, hidden: 960, heads: 15, kvHeads: 5, headSize: 64, feedForward: 2560, vocabulary: 49280 });
    expect(settings.expert).toMatchObject({ hidden: 720, feedForward: 2048 });
    expect(settings.expert.layers.map((layer) => layer.attention)).toEqual(Array.from({ length: 16 }, (_, l) => (l % 2 === 0 ? 'self' : 'cross')));
  });
});

describe('the processors', () => {
  const normalizer = (config: object, name = 'normalizer_processor'): object => ({ steps: [{ registry_name: name, config }] });
  const norm = { eps: 1e-6, norm_map: { STATE: 'MEAN_STD', ACTION: 'QUANTILES', VISUAL: 'IDENTITY' } };
  const statistics = new Map<string, Float32Array>([
    ['observation.state.mean', Float32Array.of(1, 2, 3, 4)],
    ['observation.state.std', Float32Array.of(5, 6, 7, 8)],
    ['action.q01', new Float32Array(6).fill(-1)],
    ['action.q99', new Float32Array(6).fill(1)],
  ]);

  it('decide modes and eps against config.json, and the state statistics decide the state size', async () => {
    const json = { 'config.json': BASE_CONFIG, 'policy_preprocessor.json': normalizer(norm), 'policy_postprocessor.json': normalizer(norm, 'unnormalizer_processor') };
    const { info, settings } = await plan(viewOf(json, baseTensors(), statistics));
    expect(info.stateSize).toBe(4);
    expect(info.missingStatistics).toEqual([]);
    expect(readSettings('x', settings)).toMatchObject({ state: { mode: 'mean-std', mean: [1, 2, 3, 4], eps: 1e-6 }, action: { mode: 'range', epsRule: 'replace' } });
  });

  it('name cameras as the robot does, through the rename map', async () => {
    const pre = { steps: [{ registry_name: 'rename_observations_processor', config: { rename_map: { 'observation.images.front': 'observation.images.camera2' } } }] };
    const { info } = await plan(viewOf({ 'config.json': BASE_CONFIG, 'policy_preprocessor.json': pre }));
    expect(info.cameras.map((camera) => camera.robotKey)).toEqual(['observation.images.camera1', 'observation.images.front', 'observation.images.camera3']);
  });

  it('are refused where they have a step we do not know, unless it is switched off', async () => {
    const unknown = (config: object): Record<string, unknown> => ({ 'config.json': BASE_CONFIG, 'policy_preprocessor.json': normalizer(config, 'relative_actions_processor') });
    expect(await failureOf(viewOf(unknown({ enabled: true })))).toEqual({
      code: 'checkpoint/unsupported',
      facts: { what: 'processor step in policy_preprocessor.json', found: 'relative_actions_processor' },
    });
    expect(await failureOf(viewOf(unknown({ enabled: false })))).toBeNull();
  });

  it('with half of the statistics, statistics that are not finite, or of another size are refused', async () => {
    const json = { 'config.json': BASE_CONFIG, 'policy_preprocessor.json': normalizer(norm), 'policy_postprocessor.json': normalizer(norm, 'unnormalizer_processor') };
    const without = (name: string, instead?: Float32Array): CheckpointView => {
      const changed = new Map<string, Float32Array>(statistics);
      changed.delete(name);
      if (instead !== undefined) changed.set(name, instead);
      return viewOf(json, baseTensors(), changed);
    };
    expect(await failureOf(without('observation.state.std'))).toEqual({ code: 'checkpoint/statistics-missing', facts: { feature: 'observation.state' } });
    expect(await failureOf(without('action.q99', Float32Array.of(1, 1, 1, NaN, 1, 1)))).toEqual({ code: 'checkpoint/not-finite', facts: { tensor: 'action.q99', index: 3 } });
    const short = new Map<string, Float32Array>(statistics).set('action.q01', Float32Array.of(1, 2)).set('action.q99', Float32Array.of(3, 4));
    expect(await failureOf(viewOf(json, baseTensors(), short))).toEqual({ code: 'checkpoint/tensor-shape', facts: { tensor: 'action statistics', expected: '[6]', found: '[2]' } });
  });

  it('of LeRobot <= 0.3 are tensors among the weights, where infinity means "never set"', async () => {
    const tensors = baseTensors();
    const values: Record<string, Float32Array> = {
      'normalize_inputs.buffer_observation_state.mean': new Float32Array(6).fill(Infinity),
      'normalize_inputs.buffer_observation_state.std': new Float32Array(6).fill(Infinity),
      'unnormalize_outputs.buffer_action.mean': new Float32Array(6).fill(2),
      'unnormalize_outputs.buffer_action.std': new Float32Array(6).fill(3),
    };
    for (const name of Object.keys(values)) tensors.set(name, { dtype: 'F32', shape: [6] });
    const { info, settings } = await plan({ ...viewOf({ 'config.json': BASE_CONFIG }, tensors), readSmall: (name) => Promise.resolve(values[name]!) });
    expect(info.missingStatistics).toEqual(['observation.state']);
    expect(info.parameterCount).toBe(450_046_176);
    expect(readSettings('x', settings).action).toMatchObject({ mode: 'mean-std', mean: [2, 2, 2, 2, 2, 2] });
  });
});

describe('layers', () => {
  it('fewer expert than text layers sit on every second text layer, and the text stops at the last one needed', async () => {
    const config = { ...BASE_CONFIG, num_expert_layers: 8, self_attn_every_n_layers: 0 };
    const settings = await settingsOf(viewOf({ 'config.json': config }, baseTensors(16, 8, () => false)));
    expect(settings.expert.layers).toEqual(Array.from({ length: 8 }, (_, j) => ({ textLayer: 2 * j, attention: 'cross' })));
    expect(settings.text.layers).toBe(15);
  });

  it('fewer expert layers are refused where behaviour and shapes would disagree, as LeRobot fails there', async () => {
    const config = { ...BASE_CONFIG, num_expert_layers: 8 };
    expect(await failureOf(viewOf({ 'config.json': config }, baseTensors(16, 8)))).toMatchObject({ code: 'checkpoint/unsupported' });
  });

  it('num_vlm_layers <= 0 means all that are there', async () => {
    const settings = await settingsOf(viewOf({ 'config.json': { ...BASE_CONFIG, num_vlm_layers: 0 } }, baseTensors(20)));
    expect(settings.text.layers).toBe(20);
  });
});

describe('what is refused, by name', () => {
  const withConfig = (changes: object): CheckpointView => viewOf({ 'config.json': { ...BASE_CONFIG, ...changes } });
  const cases: readonly (readonly [string, CheckpointView, object])[] = [
    ['another policy', withConfig({ type: 'pi0' }), { code: 'checkpoint/unsupported', facts: { what: 'policy type', found: 'pi0' } }],
    ['no config', viewOf({}), { code: 'checkpoint/file-missing', facts: { file: 'config.json', source: 'base' } }],
    ['a field of another kind', withConfig({ chunk_size: '50' }), { code: 'checkpoint/config', facts: { field: 'config.json: chunk_size', expected: 'number', found: '50' } }],
    ['a chunk of a billion rows', withConfig({ chunk_size: 1e9 }), { code: 'checkpoint/config', facts: { field: 'config.json: chunk_size', expected: '<=1000', found: 1e9 } }],
    ['aloha conversions', withConfig({ adapt_to_pi_aloha: true }), { code: 'checkpoint/unsupported', facts: { what: 'adapt_to_pi_aloha', found: 'true' } }],
    ['pictures without resizing', withConfig({ resize_imgs_with_padding: null }), { code: 'checkpoint/unsupported', facts: { what: 'resize_imgs_with_padding', found: 'null' } }],
    ['pictures that are not square', withConfig({ resize_imgs_with_padding: [512, 256] }), { code: 'checkpoint/unsupported', facts: { what: 'picture size for this vision tower', found: '512x256' } }],
    ['pictures with their own statistics', withConfig({ normalization_mapping: { VISUAL: 'MEAN_STD' } }), { code: 'checkpoint/unsupported', facts: { what: 'picture normalisation', found: 'MEAN_STD' } }],
    ['an unknown backbone', withConfig({ vlm_model_name: 'someone/else' }), { code: 'checkpoint/file-missing', facts: { file: 'vlm_config.json', source: 'someone/else' } }],
    ['no cameras', withConfig({ input_features: { 'observation.state': { type: 'STATE', shape: [6] } } }), { code: 'checkpoint/unsupported', facts: { what: 'checkpoint without cameras', found: 'none' } }],
    ['an action wider than its columns', withConfig({ max_action_dim: 4 }), { code: 'checkpoint/config' }],
    ['another number of text layers', withConfig({ num_vlm_layers: 12 }), { code: 'checkpoint/config', facts: { field: 'config.json: num_vlm_layers', expected: '16 (as many as model.safetensors has)', found: 12 } }],
    ['another expert width', withConfig({ expert_width_multiplier: 0.5 }), { code: 'checkpoint/tensor-shape', facts: { tensor: 'model.vlm_with_expert.lm_expert.norm.weight', expected: '[480]', found: '[720]' } }],
    ['attention of another kind than the shapes', withConfig({ attention_mode: 'self_attn' }), { code: 'checkpoint/tensor-shape', facts: { tensor: LAYER, expected: '[320, 720]', found: '[320, 320]' } }],
  ];
  it.each(cases)('%s', async (_, view, failure) => {
    expect(await failureOf(view)).toMatchObject(failure);
  });

  it('a tensor that is missing, or of whole numbers', async () => {
    const without = baseTensors();
    without.delete(LAYER);
    expect(await failureOf(viewOf({ 'config.json': BASE_CONFIG }, without))).toEqual({ code: 'checkpoint/tensor-missing', facts: { tensor: LAYER } });
    const whole = baseTensors().set(LAYER, { dtype: 'I32', shape: [320, 320] });
    expect(await failureOf(viewOf({ 'config.json': BASE_CONFIG }, whole))).toEqual({ code: 'checkpoint/tensor-dtype', facts: { tensor: LAYER, found: 'I32' } });
  });
});

describe('the card', () => {
  it('says how it was trained and what for', async () => {
    const card = { training: { kind: 'trained', summary: '20,000 steps' }, sentences: ['pick up the red cube'], fps: 20, more: 1 };
    expect((await plan(viewOf({ 'config.json': BASE_CONFIG, 'card.json': card }))).info).toMatchObject({ training: card.training, sentences: card.sentences, fps: 20, robot: 'so100' });
    expect((await plan(viewOf({ 'config.json': BASE_CONFIG, 'card.json': { ...card, robot: 'so101' } }))).info.robot).toBe('so101');
    expect((await plan(viewOf({ 'config.json': BASE_CONFIG }))).info.robot).toBeUndefined();
    expect((await plan(viewOf({ 'config.json': BASE_CONFIG }))).info.noiseScale).toBeUndefined();
    expect((await plan(viewOf({ 'config.json': BASE_CONFIG, 'card.json': { sampling: { noise_scale: 0.25 } } }))).info.noiseScale).toBe(0.25);
    expect(await failureOf(viewOf({ 'config.json': BASE_CONFIG, 'card.json': { sampling: { noise_scale: 2 } } }))).toMatchObject({ code: 'checkpoint/config' });
    expect(await failureOf(viewOf({ 'config.json': BASE_CONFIG, 'card.json': { training: { kind: 'superb' } } }))).toMatchObject({ code: 'checkpoint/config' });
  });
});
