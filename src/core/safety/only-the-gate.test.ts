/** Casts to `SafeCommand` are looked for by the house rules; this looks for the other way round the gate. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const sources = ['src', 'workers', 'tools', 'e2e'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => join(root, folder, file)),
);

it('only the gate seals a command', () => {
  expect(sources.length).toBeGreaterThan(20);
  const seal = new RegExp('seal' + 'Command');
  const naming = sources.filter((file) => seal.test(readFileSync(file, 'utf8'))).map((file) => relative(root, file));
  expect(naming).toEqual(['src/core/safety/gate.ts', 'src/core/safety/safe-command.ts']);
});
