/** The rooms keep to the table in `src/README.md`. Every failure names the file and the arrow. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { brokenArrows, importCycles, readImportTable, roomOf } from './import-table.ts';
import { isTestCode, parseSource, projectFiles, ROOT, sourceFiles } from './source-files.ts';

const rooms = readImportTable(readFileSync(join(ROOT, 'src/README.md'), 'utf8'));
const files = sourceFiles('src', 'workers', 'tools', 'e2e').filter((file) => !isTestCode(file.path));

test('no file imports what its room may not', () => {
  expect(files.length).toBeGreaterThan(30);
  expect(files.flatMap((file) => brokenArrows(rooms, file)).join('\n')).toBe('');
});

test('no import leads in a circle', () => {
  expect(importCycles(files).map((cycle) => cycle.join(' -> ')).join('\n')).toBe('');
});

test('every room with files in it has a sign', () => {
  const signs = new Set(projectFiles());
  const folders = new Set(files.map((file) => roomOf(rooms, file.path)?.folder ?? dirname(file.path)));
  expect([...folders].filter((folder) => !signs.has(`${folder}/README.md`)).join('\n')).toBe('');
});

test('a broken arrow is named, whatever its form', () => {
  const broken = (path: string, text: string): readonly string[] => brokenArrows(rooms, parseSource(path, text));
  const stage = "export const x = 1; import { y } from '#core/safety/gate.ts';";
  expect(broken('src/page/stage/view.ts', stage)).toEqual(['src/page/stage/view.ts -> #core/safety/gate.ts: src/page/stage may not import src/core/safety']);
  expect(broken('src/core/policy/run.ts', "const m = await import('#core/chunks/queue.ts');")[0]).toMatch(/may not import src\/core\/chunks/);
  expect(broken('src/core/policy/run.ts', "type Q = import('#core/chunks/queue.ts').Q;")[0]).toMatch(/may not import src\/core\/chunks/);
  expect(broken('src/core/policy/run.ts', "export * from '../chunks/queue.ts';")[0]).toMatch(/by #/);
  expect(broken('src/core/lib/a.ts', "import './b';")[0]).toMatch(/ending/);
  expect(broken('src/core/lib/a.ts', "import { readFileSync } from 'node:fs';")[0]).toMatch(/no Node/);
  expect(broken('src/core/lib/a.ts', "import { Vector3 } from 'three';")[0]).toMatch(/may not name the package three/);
  expect(broken('workers/world/loop.ts', "import { x } from '../control/loop.ts';")[0]).toMatch(/may not import workers\/control/);
  expect(broken('workers/inference/loop.ts', "import * as ort from 'onnxruntime-web/jspi';")[0]).toMatch(/only .* may name onnxruntime-web/);
  expect(broken('src/core/arm/serial.ts', "import { gate } from '#core/safety/gate.ts';")[0]).toMatch(/types only/);
  expect(broken('src/core/arm/serial.ts', "import { type SafeCommand } from '#core/safety/gate.ts';")).toEqual([]);
  expect(broken('src/page/runtime/start.ts', "import { loop } from '#workers/control/loop.ts';")[0]).toMatch(/only name the address/);
  expect(broken('src/page/runtime/start.ts', "new Worker(new URL('../../../workers/control/entry.ts', import.meta.url), { type: 'module' });")).toEqual([]);
  expect(broken('src/nowhere/a.ts', '')).toEqual(['src/nowhere/a.ts stands in no room of src/README.md']);
});

test('a circle is found, and a circle of types is not one', () => {
  const a = parseSource('src/core/lib/a.ts', "import { b } from './b.ts';");
  const b = parseSource('src/core/lib/b.ts', "import { a } from './a.ts';");
  const typed = parseSource('src/core/lib/b.ts', "import type { a } from './a.ts';");
  expect(importCycles([a, b])).toEqual([['src/core/lib/a.ts', 'src/core/lib/b.ts', 'src/core/lib/a.ts']]);
  expect(importCycles([a, typed])).toEqual([]);
});

test('a row of the table that cannot be read is refused', () => {
  expect(() => readImportTable('| `src/core/x` | y | contracts | - |')).toThrow(/cannot read/);
  expect(() => readImportTable('| `src/core/x` | y | `contracts` |')).toThrow(/cannot read the row/);
});
