/**
 * `npm test`: every check there is, in one line. Type check, lint, build, unit tests, the numbers of inference in a browser, the
 * other browser tests, stories; each one runs even where an earlier one failed, prints little when it passes and everything
 * that helps when it does not, and the last line counts them all: "N passed, N failed".
 *
 *   npm test -- [stage ...]      stages: types lint build unit inference browser e2e; no name: all of them
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensureChromium } from './chromium.ts';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** What to show of the failures; the stage's whole output where this is null. */
  readonly account: string | null;
}

interface Stage {
  readonly name: string;
  readonly limitMinutes: number;
  run(): Promise<Counts>;
}

const root = resolve(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'vla-test-'));
const bin = (packagePath: string): readonly string[] => [join(root, 'node_modules', packagePath)];
const TSC = bin('typescript/bin/tsc');
const VITEST = bin('vitest/vitest.mjs');
const running = new Set<ChildProcess>();

/**
 * Round after round; what stands in one round runs at the same time. Only what asks for numbers and never for a time may share the two
 * cores: unit tests live on manual clocks, and inference is held against LeRobot. Worker loops, Stop and the stories have them alone.
 *
 * A limit ends what hangs, nothing else: on the slowest machine so far the stories took 911 s.
 */
const rounds: readonly (readonly Stage[])[] = [
  [
    { name: 'types', limitMinutes: 4, run: () => sum(['core', 'page', 'node'].map((realm) => () => check([...TSC, '-p', `tsconfig.${realm}.json`], 4))) },
    { name: 'lint', limitMinutes: 4, run: () => check(bin('oxlint/bin/oxlint'), 4) },
    { name: 'build', limitMinutes: 4, run: () => check(['npm', 'run', '--silent', 'build'], 4) },
  ],
  [
    { name: 'unit', limitMinutes: 12, run: () => vitest('unit', 12) },
    { name: 'inference', limitMinutes: 12, run: () => vitest('inference', 12) },
  ],
  [{ name: 'browser', limitMinutes: 6, run: () => vitest('browser', 6) }],
  [{ name: 'e2e', limitMinutes: 20, run: () => playwright(20) }],
];

process.exitCode = await main();

async function main(): Promise<number> {
  const wanted = process.argv.slice(2);
  const names = rounds.flat().map((stage) => stage.name);
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`No such stage: ${unknown.join(', ')}. There are: ${names.join(', ')}.`);
    return 2;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      for (const child of running) end(child, 'SIGKILL');
      rmSync(scratch, { recursive: true, force: true });
      process.exit(130);
    });
  }
  process.env['CHROMIUM'] = ensureChromium();
  let passed = 0;
  let failed = 0;
  const complete = async (stage: Stage): Promise<void> => {
    const startedAtMs = performance.now();
    const counts = await stage.run();
    passed += counts.passed;
    failed += counts.failed;
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(0);
    console.log(`${counts.failed === 0 ? 'ok  ' : 'FAIL'} ${stage.name.padEnd(9)} ${counts.passed} passed, ${counts.failed} failed (${seconds} s).`);
    if (counts.failed > 0 && counts.account !== null) console.log(`${counts.account.replace(/^/gm, '    ')}\n`);
  };
  for (const round of rounds) await Promise.all(round.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).map(complete));
  rmSync(scratch, { recursive: true, force: true });
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

async function sum(parts: readonly (() => Promise<Counts>)[]): Promise<Counts> {
  let total: Counts = { passed: 0, failed: 0, account: null };
  for (const part of parts) {
    const { passed, failed, account } = await part();
    total = { passed: total.passed + passed, failed: total.failed + failed, account: [total.account, account].filter((text) => text !== null).join('\n') || null };
  }
  return total;
}

/** A program that passes or fails as a whole counts as one test. */
async function check(command: readonly string[], limitMinutes: number): Promise<Counts> {
  const { status, output } = await program(command, limitMinutes, {});
  return status === 0 ? { passed: 1, failed: 0, account: null } : { passed: 0, failed: 1, account: tail(output, 120) };
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string; readonly failureMessages: readonly string[] | null }[];
  }[];
}

async function vitest(project: 'unit' | 'inference' | 'browser', limitMinutes: number): Promise<Counts> {
  const file = join(scratch, `${project}.json`);
  const { status, output } = await program([...VITEST, 'run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`], limitMinutes, {});
  const report = readJson<VitestReport>(file);
  if (report === null) return { passed: 0, failed: 1, account: tail(output, 80) };
  const lines = report.testResults.flatMap((suite) => {
    const tests = suite.assertionResults.filter((one) => one.status === 'failed').map((one) => `${short(suite.name)} > ${one.fullName}\n${indent(tail((one.failureMessages ?? []).join('\n'), 25))}`);
    // A file that did not even load has no tests to count.
    return suite.status === 'failed' && tests.length === 0 ? [`${short(suite.name)}\n${indent(tail(suite.message, 25))}`] : tests;
  });
  const failed = Math.max(lines.length, report.numFailedTests);
  if (failed === 0 && status !== 0) return { passed: report.numPassedTests, failed: 1, account: `vitest ended with ${String(status)} although no test failed:\n${tail(output, 60)}` };
  return { passed: report.numPassedTests, failed, account: lines.join('\n') };
}

interface PlaywrightSuite {
  readonly title: string;
  readonly suites?: readonly PlaywrightSuite[];
  readonly specs: readonly { readonly title: string; readonly ok: boolean; readonly tests: readonly { readonly results: readonly { readonly errors: readonly { readonly message?: string }[] }[] }[] }[];
}

async function playwright(limitMinutes: number): Promise<Counts> {
  const file = join(scratch, 'e2e.json');
  const { status, output } = await program([...bin('@playwright/test/cli.js'), 'test', '--reporter=list,json'], limitMinutes, { PLAYWRIGHT_JSON_OUTPUT_FILE: file, VLA_BUILT: 'yes' });
  const report = readJson<{ readonly suites: readonly PlaywrightSuite[]; readonly errors: readonly { readonly message?: string }[] }>(file);
  if (report === null) return { passed: 0, failed: 1, account: tail(output, 80) };
  const specs = report.suites.flatMap(function all(suite: PlaywrightSuite): PlaywrightSuite['specs'] {
    return [...suite.specs, ...(suite.suites ?? []).flatMap(all)];
  });
  const lines = [
    ...specs.filter((spec) => !spec.ok).map((spec) => `${spec.title}\n${indent(tail(spec.tests.flatMap((one) => one.results.flatMap((result) => result.errors.map((error) => error.message ?? ''))).join('\n'), 30))}`),
    ...report.errors.map((error) => error.message ?? 'an error outside any story'),
  ];
  const passed = specs.filter((spec) => spec.ok).length;
  if (lines.length === 0 && status !== 0) return { passed, failed: 1, account: tail(output, 60) };
  return { passed, failed: lines.length, account: lines.join('\n') };
}

/** Runs a program in its own process group, so that a limit or Ctrl+C leaves nothing of it behind. */
function program(command: readonly string[], limitMinutes: number, environment: Readonly<Record<string, string>>): Promise<{ readonly status: number | null; readonly output: string }> {
  const [first = '', ...rest] = command;
  const isScript = first.startsWith(root);
  const child = spawn(isScript ? process.execPath : first, isScript ? command : rest, {
    cwd: root,
    env: { ...process.env, ...environment, NO_COLOR: '1', FORCE_COLOR: '0', CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    shell: !isScript && process.platform === 'win32',
  });
  running.add(child);
  let output = '';
  const take = (part: Buffer): void => void (output += part.toString());
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((done) => {
    const limit = setTimeout(() => {
      output += `\nStopped after ${limitMinutes} minutes.\n`;
      end(child, 'SIGKILL');
    }, limitMinutes * 60_000);
    child.on('error', (error) => (output += String(error)));
    child.on('close', (status) => {
      clearTimeout(limit);
      running.delete(child);
      end(child, 'SIGKILL');
      done({ status, output });
    });
  });
}

function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
  } catch {
    // The group is gone already, as it should be.
  }
}

function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return null;
  }
}

function tail(text: string, lines: number): string {
  // Escape sequences that a tool sends in spite of NO_COLOR.
  const plain = text
    .replaceAll(new RegExp(`${String.fromCodePoint(27)}\\[[\\d;]*m`, 'g'), '')
    .trimEnd()
    .split('\n')
    // Where the test library stood when it noticed helps nobody.
    .filter((line) => !/^\s+at .*node_modules|^\s+at new Promise/.test(line));
  return plain.length <= lines ? plain.join('\n') : ['...', ...plain.slice(-lines)].join('\n');
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}

function short(path: string): string {
  return path.startsWith(root) ? path.slice(root.length + 1) : path;
}
