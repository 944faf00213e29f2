/**
 * Reads our own TypeScript the way a compiler does, for the tests that hold the house to its rules: which files there
 * are, and what each one imports or says. Uses the parser that comes with Vite; knows no rule.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from 'vite';

export const ROOT = resolve(import.meta.dirname, '..');

export interface ImportOf {
  /** As written: `#core/lib/failure.ts`, `./serve.ts`, `three`. */
  readonly specifier: string;
  /** `address`: `new URL(x, import.meta.url)`, the way a worker or a file is named without being imported. */
  readonly how: 'value' | 'types' | 'address';
  /** Path from the root of the repository, or null for a package. */
  readonly file: string | null;
}

export interface SourceFile {
  /** Path from the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly ImportOf[];
  /** Every node of its syntax tree, depth first. */
  readonly nodes: readonly SyntaxNode[];
  readonly comments: readonly { readonly value: string }[];
}

export type SyntaxNode = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Files git knows or would add, so that a file forgotten in the index is checked as well. Paths from the root. */
export function projectFiles(): readonly string[] {
  const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' });
  if (listed.status !== 0) throw new Error(`git ls-files: ${listed.stderr}`);
  return [...new Set(listed.stdout.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path))))].sort();
}

/** Everything below these folders that is TypeScript, parsed. */
export function sourceFiles(...folders: readonly string[]): readonly SourceFile[] {
  return projectFiles()
    .filter((path) => /\.tsx?$/.test(path) && folders.some((folder) => path.startsWith(`${folder}/`)))
    .map((path) => parseSource(path, readFileSync(join(ROOT, path), 'utf8')));
}

export function parseSource(path: string, text: string): SourceFile {
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]?.message}`);
  const nodes: SyntaxNode[] = [];
  collect(parsed.program, nodes);
  const imports = nodes.flatMap((node): ImportOf[] => {
    const found = importOf(node);
    return found === null ? [] : [{ ...found, file: fileOf(path, found.specifier, found.how) }];
  });
  return { path, text, imports, nodes, comments: parsed.comments };
}

/** Test code: runs only in tests, may import what it likes. */
export function isTestCode(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || /(^|\/)testing\//.test(path) || /^e2e\/.*\.spec\.ts$/.test(path);
}

function collect(value: unknown, into: SyntaxNode[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, into);
  } else if (isNode(value)) {
    into.push(value);
    for (const child of Object.values(value)) if (typeof child === 'object') collect(child, into);
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function literal(value: unknown): string | null {
  return isNode(value) && value.type === 'Literal' && typeof value['value'] === 'string' ? value['value'] : null;
}

function importOf(node: SyntaxNode): Omit<ImportOf, 'file'> | null {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration': {
      const specifier = literal(node['source']);
      if (specifier === null) return null;
      const names = Array.isArray(node['specifiers']) ? node['specifiers'] : [];
      const everyNameIsType = names.length > 0 && names.every((name) => isNode(name) && (name['importKind'] === 'type' || name['exportKind'] === 'type'));
      const types = node['importKind'] === 'type' || node['exportKind'] === 'type' || everyNameIsType;
      return { specifier, how: types ? 'types' : 'value' };
    }
    case 'ImportExpression': {
      const specifier = literal(node['source']);
      return specifier === null ? null : { specifier, how: 'value' };
    }
    case 'TSImportType': {
      const specifier = literal(node['source']) ?? literal(node['argument']);
      return specifier === null ? null : { specifier, how: 'types' };
    }
    case 'NewExpression': {
      const words = node['arguments'];
      if (!isNode(node['callee']) || node['callee']['name'] !== 'URL' || !Array.isArray(words) || words.length !== 2) return null;
      const specifier = literal(words[0]);
      const isOurs = isNode(words[1]) && words[1].type === 'MemberExpression' && isNode(words[1]['object']) && words[1]['object'].type === 'MetaProperty';
      return specifier === null || !isOurs ? null : { specifier, how: 'address' };
    }
    default:
      return null;
  }
}

function fileOf(from: string, specifier: string, how: ImportOf['how']): string | null {
  const bare = specifier.split('?', 1)[0] ?? specifier;
  if (bare.startsWith('.') || how === 'address') return relative(ROOT, resolve(ROOT, dirname(from), bare)).replaceAll('\\', '/');
  const match = /^#(contracts|core|page|workers)\/(.+)$/.exec(bare);
  if (match === null) return null;
  return match[1] === 'workers' ? `workers/${match[2]}` : `src/${match[1]}/${match[2]}`;
}
