/** Evaluations that are disturbed: a killed shard, a killed command, a torn file. Real processes, real physics, no pictures. */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EvaluationPlan, EvaluationReport } from '#contracts/evaluation.ts';
import { runShards } from './episodes/shards.ts';
import { jobName, jobsOf, openLedger, requestOf, type DoneEpisode } from './episodes/work.ts';

const PLAN: EvaluationPlan = {
  contestant: { kind: 'baseline', name: 'expert' },
  tasks: ['touch'],
  seeds: { first: 0, count: 5 },
  wording: 'held-out',
  perturbation: 'none',
  instruction: 'as-asked',
  cubes: 2,
  inferenceDelayTicks: 0,
  playRows: 8,
};
const SHARD = resolve(import.meta.dirname, 'episodes/shard-process.ts');
const ROOT = resolve(import.meta.dirname, '..');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evaluate-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What must not depend on who ran it and how often it was begun. */
function outcomes(episodes: Iterable<DoneEpisode>): readonly string[] {
  return [...episodes].map(({ result, trace }) => `${jobName(result)} ${JSON.stringify(result.verdict)} ${result.ticks} ${trace.length} ${trace.slice(0, 200)}`).sort();
}

async function evaluated(kill: 'nobody' | 'the first shard'): Promise<{ readonly done: readonly DoneEpisode[]; readonly lost: number }> {
  const done: DoneEpisode[] = [];
  let lost = 0;
  let victim: { kill(signal: 'SIGKILL'): boolean } | null = null;
  await runShards({
    file: SHARD,
    setup: { where: { kind: 'node' }, policy: null, contestant: PLAN.contestant, engine: null },
    count: 1,
    jobs: jobsOf(PLAN),
    requestOf: (job) => requestOf(PLAN, job),
    onReady: () => undefined,
    onDone: (episode) => {
      done.push(episode);
      // The next job is sent right after this: the shard dies in the middle of it.
      if (done.length === 2 && kill === 'the first shard') setTimeout(() => victim?.kill('SIGKILL'), 5);
    },
    onLost: () => lost++,
    onChild: (child) => {
      victim ??= child;
    },
  });
  return { done, lost };
}

describe('evaluation', () => {
  it('a killed shard loses only its running episode, and the count is what it would have been', async () => {
    const undisturbed = await evaluated('nobody');
    const killed = await evaluated('the first shard');
    expect(undisturbed.lost).toBe(0);
    expect(killed.lost).toBe(1);
    expect(killed.done.length).toBe(PLAN.seeds.count);
    expect(outcomes(killed.done)).toEqual(outcomes(undisturbed.done));
  }, 120_000);

  it('a killed command goes on where it was', async () => {
    const words = ['--import', 'tsx', join(ROOT, 'tools/evaluate.ts'), '--contestant', 'expert', '--tasks', 'touch', '--seeds', '0:5', '--cubes', '2', '--out', folder];
    const ledger = join(folder, 'episodes.jsonl');
    const lines = (): readonly string[] => (existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n').slice(0, -1) : []);
    const first = spawn(process.execPath, words, { cwd: ROOT, stdio: 'ignore' });
    const ended = new Promise((done) => first.once('exit', done));
    while (lines().length < 2 && first.exitCode === null) await new Promise((soon) => setTimeout(soon, 20));
    first.kill('SIGKILL');
    await ended;
    const before = lines();
    expect(before.length).toBeGreaterThanOrEqual(2);
    expect(before.length).toBeLessThan(5);

    const second = spawn(process.execPath, words, { cwd: ROOT, stdio: 'ignore' });
    expect(await new Promise((done) => second.once('exit', done))).toBe(0);
    expect(lines().slice(0, before.length)).toEqual(before);
    expect(lines().length).toBe(5);
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as EvaluationReport;
    expect(report.tasks[0]?.trials).toBe(5);
    expect(report.episodes.map((e) => e.seed)).toEqual([0, 1, 2, 3, 4]);
    expect(report.versions).toMatchObject({ where: 'node', drawing: expect.any(String), physics: expect.stringContaining('mujoco') });
    expect(readFileSync(join(folder, 'report.csv'), 'utf8').trimEnd().split('\r\n').length).toBe(6);
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain(`of 5 (`);
  }, 180_000);

  it('a torn last line is dropped, another plan is refused', () => {
    const versions = { playground: '0' };
    const empty = openLedger(folder, { plan: PLAN, versions });
    const episode = (seed: number): DoneEpisode => ({ result: { task: 'touch', seed } as DoneEpisode['result'], trace: '' });
    empty.add(episode(0));
    empty.add(episode(1));
    appendFileSync(join(folder, 'episodes.jsonl'), '{"result":{"task":"touch","se');
    const again = openLedger(folder, { plan: PLAN, versions });
    expect([...again.done.keys()]).toEqual(['touch 0', 'touch 1']);
    again.add(episode(2));
    expect([...openLedger(folder, { plan: PLAN, versions }).done.keys()]).toEqual(['touch 0', 'touch 1', 'touch 2']);
    expect(() => openLedger(folder, { plan: { ...PLAN, cubes: 3 }, versions })).toThrow(/another plan/);
    expect(() => openLedger(folder, { plan: PLAN, versions: { playground: '1' } })).toThrow(/other versions/);
  });
});
