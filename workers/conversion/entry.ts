/** The conversion worker: wires the model store and the recipes together and starts serving. */
import type { LoadProgress } from '#contracts/inference.ts';
import { opfsStore } from '#core/conversion/opfs-store.ts';
import { systemClock } from '#core/lib/clock.ts';
import { FailureError } from '#core/lib/failure.ts';
import { anyFamilyRecipe } from '#core/policy/family.ts';
import { serveWorker } from '#workers/shared/serve.ts';
import { ConversionService } from './service.ts';

serveWorker({
  name: 'conversion',
  start: async ({ ports, baseUrl }) => {
    const progress = ports['progress'];
    if (progress === undefined) throw new FailureError('internal', { message: 'booted without the port progress' });
    const onProgress = (step: LoadProgress): void => progress.postMessage(step);
    return new ConversionService({ baseUrl, store: opfsStore(), recipe: anyFamilyRecipe, onProgress, clock: systemClock() });
  },
});
