/** What is said about recording, about datasets, and about the way from one to a policy. */
import type { UnitEra } from '#contracts/dataset.ts';
import type { Alignment, RecordingStatus } from '#contracts/recording.ts';
import { bytes, seconds } from './numbers.ts';

export const RECORD = {
  heading: 'Record',
  lead: 'Move the arm by hand or run a policy while this records joints and cameras. Good episodes become a LeRobot dataset.',
  task: 'Sentence for these episodes',
  placeholder: 'What is being done, as you would tell the arm',
  side: 'Pictures of simulated cameras',
  start: 'Record',
  keep: 'Keep',
  discard: 'Discard',
  redo: 'Again',
  keys: 'Keys: C records and keeps, X discards, Z once more.',
  recording: 'Recording',
  idle: 'Not recording',
  busy: { starting: 'Starting', keeping: 'Closing the files', saving: 'Writing the dataset', opening: 'Opening', replaying: 'Replaying through the safety gate' },
  drawing: (done: number, of: number): string => `Drawing the pictures of the last episode: ${done} of ${of}`,
  cutOff: (count: number): string => `${count === 1 ? 'One episode was' : `${count} episodes were`} cut off when the page closed and ${count === 1 ? 'is' : 'are'} gone. Those kept before are here.`,
  none: 'No episodes yet.',
  remove: 'Delete',
  show: 'Look at it',
  save: 'Save as zip',
  saveFolder: 'Save into a folder',
  room: (freeBytes: number, usedBytes: number): string => `Room for ${bytes(freeBytes)} more; this page uses ${bytes(usedBytes)}.`,
} as const;

export const DATASET = {
  heading: 'Look at a dataset',
  lead: 'A LeRobot dataset (v3.0 or v2.1) from this computer, read here and sent nowhere, or a public one from the Hugging Face Hub.',
  openFolder: 'Open a folder',
  openZip: 'Open a zip',
  hub: 'On the Hub: user/name',
  openHub: 'Open',
  recorded: 'recorded',
  episode: 'Episode',
  era: 'Its joint values are',
  eras: { degrees: 'degrees', range: '−100 to 100', unknown: 'not known: choose' } satisfies Readonly<Record<UnitEra, string>>,
  replay: 'Replay on the arm',
  replayHint: 'The arm goes to the first row slowly, then plays the recorded actions through the safety gate. Stop works as always.',
  close: 'Close',
  time: 'Time in the episode',
  values: 'Joint values at this time: action',
} as const;

export const TO_POLICY = {
  heading: 'From dataset to policy',
  link: 'How to train a policy with it',
} as const;

export function recordingLine(now: NonNullable<RecordingStatus['now']>): string {
  const repeated = now.lateTicks === 0 ? '' : `, ${now.lateTicks} ticks late`;
  return `${seconds(now.seconds)}, ${now.rows} rows${repeated}`;
}

/** Three rows at 30 a second: a picture that is this late is of another moment. */
const WORTH_TELLING_MS = 100;

export function episodeLine(rows: number, fps: number, alignment: Alignment, lateTicks: number): string {
  const repeated = lateTicks === 0 ? '' : `, ${lateTicks} ticks late`;
  const once = alignment.maxMs < WORTH_TELLING_MS ? '' : `, once ${alignment.maxMs.toFixed(0)} ms apart`;
  return `${seconds(rows / fps)}, picture and joints within ${alignment.p99Ms.toFixed(0)} ms (99 %)${once}${repeated}`;
}

export function replayedLine(rows: number, rowsPlayed: number, maxAbsDifference: number, limitedRows: number): string {
  const gate = limitedRows === 0 ? 'The gate changed nothing' : `The gate changed ${limitedRows} rows`;
  return `${rowsPlayed} of ${rows} rows played. ${gate}; largest difference from the recording ${maxAbsDifference.toFixed(2)}°.`;
}
