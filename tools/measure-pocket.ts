/**
 * `npm run measure:pocket -- [--checkpoint public/policies/pocket] [--share 1] [--only "told nothing,in float32"] [--out DIR]
 * [--shards 1] [--site DIR]`:
 * everything the pocket policy's card claims, counted. Runs `tools/evaluate.ts` once for each line below, one after the
 * other, each resumable, and prints one Markdown table. `--share 0.1` takes a tenth of the seeds, for a first look; `--only` some of the lines.
 *
 * Knows which questions are asked; counts nothing itself.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { EvaluationReport, TaskSummary } from '#contracts/evaluation.ts';
import { kOfN } from '#page/words/measure.ts';

interface Question {
  readonly name: string;
  readonly tasks: string;
  readonly seeds: number;
  readonly options: readonly string[];
}

const ALL = 'touch,pick-up,put-in-bowl,push-left,push-right,wave';
const CUBES = 'touch,pick-up,put-in-bowl,push-left,push-right';
const PAIR = 'touch,pick-up';

const QUESTIONS: readonly Question[] = [
  { name: 'as asked', tasks: ALL, seeds: 200, options: [] },
  { name: 'told another colour', tasks: CUBES, seeds: 200, options: ['--instruction', 'another-colour'] },
  { name: 'cameras blacked out', tasks: CUBES, seeds: 200, options: ['--perturbation', 'black-cameras'] },
  { name: 'told nothing', tasks: CUBES, seeds: 200, options: ['--instruction', 'empty'] },
  ...['light', 'camera-pose', 'distractors', 'table-colour', 'initial-joints'].map((one): Question => ({ name: `changed: ${one}`, tasks: PAIR, seeds: 50, options: ['--perturbation', one] })),
  ...['10', '5', '2', '1'].map((steps): Question => ({ name: `${steps} denoising steps`, tasks: PAIR, seeds: 50, options: ['--steps', steps] })),
  { name: 'in float32', tasks: PAIR, seeds: 50, options: ['--precision', 'f32'] },
  { name: 'front camera only', tasks: PAIR, seeds: 50, options: ['--cameras', 'front'] },
  { name: 'wrist camera only', tasks: PAIR, seeds: 50, options: ['--cameras', 'wrist'] },
];

const { values: options } = parseArgs({
  options: {
    checkpoint: { type: 'string', default: 'public/policies/pocket' },
    share: { type: 'string', default: '1' },
    only: { type: 'string' },
    out: { type: 'string', default: 'evaluations/pocket' },
    shards: { type: 'string', default: '1' },
    'play-rows': { type: 'string', default: '16' },
    site: { type: 'string' },
  },
});
const share = Number(options.share);
if (!(share > 0 && share <= 1)) throw new Error(`--share: expected more than 0, at most 1, found "${options.share}"`);

const only = options.only?.split(',').map((name) => name.trim()) ?? QUESTIONS.map(({ name }) => name);
for (const name of only) if (!QUESTIONS.some((question) => question.name === name)) throw new Error(`--only: expected some of ${QUESTIONS.map((one) => one.name).join(', ')}, found "${name}"`);

const lines = ['| asked | task | success | median seconds | failures |', '|---|---|---|---|---|'];
for (const question of QUESTIONS.filter(({ name }) => only.includes(name))) {
  const out = resolve(options.out, question.name.replaceAll(/[^a-z0-9]+/g, '-'));
  const seeds = Math.max(1, Math.round(question.seeds * share));
  await evaluate([
    `--checkpoint=${options.checkpoint}`,
    `--tasks=${question.tasks}`,
    `--seeds=0:${seeds}`,
    `--play-rows=${options['play-rows']}`,
    `--shards=${options.shards}`,
    '--engine=wasm',
    // What a computer without a graphics card gets (`page/session/precision.ts`); a question may say otherwise.
    '--precision=int8',
    `--out=${out}`,
    ...(options.site === undefined ? [] : ['--site', options.site]),
    ...question.options,
  ]);
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as EvaluationReport;
  for (const task of report.tasks) lines.push(row(question.name, task));
  writeFileSync(resolve(options.out, 'table.md'), `${lines.join('\n')}\n`);
}
console.log(`\n${lines.join('\n')}`);

function row(name: string, task: TaskSummary): string {
  const reasons = Object.entries(task.failures).map(([reason, count]) => `${count} ${reason}`).join(', ');
  const named = task.named === null ? '' : `; the cube it was told: ${kOfN(task.named.successes, task.trials, task.named.interval)}`;
  return `| ${name} | ${task.task} | ${kOfN(task.successes, task.trials, task.interval)}${named} | ${task.medianSecondsToSuccess?.toFixed(1) ?? '-'} | ${reasons} |`;
}

/** Throws where an evaluation could not be run. */
function evaluate(args: readonly string[]): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'evaluate.ts'), ...args], { stdio: 'inherit' });
    child.on('error', failed);
    child.on('exit', (status) => (status === 0 ? done() : failed(new Error(`evaluate ended with ${status}`))));
  });
}
