/** Names of things on the page, and the short texts beside them. */
import type { ControlMode, SafetyRule } from '#contracts/control.ts';
import type { EngineReport } from '#contracts/inference.ts';
import type { Provider } from '#contracts/engine.ts';
import type { JointName } from '#contracts/joints.ts';
import { ROBOT_NAMES, type RobotName } from '#contracts/robot.ts';
import type { ProfileName } from '#contracts/safety.ts';
import type { PolicyInfo } from '#contracts/policy.ts';
import type { Fact, Failure } from '#contracts/failure.ts';
import { unreachable } from '#core/lib/never.ts';

export const EXAMPLE_SENTENCES: readonly string[] = ['pick up the red cube', 'put the blue cube in the bowl', 'push the green cube to the left'];

/** As they are called where they are bought and printed. */
export const ROBOT_LABELS: Readonly<Record<RobotName, string>> = { so100: 'SO-100', so101: 'SO-101' };

/** An arm that a fact names. */
export function robotLabel(named: Fact | undefined): string {
  const robot = ROBOT_NAMES.find((known) => known === named);
  return robot === undefined ? String(named ?? 'unknown') : ROBOT_LABELS[robot];
}

export const JOINT_LABELS: Readonly<Record<JointName, string>> = {
  shoulder_pan: 'Shoulder pan',
  shoulder_lift: 'Shoulder lift',
  elbow_flex: 'Elbow flex',
  wrist_flex: 'Wrist flex',
  wrist_roll: 'Wrist roll',
  gripper: 'Gripper',
};

export const MODE_LABELS: Readonly<Record<ControlMode, string>> = {
  disconnected: 'No arm',
  idle: 'Holding',
  manual: 'By hand',
  policy: 'Policy',
  stopping: 'Stopping',
  stopped: 'Stopped',
  lowering: 'Lowering',
  released: 'Released',
  opening: 'Opening the gripper',
};

export const RULE_LABELS: Readonly<Record<SafetyRule, string>> = {
  finite: 'not a number',
  'stale-state': 'old joint reading',
  'page-silent': 'page not answering',
  'tab-hidden': 'tab hidden',
  'hold-to-run': 'hold key released',
  stall: 'joint blocked',
  torque: 'motor overloaded',
  temperature: 'motor too hot',
  voltage: 'supply voltage',
  'motor-fault': 'a motor or its cable',
  disagreement: 'plans disagree',
  ramp: 'slow start',
  range: 'joint range',
  speed: 'speed limit',
  acceleration: 'acceleration limit',
  jerk: 'jerk limit',
  lead: 'waiting for the arm',
  'link-speed': 'arm too fast',
  table: 'table',
  workspace: 'edge of the workspace',
  'keep-out': 'keep-out box',
  'self-collision': 'arm near itself',
};

export const PROFILE_LABELS: Readonly<Record<ProfileName, string>> = { 'first-motion': 'First motion (gentle)', classroom: 'Classroom (locked)', owner: 'Owner', research: 'Research (fast)' };

export const PROVIDER_LABELS: Readonly<Record<Provider, string>> = { webgpu: 'WebGPU', wasm: 'WASM on the CPU', cpu: 'CPU' };

export function cameraLabel(key: string): string {
  const name = key.split('.').at(-1) ?? key;
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} camera`;
}

/** `WebGPU · float32`. */
export function engineLabel(engine: EngineReport, info: Pick<PolicyInfo, 'precision'>): string {
  const threads = engine.provider === 'wasm' ? `, ${engine.threads} ${engine.threads === 1 ? 'thread' : 'threads'}` : '';
  return `${PROVIDER_LABELS[engine.provider]}${threads} · ${PRECISION_LABELS[info.precision]}`;
}

const PRECISION_LABELS: Readonly<Record<PolicyInfo['precision'], string>> = { f32: 'float32', f16: '16-bit weights', q8: '8-bit weights', q4: '4-bit weights', int8: '8-bit products' };

/** Why these weights, where the machine decided it; null where nothing needs to be said. */
export function weightsLine({ precision }: Pick<PolicyInfo, 'precision'>): string | null {
  if (precision !== 'int8') return null;
  return 'Weights and what they multiply are 8-bit numbers: the quickest there is on a processor. What that rounding changes in a plan, “How exact is it?” in Models measures.';
}

/** Why this engine runs; one sentence. */
export function engineReason(engine: EngineReport, titleOf: (failure: Failure) => string): string {
  const { reason } = engine;
  switch (reason.kind) {
    case 'forced':
      return `${PROVIDER_LABELS[engine.provider]} runs because the address asks for it.`;
    case 'faster': {
      const times = engine.race.map((entry) => `${PROVIDER_LABELS[entry.provider]} ${entry.chunkMs.toFixed(0)} ms`).join(', ');
      const other = engine.provider === 'webgpu' ? 'the CPU' : 'the graphics card';
      return `Measured for this policy: ${times} a plan. ${PROVIDER_LABELS[engine.provider]} is ${reason.ratio.toFixed(1)} times as fast as ${other}.`;
    }
    case 'only':
      return `${PROVIDER_LABELS[engine.provider]} runs here. ${titleOf(reason.failure)}.`;
    default:
      return unreachable(reason);
  }
}

/** What the graphics card had to prove, and what came of it; null where none was tried. */
export function selfTestLine(engine: EngineReport): string | null {
  const last = engine.attempts.at(-1);
  if (last === undefined) return null;
  const refused = engine.attempts.filter((attempt) => !attempt.trusted);
  const failedTests = refused.flatMap((attempt) => attempt.tests.filter((test) => !test.passed).map((test) => test.test));
  if (last.trusted && refused.length === 0) return 'The graphics card passed its calculation tests.';
  if (last.trusted) return `With the feature “subgroups” the graphics card failed the test ${failedTests.join(', ')}; it is used without that feature, where attention and matmul come out right.`;
  return `The graphics card failed its calculation tests (${failedTests.join(', ')}) and is not used.`;
}

/** Whether the graphics card's commands are played from a recording, and why not where they are not; null on the CPU. */
export function recordingLine({ recording }: EngineReport): string | null {
  if (recording === null) return null;
  if (recording.kind === 'recorded') return 'The commands of a plan are recorded once and played again: plans made that way came out the same to the last bit.';
  switch (recording.reason) {
    case 'software-gpu':
      return null;
    case 'different':
      return 'The commands of a plan are not played from a recording: plans made that way came out different.';
    case 'refused':
      return `The commands of a plan are not played from a recording: ${recording.message}`;
    default:
      return unreachable(recording);
  }
}

/** Who makes pictures ready for the policy, where the graphics card may not; null where nothing needs to be said. */
export function picturesLine(engine: EngineReport): string | null {
  const found = engine.attempts.at(-1)?.tests.find(({ test }) => test === 'pictures');
  return found === undefined || found.passed || engine.provider !== 'webgpu' ? null : 'Pictures are made ready on the CPU: on the graphics card they came out different.';
}

/** Who looks at the pictures on the CPU, and what is lost where it is not our own kernels; null where nothing needs to be said. */
export function eyesLine({ eyes }: EngineReport): string | null {
  if (eyes === null) return null;
  if (eyes.kind === 'kernels') return `Pictures are looked at by kernels of our own on ${eyes.threads === 1 ? 'one thread' : `${eyes.threads} threads`}.`;
  const slower = 'Looking at pictures takes more than twice as long as it could:';
  switch (eyes.reason) {
    case 'browser':
      return `${slower} this browser has no relaxed SIMD. Chrome has it from version 114 on.`;
    case 'isolation':
      return `${slower} this page may not share memory between threads. Reload it; if that does not help, its host forbids it.`;
    case 'processor':
      return `${slower} on this processor the quick product came out different, so it is not used.`;
    case 'sizes':
      return null;
    default:
      return unreachable(eyes.reason);
  }
}

export function adapterLabel(engine: EngineReport): string | null {
  if (engine.adapter === null) return null;
  const { vendor, architecture, description } = engine.adapter;
  return description || [vendor, architecture].filter((part) => part !== '').join(' ') || 'unnamed graphics card';
}

/** Shown beside every policy: what it was trained on, or a warning that it was not. */
export function trainingNotice(info: PolicyInfo): { readonly title: string; readonly text: string; readonly weight: 'warning' | 'plain' } {
  switch (info.training.kind) {
    case 'untrained':
      return {
        title: 'Untrained policy',
        text: 'Its weights are random: it sees, reads and plans, but has learnt nothing. Expect motion without sense, not a skill.',
        weight: 'warning',
      };
    case 'unknown':
      return { title: 'Unknown training', text: 'Its card does not say what it was trained for. Expect nothing of it.', weight: 'warning' };
    case 'trained':
      return { title: 'Trained', text: info.training.summary, weight: 'plain' };
    default:
      return unreachable(info.training);
  }
}
