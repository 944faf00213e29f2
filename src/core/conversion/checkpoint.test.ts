/** What the checkpoint reader finds, and what it says when a file is missing, cut, damaged or malicious. */
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from './checkpoint.ts';
import { memoryFiles } from './checkpoint-files.ts';
import { writeSafetensors } from './safetensors.ts';
import { TINY_BIAS, tinyCheckpoint, tinyWeights } from './testing/tiny-checkpoint.ts';

const open = (changes: Parameters<typeof tinyCheckpoint>[0] = {}) => openCheckpoint(memoryFiles('tiny', tinyCheckpoint(changes)));
const step = (state_file: string): string => JSON.stringify({ steps: [{ registry_name: 'normalizer_processor', state_file }] });

describe('a sound checkpoint', () => {
  it('gives JSON files, tensor headers, statistics and tokenizer', async () => {
    const { view, tokenizer, readNumbers } = await open();
    expect(view.name).toBe('tiny');
    expect([...view.json.keys()]).toEqual(['config.json', 'policy_preprocessor.json', 'policy_postprocessor.json']);
    expect(view.tensors.get('model.proj.weight')).toEqual({ dtype: 'BF16', shape: [3, 2] });
    expect([...(view.statistics.get('observation.state.mean') ?? [])]).toEqual([1, 2]);
    expect(tokenizer).toEqual({ json: '{"version":"1.0"}', config: '{"truncation_side":"left"}' });
    expect(await readNumbers('model.proj.bias', 0, 3)).toEqual(TINY_BIAS);
  });

  it('takes the actions statistics from the postprocessor, which is what undoes them', async () => {
    expect([...((await open()).view.statistics.get('action.mean') ?? [])]).toEqual([4]);
  });

  it('finds a tokenizer at the root, in a folder that a step names, or nowhere', async () => {
    const none = { 'tokenizer/tokenizer.json': null, 'tokenizer/tokenizer_config.json': null };
    expect((await open(none)).tokenizer).toBeNull();
    expect((await open({ ...none, 'tokenizer.json': '{"at":"root"}' })).tokenizer).toEqual({ json: '{"at":"root"}', config: null });
    const named = JSON.stringify({ steps: [{ registry_name: 'tokenizer_processor', artifacts: { tokenizer_name: 'words' } }] });
    expect((await open({ 'policy_preprocessor.json': named, 'words/tokenizer.json': '{"at":"words"}' })).tokenizer?.json).toBe('{"at":"words"}');
  });

  it('reads an old checkpoint: no processor files, statistics among the weights, names left by torch.compile', async () => {
    const weights = writeSafetensors({
      'model._orig_mod.proj.bias': { dtype: 'F32', shape: [3], data: TINY_BIAS },
      'normalize_inputs.buffer_observation_state.mean': { dtype: 'F32', shape: [2], data: new Float32Array([5, 6]) },
    });
    const old = await open({ 'policy_preprocessor.json': null, 'policy_postprocessor.json': null, 'model.safetensors': weights });
    expect(old.view.statistics.size).toBe(0);
    expect([...(await old.view.readSmall('normalize_inputs.buffer_observation_state.mean'))]).toEqual([5, 6]);
    expect(await old.readNumbers('model.proj.bias', 0, 3)).toEqual(TINY_BIAS);
  });

  it('has another identity as soon as anything but the weights themselves changes', async () => {
    const { identity } = await open();
    expect((await open()).identity).toBe(identity);
    expect((await open({ 'config.json': '{"type":"tiny","rows":5}' })).identity).not.toBe(identity);
    expect((await open({ 'card.json': '{"version":2}' })).identity).not.toBe(identity);
    expect((await open({ 'tokenizer/tokenizer_config.json': '{}' })).identity).not.toBe(identity);
  });
});

describe('a broken checkpoint', () => {
  const whole = writeSafetensors(tinyWeights());
  const cases: readonly (readonly [string, Parameters<typeof tinyCheckpoint>[0], unknown])[] = [
    ['no config', { 'config.json': null }, { code: 'checkpoint/file-missing', facts: { file: 'config.json', source: 'tiny' } }],
    ['no weights', { 'model.safetensors': null }, { code: 'checkpoint/file-missing', facts: { file: 'model.safetensors', source: 'tiny' } }],
    ['only an adapter', { 'model.safetensors': null, 'adapter_config.json': '{}' }, { code: 'checkpoint/config' }],
    ['split weights', { 'model.safetensors': null, 'model.safetensors.index.json': '{}' }, { code: 'checkpoint/unsupported' }],
    ['weights cut off', { 'model.safetensors': whole.slice(0, -5) }, { code: 'checkpoint/file-truncated', facts: { file: 'model.safetensors', expectedBytes: whole.length, foundBytes: whole.length - 5 } }],
    ['weights that are a web page', { 'model.safetensors': '<!doctype html><title>not found</title>' }, { code: 'checkpoint/file-corrupt' }],
    ['an LFS pointer in place of weights', { 'model.safetensors': 'version https://git-lfs.github.com/spec/v1\noid sha256:00' }, { code: 'checkpoint/lfs-pointer', facts: { file: 'model.safetensors' } }],
    ['config that is not JSON', { 'config.json': '{"type":' }, { code: 'checkpoint/file-corrupt', facts: { file: 'config.json', reason: 'not JSON' } }],
    ['config that is a list', { 'config.json': '[]' }, { code: 'checkpoint/file-corrupt' }],
    ['config that is not text', { 'config.json': new Uint8Array([0xff, 0xfe, 0x00]) }, { code: 'checkpoint/file-corrupt' }],
    ['config larger than a config', { 'config.json': ' '.repeat(1024 * 1024 + 1) }, { code: 'checkpoint/file-corrupt' }],
    ['a tower of brackets', { 'config.json': '['.repeat(500_000) }, { code: 'checkpoint/file-corrupt' }],
    ['a processor without steps', { 'policy_preprocessor.json': '{}' }, { code: 'checkpoint/config' }],
    ['more steps than any pipeline has', { 'policy_preprocessor.json': JSON.stringify({ steps: Array.from({ length: 65 }, () => ({})) }) }, { code: 'checkpoint/config' }],
    ['a state file that is not there', { 'policy_preprocessor.json': step('gone.safetensors') }, { code: 'checkpoint/file-missing', facts: { file: 'gone.safetensors', source: 'tiny' } }],
    ['a state file outside the folder', { 'policy_preprocessor.json': step('../../etc/passwd') }, { code: 'checkpoint/config' }],
    ['a state file on another host', { 'policy_preprocessor.json': step('https://example.org/x') }, { code: 'checkpoint/config' }],
    ['a damaged tokenizer', { 'tokenizer/tokenizer.json': '{' }, { code: 'checkpoint/file-corrupt', facts: { file: 'tokenizer/tokenizer.json', reason: 'not JSON' } }],
  ];
  it.each(cases)('%s', async (_what, changes, failure) => {
    await expect(open(changes)).rejects.toMatchObject({ failure });
  });

  it('refuses to read a large tensor as a statistic', async () => {
    const weights = writeSafetensors({ big: { dtype: 'F32', shape: [262_145], data: new Float32Array(262_145) } });
    await expect((await open({ 'model.safetensors': weights })).view.readSmall('big')).rejects.toMatchObject({ failure: { code: 'checkpoint/file-corrupt' } });
  });
});
