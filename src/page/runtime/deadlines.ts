/**
 * How long the page waits for each call before it calls the worker stuck, milliseconds. One entry a method, so that a
 * new method does not compile without a limit. The limits are for a slow machine with a software GPU: they exist to
 * end a wait that would never end, not to judge speed.
 */
import type { BenchApi, MetronomeApi } from '#contracts/bench.ts';
import type { ControlApi } from '#contracts/control.ts';
import type { EpisodeApi } from '#contracts/episode-api.ts';
import type { ConversionApi, InferenceApi } from '#contracts/inference.ts';
import type { RecordingApi } from '#contracts/recording.ts';
import type { WorldApi } from '#contracts/world.ts';

export type Deadlines<Api> = { readonly [Method in keyof Api]: number };

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Loading a script, WASM and the first shaders on a busy two-core machine took up to 20 s. */
export const BOOT_DEADLINE_MS = 90 * SECOND;

export const CONTROL_DEADLINES: Deadlines<ControlApi> = {
  connect: 15 * SECOND,
  setRate: 5 * SECOND,
  setManualTargets: 5 * SECOND,
  beginRun: 5 * SECOND,
  endRun: 15 * SECOND,
  // The slow descent itself is part of the call.
  lowerAndRelease: 30 * SECOND,
  resume: 5 * SECOND,
  lastStop: 5 * SECOND,
  profile: 5 * SECOND,
  // A look at six servos, settings written and read back, torque in steps.
  connectServos: 30 * SECOND,
  disconnect: 5 * SECOND,
  health: 5 * SECOND,
  openGripper: 5 * SECOND,
  // Every id at every rate: 254 ids, five rates, 28 ms for each that is silent.
  look: MINUTE,
  readCalibration: 5 * SECOND,
  writeCalibrationText: 5 * SECOND,
  planCalibration: 20 * SECOND,
  writeCalibration: 30 * SECOND,
  calibrationBegin: 20 * SECOND,
  calibrationHome: 5 * SECOND,
  calibrationView: 5 * SECOND,
  calibrationPropose: 5 * SECOND,
  calibrationEnd: 5 * SECOND,
  findMotor: 20 * SECOND,
  nameMotor: 30 * SECOND,
  virtualHand: 5 * SECOND,
  // Every allowed port is opened and six servos each are looked at.
  leaderFind: 30 * SECOND,
  leaderView: 5 * SECOND,
  leaderFollow: 5 * SECOND,
  leaderRest: 5 * SECOND,
  leaderEnd: 10 * SECOND,
  virtualLeader: 5 * SECOND,
  virtualFault: 5 * SECOND,
  setProfile: 5 * SECOND,
};

export const INFERENCE_DEADLINES: Deadlines<InferenceApi> = {
  // An adapter is asked for. A chunk on the CPU may be in front of it.
  likely: 3 * MINUTE,
  // Self-tests, session creation, the race of the engines and a warm-up on each.
  load: 10 * MINUTE,
  // WASM computes on the worker's own thread, so a call may have to wait for the chunk in front of it.
  probe: 3 * MINUTE,
  sample: 3 * MINUTE,
  beginRun: MINUTE,
  endRun: MINUTE,
  recompute: 3 * MINUTE,
  beginReplay: MINUTE,
  beginTrace: MINUTE,
};

export const BENCH_DEADLINES: Deadlines<BenchApi> = {
  likely: MINUTE,
  load: 10 * MINUTE,
  // A full-size policy on a software GPU.
  lap: 10 * MINUTE,
  answer: 5 * SECOND,
  ceilings: 5 * MINUTE,
  figures: MINUTE,
};

export const METRONOME_DEADLINES: Deadlines<MetronomeApi> = { start: 10 * SECOND, stop: 10 * SECOND };

export const CONVERSION_DEADLINES: Deadlines<ConversionApi> = {
  // A 900 MB checkpoint over a slow line; the person sees it move and can cancel.
  convert: 24 * 60 * MINUTE,
  // Some hundred kilobytes, with the waits that a busy host asks for.
  inspect: 2 * MINUTE,
  cancel: 10 * SECOND,
  stored: MINUTE,
  rename: MINUTE,
  remove: MINUTE,
  setToken: 10 * SECOND,
};

export const WORLD_DEADLINES: Deadlines<WorldApi> = {
  reset: 30 * SECOND,
  setPace: 10 * SECOND,
  // 10,000 steps take about 5 s on a slow core.
  step: MINUTE,
  setLightLevel: 10 * SECOND,
  status: 10 * SECOND,
};

export const RECORDING_DEADLINES: Deadlines<RecordingApi> = {
  // Answers wait behind a zip being written.
  status: MINUTE,
  streamsArrived: 30 * SECOND,
  withoutPicture: 30 * SECOND,
  begin: 30 * SECOND,
  // The rest of the pictures is encoded and the file closed.
  end: 2 * MINUTE,
  remove: MINUTE,
  recorded: MINUTE,
  // All pictures are drawn first: 18,000 of them on a slow machine.
  exportZip: 60 * MINUTE,
  exportFolder: 60 * MINUTE,
  open: 5 * MINUTE,
  episode: 2 * MINUTE,
  video: MINUTE,
};

export const EPISODE_DEADLINES: Deadlines<EpisodeApi> = {
  // As `load`: self-tests, session creation, the race of the engines.
  choose: 10 * MINUTE,
  // 20 simulated seconds with a chunk every half second, a slow chunk being ten; the mean trajectory's 20 episodes come first.
  episode: 10 * MINUTE,
  record: 10 * MINUTE,
};
