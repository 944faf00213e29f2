/** `npm run policy` as a person calls it: a process of its own, files in, files out, one line of what went wrong. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSafetensors, type TensorToWrite, writeSafetensors } from '#core/conversion/safetensors.ts';
import { normalNoise } from '#core/lib/random.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const GOLDEN = join(ROOT, 'src', 'core', 'policy', 'testing', 'golden');
const POCKET = join(ROOT, 'public', 'policies', 'pocket');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'policy-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

function policy(...words: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'tools', 'policy.ts'), ...words], { cwd: ROOT });
    const ended = { out: '', error: '' };
    child.stdout.on('data', (piece: Buffer) => (ended.out += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (ended.error += piece.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...ended }));
  });
}

const read = (path: string) => parseSafetensors(new Uint8Array(readFileSync(path)), path);

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

describe('chunk', () => {
  it('computes what LeRobot computed: actions, x0 and intermediate values', async () => {
    const set = join(GOLDEN, 'base');
    const [out, mid] = [join(folder, 'out.safetensors'), join(folder, 'mid.safetensors')];
    const { code, out: said, error } = await policy('chunk', set, '--input', join(set, 'case.safetensors'), '--output', out, '--dump', mid);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(said).toContain('10 steps of 5 joints from 2 pictures and 6 tokens');
    const [output, expected] = [read(out), read(join(set, 'expected.safetensors'))];
    expect(output.raw('x0').shape).toEqual([10, 8]);
    expect(output.raw('action').shape).toEqual([10, 5]);
    expect(largestDifference(output.float32('x0'), expected.float32('x0'))).toBeLessThanOrEqual(2e-4);
    // Actions are x0 times their statistics.
    const std = read(join(set, 'policy_postprocessor_step_0_unnormalizer_processor.safetensors')).float32('action.std');
    expect(largestDifference(output.float32('action'), expected.float32('action'))).toBeLessThanOrEqual(2e-4 * Math.max(...std));
    const [dumped, mids] = [read(mid), read(join(set, 'mid.safetensors'))];
    for (const name of ['image.0', 'image.1', 'vision_out.0', 'connector_out.0', 'state_padded', 'v_t.step0']) {
      expect(dumped.raw(name).shape, name).toEqual(mids.raw(name).shape);
      expect(largestDifference(dumped.float32(name), mids.float32(name)), name).toBeLessThanOrEqual(2e-4);
    }
  });

  it('tokenises a sentence with the checkpoint own tokenizer; tokens in the input win', async () => {
    const input = (extra: Record<string, TensorToWrite>): string => {
      const path = join(folder, `input-${Object.keys(extra).length}.safetensors`);
      const gray = new Uint8Array(96 * 96 * 3).fill(120);
      const picture: TensorToWrite = { dtype: 'U8', shape: [96, 96, 3], data: gray };
      writeFileSync(
        path,
        writeSafetensors({
          'observation.images.front': picture,
          'observation.images.wrist': picture,
          'observation.state': { dtype: 'F32', shape: [6], data: new Float32Array([0, -30, 30, 90, -90, 25]) },
          noise: { dtype: 'F32', shape: [32, 8], data: normalNoise(7, 256) },
          ...extra,
        }),
      );
      return path;
    };
    const actions = async (path: string, task: string): Promise<Float32Array> => {
      const out = join(folder, 'pocket.safetensors');
      const { code, error } = await policy('chunk', POCKET, '--input', path, '--output', out, '--task', task);
      expect({ code, error }).toEqual({ code: 0, error: '' });
      return read(out).float32('action');
    };
    const plain = input({});
    const red = await actions(plain, 'pick up the red cube');
    expect(red.every(Number.isFinite)).toBe(true);
    expect(await actions(plain, 'pick up the red cube')).toEqual(red);
    expect(largestDifference(await actions(plain, 'wave hello'), red)).toBeGreaterThan(0.5);
    const fixed = input({ tokens: { dtype: 'I32', shape: [2], data: new Int32Array([100, 201]) } });
    expect(await actions(fixed, 'pick up the red cube')).toEqual(await actions(fixed, 'wave hello'));
  });
});

describe('inspect', () => {
  it('says what is there', async () => {
    const { code, out } = await policy('inspect', join(GOLDEN, 'rename-map'));
    expect(code).toBe(0);
    expect(out).toContain('camera        observation.images.front as observation.images.camera1, 256 x 256');
    expect(out).toContain('actions       50 steps of 6 joints, 10 denoising steps');
    expect(out).toContain('tokenizer     none in the folder');
  });
});

describe('failures: one line of what happened, one of what to do, no stack', () => {
  /** A copy of a golden set to break. */
  function broken(name: string, damage: (set: string) => void): string {
    const set = join(folder, name);
    cpSync(join(GOLDEN, 'rename-map'), set, { recursive: true });
    damage(set);
    return set;
  }

  function rewriteWeights(set: string, change: (tensors: Record<string, TensorToWrite>) => void): void {
    const path = join(set, 'model.safetensors');
    const file = read(path);
    const tensors: Record<string, TensorToWrite> = {};
    for (const name of file.header.tensors.keys()) {
      const { dtype, shape, bytes } = file.raw(name);
      tensors[name] = { dtype, shape, data: bytes.slice() };
    }
    change(tensors);
    writeFileSync(path, writeSafetensors(tensors));
  }

  const cases: readonly (readonly [string, (set: string) => void, string, string])[] = [
    ['missing weights', (set) => rmSync(join(set, 'model.safetensors')), 'model.safetensors is not in', 'checkpoint/file-missing'],
    ['missing statistics file', (set) => rmSync(join(set, 'policy_preprocessor_step_5_normalizer_processor.safetensors')), 'policy_preprocessor_step_5', 'checkpoint/file-missing'],
    ['truncated weights', (set) => truncateSync(join(set, 'model.safetensors'), 1_000_000), 'ended early', 'checkpoint/file-truncated'],
    ['corrupt weights', (set) => writeFileSync(join(set, 'model.safetensors'), 'not a safetensors file, but long enough to have a header length'), 'model.safetensors cannot be read', 'checkpoint/file-corrupt'],
    ['corrupt config', (set) => writeFileSync(join(set, 'config.json'), '{'), 'config.json cannot be read', 'checkpoint/file-corrupt'],
    [
      'wrong shape',
      (set) => rewriteWeights(set, (tensors) => (tensors['model.state_proj.bias'] = { dtype: 'F32', shape: [3], data: new Float32Array(3) })),
      'model.state_proj.bias',
      'checkpoint/tensor-shape',
    ],
    ['missing tensor', (set) => rewriteWeights(set, (tensors) => delete tensors['model.action_out_proj.weight']), 'model.action_out_proj.weight', 'checkpoint/tensor-missing'],
    [
      'NaN weights',
      (set) => rewriteWeights(set, (tensors) => (tensors['model.action_out_proj.bias'] = { dtype: 'F32', shape: [32], data: new Float32Array(32).fill(NaN, 5) })),
      'model.action_out_proj.bias',
      'checkpoint/not-finite',
    ],
  ];

  it.each(cases)('%s', async (name, damage, words, failureCode) => {
    const set = broken(name.replaceAll(' ', '-'), damage);
    const { code, out, error } = await policy('chunk', set, '--input', join(GOLDEN, 'rename-map', 'case.safetensors'), '--output', join(folder, 'never.safetensors'));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    const lines = error.trimEnd().split('\n');
    expect(lines.length).toBe(3);
    expect(lines[0]).toContain(words);
    expect(lines[1]?.length).toBeGreaterThan(20);
    expect(lines[2]).toContain(failureCode);
  });

  it('an input without state, with a wrong picture, or that is not there', async () => {
    const set = join(GOLDEN, 'rename-map');
    const input = join(folder, 'bad.safetensors');
    const say = async (tensors: Record<string, TensorToWrite> | null): Promise<string> => {
      if (tensors !== null) writeFileSync(input, writeSafetensors(tensors));
      const { code, error } = await policy('chunk', set, '--input', tensors === null ? join(folder, 'nowhere') : input, '--output', join(folder, 'never.safetensors'));
      expect(code).toBe(1);
      expect(error.trimEnd().split('\n').length).toBe(2);
      return error;
    };
    expect(await say(null)).toContain('There is no input file');
    expect(await say({ noise: { dtype: 'F32', shape: [50, 32], data: new Float32Array(1600) } })).toContain('The input has no observation.state');
    expect(await say({ 'observation.images.front': { dtype: 'U8', shape: [2, 2], data: new Uint8Array(4) } })).toContain('is U8 [2, 2]');
  });

  it('an input without any camera of the policy names what is missing', async () => {
    const golden = read(join(GOLDEN, 'rename-map', 'case.safetensors'));
    const tensors: Record<string, TensorToWrite> = {};
    for (const name of golden.header.tensors.keys()) {
      const { dtype, shape, bytes } = golden.raw(name);
      if (!name.startsWith('observation.images.')) tensors[name] = { dtype, shape, data: bytes.slice() };
    }
    const input = join(folder, 'blind.safetensors');
    writeFileSync(input, writeSafetensors(tensors));
    const { code, error } = await policy('chunk', join(GOLDEN, 'rename-map'), '--input', input, '--output', join(folder, 'never.safetensors'));
    expect(code).toBe(1);
    expect(error).toContain('observation/camera-missing');
  });

  it('says what a precision costs, joint by joint', async () => {
    const { code, out: output } = await policy('parity', POCKET, '--precision', 'q8');
    expect(code).toBe(0);
    expect(output.match(/^joint \d/gm)?.length).toBe(6);
    const [, largest, cosine] = /^x0 +largest +([\d.e-]+) .*cosine ([\d.]+)/m.exec(output) ?? [];
    expect(Number(cosine)).toBeGreaterThan(0.99);
    // Printed to six places the cosine of a sound policy can be one; that weights of 8 bits were used at all, the difference tells.
    expect(Number(largest)).toBeGreaterThan(0);
  });

  it('a command line that cannot be meant says so and how it goes', async () => {
    for (const [words, why] of [
      [[], 'say inspect, chunk or parity'],
      [['parity', POCKET, '--precision', 'q3'], '--precision is one of f32, f16, q8, q4'],
      [['chunk', POCKET, '--output', 'x'], 'chunk needs --input'],
      [['inspect', POCKET, '--frobnicate', '1'], 'there is no option --frobnicate'],
      [['inspect'], 'inspect needs a checkpoint folder'],
    ] as const) {
      const { code, error } = await policy(...words);
      expect(code).toBe(2);
      expect(error.startsWith(why)).toBe(true);
      expect(error).toContain('usage:');
    }
  });
});
