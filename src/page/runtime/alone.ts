/**
 * Workers that share no memory with any other and have no port but the one that tells how far they are: the ones beside the
 * four of the house. Dead, they are started again, empty.
 */
import type { ConversionApi, LoadProgress } from '#contracts/inference.ts';
import type { WorkerBoot } from '#contracts/worker.ts';
import { CONVERSION_DEADLINES } from './deadlines.ts';
import { startWorker } from './start.ts';
import { workerSlot, type WorkerSlot } from './worker-slot.ts';

type StartOptions<Api extends object> = Parameters<typeof startWorker<Api>>[0];

/** What such a worker is told: where the page lies, and whom to tell how far it is. */
export interface Surroundings {
  readonly baseUrl: string;
  readonly onProgress: (progress: LoadProgress) => void;
}

export function aloneWorker<Api extends object>(worker: Pick<StartOptions<Api>, 'name' | 'spawn' | 'deadlines'>, surroundings: Surroundings): WorkerSlot<Api> {
  return workerSlot<Api>({
    deadlines: worker.deadlines,
    restart: 'automatic',
    start: () => startWorker<Api>({ ...worker, boot: bootOf(surroundings) }),
  });
}

export function aloneConversion(surroundings: Surroundings): WorkerSlot<ConversionApi> {
  return aloneWorker<ConversionApi>(
    {
      name: 'conversion',
      spawn: () => new Worker(new URL('../../../workers/conversion/entry.ts', import.meta.url), { type: 'module', name: 'conversion' }),
      deadlines: CONVERSION_DEADLINES,
    },
    surroundings,
  );
}

/** A boot message for a worker that shares nothing: the slots are there because the message has them, and are empty. */
function bootOf({ baseUrl, onProgress }: Surroundings): Pick<WorkerBoot, 'memory' | 'ports' | 'baseUrl'> {
  const none = new SharedArrayBuffer(0);
  const told = new MessageChannel();
  told.port1.onmessage = (event: MessageEvent<LoadProgress>) => onProgress(event.data);
  return { memory: { targets: none, joints: none, poses: none, arm: none, stop: none }, ports: { progress: told.port2 }, baseUrl };
}
