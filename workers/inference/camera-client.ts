/**
 * Pictures pulled from the world, when a chunk wants them. Knows the request and the answer on the `cameras` port and
 * how long to wait; refuses to know what is in a picture. It never waits for ever: a world that is dead or stuck is a
 * failed camera.
 */
import type { CameraPicture } from '#contracts/picture.ts';
import type { PictureReply, PictureRequest } from '#contracts/world.ts';
import { FailureError } from '#core/lib/failure.ts';
import { withDeadline } from '#core/lib/deadline.ts';
import { unreachable } from '#core/lib/never.ts';

/** Two pictures of 640 x 480 cost a software renderer about 80 ms; a first one compiles its shaders. */
const ANSWER_LIMIT_MS = 5000;

export interface PicturePort {
  postMessage(request: PictureRequest): void;
  onmessage: ((event: MessageEvent<PictureReply>) => void) | null;
}

export interface CameraClient {
  /** All of one instant, in the order asked for. Rejects with what the world says, or `observation/camera-failed`. */
  pictures(cameras: PictureRequest['cameras']): Promise<readonly CameraPicture[]>;
}

export function cameraClient(port: PicturePort, limitMs: number = ANSWER_LIMIT_MS): CameraClient {
  let nextId = 1;
  const waiting = new Map<number, (reply: PictureReply) => void>();
  port.onmessage = (event) => {
    waiting.get(event.data.id)?.(event.data);
    waiting.delete(event.data.id);
  };
  return {
    async pictures(cameras) {
      const id = nextId++;
      const answer = new Promise<PictureReply>((resolve) => waiting.set(id, resolve));
      port.postMessage({ id, cameras, want: 'always' });
      const names = cameras.map((camera) => camera.key).join(', ');
      const reply = await withDeadline(answer, limitMs, () => new FailureError('observation/camera-failed', { camera: names, reason: `no picture in ${limitMs} ms` })).finally(() => waiting.delete(id));
      switch (reply.kind) {
        case 'pictures':
          return reply.pictures;
        case 'same':
          throw new FailureError('observation/camera-failed', { camera: names, reason: 'the world sent no picture' });
        case 'failed':
          throw new FailureError(reply.failure.code, reply.failure.facts);
        default:
          return unreachable(reply);
      }
    },
  };
}
