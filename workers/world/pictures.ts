/**
 * Picture requests from inference and page, drawn between two batches of physics and read while physics goes on: all
 * pictures of one request show the same instant. Knows request and answer; drawing is `core/world/cameras.ts`.
 *
 * A camera that fails (no WebGL, a lost context) answers every request with its failure; the world goes on without it.
 */
import type { CameraPicture } from '#contracts/picture.ts';
import type { Failure } from '#contracts/failure.ts';
import type { SceneDescription } from '#contracts/scene.ts';
import type { PictureReply, PictureRequest } from '#contracts/world.ts';
import type { Clock } from '#contracts/time.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import type { CameraRenderer } from '#core/world/cameras.ts';

/**
 * A fiftieth of a millimetre, or 40 microradians: a thirtieth of a pixel of a preview. A resting arm trembles by less (solver and
 * friction), and drawing what nobody could tell apart took a quarter of a core on a software GPU.
 */
const LEAST_CHANGE = 2e-5;
/** More cameras in one request than any policy has. */
const MOST_CAMERAS = 8;

export interface PicturePort {
  postMessage(reply: PictureReply, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<PictureRequest>) => void) | null;
  close(): void;
}

export interface Pictures {
  setScene(description: SceneDescription): void;
  /** Answers on this port from now on. A port of the same name before it is closed. */
  serve(name: string, port: PicturePort): void;
  answer(request: PictureRequest): Promise<PictureReply>;
  /** Median milliseconds by camera. */
  cameraMs(): Readonly<Record<string, number>>;
  /** Why there are no pictures, or null. */
  failure(): Failure | null;
  close(): void;
}

/** `open` makes the renderer, once, for the first scene; what it throws is every picture's answer from then on. */
export function createPictures(clock: Clock, poses: () => Float64Array, open: (description: SceneDescription) => CameraRenderer): Pictures {
  const ports = new Map<string, PicturePort>();
  const sequences = new Map<string, number>();
  let renderer: { readonly kind: 'none' } | { readonly kind: 'open'; readonly it: CameraRenderer } | { readonly kind: 'failed'; readonly failure: Failure } = { kind: 'none' };

  let scenes = 0;
  /** What a port was sent last: the poses, and which cameras of which scene. */
  interface Sent {
    readonly poses: Float64Array;
    readonly of: string;
  }
  const showing = (request: PictureRequest): string => JSON.stringify([scenes, request.cameras]);
  const isSame = (sent: Sent | null, request: PictureRequest): boolean => {
    if (sent === null || renderer.kind !== 'open' || renderer.it.isLost() || sent.of !== showing(request)) return false;
    return poses().every((value, i) => Math.abs(value - sent.poses[i]) < LEAST_CHANGE);
  };
  const draw = async (request: PictureRequest): Promise<readonly CameraPicture[]> => {
    if (renderer.kind === 'none') throw new FailureError('world/physics', { message: 'no scene yet' });
    if (renderer.kind === 'failed') throw new FailureError(renderer.failure.code, renderer.failure.facts);
    const { it } = renderer;
    if (request.cameras.length > MOST_CAMERAS) throw new FailureError('control/out-of-range', { what: 'cameras', found: request.cameras.length, least: 1, most: MOST_CAMERAS });
    const instant = poses();
    const capturedAtMs = clock.nowMs();
    // All are drawn before the first is awaited, so that no step of physics comes between them.
    const taking = request.cameras.map(async ({ key, width, height }) => {
      const sequence = (sequences.get(key) ?? 0) + 1;
      sequences.set(key, sequence);
      return { camera: key, picture: await it.capture(key, width, height, instant), capturedAtMs, sequence };
    });
    return Promise.all(taking);
  };
  const answer = async (request: PictureRequest): Promise<PictureReply> => {
    try {
      return { id: request.id, kind: 'pictures', pictures: await draw(request) };
    } catch (thrown) {
      return { id: request.id, kind: 'failed', failure: asFailure(thrown) };
    }
  };

  return {
    setScene(description) {
      scenes++;
      if (renderer.kind === 'open') {
        renderer.it.setScene(description);
        return;
      }
      try {
        renderer = { kind: 'open', it: open(description) };
      } catch (thrown) {
        renderer = { kind: 'failed', failure: asFailure(thrown) };
      }
    },
    serve(name, port) {
      ports.get(name)?.close();
      ports.set(name, port);
      let sent: Sent | null = null;
      const reply = async (request: PictureRequest): Promise<void> => {
        if (request.want === 'changed' && isSame(sent, request)) {
          port.postMessage({ id: request.id, kind: 'same', capturedAtMs: clock.nowMs() }, []);
          return;
        }
        const now: Sent = { poses: poses().slice(), of: showing(request) };
        const pictures = await answer(request);
        sent = pictures.kind === 'pictures' ? now : null;
        // Each picture's bytes are its own array, so they are moved, not copied.
        const moved = pictures.kind === 'pictures' ? pictures.pictures.map(({ picture }) => picture.data.buffer as ArrayBuffer) : [];
        port.postMessage(pictures, moved);
      };
      port.onmessage = (event) => void reply(event.data);
    },
    answer,
    cameraMs: () => (renderer.kind === 'open' ? renderer.it.pictureMs() : {}),
    failure() {
      if (renderer.kind === 'failed') return renderer.failure;
      return renderer.kind === 'open' && renderer.it.isLost() ? { code: 'world/context-lost', facts: { camera: 'all' } } : null;
    },
    close() {
      for (const port of ports.values()) port.close();
      if (renderer.kind === 'open') renderer.it.dispose();
      renderer = { kind: 'none' };
    },
  };
}
