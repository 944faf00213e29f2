import { expect, test } from 'vitest';
import type { CameraPicture } from '#contracts/picture.ts';
import type { PictureReply, PictureRequest } from '#contracts/world.ts';
import { cameraClient, type PicturePort } from './camera-client.ts';

const front = { key: 'observation.images.front', width: 2, height: 1 };

function picture(camera: string): CameraPicture {
  return { camera, picture: { width: 2, height: 1, channels: 4, data: new Uint8Array(8) }, capturedAtMs: 5, sequence: 1 };
}

/** A world that answers by `answer`, in a later task like a real port. */
function world(answer: (request: PictureRequest) => PictureReply | null): PicturePort {
  const port: PicturePort = {
    onmessage: null,
    postMessage: (request) =>
      void setTimeout(() => {
        const reply = answer(request);
        if (reply !== null) port.onmessage?.({ data: reply } as MessageEvent<PictureReply>);
      }, 0),
  };
  return port;
}

test('each answer reaches the one who asked', async () => {
  const client = cameraClient(world(({ id, cameras }) => ({ id, kind: 'pictures', pictures: cameras.map(({ key }) => picture(`${key} ${id}`)) })));
  const [first, second] = await Promise.all([client.pictures([front]), client.pictures([front])]);
  expect(first.map(({ camera }) => camera)).toEqual(['observation.images.front 1']);
  expect(second.map(({ camera }) => camera)).toEqual(['observation.images.front 2']);
});

test('the world\'s own failure is passed on, silence is a failed camera', async () => {
  const dark = cameraClient(world(({ id }) => ({ id, kind: 'failed', failure: { code: 'world/context-lost', facts: { camera: front.key } } })));
  await expect(dark.pictures([front])).rejects.toMatchObject({ failure: { code: 'world/context-lost', facts: { camera: front.key } } });
  const dead = cameraClient(world(() => null), 10);
  await expect(dead.pictures([front])).rejects.toMatchObject({ failure: { code: 'observation/camera-failed', facts: { camera: front.key, reason: 'no picture in 10 ms' } } });
});
