/** An evaluation report as one page of HTML without scripts: what was asked, k of n with its interval, why the rest failed, every episode. */
import type { EvaluationReport, TaskSummary } from '#contracts/evaluation.ts';
import { FAILURE_REASON_WORDS, INSTRUCTION_WORDS, kOfN, percent, PERTURBATION_WORDS, TASK_RULES, TASK_WORDS } from '#page/words/measure.ts';
import type { TaskFailureReason } from '#contracts/task.ts';

export function reportPage(report: EvaluationReport): string {
  const { plan, policy, throughput } = report;
  const who = plan.contestant.kind === 'baseline' ? plan.contestant.name : (policy?.name ?? plan.contestant.storedName);
  const facts: readonly (readonly [string, string])[] = [
    ['Contestant', who],
    ...(policy === null ? [] : [['Precision and engine', `${policy.precision}, ${policy.provider}, ${policy.threads} threads`] as const]),
    ['Seeds', `${plan.seeds.first} to ${plan.seeds.first + plan.seeds.count - 1}, ${plan.cubes} cubes, ${plan.wording} wordings`],
    ['Surroundings', PERTURBATION_WORDS[plan.perturbation]],
    ['Instruction', INSTRUCTION_WORDS[plan.instruction]],
    ['Inference delay', `${plan.inferenceDelayTicks} ticks of 1/30 s; ${plan.playRows} rows of each chunk are played`],
    ['Throughput of one shard', `${throughput.episodesPerMinute.toFixed(1)} episodes a minute, ${throughput.realTimeFactor.toFixed(1)} times real time; physics ${percent(throughput.shares.physics)}, rendering ${percent(throughput.shares.rendering)}, inference ${percent(throughput.shares.inference)}`],
    ...Object.entries(report.versions),
  ];
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${text(who)}: evaluation</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d9dee5; vertical-align: top; }
.bar { position: relative; height: 1rem; background: #eceff3; min-width: 10rem; }
.bar i { position: absolute; top: 0; bottom: 0; background: #9cc3e6; }
.bar b { position: absolute; top: -2px; bottom: -2px; width: 3px; background: #14507f; }
small { color: #5b6675; }
</style>
<h1>${text(who)}</h1>
<table>${facts.map(([name, value]) => `<tr><th>${text(name)}</th><td>${text(value)}</td></tr>`).join('')}</table>
<h2>Results</h2>
<table><tr><th>Task</th><th>Done</th><th>95 % interval</th><th>Median time to success</th><th>Why the others failed</th></tr>
${report.tasks.map(taskRow).join('\n')}
</table>
<h2>Episodes</h2>
<table><tr><th>Task</th><th>Seed</th><th>Told</th><th>Outcome</th><th>Ticks changed by the gate</th></tr>
${report.episodes
  .map((e) => {
    const outcome = e.verdict.kind === 'success' ? `done after ${e.verdict.atSeconds.toFixed(1)} s` : e.verdict.kind === 'failure' ? FAILURE_REASON_WORDS[e.verdict.reason] : '';
    return `<tr><td>${text(e.task)}</td><td>${e.seed}</td><td>${text(e.sentence)}</td><td>${text(outcome)}</td><td>${e.limitedTicks} of ${e.ticks}</td></tr>`;
  })
  .join('\n')}
</table>
</html>
`;
}

function taskRow(task: TaskSummary): string {
  const { low, high } = task.interval;
  const rate = task.trials === 0 ? 0 : task.successes / task.trials;
  const reasons = Object.entries(task.failures).map(([reason, count]) => `${count} × ${FAILURE_REASON_WORDS[reason as TaskFailureReason].toLowerCase()}`);
  const named = task.named === null ? '' : `<br><small>did what it was told instead: ${text(kOfN(task.named.successes, task.trials, task.named.interval))}</small>`;
  return `<tr><td>${text(TASK_WORDS[task.task])}<br><small>${text(TASK_RULES[task.task])}</small></td><td>${text(kOfN(task.successes, task.trials, task.interval))}${named}</td>
<td><div class="bar"><i style="left:${(100 * low).toFixed(1)}%;right:${(100 - 100 * high).toFixed(1)}%"></i><b style="left:${(100 * rate).toFixed(1)}%"></b></div></td>
<td>${task.medianSecondsToSuccess === null ? '' : `${task.medianSecondsToSuccess.toFixed(1)} s`}</td><td>${text(reasons.join(', '))}</td></tr>`;
}

function text(plain: string): string {
  return plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
