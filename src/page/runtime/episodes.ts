/**
 * The episode worker, started: one thread that is a whole laboratory on a clock of its own (`workers/episode`). It
 * shares no memory and no port with the four workers of the house, so that an evaluation beside a live arm touches
 * nothing of it. Dead, it is started again: an episode is lost, never a count.
 *
 * Also the small house of the bare page (`?only=episodes`): this worker and the one that converts checkpoints, and
 * nothing that draws for people.
 */
import type { EpisodeApi } from '#contracts/episode-api.ts';
import type { ConversionApi, LoadProgress } from '#contracts/inference.ts';
import type { WorkerBoot } from '#contracts/worker.ts';
import { CONVERSION_DEADLINES, EPISODE_DEADLINES } from './deadlines.ts';
import { startWorker } from './start.ts';
import { workerSlot, type WorkerSlot } from './worker-slot.ts';

export function openEpisodeWorker(baseUrl: string, onProgress: (progress: LoadProgress) => void): WorkerSlot<EpisodeApi> {
  return workerSlot<EpisodeApi>({
    deadlines: EPISODE_DEADLINES,
    restart: 'automatic',
    start: () =>
      startWorker<EpisodeApi>({
        name: 'episode',
        spawn: () => new Worker(new URL('../../../workers/episode/entry.ts', import.meta.url), { type: 'module', name: 'episode' }),
        boot: alone(baseUrl, onProgress),
        deadlines: EPISODE_DEADLINES,
      }),
  });
}

export interface BareHouse {
  readonly episodes: WorkerSlot<EpisodeApi>;
  readonly conversion: WorkerSlot<ConversionApi>;
}

export function openBareHouse(baseUrl: string, onProgress: (progress: LoadProgress) => void): BareHouse {
  return {
    episodes: openEpisodeWorker(baseUrl, onProgress),
    conversion: workerSlot<ConversionApi>({
      deadlines: CONVERSION_DEADLINES,
      restart: 'automatic',
      start: () =>
        startWorker<ConversionApi>({
          name: 'conversion',
          spawn: () => new Worker(new URL('../../../workers/conversion/entry.ts', import.meta.url), { type: 'module', name: 'conversion' }),
          boot: alone(baseUrl, onProgress),
          deadlines: CONVERSION_DEADLINES,
        }),
    }),
  };
}

/** A boot message for a worker that shares nothing: the slots are there because the message has them, and are empty. */
export function alone(baseUrl: string, onProgress: (progress: LoadProgress) => void): Pick<WorkerBoot, 'memory' | 'ports' | 'baseUrl'> {
  const none = new SharedArrayBuffer(0);
  const told = new MessageChannel();
  told.port1.onmessage = (event: MessageEvent<LoadProgress>) => onProgress(event.data);
  return { memory: { targets: none, joints: none, poses: none, arm: none, stop: none }, ports: { progress: told.port2 }, baseUrl };
}
