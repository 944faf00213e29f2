/**
 * `npm run prove:safety`: ten million random and adversarial ticks through the gate, in several processes, judged by
 * arithmetic that imports no rule; every hundredth round is played in the physics and measured there. Writes
 * `evidence/safety.md`. The short form of the same rounds runs in `npm test`.
 *
 *   npm run prove:safety [-- --ticks 10000000 --shards 2 --seed 1 --minutes 600 --robot so101]
 *
 * `--minutes` ends it early and says so in the result.
 */
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { WHY_FASTER } from './safety/oracle.ts';
import type { ShardReport } from './safety/shard.ts';

const { values } = parseArgs({
  options: {
    ticks: { type: 'string', default: '10000000' },
    shards: { type: 'string', default: String(Math.max(1, cpus().length)) },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '600' },
    robot: { type: 'string', default: 'so100' },
    out: { type: 'string', default: 'evidence/safety.md' },
  },
});
const root = join(import.meta.dirname, '..');
const shards = Number(values.shards);
const wanted = Number(values.ticks);
const seed = Number(values.seed);
/** Far enough apart that no two shards play the same seed. */
const SEED_STRIDE = 10_000_000;
const SHOW_EVERY_MS = 30_000;

const began = Date.now();
const latest: (ShardReport | null)[] = Array.from({ length: shards }, () => null);
const children = latest.map((_, i) =>
  spawn(process.execPath, ['--import', 'tsx', join(root, 'tools/safety/shard.ts'), String(seed + i * SEED_STRIDE), String(Math.ceil(wanted / shards)), values.robot], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] }),
);
const ended = children.map(
  (child, i) =>
    new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => (latest[i] = JSON.parse(line) as ShardReport));
      child.once('close', () => resolve());
    }),
);
const deadline = setTimeout(() => children.forEach((child) => child.kill()), Number(values.minutes) * 60_000);
const show = setInterval(() => console.log(`${total('ticks').toLocaleString('en')} ticks after ${Math.round((Date.now() - began) / 1000)} s`), SHOW_EVERY_MS);
await Promise.all(ended);
clearTimeout(deadline);
clearInterval(show);

const reports = latest.filter((report) => report !== null);
const broken = reports.filter((report) => report.kind === 'broken');
const early = reports.length < shards || reports.some((report) => report.kind !== 'done');
const passed = broken.length === 0 && total('unnamed') === 0 && reports.length > 0;
writeFileSync(join(root, values.out), markdown());
console.log(passed ? `kept: ${total('ticks').toLocaleString('en')} ticks${early ? ', ended early' : ''}` : `BROKEN: ${broken.map((report) => report.message).join('; ') || 'a limit bit without a name'}`);
process.exitCode = passed ? 0 : 1;

function total(field: 'ticks' | 'rounds' | 'stops' | 'unnamed'): number {
  return latest.reduce((sum, report) => sum + (report?.[field] ?? 0), 0);
}

function most(of: (report: ShardReport) => number): number {
  return Math.max(0, ...reports.map(of));
}

function sum(of: (report: ShardReport) => number): number {
  return reports.reduce((total, report) => total + of(report), 0);
}

function markdown(): string {
  const rules: Record<string, number> = {};
  for (const report of reports) for (const [rule, count] of Object.entries(report.rules)) rules[rule] = (rules[rule] ?? 0) + count;
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const worldTicks = reports.reduce((sum, report) => sum + report.measured.ticks, 0);
  const figure = (value: number, digits = 3): string => value.toFixed(digits);
  return `# Safety: ${passed ? 'every promise kept' : 'A PROMISE WAS BROKEN'}

\`npm run prove:safety -- --ticks ${wanted} --shards ${shards} --seed ${seed}${values.robot === 'so100' ? '' : ` --robot ${values.robot}`}\`, commit ${commit}, ${new Date(began).toISOString().slice(0, 16)}Z, ${Math.round((Date.now() - began) / 1000)} s.
${early && broken.length === 0 ? `\nEnded early, by the time limit: ${total('ticks').toLocaleString('en')} of ${wanted.toLocaleString('en')} ticks.\n` : ''}
${broken.map((report) => `Broken: ${report.message}\n`).join('')}
| | |
|---|---|
| ticks | ${total('ticks').toLocaleString('en')} in ${total('rounds').toLocaleString('en')} rounds, each with a random profile, tick length (10 to 100 Hz), start and adversary |
| commands outside an enabled limit | ${broken.length === 0 ? 0 : 'see above'} |
| commands that changed after a Stop had frozen them | ${broken.length === 0 ? `0 of ${total('stops').toLocaleString('en')} stops` : 'see above'} |
| longest braking | ${most((report) => report.longestStopTicks)} ticks |
| wishes not met without a rule that says why | ${total('unnamed')} |
| worst joint speed, acceleration, jerk, as shares of their limits | ${figure(most((r) => r.worst.speed), 9)}, ${figure(most((r) => r.worst.acceleration), 9)}, ${figure(most((r) => r.worst.jerk), 9)} |
| worst speed of a corner of the arm, as a share of the limit (other kinematics, one round in ten) | ${figure(most((r) => r.worst.linkSpeed), 6)} |

Ticks in which each rule bit: ${Object.entries(rules).toSorted((a, b) => b[1] - a[1]).map(([rule, count]) => `${rule} ${count.toLocaleString('en')}`).join(', ')}.

## Measured in the physics

${worldTicks.toLocaleString('en')} ticks at 30 Hz under the profile \`first-motion\` (250 mm/s), by an oracle that imports nothing of \`core/safety\`:
what the arm did, not what it was told.

| | worst |
|---|---|
| speed of a corner of the arm in free air, moved in a tick of 1/30 s | ${figure(1000 * most((r) => r.measured.fastestTickFree), 0)} mm/s; above 250 mm/s in ${sum((r) => r.measured.overFree)} of ${sum((r) => r.measured.freeTicks).toLocaleString('en')} ticks |
| the same within half a second of touching something | ${figure(1000 * most((r) => r.measured.fastestTick), 0)} mm/s |
| over 2 ms (targets come in steps 30 times a second, and the servo follows each step) | ${figure(1000 * most((r) => r.measured.fastestStep), 0)} mm/s |
| force on the table | ${figure(most((r) => r.measured.tableForce), 1)} N, in ${sum((r) => r.measured.tableTicks)} ticks |
| force of the arm on itself, links that are not neighbours | ${figure(most((r) => r.measured.selfForce), 1)} N, in ${sum((r) => r.measured.selfTicks)} ticks${reports.map((r) => (r.measured.selfWhere === '' ? '' : `; ${r.measured.selfWhere}`)).join('')} |
| arm joint away from its target | ${figure((most((r) => r.measured.furthestOff) * 180) / Math.PI, 2)} degrees |

${WHY_FASTER}`;
}
