/** Words for measuring: tasks, who was measured, why an episode failed, and the two questions a person may put. */
import type { Baseline, Instruction, Perturbation } from '#contracts/evaluation.ts';
import type { TaskFailureReason, TaskKind } from '#contracts/task.ts';

export const TASK_WORDS: Readonly<Record<TaskKind, string>> = {
  touch: 'Touch a cube',
  'pick-up': 'Pick up a cube',
  'put-in-bowl': 'Put a cube in the bowl',
  'push-left': 'Push a cube to the left',
  'push-right': 'Push a cube to the right',
  stack: 'Stack a cube on another',
  wave: 'Wave hello',
};

/** What counts as done, for a hint beside the task. */
export const TASK_RULES: Readonly<Record<TaskKind, string>> = {
  touch: 'The gripper touches the right cube before any other, within 10 s.',
  'pick-up': 'The right cube is held 5 cm above the table for 1 s, within 12 s.',
  'put-in-bowl': 'The right cube lies in the bowl, let go and still for half a second, within 16 s.',
  'push-left': 'The right cube has moved 5 cm to the left on the table, within 12 s.',
  'push-right': 'The right cube has moved 5 cm to the right on the table, within 12 s.',
  stack: 'The right cube stands on the other one, let go and still for half a second, within 20 s.',
  wave: 'The hand is up and swings to and fro twice, within 10 s.',
};

export const FAILURE_REASON_WORDS: Readonly<Record<TaskFailureReason, string>> = {
  'time-out': 'Time ran out',
  'wrong-cube': 'It took another cube',
  'knocked-off': 'The cube fell off the table',
  dropped: 'It dropped the cube',
  'wrong-way': 'It pushed the wrong way',
  'never-touched': 'It never touched the cube',
  'stopped-by-safety': 'The safety gate stopped the arm',
};

export const BASELINE_WORDS: Readonly<Record<Baseline, string>> = {
  'hold-still': 'Hold still',
  random: 'Random motion',
  'mean-trajectory': 'Average motion, no eyes',
  expert: 'Scripted expert (no policy)',
};

export const PERTURBATION_WORDS: Readonly<Record<Perturbation, string>> = {
  none: 'As shipped',
  light: 'Other light',
  'camera-pose': 'Cameras nudged',
  distractors: 'Strange blocks on the table',
  'object-pose': 'Cubes moved a little',
  'table-colour': 'Other table colour',
  'initial-joints': 'Arm starts elsewhere',
  'picture-noise': 'Noisy pictures',
  'picture-blur': 'Blurred pictures',
  'picture-occlusion': 'A patch over each picture',
  'black-cameras': 'Blacked-out cameras',
};

export const INSTRUCTION_WORDS: Readonly<Record<Instruction, string>> = {
  'as-asked': 'As asked',
  'another-colour': 'Told another colour',
  nonsense: 'Told nonsense',
  empty: 'Told nothing',
};

/** `18 of 20 (90 %, between 70 % and 97 %)`: a claim is always k of n with its interval. */
export function kOfN(successes: number, trials: number, interval: { readonly low: number; readonly high: number }): string {
  if (trials === 0) return 'none yet';
  return `${successes} of ${trials} (${percent(successes / trials)}, between ${percent(interval.low)} and ${percent(interval.high)})`;
}

export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** The two modes of the page. */
export const MODES = { label: 'Mode', play: 'Play', measure: 'Measure' } as const;

export const MEASURE = {
  heading: 'Measure it',
  lead: 'The policy tries the same task on many different tables, in a laboratory of its own. The arm on the stage does not move.',
  task: 'Task',
  who: 'Who',
  thisPolicy: 'This policy',
  surroundings: 'Surroundings',
  instruction: 'Instruction',
  tables: 'Tables',
  start: 'Count',
  end: 'End after this one',
  preparing: 'Getting the laboratory ready',
  results: 'Result',
  interval: '95 % interval',
  episodes: 'Episodes',
  episodesHint: 'Choose one to see its joints.',
  trace: 'Joints of this episode',
  time: 'Time in the episode',
  save: { json: 'Save as JSON', csv: 'Save as CSV' },
  failures: 'Why the others failed',
  noFailures: 'None failed.',
} as const;

export const PAIRS_WORDS = {
  heading: 'Is it real?',
  look: {
    button: 'Does it look?',
    explain: 'Ten tables, twice each: with its cameras, and with both cameras blacked out. A policy that looks cannot do it blind.',
    predict: 'With blacked-out cameras, how many of the ten will it do?',
    plain: 'With its cameras',
    changed: 'Blacked out',
  },
  listen: {
    button: 'Does it listen?',
    explain: 'Ten tables, twice each: as asked, and with another colour in the sentence. A policy that listens goes to the colour it is told.',
    predict: 'Told another colour, how many times of ten will it take that cube?',
    plain: 'As asked, the right cube',
    changed: 'Told another colour, that cube',
  },
  prediction: 'Your prediction',
  go: 'Now try it',
  youSaid: (count: number): string => `You said ${count} of 10.`,
  soFar: (done: number): string => `${done} of 10 pairs`,
} as const;

/** Told to a screen reader, and read beside the bar. */
export function outcomeWords(verdict: { readonly kind: string; readonly reason?: TaskFailureReason; readonly atSeconds?: number }): string {
  if (verdict.kind === 'success') return `done after ${(verdict.atSeconds ?? 0).toFixed(1)} s`;
  return verdict.reason === undefined ? 'not over' : FAILURE_REASON_WORDS[verdict.reason].toLowerCase();
}

/** The families of action heads, for people. */
export const HEADS_WORDS = {
  heading: 'Three ways to draw a motion',
  lead: 'Eyes and words are the same in all three. What differs is the head: how it turns what was seen into the next second of motion. The flow has been taught longest; the other two learnt for 17 and 36 minutes, and are fetched (8 MB each) when you ask for them.',
  names: { flow: 'Flow', diffusion: 'Diffusion', bins: 'Bins' },
  how: {
    flow: 'SmolVLA and π0. Begins with noise and follows a learnt current, in a few straight steps.',
    diffusion: 'Diffusion Policy and Octo. Begins with noise and takes out, bit by bit, what it guesses to be noise. More steps, each a small turn.',
    bins: 'RT-2 and OpenVLA. Every number is one of 256 bins, chosen like a word, all at once. One pass and no noise; numbers come in steps, and two good ways may be mixed.',
  },
  use: 'Put on the stage',
  inUse: 'On the stage',
  tries: 'Tries each',
  start: 'Compare all three on the task above',
  running: 'One head after another, on the same tables.',
} as const;

/** `10 passes, WASM, int8`: what a plan was computed with. */
export function drawnWords({ steps, provider, precision }: { readonly steps: number; readonly provider: string; readonly precision: string }): string {
  return `${steps === 1 ? '1 pass' : `${steps} passes`}, ${provider === 'webgpu' ? 'WebGPU' : 'WASM'}, ${precision}`;
}

export function planWords(planMs: number | null): string {
  return planMs === null ? '' : `${Math.round(planMs)} ms a plan`;
}

/** Of a plan's rows: how much the speeds they ask for change. */
export function roughnessWords(roughness: number | null): string {
  return roughness === null ? '' : `speeds change by ${Math.round(roughness)} °/s each second`;
}
