/** Rules of the house that neither the compiler nor the linter knows. Every failure names the file. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isTestCode, parseSource, projectFiles, ROOT, sourceFiles, type SourceFile, type SyntaxNode } from './source-files.ts';

const all = sourceFiles('src', 'workers', 'tools', 'e2e');
const shipped = all.filter((file) => !isTestCode(file.path) && /^(?:src|workers)\//.test(file.path));

function filesWith(files: readonly SourceFile[], matches: (node: SyntaxNode) => boolean): readonly string[] {
  return files.filter((file) => file.nodes.some(matches)).map((file) => file.path);
}

function named(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && 'name' in value && value.name === name;
}

const isAny = (node: SyntaxNode): boolean => node.type === 'TSAnyKeyword';
const isConsole = (node: SyntaxNode): boolean => node.type === 'MemberExpression' && named(node['object'], 'console');
const isSerial = (node: SyntaxNode): boolean => node.type === 'MemberExpression' && named(node['property'], 'serial');
const namesSafeCommand = (node: SyntaxNode): boolean => {
  if (node.type !== 'TSAsExpression' && node.type !== 'TSTypeAssertion') return false;
  const type = node['typeAnnotation'];
  return typeof type === 'object' && type !== null && 'typeName' in type && named(type.typeName, brand);
};

/** Never written out beside a cast, so that the safety room's own search by text finds none here. */
const brand = 'SafeCommand';

test('the reader of these rules sees what it looks for', () => {
  const file = parseSource('x.ts', `const a = b as ${brand}; let c: any; console.info(1); await navigator.serial.getPorts();`);
  for (const rule of [isAny, isConsole, isSerial, namesSafeCommand]) expect(filesWith([file], rule)).toEqual(['x.ts']);
  const clean = parseSource('x.ts', `const a: ${brand} = b; const any = 1; // console.log as ${brand}`);
  for (const rule of [isAny, isConsole, isSerial, namesSafeCommand]) expect(filesWith([clean], rule)).toEqual([]);
});

test('nothing is typed any', () => {
  expect(filesWith(all, isAny)).toEqual([]);
});

test('only the safety room makes a SafeCommand', () => {
  expect(filesWith(all, namesSafeCommand).filter((path) => !path.startsWith('src/core/safety/'))).toEqual([]);
});

test('at most one shipped file names the console, and at most one the serial port', () => {
  expect(filesWith(shipped, isConsole).length, filesWith(shipped, isConsole).join()).toBeLessThanOrEqual(1);
  expect(filesWith(shipped, isSerial).length, filesWith(shipped, isSerial).join()).toBeLessThanOrEqual(1);
});

test('each big package is named by one shipped file, comlink by two', () => {
  const namers = (name: string): readonly string[] =>
    shipped.filter((file) => file.imports.some((one) => one.how !== 'types' && (one.specifier === name || one.specifier.startsWith(`${name}/`)))).map((file) => file.path);
  for (const name of ['onnxruntime-web', '@mujoco/mujoco', '@huggingface/tokenizers']) expect(namers(name).length, `${name}: ${namers(name).join()}`).toBeLessThanOrEqual(1);
  expect(namers('comlink').length, namers('comlink').join()).toBeLessThanOrEqual(2);
});

test('nothing is promised in a comment, and no compiler error is silenced', () => {
  const promise = new RegExp(['\\bTO', 'DO\\b|\\bFIX', 'ME\\b|@ts-(?:ignore|nocheck|expect-error)'].join(''));
  expect(all.filter((file) => file.comments.some((comment) => promise.test(comment.value))).map((file) => file.path)).toEqual([]);
});

test('no test is skipped, focused or left for later', () => {
  const skipped = (node: SyntaxNode): boolean =>
    node.type === 'MemberExpression' &&
    (named(node['object'], 'test') || named(node['object'], 'it') || named(node['object'], 'describe')) &&
    ['skip', 'only', 'todo', 'fails', 'fixme', 'skipIf', 'runIf'].some((name) => named(node['property'], name));
  expect(filesWith(all, skipped)).toEqual([]);
});

test('no tracked text names a place on somebody\'s machine or a registry', () => {
  const machine = /(?<![\w.~-])\/(?:work|home|root|Users)\/[\w.]/;
  const registry = /registry\.(?!npmjs\.org)[\w-]+\.\w+|\/\/(?:[\w-]+\.)*(?:pkg\.dev|jfrog\.io|artifactory|nexus)\b/;
  const texts = projectFiles().filter((path) => /\.(?:tsx?|js|mjs|py|sh|md|json|html|css|ya?ml|npmrc|toml)$|^\.ci\//.test(path));
  expect(texts.length).toBeGreaterThan(30);
  const guilty = texts.filter((path) => {
    if (path === 'tools/house-rules.test.ts') return false;
    const text = readFileSync(join(ROOT, path), 'utf8');
    return machine.test(text) || registry.test(text);
  });
  expect(guilty).toEqual([]);
});

test('every dependency is pinned to one version', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version));
  expect(loose).toEqual([]);
});

test('a document in core does not compile', () => {
  const folder = mkdtempSync(join(ROOT, 'node_modules', '.cache-realm-'));
  try {
    writeFileSync(join(folder, 'realm.ts'), 'export const title = document.title;\n');
    const inherited = JSON.parse(readFileSync(join(ROOT, 'tsconfig.core.json'), 'utf8')) as { readonly compilerOptions: Record<string, unknown> };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions: { ...inherited.compilerOptions, noEmit: true }, include: ['realm.ts'] }));
    const compiled = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' });
    expect(compiled.stdout).toMatch(/realm\.ts\(1,\d+\): error TS2\d+: Cannot find name 'document'/);
    expect(compiled.status).not.toBe(0);
    writeFileSync(join(folder, 'realm.ts'), 'export const name = self.name;\n');
    expect(spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' }).stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
