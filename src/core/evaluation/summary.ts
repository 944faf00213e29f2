/** Episode results to a report: counted a task, with intervals and reasons. Knows no world and no policy. */
import type { EpisodeResult, EvaluationReport, TaskSummary } from '#contracts/evaluation.ts';
import type { TaskFailureReason, TaskKind } from '#contracts/task.ts';
import { wilson } from './wilson.ts';

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
