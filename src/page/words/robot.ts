/** Words for an arm of servos: connecting, readings, calibration, and every finding of the arm doctor with its cause and cure. */
import type { ArmKind } from '#contracts/control.ts';
import type { Fact } from '#contracts/failure.ts';
import type { VirtualFault } from '#contracts/robot-setup.ts';
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { Finding, FindingCode, SweepDoubt } from '#contracts/serial.ts';
import { JOINT_LABELS } from './labels.ts';

/** What stands in the header: nobody may take one for the other. */
export const ARM_LABELS: Readonly<Record<ArmKind, string>> = { simulated: 'Simulated arm', virtual: 'Virtual servos, simulated arm', serial: 'Real arm', replay: 'Recorded arm' };
export const ARM_HINTS: Readonly<Record<ArmKind, string>> = {
  simulated: 'Physics in this browser. Nothing real moves.',
  virtual: 'Every byte as on a real cable, with servos made of software at its end. Nothing real moves.',
  serial: 'A real arm moves. Keep your hand near the power switch.',
  replay: 'What was recorded is shown again. Nothing moves.',
};

export const ROBOT = {
  mode: 'Robot',
  heading: 'Which arm',
  places: { virtual: 'Virtual servos', serial: 'Real arm' },
  lead: {
    virtual: 'No hardware needed: six software servos on a software cable, moving the arm on the table. Everything below works as with a real one.',
    serial: 'A follower arm on USB. Plug in the adapter and the power supply, and clear the table around the arm.',
  },
  connect: { virtual: 'Connect the virtual arm', serial: 'Connect the arm' },
  connectWithFile: 'Connect with a LeRobot calibration file …',
  body: 'Printed parts',
  mirror: 'Mirror: the simulated arm goes along, and the policy sees the simulation',
  mirrorHint: 'For a policy without real cameras. It looks at the simulated table; your arm does what the simulated one does, within its own limits. Put real cubes where the simulated ones stand: print the mat.',
  mat: 'Print the mat, 1 : 1',
  seesSimulation: 'The policy sees the simulation',
  seesSimulationUnless: 'The policy sees the simulation where no real camera is chosen.',
  allPorts: 'Not in the list? Show all ports',
  leave: 'Lower, release, disconnect',
  connected: { virtual: 'The virtual arm is connected and holds.', serial: 'The arm is connected and holds.' },
  afterwards: 'If this tab closes while the arm is connected, the motors keep holding their last pose for as long as they have power. Only the power switch frees them then.',
  limits: (name: string): string => `Limits: ${name}. A policy moves it only while you hold the key.`,
  work: { connecting: 'Looking at six motors and setting them up …', leaving: 'Lowering slowly, then letting go …', looking: 'Looking …', 'looking-everywhere': 'Asking every id at every speed. This takes most of a minute …', planning: 'Comparing with what is in the motors …', writing: 'Writing, and reading back …', calibrating: '', naming: 'Asking …' },
  hand: 'Move it by hand',
} as const;

export const LEADER = {
  heading: 'Leader arm',
  lead: 'A second arm that you move by hand, and this one goes along. Its motors stay off. Which of two arms it is, your hand says: nothing is written to either before.',
  virtual: 'A software leader is there too: move it with the sliders below.',
  find: 'Look for the leader',
  another: 'Allow another port …',
  finding: 'Turn one joint of the leader by hand, by a hand’s breadth. Leave the other arm alone.',
  both: 'Two arms moved. Put both down, then turn one joint of the leader only.',
  candidates: (index: number): string => `Arm ${index + 1}`,
  states: { limp: 'motors off', holds: 'motors on: switch its power off and on, so that it can be moved', silent: 'no six motors here, or another program has it' },
  found: (index: number, joint: string): string => `Arm ${index + 1} is the leader: its ${joint.toLowerCase()} moved. Its motors are off.`,
  approaching: 'This arm goes slowly to where the leader stands. Let go of the leader if it goes where it should not, and press Stop.',
  following: 'This arm goes where the leader goes.',
  follow: 'Follow the leader',
  rest: 'Hold here',
  end: 'No leader any more',
  needsArm: 'Connect the arm that is to follow first.',
  slider: (joint: string): string => `Leader: ${joint}`,
} as const;

export const MAT = {
  check: (mm: number): string => `${mm} mm. If your ruler differs: print at 100 %.`,
  sheet: (row: number, column: number, rows: number, columns: number, seed: number): string => `Sheet ${row}-${column} of ${rows} × ${columns}, table ${seed}. Seen from above; the arm looks down the page. Cut along the dashes.`,
  names: { base: 'foot of the arm', bowl: 'bowl' } as Readonly<Record<string, string>>,
} as const;

export const OWN_POLICY = {
  heading: 'A policy of yours',
  lead: 'Its name on the Hub and Enter: its description is read and checked against this arm. Nothing moves.',
  label: 'Name on the Hub',
  inUse: (name: string): string => `In use: ${name}.`,
} as const;

export const READINGS = {
  heading: 'Its motors',
  none: 'Shown once an arm of servos is connected.',
  columns: ['Motor', 'Reading', 'Load', 'Current', 'Supply', 'Heat'],
  fresh: 'fresh',
  failed: 'no answer',
  stale: (seconds: number): string => `${seconds.toFixed(1)} s old`,
  bus: (retries: number, lost: number, ms: number | null): string => `Cable: ${ms === null ? '–' : `${ms.toFixed(1)} ms a question`}, ${retries} asked again, ${lost} lost.`,
} as const;

export const CALIBRATION = {
  heading: 'Calibration',
  lead: 'It says where each joint’s middle and ends are. An arm that LeRobot calibrated carries it in its motors, and is used as it is.',
  export: 'Save as LeRobot file',
  import: 'Open a LeRobot file',
  begin: 'Calibrate by hand',
  homing: 'The motors are limp: hold the arm. Put every joint in the middle of its way, as the drawing shows, then press.',
  home: 'This is the middle',
  sweeping: 'Move each joint slowly from stop to stop and back. The roll need not be moved. Nothing has been written yet.',
  propose: 'Done: show what would change',
  cancel: 'End without writing',
  plan: (count: number, from: string): string => (count === 0 ? `${from} is what the motors hold already. Nothing would change.` : `${from} changes ${count} ${count === 1 ? 'setting' : 'settings'}. Nothing has been written yet.`),
  fromSweep: 'Your sweep',
  write: 'Write it, and read it back',
  drop: 'Do not write',
  written: 'Written and read back.',
  columns: ['Motor', 'Setting', 'Now', 'Then'],
  autoHand: 'Let a virtual hand do it',
  handWorks: 'A virtual hand moves the joints …',
  registers: { homingOffset: 'middle', minPositionLimit: 'lower end', maxPositionLimit: 'upper end' } as Readonly<Record<string, string>>,
} as const;

export const DOUBTS: Readonly<Record<SweepDoubt['kind'], string>> = {
  'not-moved': 'not moved yet',
  'crossed-the-seam': 'jumped over the encoder’s end: home it nearer its middle, or turn the horn by some teeth',
  'at-the-seam': 'its middle lies on the encoder’s end: turn the horn by some teeth',
  'multi-turn': 'counts turns: connect once so that the page can mend it, then switch its power off and on',
  narrow: 'only part of its way: move it to both stops',
  wide: 'further than this joint can turn: is it the right motor?',
};

export const DOCTOR = {
  heading: 'Arm doctor',
  lead: 'Looks at every motor and changes nothing.',
  look: 'Look at the arm',
  everything: 'Search every id and speed',
  well: 'Nothing found. Six motors answer, and all they say fits.',
  weights: { refuse: 'must be mended first', warn: 'look at this', note: 'good to know' },
  firmware: 'Firmware',
} as const;

export const MOTORS = {
  heading: 'New motors',
  lead: 'New motors all have id 1. Connect one alone to the adapter, and give it its place.',
  find: 'Which motor is there?',
  found: (id: number, baud: number): string => `One motor: id ${id}, ${baud.toLocaleString('en')} baud.`,
  name: 'Make it',
} as const;

export const BREAK = {
  heading: 'Break the virtual arm',
  lead: 'See what the page does when something goes wrong. A real arm would do the same.',
  faults: {
    unplug: 'Pull the cable',
    overload: 'Overload the elbow',
    hot: 'Overheat the elbow',
    'brown-out': 'Supply breaks down',
    drop: 'Answers get lost',
    corrupt: 'Answers are garbled',
    delay: 'Answers come late',
    duplicate: 'Answers come twice',
    'wrong-id': 'Another motor answers',
    chain: 'Cable after motor 3 loose',
    none: 'Mend everything',
  } satisfies Readonly<Record<VirtualFault, string>>,
} as const;

export const GRIPPER = { open: 'Open gripper', key: 'O', hold: 'Hold to run', holdKey: 'M', holding: 'The policy may move', letGo: 'Let go: the arm brakes and holds' } as const;

export interface FindingWords {
  readonly title: string;
  readonly cause: string;
  readonly cure: string;
}

type Facts = Finding['facts'];

export function findingWords({ code, facts }: Pick<Finding, 'code' | 'facts'>): FindingWords {
  return FINDINGS[code](facts);
}

function say(facts: Facts, name: string): string {
  const value: Fact | undefined = facts[name];
  return value === undefined || value === null || value === '' ? 'unknown' : String(value);
}

/** `Motor 3 (Elbow flex)`. */
function motor(facts: Facts): string {
  const name = JOINT_NAMES.find((joint) => joint === facts['joint']);
  return `Motor ${say(facts, 'id')}${name === undefined ? '' : ` (${JOINT_LABELS[name]})`}`;
}

const FINDINGS: Readonly<Record<FindingCode, (facts: Facts) => FindingWords>> = {
  'nothing-answers': (f) => ({
    title: 'No motor answers',
    cause: `The adapter is there; at ${say(f, 'baud')} baud no motor is. Usually the motors have no power, or the adapter’s jumpers are not on B.`,
    cure: 'Plug in the power supply, check the jumpers and the first three-wire cable. If the motors are new, search every speed.',
  }),
  'servo-missing': (f) => ({
    title: `${motor(f)} does not answer`,
    cause: facts0(f, 'after') ? 'The first cable is loose, or this motor has another id.' : `Motor ${say(f, 'after')} is the last that answers: the cable after it is loose, or this motor has another id.`,
    cure: 'Push both ends of that three-wire cable in. If that does not help, search every id.',
  }),
  'id-conflict': (f) => ({
    title: `Two motors share id ${say(f, 'id')}`,
    cause: 'Their answers run into each other while nothing moves.',
    cure: 'Take one off the chain and give it its own id, alone on the adapter.',
  }),
  'unexpected-id': (f) => ({ title: `A motor with id ${say(f, 'id')}`, cause: 'It belongs to no joint of this arm.', cure: 'Give it one of the ids 1 to 6, alone on the adapter, or take it off.' }),
  'wrong-baud': (f) => ({ title: `${motor(f)} speaks at ${say(f, 'baud')} baud`, cause: `This arm speaks at ${say(f, 'expected')}.`, cure: 'Connect it alone and give it its id here: that sets the speed too.' }),
  'wrong-model': (f) => ({ title: `${motor(f)} is no STS3215`, cause: `It says it is model ${say(f, 'found')}; this arm is made of ${say(f, 'expected')}.`, cure: 'Its limits are not known here, so it is not moved. Use an STS3215.' }),
  'firmware-mixed': (f) => ({ title: 'The motors have different firmware', cause: `Versions ${say(f, 'versions')}. LeRobot refuses such an arm; this page does not.`, cure: 'Nothing has to be done here. Feetech’s own program can update them.' }),
  'voltage-low': (f) => ({ title: `${motor(f)} gets ${say(f, 'volts')} V`, cause: `It wants at least ${say(f, 'least')} V. A weak supply dips further when the arm moves.`, cure: 'Use the supply that belongs to these motors, with a thick short cable.' }),
  'voltage-high': (f) => ({ title: `${motor(f)} gets ${say(f, 'volts')} V`, cause: `It bears at most ${say(f, 'most')} V.`, cure: 'Unplug the supply now and use the right one.' }),
  'voltage-type': (f) => ({
    title: `${motor(f)}: supply and motor do not belong together`,
    cause: `It gets ${say(f, 'volts')} V and its own limit is ${say(f, 'most')} V: a 7.4 V motor on 12 V burns, a 12 V motor on 5 V is weak.`,
    cure: 'Read the label on the motor, and use the supply for it.',
  }),
  hot: (f) => ({ title: `${motor(f)} is hot: ${say(f, 'celsius')} °C`, cause: `The limit is ${say(f, 'limit')} °C. It was blocked, or held a load for long.`, cure: 'Let it cool below 50 °C, limp. Look what it pushed against.' }),
  warm: (f) => ({ title: `${motor(f)} is warm: ${say(f, 'celsius')} °C`, cause: `From ${say(f, 'limit')} °C on it is worth watching.`, cure: 'Give it a rest soon.' }),
  'servo-error': (f) => ({ title: `${motor(f)} protects itself`, cause: `It reports: ${say(f, 'errors')}. It was blocked or pushed too hard.`, cure: 'Free the joint, then switch the arm’s power off and on.' }),
  'wrong-mode': (f) => ({ title: `${motor(f)} is not in position mode`, cause: `It is in mode ${say(f, 'found')}.`, cure: 'Connecting sets it right.' }),
  'multi-turn': (f) => ({ title: `${motor(f)} counts turns`, cause: 'Its positions leave 0 to 4095, and a calibration means nothing then.', cure: 'Connecting sets it right; switch its power off and on after.' }),
  'calibration-differs': (f) => ({ title: `${motor(f)} holds another calibration`, cause: `${say(f, 'what')}: the motor has ${say(f, 'found')}, the calibration ${say(f, 'expected')}. The file belongs to another arm, or was never written.`, cure: 'Use what is in the motors, or write the file into them here.' }),
  'range-full-turn': (f) => ({ title: `${motor(f)} is not calibrated`, cause: 'Its range is a whole turn: a new motor, or a sweep that jumped over the encoder’s end.', cure: 'Calibrate the arm, below.' }),
  'range-narrow': (f) => ({ title: `${motor(f)}: a short range`, cause: `${say(f, 'span')} steps, where this joint has about ${say(f, 'expected')}. The sweep may have ended early.`, cure: 'Calibrate again if the joint does not reach its stops.' }),
  'range-wide': (f) => ({ title: `${motor(f)}: a long range`, cause: `${say(f, 'span')} steps, where this joint has about ${say(f, 'expected')}.`, cure: 'Is it the right motor at the right joint? Calibrate again.' }),
  'outside-range': (f) => ({ title: `${motor(f)} stands outside its range`, cause: `At ${say(f, 'found')}; its range is ${say(f, 'least')} to ${say(f, 'most')}.`, cure: 'With its torque off, turn the joint back by hand; or calibrate again.' }),
  'torque-on': (f) => ({ title: `${motor(f)} holds`, cause: 'Its torque is on.', cure: 'Nothing to do.' }),
  'eeprom-unlocked': (f) => ({ title: `${motor(f)} is unlocked`, cause: 'What is written to its settings lasts.', cure: 'Nothing to do: a motor fresh from power-on is.' }),
  'slow-register': (f) => ({ title: `${motor(f)} is told to be slow`, cause: `${say(f, 'register')} is ${say(f, 'found')}.`, cure: 'Switch its power off and on: that setting does not last.' }),
  'bus-errors': (f) => ({ title: 'The cable is noisy', cause: `${(Number(f['share'] ?? 0) * 100).toFixed(1)} % of ${say(f, 'requests')} questions were spoilt.`, cure: 'Short cables, plugs pushed in, the motors’ supply not shared with anything else.' }),
  echo: () => ({ title: 'The adapter repeats what it is told', cause: 'It sends and hears on one wire.', cure: 'Nothing to do: the page takes it out.' }),
};

/** Notes of one kind in one line: six motors that hold are one piece of news. */
export function noteWords(code: FindingCode, notes: readonly Pick<Finding, 'facts'>[]): string {
  const ids = notes.map(({ facts }) => say(facts, 'id')).join(', ');
  if (code === 'torque-on') return `Motors ${ids} hold.`;
  if (code === 'eeprom-unlocked') return `Motors ${ids} are unlocked: fresh from power-on.`;
  return notes.map(({ facts }) => findingWords({ code, facts }).title).join('. ');
}

function facts0(facts: Facts, name: string): boolean {
  return facts[name] === 0;
}

export const CHECK = {
  heading: 'Hardware check',
  lead: 'Ten steps, about two minutes: the page asks, moves a little, measures, and writes it down. Do it once with every new arm.',
  start: 'Begin the check',
  yes: 'Yes, go on',
  no: 'Leave it out',
  save: 'Save the log',
  done: (passed: number, of: number): string => `${passed} of ${of} steps passed.`,
  outcomes: { passed: 'passed', failed: 'failed', 'left-out': 'left out' },
  questions: {
    connect: 'Is the supply plugged in, and can you reach its switch?',
    readings: 'The page reads all six motors now. Nothing moves. Ready?',
    stillness: 'The arm should hold without moving for two seconds. Hands off. Ready?',
    'each-joint': 'Each joint moves by five degrees and back, one after another. Is there a hand’s width of room all round?',
    stop: 'The base turns slowly, then the page presses Stop. Ready to watch whether it stops at once?',
    gripper: 'Now the gripper opens though everything is stopped. Nothing in it that may fall?',
    'go-on': 'Go on must not move anything. Watch the arm. Ready?',
    cable: 'The base turns again. Pull the USB cable out when it does (the virtual arm pulls its own). Ready?',
    again: 'Plug the cable in again. Is it in?',
    lower: 'The arm lowers itself slowly, then goes limp. Is the place where it lies free?',
  },
} as const;
