/** The Models panel: loading a policy of one's own, the list of checks, what is stored. */
import type { Fact } from '#contracts/failure.ts';
import type { PolicyInfo, Precision, UnitEra } from '#contracts/policy.ts';
import type { PreflightLine } from '#contracts/preflight.ts';
import { unreachable } from '#core/lib/never.ts';
import { cameraLabel, robotLabel } from './labels.ts';
import { bytes } from './numbers.ts';

export const MODELS = {
  mode: 'Models',
  heading: 'Which policy',
  lead: 'A SmolVLA checkpoint in LeRobot’s format runs in this tab. Nothing is uploaded.',
  hub: 'On the Hub',
  hubHint: 'user/model, or the address of its page',
  look: 'Check it',
  folder: 'Choose a folder…',
  drop: 'or drop a checkpoint folder here',
  dropNow: 'Drop the folder to check it',
  shipped: 'Use the one that came with the page',
  token: 'Private or gated?',
  tokenHint: 'Access token with read permission. It stays in this tab’s memory.',
  tokenSet: 'Use this token',
  looking: 'Reading its description. No weights yet.',
  checks: 'Checks',
  again: 'Check again',
  load: 'Load it',
  cancel: 'Cancel',
  cancelNote: 'What has arrived is kept; loading goes on from there.',
  precision: 'Weights',
  cameras: 'Cameras',
  camerasLead: 'Drag a camera onto the place the policy knows it by, or choose it from the list.',
  leftOut: 'Leave out',
  notChosen: 'Not here: choose one',
  units: 'Its joint values are',
  unitsChoose: 'Choose…',
  stored: 'Stored on this machine',
  storedNone: 'Nothing yet.',
  unfinished: 'unfinished; load it again to go on',
  use: 'Use',
  rename: 'Rename',
  remove: 'Delete',
  removeSure: 'Delete for good?',
  save: 'Save',
  inUse: 'in use',
  notKept: 'The browser may delete these files when the disk fills: it has not granted lasting storage.',
  free: (free: number) => `${bytes(free)} left for this page.`,
  left: (left: string) => `About ${left} left.`,
  speed: (perSecond: number) => `${bytes(perSecond)}/s`,
} as const;

/** The loaded policy against its float32 self. */
export const PARITY = {
  heading: 'How exact is it?',
  lead: 'One made-up observation, through these weights and through the original 32-bit ones. Nothing moves.',
  reference: 'The weights are 32-bit: as trained. Nothing was rounded.',
  compare: 'Compare with 32 bits',
  computing: 'Computing both…',
  joint: 'Joint',
  largest: 'Largest',
  mean: 'Mean',
  cosine: 'Cosine',
  whole: 'all, as the policy thinks',
  unit: 'Joints in degrees, the gripper in percent. The last row is in the policy’s own normalised numbers.',
} as const;

export const PRECISION_CHOICES: Readonly<Record<Precision, string>> = {
  f32: '32 bits: as trained, the largest',
  f16: '16 bits: half the size, the same to three digits',
  q8: '8 bits: a quarter of the size, small rounding',
  q4: '4 bits, 8 where it counts: the smallest',
  int8: '8-bit products: the quickest on a CPU, not for a graphics card',
};

/** Why this precision was chosen before anybody asked. */
export function precisionReason(info: PolicyInfo): string {
  const millions = `${Math.round(info.parameterCount / 1e6)} million weights`;
  switch (info.precision) {
    case 'q4':
      return `Chosen for ${millions}: 4 bits fetch and fit best. More bits are closer to the original.`;
    case 'int8':
      return `${millions}. A processor computes 8-bit products quicker than any other weights.`;
    case 'f32':
    case 'f16':
    case 'q8':
      return `${millions}.`;
    default:
      return unreachable(info.precision);
  }
}

export const UNIT_CHOICES: Readonly<Record<UnitEra, string>> = {
  degrees: 'degrees, middle of the range is 0 (LeRobot 0.4.4 and later)',
  normalised: '−100 to 100 of the range (mid-2025 to 0.4.3)',
  'old-degrees': 'degrees, stretched out is 0 (before June 2025)',
};

export const LEVEL_LABELS = { ok: 'Fine', note: 'Worth knowing', stop: 'Stops it' } as const;

interface LineWords {
  readonly said: string;
  /** What to do; null where nothing is to be done. */
  readonly fix: string | null;
}

type Facts = Readonly<Record<string, Fact>>;

export function preflightWords(line: PreflightLine): LineWords {
  return WORDS[line.finding](line.facts);
}

function slot(facts: Facts): string {
  return String(facts['slot'] ?? 'camera').replace(/^observation\.images\./, '');
}

function camera(facts: Facts): string {
  return cameraLabel(String(facts['camera'] ?? 'camera')).toLowerCase();
}

function size(facts: Facts, name: string): string {
  const value = facts[name];
  return typeof value === 'number' ? bytes(value) : 'some room';
}

function joint(facts: Facts): string {
  const column = facts['column'];
  return typeof column === 'number' ? `joint ${column + 1}` : 'a joint';
}

const WORDS: Readonly<Record<PreflightLine['finding'], (facts: Facts) => LineWords>> = {
  'architecture/known': (f) => ({ said: `SmolVLA, ${Math.round(Number(f['parameters'] ?? 0) / 1e6)} million weights.`, fix: null }),
  'joints/fit': (f) => ({ said: `${String(f['count'])} joints in, ${String(f['count'])} joints out, as this arm.`, fix: null }),
  'joints/other': (f) => ({ said: `It reads ${String(f['state'])} joints and moves ${String(f['action'])}; this arm has ${String(f['arm'])}.`, fix: 'Pick a checkpoint trained on an SO-100 or SO-101.' }),
  'arm/fits': (f) => ({ said: `Trained on the ${robotLabel(f['trained'])}, as this arm.`, fix: null }),
  'arm/other': (f) => ({ said: `Trained on the ${robotLabel(f['trained'])}; this is the ${robotLabel(f['here'])}, with other joints in other places.`, fix: 'In Robot, choose the arm it was trained on, or pick a checkpoint trained on this one.' }),
  'arm/not-said': (f) => ({ said: `It does not say which arm it was trained on; this is the ${robotLabel(f['here'])}.`, fix: null }),
  'camera/fed': (f) => ({ said: `Its ${slot(f)} is the ${camera(f)}, trained at ${String(f['width'])} × ${String(f['height'])}.`, fix: null }),
  'camera/shared': (f) => ({ said: `Two places see through the ${camera(f)}.`, fix: `Give ${slot(f)} another camera, or leave it out.` }),
  'camera/left-out': (f) => ({ said: `Its ${slot(f)} is left out. It will see less than in training if that camera was used there.`, fix: null }),
  'camera/unknown': (f) => ({ said: `It wants ${slot(f)}, and no camera here is called that.`, fix: 'Under Cameras, choose the one that looks the same way, or leave it out if it was not used in training.' }),
  'camera/none': () => ({ said: 'It would see nothing.', fix: 'Give it at least one camera.' }),
  'camera/shape': (f) => ({ said: `The ${camera(f)} gives ${String(f['here'])}; trained on ${String(f['trained'])}. It sees another shape.`, fix: 'Set the camera to the trained shape if you can.' }),
  'statistics/complete': () => ({ said: 'Its joint statistics are complete.', fix: null }),
  'statistics/missing': (f) => ({
    said: `Statistics are missing for ${String(f['features'])}. Without them its numbers are not joint values.`,
    fix: 'Push the processor files of the training run (policy_preprocessor, policy_postprocessor and their .safetensors) beside the weights, then check again.',
  }),
  'values/plausible': () => ({ said: 'Its joint values are plausible.', fix: null }),
  'values/flat': (f) => ({ said: `In training ${joint(f)} hardly moved; small differences there look large to the policy.`, fix: null }),
  'values/far': (f) => ({ said: `Its statistics put ${joint(f)} at ${Number(f['value'] ?? 0).toFixed(0)}, where no joint of this arm can be.`, fix: 'The statistics are of another robot. Pick a checkpoint trained on an SO-100 or SO-101.' }),
  'units/degrees': () => ({ said: 'Its joint values are degrees.', fix: null }),
  'units/normalised': () => ({ said: 'Its joint values are −100 to 100 of the recording arm’s range, which no checkpoint carries.', fix: 'Try it in simulation, or train again with use_degrees=true for a real arm.' }),
  'units/old-degrees': () => ({ said: 'Its joint values look like degrees of the old convention (stretched out is 0).', fix: 'Say so under Its joint values, and they are converted.' }),
  'units/unclear': () => ({ said: 'Its joint values could be degrees or −100 to 100; the checkpoint does not say.', fix: 'Choose what the recording LeRobot used, under Its joint values.' }),
  'units/confirmed': () => ({ said: 'Its joint values are degrees: you said so.', fix: null }),
  'units/converted': () => ({ said: 'Its joint values are converted from the old convention.', fix: null }),
  'units/approximate': () => ({ said: 'Its joint values are −100 to 100; the simulated arm takes them as degrees, so poses are only similar.', fix: null }),
  'tokenizer/present': () => ({ said: 'Its tokenizer is there: it can read.', fix: null }),
  'tokenizer/missing': () => ({ said: 'It brings no tokenizer, so no sentence can reach it.', fix: 'Put tokenizer.json and tokenizer_config.json of its language model into a folder “tokenizer” beside the weights.' }),
  'pace/fits': (f) => ({ said: `Trained at ${String(f['fps'])} steps a second, as the arm runs.`, fix: null }),
  'pace/other': (f) => ({ said: `Trained at ${String(f['fps'])} steps a second; the arm runs at ${String(f['arm'])} and is set to match during a run.`, fix: null }),
  'disk/enough': (f) => ({ said: f['neededBytes'] === 0 ? 'It is stored already.' : `Needs ${size(f, 'neededBytes')} on disk; ${size(f, 'freeBytes')} free.`, fix: null }),
  'disk/full': (f) => ({ said: `Needs ${size(f, 'neededBytes')} on disk; only ${size(f, 'freeBytes')} left for this page.`, fix: 'Delete stored models below, free disk space, or choose fewer bits.' }),
  'disk/unknown': (f) => ({ said: `Needs ${size(f, 'neededBytes')} on disk. The browser does not say how much is left.`, fix: null }),
  'memory/enough': (f) => ({ said: `Holds ${size(f, 'packBytes')} in memory.`, fix: null }),
  'memory/tight': (f) => ({ said: `Holds ${size(f, 'packBytes')} in memory, and this machine has about ${size(f, 'memoryBytes')}.`, fix: 'If the tab stops, choose fewer bits and close other tabs.' }),
  'stage/tuned': () => ({ said: 'A tuned policy.', fix: null }),
  'stage/base': () => ({ said: 'A base model: what it puts out are not joint values. It runs in simulation and in shadow only.', fix: 'Fine-tune it on your own recordings, or pick a tuned one.' }),
  'stage/untrained': () => ({ said: 'Untrained: its weights are random.', fix: null }),
};
