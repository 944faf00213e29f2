/** `npm run verify:hub` as a person with a network would run it, on the pocket policy in a Hub of our own. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeHub, startFakeHub } from './fake-hub/fake-hub.ts';

const ROOT = resolve(import.meta.dirname, '..');
const POCKET = join(ROOT, 'public', 'policies', 'pocket');
const ID = 'anna/pocket';

let hub: FakeHub;
beforeAll(async () => {
  hub = await startFakeHub();
  const files = readdirSync(POCKET, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  hub.models.set(ID, {
    files: new Map(
      files.map((entry): [string, Uint8Array] => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(POCKET.length + 1).replaceAll('\\', '/'), new Uint8Array(readFileSync(path))];
      }),
    ),
  });
});
afterAll(() => hub.close());

function verify(...words: readonly string[]): Promise<{ readonly code: number | null; readonly said: string; readonly error: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'tools', 'verify-hub.ts'), ...words, '--hub', hub.url], { cwd: ROOT });
    let [said, error] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => void (said += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => void (error += bytes.toString()));
    child.on('close', (code) => done({ code, said, error }));
  });
}

it('inspects, checks, compares the hash, converts, runs and says what the precision costs', { timeout: 120_000 }, async () => {
  const { code, said, error } = await verify(ID, '--precision', 'int8');
  expect(error).toBe('');
  expect(code).toBe(0);
  expect(said).toMatch(/^anna\/pocket at [0-9a-f]+$/m);
  expect(said).toContain('nothing stands against it');
  expect(said).toMatch(/sha-256 [0-9a-f]{64} is what the Hub states/);
  expect(said.match(/^joint \d/gm)?.length).toBe(6);
  const [, cosine] = /^x0 .*cosine ([\d.]+)/m.exec(said) ?? [];
  expect(Number(cosine)).toBeGreaterThan(0.9999);
  expect(Number(cosine)).toBeLessThan(1);
});

it('a name that is not there ends in words and code 1', { timeout: 60_000 }, async () => {
  const { code, error } = await verify('anna/nothing');
  expect(code).toBe(1);
  expect(error).toMatch(/\[hub\/|\[checkpoint\//);
});
