import { describe, expect, it } from 'vitest';
import type { RunFile } from '#contracts/run.ts';
import { FailureError } from '#core/lib/failure.ts';
import { seededRandom } from '#core/lib/random.ts';
import { checkRunFile, decodeRunFile, encodeRunFile } from './run-file.ts';

function smallRun(seed = 1): RunFile {
  const random = seededRandom(seed);
  const floats = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.normal());
  return {
    format: 'vla-playground-run',
    version: 1,
    versions: { app: '0.1.0', scene: 'abc', policy: 'pocket', provider: 'wasm' },
    sentence: 'pick up the red cube',
    seed: 7,
    reset: { task: 'pick up the red cube', seed: 3, lightLevel: 0.5, cubes: ['red', 'yellow'] },
    rateHz: 30,
    chunks: [
      {
        index: 0,
        observedTick: 12,
        pictures: [
          {
            camera: 'observation.images.front',
            picture: { width: 3, height: 2, channels: 4, data: Uint8Array.from({ length: 24 }, () => random.index(256)) },
            capturedAtMs: 123.5,
            sequence: 9,
          },
        ],
        state: floats(6),
        noiseSeed: 99,
        actions: floats(12),
        x0: floats(16),
        timings: { observeMs: 1, preprocessMs: 2, visionMs: 3, prefixMs: 4, denoiseMs: 5, totalMs: 15 },
        provider: 'wasm',
      },
    ],
  };
}

function complaint(work: () => unknown): Record<string, unknown> {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof FailureError) return { code: thrown.failure.code, ...thrown.failure.facts };
    throw thrown;
  }
  throw new Error('nothing was wrong');
}

describe('a run as a file', () => {
  it('comes back with every bit, 20 seeds', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const run = smallRun(seed);
      expect(decodeRunFile(encodeRunFile(run)), `seed ${seed}`).toEqual(run);
    }
  });

  it('names the path of what is wrong', () => {
    const run = smallRun();
    const chunk = run.chunks[0];
    if (chunk === undefined) throw new Error('fixture');
    const wrongPicture = { ...run, chunks: [{ ...chunk, pictures: [{ ...chunk.pictures[0], picture: { ...chunk.pictures[0]?.picture, width: 4 } }] }] };
    expect(complaint(() => checkRunFile(wrongPicture))['path']).toBe('chunks.0.pictures.0.picture');
    expect(complaint(() => checkRunFile({ ...run, version: 2 }))['path']).toBe('version');
    expect(complaint(() => checkRunFile({ ...run, chunks: [] }))['path']).toBe('chunks');
    expect(complaint(() => checkRunFile({ ...run, chunks: [{ ...chunk, actions: Float32Array.of(1, Number.NaN) }] }))['path']).toBe('chunks.0.actions');
    expect(complaint(() => checkRunFile(null))['code']).toBe('run/file-invalid');
  });

  it('refuses text that is no run at all, however it is broken', () => {
    const whole = encodeRunFile(smallRun());
    for (const broken of ['', 'hello', '[]', '{}', whole.slice(0, whole.length / 2), whole.replace(/"base64":"..../, '"base64":"!!!!'), whole.replace('float32', 'float99')]) {
      expect(complaint(() => decodeRunFile(broken))['code'], broken.slice(0, 40)).toBe('run/file-invalid');
    }
  });

  it('survives one changed letter anywhere: a run or one clear complaint, never another error', () => {
    const whole = encodeRunFile(smallRun());
    const random = seededRandom(4);
    for (let i = 0; i < 500; i++) {
      const at = random.index(whole.length);
      const changed = whole.slice(0, at) + String.fromCharCode(32 + random.index(94)) + whole.slice(at + 1);
      try {
        decodeRunFile(changed);
      } catch (thrown) {
        expect(thrown, `seed 4, change ${i} at ${at}`).toBeInstanceOf(FailureError);
      }
    }
  });
});
