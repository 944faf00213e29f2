/** The benchmark's worker: the inference worker's own parts without arm, cameras and control, under a watched WebGPU and heap. */
import type { LoadProgress } from '#contracts/inference.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { opfsStore } from '#core/conversion/opfs-store.ts';
import { systemClock } from '#core/lib/clock.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { loadPolicy } from '#core/policy/family.ts';
import { serveWorker } from '#workers/shared/serve.ts';
import { openEngines } from '../engines.ts';
import { watchGpu } from './gpu-watch.ts';
import { watchHeap } from './heap-watch.ts';
import { BenchService } from './service.ts';

serveWorker({
  name: 'bench',
  start: async ({ ports }) => {
    const store = opfsStore();
    const onProgress = (step: LoadProgress): void => ports['progress']?.postMessage(step);
    return new BenchService({
      clock: systemClock(),
      watch: watchGpu(),
      heap: watchHeap(),
      engines: openEngines(onProgress),
      onProgress,
      openPack: (storedName) => store.open(storedName),
      loadPolicy,
      openTokenizer,
      letterbox,
    });
  },
});
