/** Headings, buttons and hints of the panels, in the order in which the column shows them. */
import type { StopReport } from '#contracts/control.ts';
import { MISSING, milliseconds } from './numbers.ts';

export const APP_NAME = 'VLA Playground';
export const SIMULATED = 'Simulated arm';
export const SIMULATED_HINT = 'Physics in this browser. Nothing real moves.';
export const LOCAL_HINT = 'Everything runs on this computer.';

export const STAGE = {
  label: 'The arm and the table, in 3-D. Drag to look around.',
  reset: 'Set the table',
  seed: 'Table no.',
  lightsOff: 'Lights off',
  lightsOn: 'Lights on',
} as const;

export const SEES = { heading: 'What it sees', waiting: 'Waiting for the first picture', failed: 'No picture', simulated: 'simulated' } as const;

export const TOLD = {
  heading: 'What it is told',
  label: 'Sentence for the arm',
  placeholder: 'Type what the arm should do',
  run: 'Run',
  running: 'Running',
  waiting: 'Waiting',
  examples: 'Examples',
  /** Above the sentences it was taught, when somebody asks for something else. */
  notTaught: 'This policy was never taught that sentence. What it does then is not known. It was taught, with any of its colours:',
  tryAnyway: 'Run it anyway',
} as const;

export const DOES = {
  heading: 'What it does',
  save: 'Save this run',
  again: 'Play it again',
  open: 'Open a run',
  joints: 'Joints',
  target: 'target',
  actual: 'actual',
  jogHint: 'Hold a key while a slider or the 3-D view has the focus. I K J L U N move the fingers away, near, aside, up and down.',
  locked: { policy: 'The policy moves the joints.', stopped: 'Stopped. Press Go on to move them.', starting: 'The arm is not ready yet.' },
} as const;

export const FAST = {
  heading: 'How fast',
  engine: 'Engine',
  noEngine: 'chosen when the policy is loaded',
  plan: 'Plan',
  planUnit: 'median of one plan',
  loop: 'Control loop',
  jitter: 'Jitter',
  simulation: 'Simulation',
  cameras: 'Camera picture',
  camerasStill: 'none drawn in the last 10 s',
  frame: 'Page frame',
  bench: 'Measure this computer (opens a page of its own)',
} as const;

export const SAFE = {
  heading: 'How safe',
  state: 'State',
  limited: 'Limited in this run',
  notLimited: 'nothing',
  lastStop: 'Last Stop',
  noStop: 'none yet',
  explain: 'Every target passes a gate: joint range, speed, acceleration, jerk; the arm above the table, clear of itself, no point faster than allowed.',
  held: 'Held now by',
} as const;

export const STOP = {
  stop: 'Stop',
  holds: '(holds)',
  keys: 'Escape, or Space',
  goOn: 'Go on',
  release: 'Lower and release',
} as const;

export const PLOT = { show: 'Show the joint plot', hide: 'Hide the joint plot', legend: 'line: actual, dashes: target' } as const;

export const FAILURES = { dismiss: 'Dismiss', label: 'What went wrong' } as const;

export function pictureCaption(width: number, height: number, ageMs: number): string {
  return `${width} × ${height} · ${(ageMs / 1000).toFixed(1)} s old`;
}

export function stopLine(report: StopReport & { readonly confirmedAfterMs: number }): string {
  const degrees = (radians: number | null): string => (radians === null ? MISSING : `${((radians * 180) / Math.PI).toFixed(2)}°`);
  return `answered after ${milliseconds(report.confirmedAfterMs)}, frozen ${report.frozenTick - report.acknowledgedTick} ticks later; settling ${degrees(report.settlingRad)}, drift ${degrees(report.driftRad)}`;
}

export function runSummary(chunks: number, p50Ms: number | null): string {
  const plans = `${chunks} ${chunks === 1 ? 'plan' : 'plans'}`;
  return p50Ms === null ? plans : `${plans}, ${milliseconds(p50Ms)} each (median)`;
}

export function replaySummary(identical: boolean, maxAbsDifference: number, chunks: number): string {
  return identical ? `Played again: all ${chunks} plans identical, number by number.` : `Played again: largest difference ${maxAbsDifference.toPrecision(2)} in ${chunks} plans.`;
}

export function timesText(count: number): string {
  return count === 1 ? '' : `${count} times`;
}
