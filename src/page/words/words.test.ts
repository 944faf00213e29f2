import { describe, expect, it } from 'vitest';
import type { FailureCode } from '#contracts/failure.ts';
import type { EngineReport } from '#contracts/inference.ts';
import { failureWords, type OperatingSystem } from './failures.ts';
import { eyesLine } from './labels.ts';
import { bytes, jointValue, milliseconds, seconds } from './numbers.ts';
import { progressLine, statusLine, type StatusFacts } from './status.ts';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Codes and the facts their comment promises, from the contract itself. */
function contractCodes(): { readonly code: FailureCode; readonly facts: readonly string[] }[] {
  const source = readFileSync(resolve(import.meta.dirname, '../../contracts/failure.ts'), 'utf8');
  return [...source.matchAll(/^ {2}\| '([^']+)';?(?: \/\/ facts: ([\w, ]+))?/gm)].map(([, code, facts]) => ({
    code: code as FailureCode,
    facts: (facts ?? '').split(',').map((fact) => fact.trim()).filter((fact) => fact !== ''),
  }));
}

const SYSTEMS: readonly OperatingSystem[] = ['windows', 'mac', 'linux', 'chromeos', 'android', 'other'];

describe('words for failures', () => {
  const codes = contractCodes();

  it('finds the codes of the contract', () => {
    expect(codes.length).toBeGreaterThan(40);
    expect(codes.find((entry) => entry.code === 'observation/camera-stale')?.facts).toEqual(['camera', 'ageMs', 'limitMs']);
  });

  it.each(contractCodes())('$code says what happened and what to do, on every system', ({ code, facts }) => {
    const values = Object.fromEntries(facts.map((fact) => [fact, /(?:Ms|Bytes)$/.test(fact) ? 1234 : `<${fact}>`]));
    for (const os of SYSTEMS) {
      const words = failureWords({ code, facts: values }, os);
      for (const text of [words.title, words.happened, words.next]) {
        expect(text.length).toBeGreaterThan(8);
        expect(text).not.toMatch(/undefined|NaN ms|\[object|something went wrong/i);
      }
      expect(`${words.happened} ${words.next}`).not.toContain('unknown');
    }
  });

  it.each(contractCodes())('$code stays a sentence when its facts are missing', ({ code }) => {
    const words = failureWords({ code, facts: {} }, 'other');
    expect(`${words.title} ${words.happened} ${words.next}`).not.toMatch(/undefined|null|NaN ms/);
  });
});

describe('the status line', () => {
  const base: StatusFacts = { start: 'ready', mode: 'idle', run: { kind: 'none' }, policy: 'ready', fps: 30 };

  it('says what is planned and where in it the arm is', () => {
    const run = { kind: 'running', activity: 'run', chunk: { rows: 16, rowsLeft: 4 }, secondsLeft: 21 } as const;
    expect(statusLine({ ...base, mode: 'policy', run })).toBe('Looking. Planned 16 steps (0.5 s). Doing step 12. 21 s left.');
  });

  it('tells a person whose sentence waits that it waits', () => {
    expect(statusLine({ ...base, policy: 'loading', run: { kind: 'waiting', sentence: 'wave' } })).toBe('Waiting for the policy, then: “wave”.');
  });

  it('puts stopping before everything else', () => {
    const run = { kind: 'running', activity: 'run', chunk: { rows: 16, rowsLeft: 4 }, secondsLeft: 21 } as const;
    expect(statusLine({ ...base, mode: 'stopping', run })).toMatch(/^Stopping/);
  });
});

describe('who looks at the pictures on a CPU', () => {
  const engine: EngineReport = { provider: 'wasm', build: 'wasm', threads: 2, adapter: null, attempts: [], race: [], reason: { kind: 'forced' }, recording: null, eyes: null };

  it('is said where our own kernels do, and where they could but may not; a small policy needs no word', () => {
    expect(eyesLine({ ...engine, eyes: { kind: 'kernels', threads: 2 } })).toBe('Pictures are looked at by kernels of our own on 2 threads.');
    expect(eyesLine({ ...engine, eyes: { kind: 'graph', reason: 'browser' } })).toContain('no relaxed SIMD');
    expect(eyesLine({ ...engine, eyes: { kind: 'graph', reason: 'isolation' } })).toContain('Reload');
    expect(eyesLine({ ...engine, eyes: { kind: 'graph', reason: 'processor' } })).toContain('came out different');
    expect(eyesLine({ ...engine, eyes: { kind: 'graph', reason: 'sizes' } })).toBeNull();
    expect(eyesLine(engine)).toBeNull();
  });
});

describe('progress and numbers', () => {
  it('has bytes and seconds', () => {
    expect(progressLine({ phase: 'fetch', what: 'model.safetensors', doneBytes: 1_250_000, totalBytes: 8_300_000 }, 2.31)).toBe('Fetching the policy (model.safetensors): 1.3 MB of 8.3 MB. 2.3 s');
    expect(progressLine({ phase: 'fetch', what: 'config.json', doneBytes: 900, totalBytes: null }, 0.2)).toContain('900 bytes. 0.2 s');
  });

  it('keeps units and never shows a number that is none', () => {
    expect(milliseconds(8.33)).toBe('8.3 ms');
    expect(milliseconds(1900)).toBe('1.9 s');
    expect(milliseconds(Number.NaN)).toBe('–');
    expect(jointValue(-0.04, 'arm')).toBe('0.0°');
    expect(jointValue(41.6, 'gripper')).toBe('42 %');
    expect(jointValue(null, 'arm')).toBe('–');
    expect(seconds(125)).toBe('2 min 5 s');
    expect(bytes(123_456_789)).toBe('123 MB');
  });
});
