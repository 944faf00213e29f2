/**
 * Several processes doing one list of jobs. Each is handed one job at a time; one that dies costs the job it had, which
 * goes back on the list, and another is started. It refuses to know what a job is about.
 *
 *   parent ── start ──► child      child ── ready {facts} ──► parent
 *   parent ── job ────► child      child ── done | failed ──► parent
 *   parent ── end ────► child      and it ends by itself, browser first
 */
import { fork, type ChildProcess } from 'node:child_process';
import type { MeasuredPolicy, Contestant } from '#contracts/evaluation.ts';
import type { EngineChoice } from '#contracts/inference.ts';
import type { EpisodeRequest } from '#contracts/episode-api.ts';
import type { PolicySource } from '#contracts/policy.ts';
import type { DoneEpisode, Job } from './work.ts';

/** How a shard is set up. `node`: physics alone, no pictures; `browser`: headless Chromium on the site at `url`. */
export interface ShardSetup {
  readonly where: { readonly kind: 'node' } | { readonly kind: 'browser'; readonly url: string };
  /** Converted first, and then the contestant. */
  readonly policy: PolicySource | null;
  readonly contestant: Contestant | null;
  readonly engine: EngineChoice;
}

export interface ShardFacts {
  /** `Chromium 156...` or `Node 20...`. */
  readonly runtime: string;
  readonly policy: MeasuredPolicy | null;
}

export type ToShard = { readonly kind: 'start'; readonly setup: ShardSetup } | { readonly kind: 'job'; readonly request: EpisodeRequest } | { readonly kind: 'end' };
export type FromShard =
  | { readonly kind: 'ready'; readonly facts: ShardFacts }
  | { readonly kind: 'done'; readonly episode: DoneEpisode }
  /** The episode could not be run at all; every attempt would end the same way. */
  | { readonly kind: 'failed'; readonly message: string };

export interface ShardRun {
  readonly file: string;
  readonly setup: ShardSetup;
  readonly count: number;
  readonly jobs: readonly Job[];
  readonly requestOf: (job: Job) => EpisodeRequest;
  readonly onReady: (facts: ShardFacts) => void;
  readonly onDone: (episode: DoneEpisode) => void;
  readonly onLost: (job: Job | null, why: string) => void;
  /** For tests: sees each child. */
  readonly onChild?: (child: ChildProcess) => void;
}

/** Deaths in a row without a finished episode before the run gives up: a reason that another start will not mend. */
const DEATHS_IN_A_ROW = 5;

/** A browser closes within a second or two. */
const END_LIMIT_MS = 10_000;

/** Resolves when every job is done. Rejects where a job cannot be run, or shards die again and again. */
export function runShards(run: ShardRun): Promise<void> {
  const left = [...run.jobs];
  const children = new Set<ChildProcess>();
  let open = 0;
  let deaths = 0;
  return new Promise((resolve, reject) => {
    let over = false;
    const end = (error: Error | null): void => {
      if (over) return;
      over = true;
      for (const child of children) child.kill('SIGKILL');
      if (error === null) resolve();
      else reject(error);
    };
    const start = (): void => {
      const child = fork(run.file, { execArgv: ['--import', 'tsx'] });
      let job: Job | null = null;
      let dismissed: 'yes' | 'no' = 'no';
      children.add(child);
      open++;
      const next = (): void => {
        job = left.shift() ?? null;
        if (job === null) {
          dismissed = 'yes';
          child.send({ kind: 'end' } satisfies ToShard);
          // One that does not end by itself is ended: its work is done.
          setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS).unref();
        } else child.send({ kind: 'job', request: run.requestOf(job) } satisfies ToShard);
      };
      child.on('message', (message: FromShard) => {
        if (over) return;
        if (message.kind === 'ready') run.onReady(message.facts);
        else if (message.kind === 'failed') return end(new Error(message.message));
        else {
          deaths = 0;
          job = null;
          run.onDone(message.episode);
        }
        next();
      });
      child.on('exit', (code, signal) => {
        children.delete(child);
        open--;
        if (over) return;
        if (job !== null) left.unshift(job);
        if (left.length === 0 && open === 0) return end(null);
        // A dismissed shard is missed only where another has died since and left its job.
        if (left.length === 0 || (dismissed === 'yes' && open > 0)) return;
        if (dismissed === 'yes') return start();
        run.onLost(job, signal ?? `exit code ${code}`);
        if (++deaths > DEATHS_IN_A_ROW) return end(new Error(`shards died ${deaths} times in a row without finishing an episode`));
        start();
      });
      child.send({ kind: 'start', setup: run.setup } satisfies ToShard);
      run.onChild?.(child);
    };
    for (let i = 0; i < Math.min(run.count, run.jobs.length); i++) start();
    if (run.jobs.length === 0) end(null);
  });
}
