/**
 * The four workers and everything between them: shared memory, direct ports, and who is told when inference is started
 * again. It knows the wiring of design 4 and nothing of what flows through it.
 *
 *   control ◄──── inference / control ────► inference        page ◄─ reports ── control
 *                                             │              page ◄─ progress ─ inference, conversion
 *   world  ◄── cameras-inference / cameras ───┘              page ◄─ cameras-page ─ world
 *                                                            page ── real-cameras ─► inference
 *
 * Restarted without a reload: inference (its two neighbours get new ports) and conversion (has none). Control and world
 * share the arm's state in memory of which each is half; when one ends, the page says so and asks for a reload.
 */
import type { CameraCommand, CameraHealth } from '#contracts/camera.ts';
import type { ControlApi, ControlReport, TickReport } from '#contracts/control.ts';
import type { EpisodeApi } from '#contracts/episode-api.ts';
import type { ConversionApi, InferenceApi, LoadProgress } from '#contracts/inference.ts';
import { ARM_SLOT_LENGTH, JOINTS_SLOT_LENGTH, POSES_SLOT_LENGTH, STOP_FLAG_LENGTH, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import type { RecordingApi } from '#contracts/recording.ts';
import type { Clock } from '#contracts/time.ts';
import type { SharedMemory, WorkerBoot } from '#contracts/worker.ts';
import type { WorldApi } from '#contracts/world.ts';
import { createSlotMemory } from '#core/lib/shared-slot.ts';
import { cameraFeed, type CameraFeed } from './camera-feed.ts';
import { CONTROL_DEADLINES, CONVERSION_DEADLINES, INFERENCE_DEADLINES, RECORDING_DEADLINES, WORLD_DEADLINES } from './deadlines.ts';
import { openEpisodeWorker } from './episodes.ts';
import { startWorker, type WorkerHandle } from './start.ts';
import { stopLine, type StopLine } from './stop-line.ts';
import { tidyMemory } from './tidy-memory.ts';
import { workerSlot, type WorkerSlot } from './worker-slot.ts';

export const WORKER_NAMES = ['control', 'world', 'inference', 'conversion'] as const;
export type WorkerName = (typeof WORKER_NAMES)[number];

export interface House {
  readonly memory: SharedMemory;
  readonly control: WorkerSlot<ControlApi>;
  readonly world: WorkerSlot<WorldApi>;
  readonly inference: WorkerSlot<InferenceApi>;
  readonly conversion: WorkerSlot<ConversionApi>;
  /** The laboratory for measuring, a thread of its own; started when first asked for. */
  readonly episodes: () => WorkerSlot<EpisodeApi>;
  /** Writes episodes down; started when first asked for. */
  readonly recording: () => WorkerSlot<RecordingApi>;
  readonly stop: StopLine;
  readonly cameras: CameraFeed;
  /** To whichever inference worker lives; what is listed is moved. */
  sendCamera(command: CameraCommand, moved: readonly ReadableStream<VideoFrame>[]): void;
  /** Both to the recording worker, once it is there. */
  sendTicks(ticks: readonly TickReport[]): void;
  sendFrames(command: CameraCommand, moved: readonly ReadableStream<VideoFrame>[]): void;
  /** How the frames of the real cameras are doing, a few times a second. */
  onCameraHealth(listener: (health: readonly CameraHealth[]) => void): () => void;
  /** About ten a second. */
  onReport(listener: (report: ControlReport) => void): () => void;
  /** From conversion and inference while a policy arrives. */
  onProgress(listener: (progress: LoadProgress) => void): () => void;
}

export interface HouseOptions {
  readonly clock: Clock;
  /** Where the page's own files lie; ends with a slash. */
  readonly baseUrl: string;
  readonly isHidden: () => boolean;
}

export function openHouse(options: HouseOptions): House {
  const memory = sharedMemory();
  const reports = fanOut<ControlReport>();
  const progress = fanOut<LoadProgress>();
  const cameraHealth = fanOut<readonly CameraHealth[]>();
  const boot = (ports: WorkerBoot['ports']): Pick<WorkerBoot, 'memory' | 'ports' | 'baseUrl'> => ({ memory, ports, baseUrl: options.baseUrl });

  const reportPort = new MessageChannel();
  const pagePictures = new MessageChannel();
  // The first pair is handed over at boot; a restarted inference brings a new one.
  const firstChunks = new MessageChannel();
  const firstPictures = new MessageChannel();
  let realCameras = new MessageChannel();
  cameraHealth.listenOn(realCameras.port1);
  reports.listenOn(reportPort.port1);

  const control = workerSlot<ControlApi>({
    deadlines: CONTROL_DEADLINES,
    restart: 'never',
    start: () =>
      startWorker<ControlApi>({
        name: 'control',
        spawn: () => new Worker(new URL('../../../workers/control/entry.ts', import.meta.url), { type: 'module', name: 'control' }),
        boot: boot({ inference: firstChunks.port1, reports: reportPort.port2 }),
        deadlines: CONTROL_DEADLINES,
      }),
  });
  const world = workerSlot<WorldApi>({
    deadlines: WORLD_DEADLINES,
    restart: 'never',
    start: () =>
      startWorker<WorldApi>({
        name: 'world',
        spawn: () => new Worker(new URL('../../../workers/world/entry.ts', import.meta.url), { type: 'module', name: 'world' }),
        boot: boot({ 'cameras-inference': firstPictures.port1, 'cameras-page': pagePictures.port2 }),
        deadlines: WORLD_DEADLINES,
      }),
  });
  const inference = workerSlot<InferenceApi>({
    deadlines: INFERENCE_DEADLINES,
    restart: 'automatic',
    start: async (attempt) => {
      const chunks = attempt === 1 ? firstChunks : new MessageChannel();
      const pictures = attempt === 1 ? firstPictures : new MessageChannel();
      const told = new MessageChannel();
      progress.listenOn(told.port1);
      if (attempt > 1) {
        renewPort(await control.current(), 'inference', chunks.port1);
        renewPort(await world.current(), 'cameras-inference', pictures.port1);
        realCameras = new MessageChannel();
        cameraHealth.listenOn(realCameras.port1);
      }
      return startWorker<InferenceApi>({
        name: 'inference',
        spawn: () => new Worker(new URL('../../../workers/inference/entry.ts', import.meta.url), { type: 'module', name: 'inference' }),
        boot: boot({ control: chunks.port2, cameras: pictures.port2, progress: told.port2, 'real-cameras': realCameras.port2 }),
        deadlines: INFERENCE_DEADLINES,
      });
    },
  });
  const conversion = workerSlot<ConversionApi>({
    deadlines: CONVERSION_DEADLINES,
    restart: 'automatic',
    start: () => {
      const told = new MessageChannel();
      progress.listenOn(told.port1);
      return startWorker<ConversionApi>({
        name: 'conversion',
        spawn: () => new Worker(new URL('../../../workers/conversion/entry.ts', import.meta.url), { type: 'module', name: 'conversion' }),
        boot: boot({ progress: told.port2 }),
        deadlines: CONVERSION_DEADLINES,
      });
    },
  });

  let recordedFrames: MessagePort | null = null;
  let recordedTicks: MessagePort | null = null;
  const openRecording = (): WorkerSlot<RecordingApi> =>
    workerSlot<RecordingApi>({
      deadlines: RECORDING_DEADLINES,
      restart: 'automatic',
      start: () => {
        const frames = new MessageChannel();
        const ticks = new MessageChannel();
        recordedFrames = frames.port1;
        // A `CameraSilent`; whichever camera it is, what was lost lies in the memory of this page.
        frames.port1.onmessage = () => void tidyMemory();
        recordedTicks = ticks.port1;
        return startWorker<RecordingApi>({
          name: 'recording',
          spawn: () => new Worker(new URL('../../../workers/recording/entry.ts', import.meta.url), { type: 'module', name: 'recording' }),
          boot: boot({ 'real-cameras': frames.port2, ticks: ticks.port2 }),
          deadlines: RECORDING_DEADLINES,
        });
      },
    });

  let episodes: WorkerSlot<EpisodeApi> | null = null;
  let recording: WorkerSlot<RecordingApi> | null = null;
  return {
    memory,
    episodes: () => (episodes ??= openEpisodeWorker(options.baseUrl, () => undefined)),
    recording: () => (recording ??= openRecording()),
    sendTicks: (ticks) => recordedTicks?.postMessage(ticks),
    sendFrames: (command, moved) => recordedFrames?.postMessage(command, [...moved]),
    control,
    world,
    inference,
    conversion,
    stop: stopLine(memory.stop, options.clock),
    cameras: cameraFeed(pagePictures.port1, options.clock, options.isHidden),
    sendCamera: (command, moved) => realCameras.port1.postMessage(command, [...moved]),
    onCameraHealth: cameraHealth.on,
    onReport: reports.on,
    onProgress: progress.on,
  };
}

function sharedMemory(): SharedMemory {
  return {
    targets: createSlotMemory(TARGETS_SLOT_LENGTH),
    joints: createSlotMemory(JOINTS_SLOT_LENGTH),
    poses: createSlotMemory(POSES_SLOT_LENGTH),
    arm: createSlotMemory(ARM_SLOT_LENGTH),
    // Plain counters, not a slot: see STOP_FLAG.
    stop: new SharedArrayBuffer(STOP_FLAG_LENGTH * Int32Array.BYTES_PER_ELEMENT),
  };
}

/** A neighbour that is itself dead needs no port: its own death is told elsewhere. */
function renewPort<Api>(neighbour: { readonly ok: true; readonly value: WorkerHandle<Api> } | { readonly ok: false }, name: string, port: MessagePort): void {
  if (neighbour.ok) neighbour.value.renewPort(name, port);
}

interface FanOut<Message> {
  listenOn(port: MessagePort): void;
  on(listener: (message: Message) => void): () => void;
}

function fanOut<Message>(): FanOut<Message> {
  const listeners = new Set<(message: Message) => void>();
  return {
    listenOn(port) {
      port.onmessage = (event: MessageEvent<Message>) => {
        for (const listener of listeners) listener(event.data);
      };
    },
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
