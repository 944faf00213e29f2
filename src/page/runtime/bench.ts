/**
 * The benchmark's small house: a worker that computes, one that only keeps time, and the one that converts checkpoints.
 * No control worker, no cameras, no arm: what is measured here can move nothing.
 */
import type { BenchApi, MetronomeApi } from '#contracts/bench.ts';
import type { ConversionApi, LoadProgress } from '#contracts/inference.ts';
import { aloneConversion, aloneWorker } from './alone.ts';
import { BENCH_DEADLINES, METRONOME_DEADLINES } from './deadlines.ts';
import type { WorkerSlot } from './worker-slot.ts';

export interface BenchHouse {
  /** `restart()` gives a worker without any policy, engine or device. */
  readonly bench: WorkerSlot<BenchApi>;
  readonly metronome: WorkerSlot<MetronomeApi>;
  readonly conversion: WorkerSlot<ConversionApi>;
}

export function openBenchHouse(baseUrl: string, onProgress: (progress: LoadProgress) => void): BenchHouse {
  const surroundings = { baseUrl, onProgress };
  return {
    bench: aloneWorker<BenchApi>(
      {
        name: 'bench',
        spawn: () => new Worker(new URL('../../../workers/inference/bench/bench-entry.ts', import.meta.url), { type: 'module', name: 'bench' }),
        deadlines: BENCH_DEADLINES,
      },
      surroundings,
    ),
    metronome: aloneWorker<MetronomeApi>(
      {
        name: 'metronome',
        spawn: () => new Worker(new URL('../../../workers/inference/bench/metronome-entry.ts', import.meta.url), { type: 'module', name: 'metronome' }),
        deadlines: METRONOME_DEADLINES,
      },
      surroundings,
    ),
    conversion: aloneConversion(surroundings),
  };
}
