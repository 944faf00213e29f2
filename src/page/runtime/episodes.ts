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
import { aloneConversion, aloneWorker } from './alone.ts';
import { EPISODE_DEADLINES } from './deadlines.ts';
import type { WorkerSlot } from './worker-slot.ts';

export function openEpisodeWorker(baseUrl: string, onProgress: (progress: LoadProgress) => void): WorkerSlot<EpisodeApi> {
  return aloneWorker<EpisodeApi>(
    {
      name: 'episode',
      spawn: () => new Worker(new URL('../../../workers/episode/entry.ts', import.meta.url), { type: 'module', name: 'episode' }),
      deadlines: EPISODE_DEADLINES,
    },
    { baseUrl, onProgress },
  );
}

export interface BareHouse {
  readonly episodes: WorkerSlot<EpisodeApi>;
  readonly conversion: WorkerSlot<ConversionApi>;
}

export function openBareHouse(baseUrl: string, onProgress: (progress: LoadProgress) => void): BareHouse {
  return { episodes: openEpisodeWorker(baseUrl, onProgress), conversion: aloneConversion({ baseUrl, onProgress }) };
}
