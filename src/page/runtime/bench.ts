/**
 * The benchmark's small house: a worker that computes, one that only keeps time, and the one that converts checkpoints.
 * No control worker, no cameras, no arm: what is measured here can move nothing.
 */
import type { BenchApi, MetronomeApi } from '#contracts/bench.ts';
import type { ConversionApi, LoadProgress } from '#contracts/inference.ts';
import { BENCH_DEADLINES, CONVERSION_DEADLINES, METRONOME_DEADLINES } from './deadlines.ts';
import { alone } from './episodes.ts';
import { startWorker } from './start.ts';
import { workerSlot, type WorkerSlot } from './worker-slot.ts';

export interface BenchHouse {
  /** `restart()` gives a worker without any policy, engine or device. */
  readonly bench: WorkerSlot<BenchApi>;
  readonly metronome: WorkerSlot<MetronomeApi>;
  readonly conversion: WorkerSlot<ConversionApi>;
}

export function openBenchHouse(baseUrl: string, onProgress: (progress: LoadProgress) => void): BenchHouse {
  return {
    bench: workerSlot<BenchApi>({
      deadlines: BENCH_DEADLINES,
      restart: 'automatic',
      start: () =>
        startWorker<BenchApi>({
          name: 'bench',
          spawn: () => new Worker(new URL('../../../workers/inference/bench/bench-entry.ts', import.meta.url), { type: 'module', name: 'bench' }),
          boot: alone(baseUrl, onProgress),
          deadlines: BENCH_DEADLINES,
        }),
    }),
    metronome: workerSlot<MetronomeApi>({
      deadlines: METRONOME_DEADLINES,
      restart: 'automatic',
      start: () =>
        startWorker<MetronomeApi>({
          name: 'metronome',
          spawn: () => new Worker(new URL('../../../workers/inference/bench/metronome-entry.ts', import.meta.url), { type: 'module', name: 'metronome' }),
          boot: alone(baseUrl, onProgress),
          deadlines: METRONOME_DEADLINES,
        }),
    }),
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
