/**
 * What a person reads when something fails: what happened, and what to do next. One entry a code, complete by type.
 * Three sorts: a person can mend it (say how, per operating system where it differs), the machine cannot do it (say
 * what it can), we have a defect (say so, and hand over the text to report). Never "something went wrong".
 */
import type { Fact, Failure, FailureCode } from '#contracts/failure.ts';
import { SAFETY_RULES } from '#contracts/control.ts';
import { robotLabel, RULE_LABELS } from './labels.ts';
import { unreachable } from '#core/lib/never.ts';
import { bytes, milliseconds } from './numbers.ts';

export type OperatingSystem = 'windows' | 'mac' | 'linux' | 'chromeos' | 'android' | 'other';

/** The one button a failure card offers. What it does is the page's business; what it says stands here. */
export type FailureAction = 'reload' | 'load-policy' | 'load-policy-wasm' | 'resume' | 'connect' | 'reset-world' | 'restart-inference' | 'copy-report' | 'try-again';

export interface FailureWords {
  readonly title: string;
  /** What happened, and why where that is known. */
  readonly happened: string;
  /** What to do now. */
  readonly next: string;
  readonly action: FailureAction | null;
  /** `fault`: something is broken. `limit`: the machine or the person set a bound. `note`: worth knowing, nothing stopped. */
  readonly weight: 'fault' | 'limit' | 'note';
}

export const ACTION_LABELS: Readonly<Record<FailureAction, string>> = {
  reload: 'Reload the page',
  'load-policy': 'Load the policy again',
  'load-policy-wasm': 'Use the CPU instead',
  resume: 'Go on',
  connect: 'Connect the simulated arm',
  'reset-world': 'Set the table again',
  'restart-inference': 'Start the policy worker again',
  'copy-report': 'Copy the report',
  'try-again': 'Try again',
};

type Facts = Readonly<Record<string, Fact>>;
type Words = (facts: Facts, os: OperatingSystem) => FailureWords;

export function failureWords(failure: Failure, os: OperatingSystem): FailureWords {
  return WORDS[failure.code](failure.facts, os);
}

/** A fact as text. A fact that is missing is said to be unknown, not left out. */
function say(facts: Facts, name: string): string {
  const value = facts[name];
  return value === undefined || value === null || value === '' ? 'unknown' : String(value);
}

function sayBytes(facts: Facts, name: string): string {
  const value = facts[name];
  return typeof value === 'number' ? bytes(value) : 'an unknown number of bytes';
}

function sayMs(facts: Facts, name: string): string {
  const value = facts[name];
  return typeof value === 'number' ? milliseconds(value) : 'some time';
}

/** A safety rule by its name on the page. */
function ruleLabel(facts: Facts): string {
  const rule = SAFETY_RULES.find((known) => known === facts['rule']);
  return rule === undefined ? say(facts, 'rule') : RULE_LABELS[rule];
}

/** `observation.images.front` is the front camera. */
function camera(facts: Facts): string {
  const key = say(facts, 'camera');
  if (key === 'all') return 'simulated cameras';
  return `${key.split('.').at(-1) ?? key} camera`;
}

const GPU_HELP: Readonly<Record<OperatingSystem, string>> = {
  windows: 'Update the graphics driver and look at chrome://gpu',
  mac: 'Update macOS and look at chrome://gpu',
  linux: 'Chrome on Linux may need chrome://flags/#enable-unsafe-webgpu and a Vulkan driver; look at chrome://gpu',
  chromeos: 'Update ChromeOS and look at chrome://gpu',
  android: 'Update Chrome; older phones have no WebGPU',
  other: 'Look at chrome://gpu',
};

const CHECKPOINT_NEXT = 'Save or download the checkpoint again, then load it once more. What ran before is untouched.';

const WORDS: Readonly<Record<FailureCode, Words>> = {
  'checkpoint/file-missing': (f) => ({
    title: 'A file of the checkpoint is missing',
    happened: `${say(f, 'file')} is not in ${say(f, 'source')}.`,
    next: 'A LeRobot checkpoint needs config.json and model.safetensors, and the files they name. Add the file, then load again.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'checkpoint/file-truncated': (f) => ({
    title: 'A file of the checkpoint is cut short',
    happened: `${say(f, 'file')} should have ${sayBytes(f, 'expectedBytes')} and has ${sayBytes(f, 'foundBytes')}. The copy or download ended early.`,
    next: CHECKPOINT_NEXT,
    action: 'load-policy',
    weight: 'fault',
  }),
  'checkpoint/file-corrupt': (f) => ({
    title: 'A file of the checkpoint is damaged',
    happened: `${say(f, 'file')} cannot be read: ${say(f, 'reason')}.`,
    next: CHECKPOINT_NEXT,
    action: 'load-policy',
    weight: 'fault',
  }),
  'checkpoint/unsupported': (f) => ({
    title: 'This kind of checkpoint cannot run here yet',
    happened: `It uses ${say(f, 'what')}: ${say(f, 'found')}.`,
    next: 'Choose a SmolVLA checkpoint, or the pocket policy that comes with the page.',
    action: null,
    weight: 'limit',
  }),
  'checkpoint/tensor-missing': (f) => ({
    title: 'The checkpoint lacks a tensor',
    happened: `model.safetensors has no ${say(f, 'tensor')}, which this architecture needs.`,
    next: 'Check that config.json and model.safetensors belong to the same training run.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'checkpoint/tensor-shape': (f) => ({
    title: 'A tensor of the checkpoint has the wrong shape',
    happened: `${say(f, 'tensor')} should be ${say(f, 'expected')} and is ${say(f, 'found')}.`,
    next: 'Check that config.json and model.safetensors belong to the same training run.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'checkpoint/tensor-dtype': (f) => ({
    title: 'A tensor of the checkpoint has a number format that cannot be read',
    happened: `${say(f, 'tensor')} is stored as ${say(f, 'found')}.`,
    next: 'Save the checkpoint as float32, float16 or bfloat16, then load it again.',
    action: 'load-policy',
    weight: 'limit',
  }),
  'checkpoint/not-finite': (f) => ({
    title: 'The checkpoint contains a number that is no number',
    happened: `${say(f, 'tensor')} holds NaN or infinity at place ${say(f, 'index')}. Training has diverged, or the file is damaged.`,
    next: 'Take an earlier checkpoint of the same training run.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'checkpoint/statistics-missing': (f) => ({
    title: 'The checkpoint does not say how its numbers are scaled',
    happened: `There are no statistics for ${say(f, 'feature')}, so its actions would have no meaning for an arm.`,
    next: 'Save the policy with its processor files (LeRobot 0.4 or newer does), then load it again.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'checkpoint/config': (f) => ({
    title: 'A setting of the checkpoint makes no sense',
    happened: `${say(f, 'field')} should be ${say(f, 'expected')} and is ${say(f, 'found')}.`,
    next: 'Correct config.json, then load it again.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'store/unavailable': (f) => ({
    title: 'Chrome keeps no files for this page',
    happened: `The page stores prepared policies on this machine, and Chrome refused: ${say(f, 'reason')}. A private window or a strict setting does that.`,
    next: 'Open the page in an ordinary window.',
    action: 'try-again',
    weight: 'fault',
  }),
  'store/full': (f) => ({
    title: 'Not enough room on this machine',
    happened: `The policy needs ${sayBytes(f, 'neededBytes')}, and Chrome offers ${sayBytes(f, 'freeBytes')}.`,
    next: 'Free some disk space, then load the policy again.',
    action: 'load-policy',
    weight: 'limit',
  }),
  'store/not-found': (f) => ({
    title: 'The prepared policy is gone',
    happened: `${say(f, 'name')} is no longer stored on this machine; Chrome or you cleared it.`,
    next: 'Load the policy again. It is prepared anew.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'store/corrupt': (f) => ({
    title: 'The prepared policy is damaged',
    happened: `${say(f, 'file')} of ${say(f, 'name')} does not match its checksum.`,
    next: 'Load the policy again. It is prepared anew.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'download/failed': (f) => ({
    title: 'A file could not be fetched',
    happened: `${say(f, 'url')} answered ${say(f, 'status')}.`,
    next: 'Check that this computer reaches the address, then load again.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'download/cancelled': () => ({
    title: 'Loading was cancelled',
    happened: 'You cancelled it. What had arrived is kept.',
    next: 'Load it again to go on from there, or delete it under Stored models.',
    action: null,
    weight: 'note',
  }),
  'hub/not-allowed': (f) => ({
    title: 'The Hub does not show it',
    happened: `The Hub answered ${say(f, 'status')} for ${say(f, 'id')}: there is none of that name, or it is private or gated.`,
    next: 'Check the spelling. For a private or gated model paste an access token with read permission; it stays in memory only. A dataset has to be public.',
    action: null,
    weight: 'limit',
  }),
  'hub/not-found': (f) => ({
    title: 'There is no such thing on the Hub',
    happened: `The Hub knows no ${say(f, 'id')} at ${say(f, 'revision')}.`,
    next: 'Copy the name from its page, as user/name, and check the revision.',
    action: null,
    weight: 'limit',
  }),
  'hub/busy': (f) => ({
    title: 'The Hub asks us to wait',
    happened: `The Hub answered ${say(f, 'status')} for ${say(f, 'id')} several times.`,
    next: `Load again in ${say(f, 'retryAfterSeconds')} seconds; it goes on where it stopped.`,
    action: null,
    weight: 'limit',
  }),
  'hub/name': (f) => ({
    title: 'That is no name on the Hub',
    happened: `“${say(f, 'found')}” is not of the form user/name.`,
    next: 'Paste the name from its page, for example lerobot/smolvla_base, or the address of that page.',
    action: null,
    weight: 'limit',
  }),
  'policy/preflight': (f) => f['check'] === 'arm' ? ({
    title: 'This policy is for another arm',
    happened: `It was trained on the ${robotLabel(f['trained'])}, and the ${robotLabel(f['here'])} stands there, with other joints in other places.`,
    next: 'In Robot, choose the arm it was trained on; or load a policy of yours for this one in Models.',
    action: null,
    weight: 'limit',
  }) : ({
    title: 'A check stands against this policy',
    happened: `The list of checks has a red line: ${say(f, 'check')}.`,
    next: 'Open Models and do what the red line says. Nothing moves before.',
    action: null,
    weight: 'limit',
  }),
  'store/busy': (f) => ({
    title: 'Another tab works on this model',
    happened: `${say(f, 'name')} is being loaded in another tab of this page.`,
    next: 'Wait for it there, or close that tab, then load again.',
    action: null,
    weight: 'limit',
  }),
  'checkpoint/lfs-pointer': (f) => ({
    title: 'A note in place of the weights',
    happened: `${say(f, 'file')} is a Git LFS pointer: the folder was cloned without Git LFS, so the weights are not in it.`,
    next: 'Run “git lfs pull” in the folder, or load the model by its name on the Hub.',
    action: null,
    weight: 'limit',
  }),
  'checkpoint/base-missing': (f) => ({
    title: 'An adapter without its base model',
    happened: `This is a LoRA adapter. Its base, ${say(f, 'base')}, is not at hand.`,
    next: 'Load the adapter by its name on the Hub, where its base can be fetched too, or merge it into its base first.',
    action: null,
    weight: 'limit',
  }),
  'checkpoint/changed': (f) => ({
    title: 'The checkpoint changed while it was read',
    happened: `${say(f, 'file')} on the host is not the file it was when loading began.`,
    next: 'Load it again: it will be read anew.',
    action: null,
    weight: 'limit',
  }),
  'observation/camera-missing': (f) => ({
    title: 'The policy asks for a camera that is not here',
    happened: `It wants the ${camera(f)}. Cameras here: ${say(f, 'present')}.`,
    next: 'The arm holds. Choose a policy trained with these cameras.',
    action: null,
    weight: 'fault',
  }),
  'observation/camera-stale': (f) => ({
    title: 'A camera picture is too old',
    happened: `The last picture of the ${camera(f)} is ${sayMs(f, 'ageMs')} old; the limit is ${sayMs(f, 'limitMs')}. The computer is busy.`,
    next: 'The arm holds until a fresh picture comes. Closing other tabs helps.',
    action: null,
    weight: 'limit',
  }),
  'observation/camera-failed': (f) => ({
    title: 'A camera failed',
    happened: `The ${camera(f)} gives no picture: ${say(f, 'reason')}.`,
    next: 'The arm holds. Reload the page to start the cameras again.',
    action: 'reload',
    weight: 'fault',
  }),
  'observation/camera-frozen': (f) => ({
    title: 'A camera is frozen',
    happened: `The arm moved and the picture of the ${camera(f)} did not change for ${sayMs(f, 'forMs')}. The arm holds.`,
    next: 'Check the camera. The policy goes on by itself when pictures change again.',
    action: null,
    weight: 'fault',
  }),
  'observation/camera-dark': (f) => ({
    title: 'A camera sees black',
    happened: `The picture of the ${camera(f)} holds nothing but black. The arm holds.`,
    next: 'Take the cap off, or switch the light on. The policy goes on by itself.',
    action: null,
    weight: 'fault',
  }),
  'observation/camera-unplugged': (f) => ({
    title: 'A camera is gone',
    happened: `${say(f, 'device')}, in use as the ${camera(f)}, was unplugged or switched off. The arm holds.`,
    next: 'Plug it in again: it is taken back by itself. Or choose another camera for this place.',
    action: null,
    weight: 'fault',
  }),
  'observation/camera-swapped': (f) => ({
    title: 'Two cameras have changed places',
    happened: `The ${camera(f)} shows what the ${camera({ camera: f['other'] ?? null })} showed when the run began, and the other way round. The arm holds.`,
    next: 'Choose the right device under each picture, then run again.',
    action: null,
    weight: 'fault',
  }),
  'camera/refused': () => ({
    title: 'The page may not use a camera',
    happened: 'The permission was refused, now or earlier.',
    next: 'Press the camera sign at the right of the address bar, allow cameras for this page, then choose the camera again.',
    action: null,
    weight: 'limit',
  }),
  'camera/busy': (f, os) => ({
    title: 'The camera is in use elsewhere',
    happened: `Chrome could not start ${say(f, 'device')}: another program or tab holds it, or its USB hub is full.`,
    next: os === 'linux' ? 'Close the other program (fuser /dev/video* names it), or plug the camera into another USB port. Then choose it again.' : 'Close the other program (a video call, OBS, LeRobot), or plug the camera into another USB port. Then choose it again.',
    action: null,
    weight: 'fault',
  }),
  'camera/not-found': (f) => ({
    title: 'That camera is not here',
    happened: `No camera answers as ${say(f, 'device')}.`,
    next: 'Plug it in. It appears in the list by itself.',
    action: null,
    weight: 'fault',
  }),
  'camera/unsupported': (f) => ({
    title: 'This browser cannot hand over camera frames',
    happened: `It lacks ${say(f, 'what')}.`,
    next: 'Use Chrome or Edge on a computer, on https or on this machine.',
    action: null,
    weight: 'limit',
  }),
  'dataset/file-missing': (f) => ({
    title: 'A file of the dataset is missing',
    happened: `${say(f, 'file')} is not in ${say(f, 'source')}.`,
    next: 'A LeRobot dataset has the folders meta, data and, with cameras, videos. Choose the folder that holds meta.',
    action: null,
    weight: 'fault',
  }),
  'dataset/invalid': (f) => ({
    title: 'The dataset cannot be read',
    happened: `${say(f, 'file')}: expected ${say(f, 'expected')}, found ${say(f, 'found')}.`,
    next: 'Copy or download the dataset again. What was loaded before is untouched.',
    action: null,
    weight: 'fault',
  }),
  'dataset/unsupported': (f) => ({
    title: 'This kind of dataset cannot be shown here',
    happened: `Its ${say(f, 'what')}: ${say(f, 'found')}.`,
    next: 'The page reads LeRobot datasets of version 3.0 and 2.1 of arms with six joints. LeRobot itself converts older ones.',
    action: null,
    weight: 'limit',
  }),
  'dataset/units': (f) => ({
    title: 'What do the numbers of this dataset mean?',
    happened: `Its joint values reach ${say(f, 'most')}: they may be degrees, or LeRobot's older -100 to 100.`,
    next: 'Say which under the episode before it moves an arm.',
    action: null,
    weight: 'limit',
  }),
  'recording/unavailable': (f) => ({
    title: 'This browser cannot record',
    happened: `It lacks ${say(f, 'what')}.`,
    next: 'Use Chrome or Edge on a computer.',
    action: null,
    weight: 'limit',
  }),
  'recording/no-room': (f) => ({
    title: 'There is no room to record',
    happened: `This page may use ${sayBytes(f, 'freeBytes')} more on this computer.`,
    next: 'Save the episodes that are here, delete them from the page, and free some space on the disk.',
    action: null,
    weight: 'limit',
  }),
  'recording/ended': (f) => ({
    title: 'The recording ended',
    happened: `${say(f, 'reason')}. The episode was not kept; those before it are.`,
    next: 'Record it again.',
    action: null,
    weight: 'fault',
  }),
  'observation/state-stale': (f) => ({
    title: 'The joint reading is too old',
    happened: `It is ${sayMs(f, 'ageMs')} old; the limit is ${sayMs(f, 'limitMs')}. The computer is busy.`,
    next: 'The arm holds until a fresh reading comes. Closing other tabs helps.',
    action: null,
    weight: 'limit',
  }),
  'observation/state-size': (f) => ({
    title: 'The policy was made for another arm',
    happened: `It expects ${say(f, 'expected')} joint values; this arm has ${say(f, 'found')}.`,
    next: 'Choose a policy trained on a six-joint arm such as the SO-100.',
    action: null,
    weight: 'fault',
  }),
  'observation/sentence-missing': () => ({
    title: 'There is no sentence',
    happened: 'The policy needs to be told what to do.',
    next: 'Type a sentence, or press one of the examples, then Run.',
    action: null,
    weight: 'note',
  }),
  'observation/sentence-too-long': (f) => ({
    title: 'The sentence is too long',
    happened: `It has ${say(f, 'tokens')} word pieces; this policy reads ${say(f, 'limit')}.`,
    next: 'Say it in fewer words, then press Run.',
    action: null,
    weight: 'limit',
  }),
  'engine/no-webgpu': (f, os) => ({
    title: 'The graphics card cannot be used',
    happened: `Chrome offers no WebGPU here: ${say(f, 'reason')}.`,
    next: `The policy can run on the CPU, slower. ${GPU_HELP[os]}.`,
    action: 'load-policy-wasm',
    weight: 'limit',
  }),
  'engine/self-test-failed': (f, os) => ({
    title: 'The graphics card miscalculates',
    happened: `The test "${say(f, 'test')}" should give ${say(f, 'expected')} and gave ${say(f, 'found')}. Its numbers cannot be trusted, so it is not used.`,
    next: `The policy can run on the CPU, slower. ${GPU_HELP[os]}.`,
    action: 'load-policy-wasm',
    weight: 'limit',
  }),
  'engine/device-lost': (f) => ({
    title: 'The graphics card was lost',
    happened: `Chrome took it away (${say(f, 'reason')}): ${say(f, 'message')}. That happens after a driver restart, sleep, or when memory runs out.`,
    next: 'The arm holds. The policy is being made ready again; the next sentence waits for it.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'engine/session-failed': (f) => ({
    title: 'The policy does not start',
    happened: `The part "${say(f, 'graph')}" could not be prepared: ${say(f, 'message')}.`,
    next: 'The arm holds. Load the policy again; if it fails again, copy the report.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'engine/software-gpu': (f) => ({
    title: 'The graphics card here is made of software',
    happened: `This browser imitates a graphics card on the processor (${say(f, 'architecture')}), which is slower than using the processor directly.`,
    next: 'Nothing to do: the policy runs on the processor. On a computer with a graphics card, let Chrome use it. "?engine=webgpu" in the address runs it all the same.',
    action: null,
    weight: 'note',
  }),
  'engine/cpu-weights': () => ({
    title: 'These weights are made for the processor',
    happened: 'Products of 8-bit numbers are the quickest on a processor; a graphics card has no such operator here.',
    next: 'Load the policy with other weights to use the graphics card, or let the processor compute.',
    action: 'load-policy-wasm',
    weight: 'note',
  }),
  'engine/unavailable': (f) => ({
    title: 'The engine you asked for cannot run here',
    happened: `The address says engine=${say(f, 'engine')}, and that is not possible: ${say(f, 'reason')}.`,
    next: 'Run on the CPU, or take "engine=" out of the address to let the page choose.',
    action: 'load-policy-wasm',
    weight: 'limit',
  }),
  'policy/none-loaded': () => ({
    title: 'No policy is loaded',
    happened: 'There is nothing yet that could turn the sentence into motion.',
    next: 'Load the policy, then press Run.',
    action: 'load-policy',
    weight: 'note',
  }),
  'policy/no-reference': (f) => ({
    title: 'Nothing to compare it with',
    happened: f['precision'] === 'f32' ? 'The weights are 32-bit already: this is the reference.' : 'Only these weights are stored here, not the original ones.',
    next: f['precision'] === 'f32' ? 'Load it with fewer bits, then compare.' : 'Load it from the Hub or its folder again, then compare.',
    action: null,
    weight: 'note',
  }),
  'policy/reference-too-large': (f) => ({
    title: 'Too large to compare in a tab',
    happened: `Its 32-bit weights take ${sayBytes(f, 'packBytes')}; a tab compares up to ${sayBytes(f, 'limitBytes')}.`,
    next: 'On the command line: npm run policy -- parity <checkpoint folder>.',
    action: null,
    weight: 'note',
  }),
  'policy/output-not-finite': (f) => ({
    title: 'The policy computed a number that is no number',
    happened: `Row ${say(f, 'row')}, joint ${say(f, 'column')} of its plan is NaN or infinite. The plan was thrown away.`,
    next: 'The arm holds. Load the policy again, or run it on the CPU.',
    action: 'load-policy-wasm',
    weight: 'fault',
  }),
  'policy/tokenizer-missing': () => ({
    title: 'The policy cannot read',
    happened: 'The checkpoint has no tokenizer, so your sentence cannot be turned into the numbers it knows.',
    next: 'Add the folder "tokenizer" to the checkpoint, then load it again.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'policy/timeout': (f) => ({
    title: 'The policy takes too long',
    happened: `No plan came within ${sayMs(f, 'limitMs')}. A plan for a moment long gone would be wrong now.`,
    next: 'The arm holds. Close other tabs, or choose a smaller policy.',
    action: 'try-again',
    weight: 'limit',
  }),
  'arm/not-connected': () => ({
    title: 'No arm is connected',
    happened: 'There is nothing to move.',
    next: 'Connect the simulated arm.',
    action: 'connect',
    weight: 'note',
  }),
  'arm/reading-failed': (f) => ({
    title: 'The arm does not answer',
    happened: `Its joints could not be read: ${say(f, 'reason')}.`,
    next: 'The arm holds its last target. Connect it again.',
    action: 'connect',
    weight: 'fault',
  }),
  'arm/other-body': (f) => ({
    title: 'Another arm stands there',
    happened: `This was for the ${robotLabel(f['wanted'])}, and it is the ${robotLabel(f['found'])}. Each has limits and a body of its own, and one is never moved within the other’s.`,
    next: 'Choose the arm that is there in Robot, under Printed parts, and connect again.',
    action: null,
    weight: 'limit',
  }),
  'arm/unsupported': (f) => ({
    title: 'This kind of arm comes later',
    happened: `The page cannot drive an arm of kind "${say(f, 'kind')}" yet.`,
    next: 'Use the simulated arm.',
    action: 'connect',
    weight: 'limit',
  }),
  'arm/check-failed': (f) => ({
    title: 'A step of the hardware check failed',
    happened: `${say(f, 'what')}: ${say(f, 'found')} was measured, ${say(f, 'wanted')} is wanted.`,
    next: 'The arm holds. Save the log; the step can be done again.',
    action: null,
    weight: 'note',
  }),
  'arm/port-lost': (f) => ({
    title: 'The cable to the arm is out',
    happened: `The serial port went away (${say(f, 'reason')}). The motors keep holding for as long as they have power.`,
    next: 'Plug the USB cable in again and connect. To free the arm now, hold it and switch off its power.',
    action: 'try-again',
    weight: 'fault',
  }),
  'serial/unsupported': () => ({
    title: 'This browser cannot reach a serial port',
    happened: 'It has no Web Serial, which is how a page talks to the arm\'s USB adapter.',
    next: 'Use Chrome or Edge on a computer, or go on with the simulated arm.',
    action: 'connect',
    weight: 'limit',
  }),
  'serial/no-port': () => ({
    title: 'No arm was chosen',
    happened: 'This page has not been allowed to use any serial port that is plugged in now.',
    next: 'Plug in the adapter and choose it in the list that the browser shows.',
    action: 'try-again',
    weight: 'note',
  }),
  'serial/which-arm': (f, os) => ({
    title: 'Which of the arms?',
    happened: `${say(f, 'count')} arms are plugged in, and from here they look alike.`,
    next: `Open Leader arm, look for it, and move one joint of the leader by hand; the other one is the follower then. Or unplug the one you do not want.${os === 'windows' ? ' Device Manager shows both as COM ports, and which one goes when you unplug it.' : os === 'linux' ? ' dmesg --follow shows which /dev/ttyACM or ttyUSB goes when you unplug one.' : ''}`,
    action: null,
    weight: 'limit',
  }),
  'serial/another-tab': () => ({
    title: 'Another tab drives the arm',
    happened: 'One tab at a time may hold the serial port, so that two cannot pull at one arm.',
    next: 'Disconnect the arm there, or close that tab.',
    action: 'try-again',
    weight: 'limit',
  }),
  'serial/blocked': (f) => ({
    title: 'Serial ports are forbidden here',
    happened: `The site that shows this page, or a rule of this computer, does not allow them: ${say(f, 'message')}`,
    next: 'Open the page by itself and not inside another one, or ask whoever manages this computer.',
    action: null,
    weight: 'limit',
  }),
  'serial/open-failed': (f, os) => ({
    title: 'The serial port does not open',
    happened: `The browser says: ${say(f, 'name')}, ${say(f, 'message')}`,
    next: `${portAdvice(os)} Then try again.`,
    action: 'try-again',
    weight: 'fault',
  }),
  'arm/refused': (f) => ({
    title: 'The arm is not ready to move',
    happened: `The check before moving found: ${say(f, 'finding')}${f['joint'] === undefined ? '' : ` (${say(f, 'joint')})`}. No motor was switched on.`,
    next: 'Mend what was found, then connect again.',
    action: 'try-again',
    weight: 'limit',
  }),
  'arm/servo-lost': (f) => ({
    title: 'A motor does not answer',
    happened: `Motor ${say(f, 'id')} (${say(f, 'joint')}) gave no answer: ${say(f, 'reason')}.`,
    next: 'Check the three-wire cable before that motor and the power supply, then connect again.',
    action: 'try-again',
    weight: 'fault',
  }),
  'arm/servo-fault': (f) => ({
    title: 'A motor protects itself',
    happened: `Motor ${say(f, 'id')} (${say(f, 'joint')}) reports: ${say(f, 'errors')}.`,
    next: 'Look whether the joint is blocked, hot or short of power. Hold the arm before you let it go.',
    action: null,
    weight: 'fault',
  }),
  'arm/servo-limp': (f) => ({
    title: 'A motor has let go',
    happened: `Motor ${say(f, 'id')} (${say(f, 'joint')}) answers and does not hold any more: its supply broke down for a moment, or something else switched it off. The arm was stopped.`,
    next: 'Hold the arm, check the power plug and the supply, then press Go on: all motors are taken hold of where they stand.',
    action: 'resume',
    weight: 'fault',
  }),
  'arm/not-one-motor': (f) => ({
    title: 'There must be exactly one motor on the wire',
    happened: f['found'] === '' || f['found'] === undefined ? 'No motor answered at any speed.' : `These answered: ${say(f, 'found')}.`,
    next: 'Connect one motor alone to the adapter, with its power supply, and try again.',
    action: null,
    weight: 'limit',
  }),
  'arm/calibration-doubtful': (f) => ({
    title: 'This calibration would be wrong',
    happened: `The joint ${say(f, 'joint')}: ${say(f, 'doubt')}. Nothing was written.`,
    next: 'Do that joint again as the panel says, from stop to stop.',
    action: null,
    weight: 'limit',
  }),
  'arm/not-kept': (f) => ({
    title: 'A motor did not keep a setting',
    happened: `Motor ${say(f, 'id')} (${say(f, 'joint')}) was told ${say(f, 'register')} = ${say(f, 'wrote')} and says ${say(f, 'found')}.`,
    next: 'Switch its power off and on, then connect again.',
    action: 'try-again',
    weight: 'fault',
  }),
  'arm/leader-missing': (_f, os) => ({
    title: 'No leader arm yet',
    happened: 'No second arm that this page may use was found.',
    next: `Plug in the leader’s adapter and power, then press Allow another port and choose it. ${leaderPort(os)}`,
    action: null,
    weight: 'limit',
  }),
  'arm/leader-lost': (f) => ({
    title: 'The leader is gone',
    happened: `It stopped answering (${say(f, 'reason')}). The follower holds where it is.`,
    next: 'Check the leader’s cable and power, then look for it again.',
    action: null,
    weight: 'fault',
  }),
  'arm/torque-still-on': (f) => ({
    title: 'Some motors still hold',
    happened: `Motors ${say(f, 'ids')} were told to let go and did not confirm it.`,
    next: 'Hold the arm and switch off its power.',
    action: null,
    weight: 'fault',
  }),
  'arm/moved-at-start': (f) => ({
    title: 'The arm moved while it was switched on',
    happened: `Motor ${say(f, 'id')} (${say(f, 'joint')}) is ${say(f, 'steps')} steps from where it should hold; the limit is ${say(f, 'limit')}. The motors stay at low torque.`,
    next: 'Support the arm, look whether something pulls at it, then connect again.',
    action: 'try-again',
    weight: 'fault',
  }),
  'arm/calibration-invalid': (f) => ({
    title: 'This is no calibration of an SO-100 or SO-101',
    happened: `At ${say(f, 'path')}: expected ${say(f, 'expected')}, found ${say(f, 'found')}.`,
    next: 'Choose the file that LeRobot wrote for this arm, or calibrate it here.',
    action: null,
    weight: 'limit',
  }),
  'control/state-stale': (f) => ({
    title: 'The control loop sees an old joint reading',
    happened: `It is ${sayMs(f, 'ageMs')} old; the limit is ${sayMs(f, 'limitMs')}. The simulation or the computer is busy.`,
    next: 'The arm holds until a fresh reading comes.',
    action: null,
    weight: 'limit',
  }),
  'control/not-finite': (f) => ({
    title: 'A target was no number',
    happened: `${say(f, 'joint')} was told to go to NaN or infinity. The safety gate refused it.`,
    next: 'The arm holds. Load the policy again.',
    action: 'load-policy',
    weight: 'fault',
  }),
  'control/stop-not-confirmed': (f) => ({
    title: 'Stop not confirmed. Switch off the power.',
    happened: `The control loop did not answer within ${sayMs(f, 'waitedMs')}.`,
    next: 'With a real arm, pull the plug now. The simulated arm can be reloaded.',
    action: 'reload',
    weight: 'fault',
  }),
  'safety/latched': (f) => ({
    title: `Stopped for safety: ${ruleLabel(f)}`,
    happened: `The rule "${ruleLabel(f)}" stopped the arm. It holds its pose until a person says go on.`,
    next: 'Look at the arm. When the cause is gone, press Go on.',
    action: 'resume',
    weight: 'limit',
  }),
  'safety/locked': (f) => ({
    title: 'The safety limits are locked',
    happened: `The profile "${say(f, 'profile')}" of this page cannot be changed here.`,
    next: 'Ask whoever set up the lesson.',
    action: null,
    weight: 'limit',
  }),
  'safety/would-loosen': (f) => ({
    title: 'This file would loosen a safety limit',
    happened: `Its ${say(f, 'field')} allows more than the limits in force. A file or a link can only make limits stricter.`,
    next: 'Change the limit by hand in the safety panel, if you want it.',
    action: null,
    weight: 'limit',
  }),
  'safety/profile-invalid': (f) => ({
    title: 'This is no safety profile',
    happened: `${say(f, 'field')} is ${say(f, 'found')}; expected ${say(f, 'expected')}.`,
    next: 'The limits in force stay as they were. Choose a profile that this page saved.',
    action: null,
    weight: 'limit',
  }),
  'control/busy': (f) => ({
    title: 'The arm is busy',
    happened: `It is in the state "${say(f, 'mode')}", in which it does not take this command.`,
    next: say(f, 'mode') === 'stopped' || say(f, 'mode') === 'released' ? 'Press Go on first.' : 'Press Stop first, then Go on.',
    action: say(f, 'mode') === 'stopped' || say(f, 'mode') === 'released' ? 'resume' : null,
    weight: 'note',
  }),
  'control/rest-not-reached': (f) => ({
    title: 'Not lowered: the arm holds',
    happened: `Something the limits keep clear of (the table, a box, the arm itself) is in the way: ${say(f, 'joint')} is ${say(f, 'offDegrees')} degrees from rest. The motors were not freed, so that it does not fall.`,
    next: 'Move it by hand control to a free place and press Lower again. Or hold it with your hand and switch off its power.',
    action: null,
    weight: 'fault',
  }),
  'control/out-of-range': (f) => ({
    title: 'A value is out of range',
    happened: `${say(f, 'what')} is ${say(f, 'found')}; allowed is ${say(f, 'least')} to ${say(f, 'most')}.`,
    next: 'Choose a value within the range.',
    action: null,
    weight: 'note',
  }),
  'world/context-lost': (f) => ({
    title: say(f, 'camera') === 'view' ? 'The 3-D view went dark' : 'The simulated camera went dark',
    happened: `Chrome took the drawing surface of the ${say(f, 'camera') === 'view' ? '3-D view' : camera(f)} away. That happens after a driver restart or sleep.`,
    next: 'The arm holds. Reload the page to get the picture back.',
    action: 'reload',
    weight: 'fault',
  }),
  'world/no-webgl': (f, os) => ({
    title: 'The scene cannot be drawn',
    happened: `Chrome offers no WebGL 2 here: ${say(f, 'reason')}.`,
    next: `Switch on graphics acceleration in Chrome's settings (System), then reload. ${GPU_HELP[os]}.`,
    action: 'reload',
    weight: 'fault',
  }),
  'world/physics': (f) => ({
    title: 'The simulation failed',
    happened: `MuJoCo says: ${say(f, 'message')}.`,
    next: 'Set the table again.',
    action: 'reset-world',
    weight: 'fault',
  }),
  'worker/died': (f) => {
    const worker = say(f, 'worker');
    const restarts = worker === 'inference' || worker === 'conversion';
    return {
      title: `${WORKER_TITLES[worker] ?? `The worker "${worker}"`} ended`,
      happened: `It stopped by itself: ${say(f, 'message')}.`,
      next: restarts ? 'The arm holds. The page starts it again by itself; if it ends again, press the button.' : 'Nothing can be moved any more. Reload the page.',
      action: worker === 'inference' ? 'restart-inference' : restarts ? 'load-policy' : 'reload',
      weight: 'fault',
    };
  },
  'worker/deadline': (f) => ({
    title: `${WORKER_TITLES[say(f, 'worker')] ?? `The worker "${say(f, 'worker')}"`} does not answer`,
    happened: `It was asked to "${say(f, 'call')}" and has not answered for ${sayMs(f, 'waitedMs')}.`,
    next: 'The computer may be very busy. Try again; if it stays silent, reload the page.',
    action: 'reload',
    weight: 'fault',
  }),
  'page/not-isolated': () => ({
    title: 'The page cannot share memory between its workers',
    happened: 'Chrome allows that only to an isolated page, and this address did not send the headers that isolate it (Cross-Origin-Opener-Policy, Cross-Origin-Embedder-Policy).',
    next: 'Open the page over https or from "npm start", in an ordinary Chrome window, and allow it to keep site data. Then reload.',
    action: 'reload',
    weight: 'fault',
  }),
  'run/file-invalid': (f) => ({
    title: 'This is not a run that can be played again',
    happened: `${say(f, 'path') === 'unknown' ? 'The file' : say(f, 'path')} should be ${say(f, 'expected')}, found ${say(f, 'found')}.`,
    next: 'Choose a file that "Save this run" wrote.',
    action: null,
    weight: 'fault',
  }),
  'run/scene-mismatch': (f) => ({
    title: 'The room has changed since this run',
    happened: `It was recorded in scene ${say(f, 'expected').slice(0, 12)}; this page draws ${say(f, 'found').slice(0, 12)}.`,
    next: 'The recorded pictures are used, so the actions can be compared. What you see now is the new room.',
    action: null,
    weight: 'note',
  }),
  'run/version-mismatch': (f) => ({
    title: `This run was made with another ${say(f, 'what') === 'unknown' ? 'version' : say(f, 'what')}`,
    happened: `Recorded with ${say(f, 'expected')}; here is ${say(f, 'found')}.`,
    next: 'Load what it was recorded with for identical actions.',
    action: null,
    weight: 'note',
  }),
  'run/already-running': () => ({
    title: 'A run is under way',
    happened: 'One sentence at a time.',
    next: 'Press Stop, or wait for its end.',
    action: null,
    weight: 'note',
  }),
  'run/cancelled': () => ({
    title: 'Stopped before it began',
    happened: 'You pressed Stop while the sentence was waiting.',
    next: 'Press Run when you are ready.',
    action: null,
    weight: 'note',
  }),
  internal: (f) => ({
    title: 'A defect of this page',
    happened: `The program met a case it was not written for: ${say(f, 'message')}.`,
    next: 'Please report it: copy the text and open an issue. Then reload the page.',
    action: 'copy-report',
    weight: 'fault',
  }),
};

const WORKER_TITLES: Readonly<Record<string, string>> = {
  control: 'The control loop',
  world: 'The simulation',
  inference: 'The policy worker',
  conversion: 'The preparation of policies',
};

/** Who usually holds a port that does not open, by system. */
/** How two alike adapters are told apart in the browser's list. */
export function leaderPort(os: OperatingSystem): string {
  switch (os) {
    case 'linux':
    case 'chromeos':
      return 'In the list the two differ by their name, ttyACM0 and ttyACM1 (or ttyUSB0 and ttyUSB1).';
    case 'windows':
      return 'In the list the two differ by their number, such as COM5 and COM6.';
    case 'mac':
      return 'In the list the two differ by the number after cu.usbmodem.';
    case 'android':
    case 'other':
      return 'In the list the two differ by their name.';
    default:
      return unreachable(os);
  }
}

function portAdvice(os: OperatingSystem): string {
  switch (os) {
    case 'linux':
      return 'Close other programs that use the arm (Python, LeRobot). Your account must be in the group dialout; the program brltty takes some adapters for itself.';
    case 'windows':
      return 'Close other programs that use the arm (Python, Feetech FD). The adapter may need its WCH driver.';
    case 'mac':
    case 'chromeos':
    case 'android':
    case 'other':
      return 'Close other programs that use the arm (Python, LeRobot).';
    default:
      return unreachable(os);
  }
}
