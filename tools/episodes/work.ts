/**
 * An evaluation's work list: which episodes a plan means, which of them are done, and the file they are kept in. One line
 * an episode, written the moment it is done, so that whatever is killed loses only what was running. Knows no process.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EpisodeRequest } from '#contracts/episode-api.ts';
import type { EpisodeResult, EvaluationPlan } from '#contracts/evaluation.ts';
import type { TaskKind } from '#contracts/task.ts';

export interface Job {
  readonly task: TaskKind;
  readonly seed: number;
}

/** What is kept of an episode. The trace is base64 of float32: ticks x 6 targets, then ticks x 6 measured, radians. */
export interface DoneEpisode {
  readonly result: EpisodeResult;
  readonly trace: string;
}

/** The tasks take turns, so that a run that is broken off says something of each. */
export function jobsOf(plan: EvaluationPlan): readonly Job[] {
  return Array.from({ length: plan.seeds.count }, (_, i) => plan.seeds.first + i).flatMap((seed) => plan.tasks.map((task) => ({ task, seed })));
}

export function requestOf(plan: EvaluationPlan, job: Job): EpisodeRequest {
  const { cubes, wording, perturbation, instruction, inferenceDelayTicks, playRows, realTimeChunking } = plan;
  return { ...job, cubes, wording, perturbation, instruction, inferenceDelayTicks, playRows, ...(realTimeChunking === undefined ? {} : { realTimeChunking }), surroundings: 'as-shipped', injectedNoise: 0 };
}

export function jobName({ task, seed }: Job): string {
  return `${task} ${seed}`;
}

/** The file of a run, in its folder. */
export interface Ledger {
  readonly done: ReadonlyMap<string, DoneEpisode>;
  add(episode: DoneEpisode): void;
}

/**
 * Opens or begins the ledger of this plan. Throws where the folder holds another plan's, or one of other versions:
 * their episodes must not be counted together.
 */
export function openLedger(folder: string, identity: { readonly plan: EvaluationPlan; readonly versions: Readonly<Record<string, string>> }): Ledger {
  const planFile = join(folder, 'plan.json');
  const episodesFile = join(folder, 'episodes.jsonl');
  const text = `${JSON.stringify(identity, null, 2)}\n`;
  if (existsSync(planFile)) {
    if (readFileSync(planFile, 'utf8') !== text) throw new Error(`${folder} holds an evaluation of another plan or other versions (see its plan.json); name another folder with --out`);
  } else {
    writeFileSync(planFile, text);
  }
  const done = new Map<string, DoneEpisode>();
  if (existsSync(episodesFile)) {
    const whole = readFileSync(episodesFile, 'utf8');
    // Killed in the middle of a line: that episode is not done, and its half goes.
    const end = whole.lastIndexOf('\n') + 1;
    if (end < whole.length) truncateSync(episodesFile, Buffer.byteLength(whole.slice(0, end)));
    for (const line of whole.slice(0, end).split('\n').filter((l) => l !== '')) {
      const episode = JSON.parse(line) as DoneEpisode;
      done.set(jobName(episode.result), episode);
    }
  }
  return {
    done,
    add(episode) {
      appendFileSync(episodesFile, `${JSON.stringify(episode)}\n`);
      done.set(jobName(episode.result), episode);
    },
  };
}
