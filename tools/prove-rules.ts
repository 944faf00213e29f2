/**
 * `npm run prove:rules`: takes each safety rule out of a copy of the sources, one at a time, runs the tests of the room, and
 * names the first test that noticed. A rule that nobody misses is a rule that nobody tests. Writes `evidence/rules.md`.
 *
 *   npm run prove:rules [-- --only 'lead,stall (of a joint that its target waits for)' --tests src/core/safety]
 *
 * `--only` takes out these rules and leaves the rows of the others as they stand; `--tests` runs only these.
 *
 * The copy lies in the system's temporary folder; the repository itself is not touched.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

interface Removal {
  readonly rule: string;
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const gate = 'src/core/safety/gate.ts';
const path = 'src/core/safety/shape/path-check.ts';
const around = 'src/core/safety/rules/surroundings.ts';
const watch = 'src/core/safety/watch.ts';

const REMOVALS: readonly Removal[] = [
  { rule: 'finite', file: gate, find: "if (!isFinite(wanted)) rules.add('finite');\n    else if", put: 'if' },
  { rule: 'stale-state (refuse)', file: gate, find: "if (stateIsStale(context.stateAgeMs, staleAfterMs)) rules.add('stale-state');", put: '' },
  { rule: 'stale-state (a clock that jumped)', file: 'src/core/safety/rules/stale-state.ts', find: 'Math.abs(ageMs)', put: 'ageMs' },
  { rule: 'stale-state (latch)', file: watch, find: ', stateLost(now.stateAgeMs, motion.surroundings)', put: '' },
  { rule: 'page-silent', file: watch, find: 'pageSilent(now.pageSilentMs, motion.surroundings), ', put: '' },
  { rule: 'tab-hidden', file: watch, find: 'tabHidden(now.page, motion.surroundings), ', put: '' },
  { rule: 'hold-to-run', file: around, find: "wanted === 'on' && key === 'up'", put: "wanted === 'on' && key === 'up' && false" },
  { rule: 'stall', file: watch, find: "stall(now.readings, now.target, now.tickSeconds, now.waiting ?? 'no'), ", put: '' },
  { rule: 'torque', file: watch, find: 'torque(now.readings, now.tickSeconds), ', put: '' },
  { rule: 'temperature', file: watch, find: 'heat.verdict, ', put: '' },
  { rule: 'voltage', file: watch, find: ', voltage(now.readings, now.tickSeconds)]', put: ']' },
  { rule: 'disagreement', file: 'workers/control/policy-run.ts', find: 'this.#disagreement.mean <= rule.limit', put: 'this.#disagreement.mean !== 0 || true' },
  { rule: 'temperature (slow)', file: 'src/core/safety/rules/motors.ts', find: 'slowShare: degrees >= maxC - WARM_C ? 0.5 : 1', put: 'slowShare: 1' },
  { rule: 'latching', file: watch, find: 'if (latched !== null) faults = [...faults, latched];', put: '' },
  { rule: 'ramp', file: gate, find: 'rampShare((memory.moved + 1) * dt, rampSeconds)', put: '1' },
  { rule: 'range (limit)', file: gate, find: 'const target = clampToBounds(wantedPosition, bounds);', put: 'const target = wantedPosition;' },
  { rule: 'range (refuse)', file: gate, find: 'limits.some((limit, i) => isAbsurd(wanted.positions[i] as number, limit))', put: 'limits.length === 0' },
  { rule: 'speed', file: 'src/core/safety/rules/jerk.ts', find: 'Math.min(maxSpeed, Math.max(-maxSpeed, v))', put: 'v' },
  { rule: 'acceleration', file: gate, find: 'const dv = limit.maxAccelerationRadPerS2 * dt;', put: 'const dv = 8 * limit.maxAccelerationRadPerS2 * dt;' },
  { rule: 'jerk', file: gate, find: 'limit.maxJerkRadPerS3 === undefined ?', put: 'limit.maxJerkRadPerS3 !== 0 ?' },
  { rule: 'lead', file: path, find: "return 'lead';", put: '{}' },
  { rule: 'stall (of a joint that its target waits for)', file: 'src/core/safety/rules/motors.ts', find: "waiting === 'yes' ?", put: "waiting !== 'yes' && waiting !== 'no' ?" },
  { rule: 'link-speed', file: path, find: "return 'link-speed';", put: '{}' },
  { rule: 'table', file: path, find: "return 'table';", put: '{}' },
  { rule: 'workspace', file: path, find: "return 'workspace';", put: '{}' },
  { rule: 'keep-out', file: path, find: "return 'keep-out';", put: '{}' },
  { rule: 'self-collision', file: path, find: "return 'self-collision';", put: '{}' },
  { rule: 'self-collision (corners)', file: 'src/core/safety/rules/self-collision.ts', find: 'const CORNER_SHARE = 0.7;', put: 'const CORNER_SHARE = 0;' },
  { rule: 'the braking after a step is looked at too', file: path, find: 'if (!moving) return null;', put: 'return null;' },
  { rule: 'a file may not loosen', file: 'src/core/safety/profile.ts', find: "if (source !== 'person') {", put: "if (source === 'nobody' as string) {" },
  { rule: 'a locked profile stays', file: 'src/core/safety/profile.ts', find: "current.lock === 'locked' && source !== 'server'", put: "current.lock === 'locked' && source === 'nobody' as string" },
  { rule: 'chunk expiry', file: 'src/core/chunks/queue.ts', find: 'if (!(ageMs <= settings.expiryMs && ageMs >= -FUTURE_MS))', put: 'if (Number.isNaN(settings.expiryMs))' },
  { rule: 'late chunk (passed rows)', file: 'src/core/chunks/queue.ts', find: "if (rowsDropped >= chunk.rows) return { kind: 'passed' };", put: '' },
];

const { values } = parseArgs({ options: { only: { type: 'string' }, tests: { type: 'string', default: 'src/core/safety,src/core/chunks,workers/control/loop.test.ts,workers/control/safety.test.ts' } } });
const TESTS = values.tests.split(',');
const only = values.only?.split(',') ?? null;
const chosen = REMOVALS.filter(({ rule }) => only === null || only.includes(rule));
if (chosen.length === 0) throw new Error(`no such rule: ${values.only}`);
const root = join(import.meta.dirname, '..');
const copy = mkdtempSync(join(tmpdir(), 'rules-'));
const rows: { readonly rule: string; readonly tests: readonly string[] }[] = [];
try {
  for (const entry of ['src', 'workers', 'e2e', 'package.json', 'vitest.config.ts', 'vite.config.ts', 'tsconfig.json', 'tsconfig.base.json', 'tsconfig.core.json', 'tsconfig.page.json', 'tsconfig.node.json', 'tools']) {
    cpSync(join(root, entry), join(copy, entry), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const untouched = failing();
  if (untouched.length > 0) throw new Error(`tests fail with every rule in place: ${untouched.join('; ')}`);
  for (const { rule, file, find, put } of chosen) {
    const whole = readFileSync(join(root, file), 'utf8');
    if (whole.split(find).length !== 2) throw new Error(`${rule}: the line to take out is not once in ${file}`);
    writeFileSync(join(copy, file), whole.replace(find, () => put));
    rows.push({ rule, tests: failing() });
    writeFileSync(join(copy, file), whole);
    const { tests } = rows.at(-1) as (typeof rows)[number];
    console.log(`${rows.length} of ${chosen.length}  ${tests.length > 0 ? 'noticed' : 'NOBODY NOTICED'}  ${rule}: ${tests[0] ?? ''}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
const missed = rows.filter((row) => row.tests.length === 0);
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
const stamp = `commit ${commit}, ${new Date().toISOString().slice(0, 16)}Z`;
const file = join(root, 'evidence/rules.md');
const line = ({ rule, tests }: (typeof rows)[number]): string => `| ${rule} | ${tests[0] ?? 'none'} |`;
if (only === null) {
  writeFileSync(
    file,
    `# Safety rules taken out one at a time\n\n\`npm run prove:rules\`, ${stamp}: ${rows.length - missed.length} of ${rows.length} removals made a test fail.\n\n| taken out | the first test that failed |\n|---|---|\n${rows.map(line).join('\n')}\n`,
  );
} else {
  const kept = readFileSync(file, 'utf8').trimEnd().split('\n').filter((known) => !rows.some(({ rule }) => known.startsWith(`| ${rule} |`) || known.startsWith(`Of these, ${rule}:`)));
  const said = rows.map(({ rule }) => `Of these, ${rule}: \`--only\`, ${stamp}, tests ${TESTS.join(', ')}.`);
  const table = kept.findLastIndex((known) => known.startsWith('|'));
  writeFileSync(file, `${[...kept.slice(0, table + 1), ...rows.map(line), ...(kept.length > table + 1 ? kept.slice(table + 1) : ['']), ...said].join('\n')}\n`);
}
process.exitCode = missed.length === 0 ? 0 : 1;

/** Names of the tests that fail in the copy. A run that fails to load counts as one. */
function failing(): string[] {
  const run = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'unit', '--bail', '1', '--reporter', 'json', ...TESTS], {
    cwd: copy,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, FUZZ_SEED: '1' },
  });
  const start = run.stdout.indexOf('{"numTotalTestSuites"');
  if (start < 0) throw new Error(`no result: ${run.stderr.slice(-500)}`);
  const result = JSON.parse(run.stdout.slice(start, run.stdout.lastIndexOf('}') + 1)) as {
    readonly testResults: readonly { readonly name: string; readonly status: string; readonly message: string; readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[] }[];
  };
  return result.testResults.flatMap((file) => {
    const failed = file.assertionResults.filter((test) => test.status === 'failed').map((test) => test.fullName);
    return failed.length === 0 && file.status === 'failed' ? [`${file.name.split('/').at(-1)} does not load: ${file.message.slice(0, 80)}`] : failed;
  });
}
