/** The recording worker's first line: puts the parts together. Nothing is drawn and no encoder opened until it is needed. */
import type { TickReport } from '#contracts/control.ts';
import { systemClock } from '#core/lib/clock.ts';
import { FailureError } from '#core/lib/failure.ts';
import { createCameraRenderer } from '#core/world/cameras.ts';
import { serveWorker } from '#workers/shared/serve.ts';
import { episodeStore } from './episode-store.ts';
import { serveFrames } from './frames.ts';
import { RecordingService } from './service.ts';

serveWorker({
  name: 'recording',
  start: async (boot) => {
    const clock = systemClock();
    const port = boot.ports['real-cameras'];
    if (port === undefined) throw new FailureError('internal', { message: 'booted without the port real-cameras' });
    const service = new RecordingService({
      clock,
      store: await episodeStore(),
      memory: boot.memory,
      frames: serveFrames(port, clock),
      openRenderer: (description) => createCameraRenderer({ description, canvas: new OffscreenCanvas(256, 256) }),
      async room() {
        const { usage = 0, quota = 0 } = await navigator.storage.estimate();
        return { usedBytes: usage, freeBytes: Math.max(0, quota - usage) };
      },
    });
    const ticks = boot.ports['ticks'];
    if (ticks !== undefined) ticks.onmessage = (event: MessageEvent<readonly TickReport[]>) => service.ticks(event.data);
    return service;
  },
});
