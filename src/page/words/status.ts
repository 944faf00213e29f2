/** The one line that says what is happening now. Takes the nouns of the moment, gives a sentence. */
import type { ControlMode } from '#contracts/control.ts';
import type { EngineStep, LoadProgress } from '#contracts/inference.ts';
import { unreachable } from '#core/lib/never.ts';
import { bytes, seconds } from './numbers.ts';

export interface StatusFacts {
  readonly start: 'starting' | 'ready' | 'failed';
  readonly mode: ControlMode;
  readonly run:
    | { readonly kind: 'none' }
    | { readonly kind: 'waiting'; readonly sentence: string }
    | { readonly kind: 'running'; readonly activity: 'run' | 'replay'; readonly chunk: { readonly rows: number; readonly rowsLeft: number } | null; readonly secondsLeft: number }
    | { readonly kind: 'finishing' }
    | { readonly kind: 'over'; readonly outcome: 'finished' | 'stopped' | 'failed'; readonly chunks: number }
    | { readonly kind: 'failed' };
  readonly policy: 'none' | 'loading' | 'ready' | 'failed';
  /** Rows of a plan a second; null where no policy says. */
  readonly fps: number | null;
}

export function statusLine(facts: StatusFacts): string {
  if (facts.start === 'failed') return 'The arm could not be started. See below what happened.';
  if (facts.start === 'starting') return 'Setting up the arm and the table.';
  return runLine(facts) ?? modeLine(facts);
}

/** Null where the arm's own state is the news. */
function runLine({ run, mode, fps }: StatusFacts): string | null {
  if (mode === 'stopping') return 'Stopping: braking within the limits.';
  switch (run.kind) {
    case 'waiting':
      return `Waiting for the policy, then: “${run.sentence}”.`;
    case 'running':
      return runningLine(run.activity, run.chunk, run.secondsLeft, fps);
    case 'finishing':
      return 'Putting the report together.';
    case 'over':
      if (mode !== 'idle') return null;
      return overLine(run.outcome, run.chunks);
    case 'failed':
      return mode === 'idle' ? 'The run ended. The arm holds.' : null;
    case 'none':
      return null;
    default:
      return unreachable(run);
  }
}

function runningLine(activity: 'run' | 'replay', chunk: { readonly rows: number; readonly rowsLeft: number } | null, secondsLeft: number, fps: number | null): string {
  const looking = activity === 'replay' ? 'Replaying.' : 'Looking.';
  if (chunk === null) return activity === 'replay' ? 'Replaying. Computing the first plan again; the arm holds.' : 'Looking. Computing the first plan; the arm holds.';
  const span = fps === null ? '' : ` (${(chunk.rows / fps).toFixed(1)} s)`;
  const doing = chunk.rowsLeft === 0 ? 'Done with it; the arm holds until the next plan.' : `Doing step ${chunk.rows - chunk.rowsLeft}.`;
  return `${looking} Planned ${chunk.rows} steps${span}. ${doing} ${seconds(Math.max(0, secondsLeft))} left.`;
}

function overLine(outcome: 'finished' | 'stopped' | 'failed', chunks: number): string {
  const plans = `${chunks} ${chunks === 1 ? 'plan' : 'plans'}`;
  switch (outcome) {
    case 'finished':
      return `Time is up after ${plans}. The arm holds.`;
    case 'stopped':
      return `Stopped after ${plans}. The arm holds.`;
    case 'failed':
      return `Ended by a fault after ${plans}. The arm holds.`;
    default:
      return unreachable(outcome);
  }
}

function modeLine({ mode, policy }: StatusFacts): string {
  switch (mode) {
    case 'disconnected':
      return 'No arm is connected.';
    case 'idle':
      return policy === 'ready' ? 'Ready. Type a sentence and press Run.' : 'Ready. The arm holds. Move a joint, or type a sentence.';
    case 'manual':
      return 'You move the arm by hand.';
    case 'policy':
      return 'The policy moves the arm.';
    case 'stopping':
      return 'Stopping: braking within the limits.';
    case 'stopped':
      return 'Stopped. The arm holds this pose. Press Go on, or Run, when you are ready.';
    case 'lowering':
      return 'Lowering slowly to the rest pose.';
    case 'released':
      return 'Released. The motors are free. Press Go on to hold again.';
    case 'opening':
      return 'Opening the gripper. Nothing else moves.';
    default:
      return unreachable(mode);
  }
}

const ENGINE_STEPS: Readonly<Record<EngineStep, string>> = {
  'self-test': 'Testing whether the graphics card calculates rightly',
  'sessions-webgpu': 'Preparing the policy for the graphics card',
  'sessions-wasm': 'Preparing the policy for the CPU',
};

/** What is still arriving, in one quiet line. */
export function progressLine(progress: LoadProgress | null, elapsedSeconds: number): string {
  const time = seconds(elapsedSeconds);
  if (progress === null) return `Getting the policy. ${time}`;
  switch (progress.phase) {
    case 'fetch': {
      const of = progress.totalBytes === null ? '' : ` of ${bytes(progress.totalBytes)}`;
      return `Fetching the policy (${progress.what}): ${bytes(progress.doneBytes)}${of}. ${time}`;
    }
    case 'waiting':
      return `Another tab is loading this policy; waiting for it. ${time}`;
    case 'convert':
      return `Preparing the policy: ${progress.doneTensors} of ${progress.totalTensors} tensors. ${time}`;
    case 'engine':
      return `${ENGINE_STEPS[progress.what]}. ${time}`;
    case 'warm-up':
      return `Warming up on the ${progress.provider === 'webgpu' ? 'graphics card' : 'CPU'}. ${time}`;
    case 'ready':
      return `The policy is ready. ${time}`;
    default:
      return unreachable(progress);
  }
}

/** Share done in 0..1, or null where nobody can know. */
export function progressShare(progress: LoadProgress | null): number | null {
  if (progress === null) return null;
  if (progress.phase === 'fetch') return progress.totalBytes === null || progress.totalBytes === 0 ? null : Math.min(1, progress.doneBytes / progress.totalBytes);
  if (progress.phase === 'convert') return progress.totalTensors === 0 ? null : progress.doneTensors / progress.totalTensors;
  return null;
}
