/**
 * `npm start`: builds the page where it is missing or older than its sources, serves it on this machine, prints the
 * address, and opens a browser where there is a desktop.
 *
 *   npm start -- [--port 5180] [--no-open] [--classroom limits.json]
 *
 * `--classroom` puts a safety profile into the page it serves and locks it there. It can make limits stricter, not looser.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { SafetyProfile } from '#contracts/safety.ts';
import { asFailure } from '#core/lib/failure.ts';
import { PROFILES, readProfile, replaceProfile } from '#core/safety/profile.ts';
import { buildIfStale } from './build-state.ts';
import { serve } from './serve.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '5180' }, 'no-open': { type: 'boolean', default: false }, classroom: { type: 'string' } } });
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  console.error(`--port ${values.port} is not a port.`);
  process.exit(2);
}

const lesson = values.classroom === undefined ? null : classroomProfile(values.classroom);
buildIfStale();
const folder = resolve(import.meta.dirname, '../dist');
const server = await serve({ folder, port, ...(lesson === null ? {} : { replace: (path: string) => (path === 'index.html' ? withProfile(join(folder, path), lesson) : undefined) }) });
if (port !== 0 && server.port !== port) console.log(`Port ${port} is taken.`);
console.log(`\n  VLA Playground: ${server.url}\n\n  Ctrl+C stops the server.`);

if (!values['no-open'] && hasDesktop()) open(server.url);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.close().then(() => process.exit(0)));
}

/** Checked here with the page's own rules, so that a mistake shows before the class sits there. */
function classroomProfile(file: string): SafetyProfile {
  try {
    const given = readProfile(JSON.parse(readFileSync(file, 'utf8')));
    return replaceProfile(PROFILES['first-motion'], { ...given, name: 'classroom', lock: 'locked' }, 'server');
  } catch (thrown) {
    const { code, facts } = asFailure(thrown);
    console.error(`--classroom ${file} cannot be used: ${code} ${JSON.stringify(facts)}`);
    process.exit(2);
  }
}

function withProfile(index: string, profile: SafetyProfile): Uint8Array {
  const content = JSON.stringify(profile).replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  return Buffer.from(readFileSync(index, 'utf8').replace('<head>', () => `<head><meta name="safety-profile" content="${content}">`));
}

function hasDesktop(): boolean {
  if (process.env['CI'] !== undefined || process.env['SSH_CONNECTION'] !== undefined) return false;
  if (process.platform === 'darwin' || process.platform === 'win32') return process.stdout.isTTY;
  return process.env['DISPLAY'] !== undefined || process.env['WAYLAND_DISPLAY'] !== undefined;
}

function open(url: string): void {
  const opener = process.platform === 'darwin' ? ['open', url] : process.platform === 'win32' ? ['cmd', '/c', 'start', '', url] : ['xdg-open', url];
  const [command = '', ...rest] = opener;
  const child = spawn(command, rest, { stdio: 'ignore', detached: true });
  // No opener on this desktop: the address is printed anyway.
  child.on('error', () => undefined);
  child.unref();
}
