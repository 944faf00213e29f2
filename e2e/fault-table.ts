/** The table of injected faults: kept where `FAULT_TABLE` names a file, and nowhere else. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface FaultRow {
  readonly fault: string;
  readonly reaction: string;
  /** Control ticks from the injection to the first of those that do not change any more. */
  readonly ticks: number;
  /** Radians between two ticks, after the injection. */
  readonly step: number;
  readonly message: string;
  readonly recovery: string;
}

/** One row, in the place of an older one of the same fault. */
export function recordFault(row: FaultRow): void {
  const name = process.env['FAULT_TABLE'];
  if (name === undefined) return;
  const file = resolve(import.meta.dirname, '..', name);
  const start = `| ${row.fault} |`;
  const kept = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| fault |') && !line.startsWith(start)) : [];
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const { fault, reaction, ticks, step, recovery } = row;
  const line = `| ${fault} | ${reaction} | ${ticks} | ${step.toFixed(4)} | ${row.message === '' ? 'none' : row.message} | ${recovery} |`;
  writeFileSync(
    file,
    `# Faults injected while a policy moves the simulated arm

\`FAULT_TABLE=evidence/faults.md npx playwright test e2e/safety.spec.ts e2e/webgpu.spec.ts\`, last row at commit ${commit}, ${new Date().toISOString().slice(0, 16)}Z,
Chromium on Linux, WASM inference (the lost graphics device: WebGPU in software), profile \`first-motion\`, 30 Hz.

"Ticks to hold" counts control ticks from the injection to the first of the ticks whose targets do not change any more; where a fault
is noticed only later by its nature (a silent page after 1 s, a bad chunk when it arrives), that time is in it. "Largest step" is the
largest change of one joint's target between two ticks after the injection, radians; the speed limit allows 0.0667. Hiding the tab is
the page's own \`hidden\` and event, because a headless browser hides no tab.

| fault | reaction | ticks to hold | largest step | message | recovery |
|---|---|---|---|---|---|
${[...kept, line].join('\n')}
`,
  );
}
