/** Episode results to a report: counted a task, with intervals and reasons. Knows no world and no policy. */
import type { EpisodeResult, EvaluationPlan, EvaluationReport, MeasuredPolicy, TaskSummary, Throughput } from '#contracts/evaluation.ts';
import type { TaskFailureReason, TaskKind } from '#contracts/task.ts';
import { wilson } from './wilson.ts';

/** Control ticks a second in every episode. */
const TICK_HZ = 30;

/** Episodes in the order of the plan, however they were finished. */
export function buildReport(parts: {
  readonly plan: EvaluationPlan;
  readonly versions: Readonly<Record<string, string>>;
  readonly policy: MeasuredPolicy | null;
  readonly episodes: readonly EpisodeResult[];
}): EvaluationReport {
  const order = (e: EpisodeResult): number => parts.plan.tasks.indexOf(e.task);
  const episodes = [...parts.episodes].sort((a, b) => order(a) - order(b) || a.seed - b.seed);
  return { format: 'vla-playground-evaluation', version: 1, plan: parts.plan, versions: parts.versions, policy: parts.policy, tasks: summarise(episodes), episodes, throughput: throughputOf(episodes) };
}

/** Zero where there is nothing to measure. */
export function throughputOf(episodes: readonly EpisodeResult[]): Throughput {
  const sum = (pick: (e: EpisodeResult) => number): number => episodes.reduce((all, e) => all + pick(e), 0);
  const totalMs = sum((e) => e.milliseconds.total);
  const of = (part: number): number => (totalMs > 0 ? part / totalMs : 0);
  return {
    realTimeFactor: of((1000 * sum((e) => e.ticks)) / TICK_HZ),
    episodesPerMinute: of(60_000 * episodes.length),
    shares: { physics: of(sum((e) => e.milliseconds.physics)), rendering: of(sum((e) => e.milliseconds.rendering)), inference: of(sum((e) => e.milliseconds.inference)) },
  };
}

export function summarise(episodes: readonly EpisodeResult[]): readonly TaskSummary[] {
  const tasks = [...new Set(episodes.map((e) => e.task))];
  return tasks.map((task) => summariseTask(task, episodes.filter((e) => e.task === task)));
}

function summariseTask(task: TaskKind, episodes: readonly EpisodeResult[]): TaskSummary {
  const seconds: number[] = [];
  const failures: Partial<Record<TaskFailureReason, number>> = {};
  for (const { verdict } of episodes) {
    if (verdict.kind === 'success') seconds.push(verdict.atSeconds);
    else if (verdict.kind === 'failure') failures[verdict.reason] = (failures[verdict.reason] ?? 0) + 1;
  }
  const named = episodes.filter((e) => e.namedVerdict !== null);
  const namedSuccesses = named.filter((e) => e.namedVerdict?.kind === 'success').length;
  return {
    task,
    successes: seconds.length,
    trials: episodes.length,
    interval: wilson(seconds.length, episodes.length),
    medianSecondsToSuccess: median(seconds),
    failures,
    named: named.length === 0 ? null : { successes: namedSuccesses, interval: wilson(namedSuccesses, named.length) },
  };
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One row an episode, for a spreadsheet. RFC 4180. */
export function episodesAsCsv(report: EvaluationReport): string {
  const header = 'task,seed,sentence,verdict,reason,seconds,ticks,chunks,limited_ticks,named_verdict,scene_hash';
  const rows = report.episodes.map((e) =>
    [
      e.task,
      e.seed,
      e.sentence,
      e.verdict.kind,
      e.verdict.kind === 'failure' ? e.verdict.reason : '',
      e.verdict.kind === 'running' ? '' : e.verdict.atSeconds.toFixed(3),
      e.ticks,
      e.chunks,
      e.limitedTicks,
      e.namedVerdict?.kind ?? '',
      e.sceneHash,
    ]
      .map(csvField)
      .join(','),
  );
  return [header, ...rows].join('\r\n') + '\r\n';
}

function csvField(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
