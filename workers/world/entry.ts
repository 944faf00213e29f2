/** The world worker's first line: puts the parts together, shows the first scene, runs in real time. */
import { timerClock } from '#core/lib/clock.ts';
import { unwrap } from '#core/lib/failure.ts';
import { createCameraRenderer } from '#core/world/cameras.ts';
import { World } from '#core/world/world.ts';
import { serveWorker } from '#workers/shared/serve.ts';
import { createPictures } from './pictures.ts';
import { createRoom } from './room.ts';
import { FIRST_SCENE, WorldService } from './service.ts';

const CAMERA_PORTS = ['cameras-inference', 'cameras-page'] as const;

serveWorker({
  name: 'world',
  async start(boot, renewals) {
    const clock = timerClock();
    const room = createRoom(await World.open(), boot.memory, clock);
    const pictures = createPictures(
      clock,
      () => room.poses(),
      (description) => createCameraRenderer({ description, canvas: new OffscreenCanvas(256, 256) }),
    );
    const service = new WorldService({ room, pictures, clock });
    unwrap(await service.reset(FIRST_SCENE));
    unwrap(await service.setPace('real-time'));
    for (const name of CAMERA_PORTS) {
      const port = boot.ports[name];
      if (port !== undefined) pictures.serve(name, port);
      renewals.onRenewed(name, (renewed) => pictures.serve(name, renewed));
    }
    return service;
  },
});
