/**
 * Finds a Chrome or Chromium for the tests and benches: the one named by CHROMIUM, else one in the usual places, else
 * (Debian or Ubuntu, as root) the distribution's own `chromium`, installed by apt. Downloads no browser by itself.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Flags under which every test and bench starts the browser. */
export const CHROMIUM_FLAGS: readonly string[] = [
  // As root (containers) Chromium refuses to start with its sandbox.
  '--no-sandbox',
  // Nothing the tests measure should be disturbed by, or wait for, a network.
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Hidden and covered pages run their timers as visible ones do.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  // A software GPU: the same WebGPU on every machine, slow and always there.
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  // WebGL by the same software renderer; Chromium asks for this word since it stopped falling back silently.
  '--enable-unsafe-swiftshader',
];

const WHAT_TO_DO = `No Chrome or Chromium was found. Do one of these, then run the command again:
  - Debian, Ubuntu:  sudo apt-get install chromium
  - Fedora:          sudo dnf install chromium
  - macOS, Windows:  install Google Chrome
  - anywhere:        CHROMIUM=/path/to/chrome npm test`;

/** Path of an executable browser, or null. Starts nothing, installs nothing. */
export function findChromium(): string | null {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') {
    if (!isExecutable(named)) throw new Error(`CHROMIUM names ${named}, which is not an executable file.`);
    return named;
  }
  return usualPlaces().find(isExecutable) ?? null;
}

/** As `findChromium`, and installs Debian's package where it can. Throws with what to do where there is none. */
export function ensureChromium(): string {
  const found = findChromium();
  if (found !== null) return found;
  installDebianChromium();
  const installed = findChromium();
  if (installed === null) throw new Error(WHAT_TO_DO);
  return installed;
}

function usualPlaces(): readonly string[] {
  switch (process.platform) {
    case 'darwin':
      return ['/Applications', join(homedir(), 'Applications')].flatMap((folder) => [
        join(folder, 'Google Chrome.app/Contents/MacOS/Google Chrome'),
        join(folder, 'Chromium.app/Contents/MacOS/Chromium'),
      ]);
    case 'win32':
      return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA']
        .flatMap((name) => process.env[name] ?? [])
        .flatMap((folder) => [join(folder, 'Google/Chrome/Application/chrome.exe'), join(folder, 'Chromium/Application/chrome.exe')]);
    default: {
      const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
      const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''), '/usr/bin', '/usr/local/bin', '/snap/bin'];
      return [...names.flatMap((name) => folders.map((folder) => join(folder, name))), '/opt/google/chrome/chrome'];
    }
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installDebianChromium(): void {
  const isRoot = process.getuid?.() === 0;
  if (process.platform !== 'linux' || !isRoot || !existsSync('/usr/bin/apt-get')) return;
  console.log('No Chrome or Chromium here: installing the distribution\'s "chromium" with apt-get.');
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const words of [['update', '-q'], ['install', '-q', '-y', '--no-install-recommends', 'chromium']]) {
    const done = spawnSync('apt-get', words, { env: environment, encoding: 'utf8', timeout: 600_000 });
    if (done.status !== 0) {
      console.log(`apt-get ${words.join(' ')} failed:\n${done.stderr.split('\n').slice(-8).join('\n')}`);
      return;
    }
  }
}
