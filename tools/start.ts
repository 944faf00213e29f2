/**
 * `npm start`: builds the page where it is missing or older than its sources, serves it on this machine, prints the
 * address, and opens a browser where there is a desktop.
 *
 *   npm start -- [--port 5180] [--no-open]
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale } from './build-state.ts';
import { serve } from './serve.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '5180' }, 'no-open': { type: 'boolean', default: false } } });
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  console.error(`--port ${values.port} is not a port.`);
  process.exit(2);
}

buildIfStale();
const server = await serve({ folder: resolve(import.meta.dirname, '../dist'), port });
if (port !== 0 && server.port !== port) console.log(`Port ${port} is taken.`);
console.log(`\n  VLA Playground: ${server.url}\n\n  Ctrl+C stops the server.`);

if (!values['no-open'] && hasDesktop()) open(server.url);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.close().then(() => process.exit(0)));
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
