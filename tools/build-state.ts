/** Whether `dist/` is there and newer than everything it was made from; builds it where not. Knows no server. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
/** Written last by the build. */
const BUILT = join(root, 'dist', 'build.json');
const SOURCES = ['index.html', 'src', 'workers', 'public', 'package.json', 'package-lock.json', 'vite.config.ts', 'tools/finish-build.ts'];

export function isBuilt(): boolean {
  if (!existsSync(BUILT) || !existsSync(join(root, 'dist', 'index.html'))) return false;
  const builtAtMs = statSync(BUILT).mtimeMs;
  return SOURCES.every((source) => newestMs(join(root, source)) <= builtAtMs);
}

/** Runs `npm run build` unless it would change nothing. Ends the process where the build fails. */
export function buildIfStale(): void {
  if (isBuilt()) return;
  console.log('Building the page (about a minute the first time).');
  const done = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' });
  if (done.status !== 0) {
    console.error('The build failed; nothing is served.');
    process.exit(1);
  }
}

function newestMs(path: string): number {
  if (!existsSync(path)) return 0;
  const facts = statSync(path);
  if (!facts.isDirectory()) return facts.mtimeMs;
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .reduce((newest, entry) => Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0);
}
