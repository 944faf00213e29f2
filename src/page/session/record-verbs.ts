/**
 * Recording episodes, and looking at recorded ones: the verbs behind the Record panel. The worker does the work; this asks it,
 * hands it the frames of the real cameras while it records, and keeps the store true while somebody looks.
 */
import type { DatasetEpisode, UnitEra } from '#contracts/dataset.ts';
import type { Failure } from '#contracts/failure.ts';
import { GRIPPER_INDEX, JOINT_COUNT } from '#contracts/joints.ts';
import type { DatasetFiles, EpisodeSummary, OpenedDataset, RecordingCamera, RecordingStatus } from '#contracts/recording.ts';
import { ROBOT_NAMES } from '#contracts/robot.ts';
import type { ResetRequest, SceneInfo } from '#contracts/scene.ts';
import { asFailure, FailureError, unwrap } from '#core/lib/failure.ts';
import type { CameraFlow } from '#page/runtime/real-cameras.ts';
import { tidyMemory } from '#page/runtime/tidy-memory.ts';
import type { CameraVerbs } from './camera-verbs.ts';
import type { SessionContext } from './context.ts';
import type { RunVerbs, TraceReport } from './run-verbs.ts';

export interface RecordState {
  /** Null before the recorder was first asked for. */
  readonly status: RecordingStatus | null;
  /** What a button was pressed for and is not done yet. */
  readonly busy: 'starting' | 'keeping' | 'saving' | 'opening' | 'replaying' | null;
  readonly opened: OpenedDataset | null;
  /** The episode being looked at. */
  readonly shown: ShownEpisode | null;
  readonly replayed: TraceReport | null;
  readonly failure: Failure | null;
}

export interface ShownEpisode {
  readonly from: { readonly kind: 'recorded'; readonly id: string } | { readonly kind: 'dataset'; readonly index: number };
  readonly episode: DatasetEpisode;
  /** What its numbers mean; `unknown` until a person says. */
  readonly era: UnitEra;
  /** The table it was recorded on; null where that is not known. */
  readonly reset: ResetRequest | null;
}

export interface RecordVerbs {
  readonly recording: {
    /** Starts the recorder, and keeps the store true until the returned function is called. */
    watch(): () => void;
    /** `side`: of the pictures of simulated cameras, pixels. */
    begin(task: string, side?: PictureSide): Promise<void>;
    keep(): Promise<EpisodeSummary | null>;
    discard(): Promise<void>;
    /** The running episode, or the last one kept, goes; a new one begins at once. */
    redo(task: string, side?: PictureSide): Promise<void>;
    remove(id: string): Promise<void>;
    exportZip(name: string): Promise<File>;
    exportFolder(folder: FileSystemDirectoryHandle): Promise<{ readonly files: number; readonly bytes: number }>;
    open(files: DatasetFiles): Promise<OpenedDataset>;
    status(): Promise<RecordingStatus>;
    show(from: ShownEpisode['from']): Promise<DatasetEpisode>;
    hide(): void;
    setEra(era: UnitEra): void;
    video(path: string): Promise<Blob>;
    /** The shown episode on the arm, through the gate. Rejects with `dataset/units` while its units are not known. */
    replay(): Promise<TraceReport>;
  };
}

/** What simulated cameras are drawn at for a dataset. LeRobot's base SmolVLA declares 256. */
export const PICTURE_SIDES = [128, 256, 512] as const;
export type PictureSide = (typeof PICTURE_SIDES)[number];
export const PICTURE_SIDE: PictureSide = 256;
const ASK_EVERY_MS = 400;
const SETTLE_MS = 100;
/** Of 147 recordings begun on a busy machine 3 needed more than one, one of them three. */
const TRIES = 4;

export function recordVerbs(context: SessionContext, cameras: CameraVerbs, runs: RunVerbs): RecordVerbs {
  const { house, stores, clock } = context;
  const api = () => house.recording().api;
  let watchers = 0;
  let looping = false;
  let lastFailure = '';
  let offTicks: (() => void) | null = null;
  /** What the recorder takes of the real cameras. */
  const flows = new Map<string, CameraFlow>();

  const refresh = async (): Promise<RecordingStatus | null> => {
    const answer = await api().status();
    if (!answer.ok) return null;
    stores.record.setState({ status: answer.value });
    const failure = answer.value.failure;
    const told = JSON.stringify(failure);
    if (failure !== null && told !== lastFailure) {
      letGo();
      context.report(failure);
    }
    lastFailure = told;
    return answer.value;
  };
  const loop = async (): Promise<void> => {
    if (looping) return;
    looping = true;
    for (;;) {
      const status = await refresh();
      if (watchers === 0 && (status === null || status.now === null)) break;
      await clock.sleepUntil(clock.nowMs() + ASK_EVERY_MS);
    }
    looping = false;
  };
  const busy = async <T>(what: NonNullable<RecordState['busy']>, work: () => Promise<T>): Promise<T> => {
    if (stores.record.getState().busy !== null) throw new FailureError('run/already-running');
    stores.record.setState({ busy: what, failure: null });
    try {
      return await work();
    } catch (thrown) {
      const failure = asFailure(thrown);
      stores.record.setState({ failure });
      throw new FailureError(failure.code, failure.facts);
    } finally {
      stores.record.setState({ busy: null });
      await refresh();
    }
  };

  /** The policy's places, or the table's own cameras; a place with a real camera in it is recorded from that. */
  const wanted = (side: PictureSide): readonly RecordingCamera[] => {
    const { places } = stores.cameras.getState();
    const policy = stores.policy.getState();
    const simulated = stores.world.getState().scene?.description.cameras.map(({ key }) => key) ?? [];
    const keys = policy.kind === 'ready' ? policy.info.cameras.map(({ robotKey }) => robotKey) : simulated;
    return keys.map((key): RecordingCamera => {
      const place = places[key];
      if (place?.kind === 'live') return { key, width: place.width, height: place.height, source: 'real' };
      if (place !== undefined) throw new FailureError('observation/camera-unplugged', { camera: key, device: place.device?.label ?? 'a camera' });
      if (!simulated.includes(key)) throw new FailureError('observation/camera-missing', { camera: key, present: simulated.join(', ') });
      return { key, width: side, height: side, source: 'simulated' };
    });
  };
  const startNow = async (task: string, side: PictureSide): Promise<void> => {
    const sentence = task.trim();
    if (sentence === '') throw new FailureError('observation/sentence-missing');
    const scene = stores.world.getState().scene;
    const rate = stores.speed.getState().rateHz;
    if (scene === null || rate === null || stores.arm.getState().kind === null) throw new FailureError('arm/not-connected');
    const all = wanted(side);
    // Answered when the worker is there, so that the frames find it.
    unwrap(await api().status());
    letGo();
    const real = all.filter(({ source }) => source === 'real').map(({ key }) => key);
    try {
      await openFlows(real);
      await beginNow(sentence, Math.round(rate), all, scene);
    } catch (thrown) {
      letGo();
      throw thrown;
    }
    void loop();
  };
  /**
   * A stream can be lost on its way, and a frame in it, here or when the policy got its own: a camera then sends nothing, or a few
   * pictures and no more. So memory is tidied (`tidy-memory.ts`) before each is asked for a new picture; where none comes, it is
   * another stream's turn. What still sends nothing `begin` names.
   */
  const openFlows = async (real: readonly string[]): Promise<void> => {
    let missing = real;
    for (let tries = 0; tries < TRIES && missing.length > 0; tries++) {
      for (const key of missing) {
        flows.get(key)?.end();
        const flow = cameras.cameraFrames(key);
        if (flow === null) continue;
        flows.set(key, flow);
        house.sendFrames({ kind: 'bind', camera: key, device: key, occasion: 'again', stream: flow.stream }, [flow.stream]);
      }
      unwrap(await api().streamsArrived(real));
      // The page's own end of a stream closes a moment later.
      await clock.sleepUntil(clock.nowMs() + SETTLE_MS);
      for (const key of missing) flows.get(key)?.open();
      await tidyMemory();
      missing = unwrap(await api().withoutPicture(real));
    }
  };
  const beginNow = async (task: string, fps: number, all: readonly RecordingCamera[], scene: SceneInfo): Promise<void> => {
    const by = stores.run.getState().kind === 'running' ? 'policy' : 'hand';
    void navigator.storage?.persist?.().catch(() => false);
    offTicks ??= context.events.on('ticks', (ticks) => house.sendTicks(ticks));
    unwrap(await api().begin({ task, fps, by, cameras: all, scene }));
  };
  const letGo = (): void => {
    offTicks?.();
    offTicks = null;
    for (const key of Object.keys(stores.cameras.getState().places)) house.sendFrames({ kind: 'unbind', camera: key }, []);
    for (const flow of flows.values()) flow.end();
    flows.clear();
  };
  const endNow = async (what: 'keep' | 'discard'): Promise<EpisodeSummary | null> => {
    const summary = unwrap(await api().end(what));
    letGo();
    return summary;
  };

  return {
    recording: {
      watch() {
        watchers++;
        void loop();
        return () => void watchers--;
      },
      begin: (task, side = PICTURE_SIDE) => busy('starting', () => startNow(task, side)),
      keep: () => busy('keeping', () => endNow('keep')),
      discard: () => busy('keeping', async () => void (await endNow('discard'))),
      redo: (task, side = PICTURE_SIDE) =>
        busy('starting', async () => {
          const status = unwrap(await api().status());
          if (status.now !== null) await endNow('discard');
          else {
            const last = status.episodes.at(-1);
            if (last !== undefined) unwrap(await api().remove(last.id));
          }
          await startNow(task, side);
        }),
      remove: (id) =>
        busy('keeping', async () => {
          unwrap(await api().remove(id));
          const { shown } = stores.record.getState();
          if (shown?.from.kind === 'recorded' && shown.from.id === id) stores.record.setState({ shown: null, replayed: null });
        }),
      exportZip: (name) => busy('saving', async () => unwrap(await api().exportZip(name))),
      exportFolder: (folder) => busy('saving', async () => unwrap(await api().exportFolder(folder))),
      open: (files) =>
        busy('opening', async () => {
          const opened = unwrap(await api().open(files));
          stores.record.setState({ opened, shown: null, replayed: null });
          return opened;
        }),
      status: async () => unwrap(await api().status()),
      hide: () => stores.record.setState({ shown: null, replayed: null }),
      show: (from) =>
        busy('opening', async () => {
          const episode = unwrap(from.kind === 'recorded' ? await api().recorded(from.id) : await api().episode(from.index));
          const { opened, status } = stores.record.getState();
          const own = from.kind === 'recorded' ? status?.episodes.find(({ id }) => id === from.id) : undefined;
          const era = from.kind === 'recorded' || OURS.includes(opened?.info.robotType ?? '') ? 'degrees' : eraOf(episode.state);
          stores.record.setState({ shown: { from, episode, era, reset: own?.reset ?? null }, replayed: null });
          return episode;
        }),
      setEra(era) {
        const { shown } = stores.record.getState();
        if (shown !== null) stores.record.setState({ shown: { ...shown, era } });
      },
      video: async (path) => unwrap(await api().video(path)),
      replay: () =>
        busy('replaying', async () => {
          const { shown } = stores.record.getState();
          if (shown === null) throw new FailureError('dataset/file-missing', { file: 'an episode', source: 'this page' });
          const { episode, era, reset } = shown;
          if (era === 'unknown') throw new FailureError('dataset/units', { most: mostOf(episode.state).toFixed(0) });
          const { limits } = stores.arm.getState();
          const report = await runs.trace({ sentence: episode.task, actions: actionsOfToday(episode.action, era, limits), fps: episode.fps, reset: stores.arm.getState().kind === 'simulated' ? reset : null });
          stores.record.setState({ replayed: report });
          return report;
        }),
    },
  };
}

/** What our own datasets call their arm: joint values of today. */
const OURS: readonly string[] = ROBOT_NAMES.map((name) => `vla-playground-${name}`);

/** rows x 6 as the arm takes them: degrees, the gripper 0..100. `limits` in degrees, JOINT_NAMES order. */
export function actionsOfToday(action: Float32Array, era: Exclude<UnitEra, 'unknown'>, limits: readonly { readonly least: number; readonly most: number }[]): Float32Array {
  return era === 'degrees' ? action : action.map((value, i) => (i % JOINT_COUNT === GRIPPER_INDEX ? value : fromRange(value, limits[i % JOINT_COUNT])));
}

/** Beyond 100 only degrees go; within it a person must say (`contracts/dataset.ts`). */
export function eraOf(state: Float32Array): UnitEra {
  return mostOf(state) > 100.5 ? 'degrees' : 'unknown';
}

function mostOf(state: Float32Array): number {
  return state.reduce((most, value, i) => (i % JOINT_COUNT === GRIPPER_INDEX ? most : Math.max(most, Math.abs(value))), 0);
}

/** LeRobot's -100..100 is the calibrated range of the joint; here it is laid over the range of the arm as it is described. */
function fromRange(value: number, limit: { readonly least: number; readonly most: number } | undefined): number {
  return limit === undefined ? value : limit.least + ((value + 100) / 200) * (limit.most - limit.least);
}
