/**
 * The newest frame of each real camera, for a recorder that wants one a row. The camera's own frames are copied and closed at once, and
 * every copy that is replaced is closed too. What comes before the camera is switched through shows nothing and is not handed out.
 */
import type { CameraCommand, CameraSilent } from '#contracts/camera.ts';
import type { Clock } from '#contracts/time.ts';
import { isUnlit } from '#core/camera/unlit.ts';
import { ownFrame } from './own-frame.ts';

export interface NewestFrame {
  /** Belongs to this file: clone it to keep it. */
  readonly frame: VideoFrame;
  readonly atMs: number;
  readonly sequence: number;
}

export interface Frames {
  /** Whether its stream is here. */
  bound(camera: string): boolean;
  newest(camera: string): NewestFrame | null;
  /** To the page that opened it. */
  tellSilent(camera: string): void;
}

interface Slot {
  readonly stream: ReadableStreamDefaultReader<VideoFrame>;
  lit: boolean;
  newest: NewestFrame | null;
}

export function serveFrames(port: MessagePort, clock: Clock): Frames {
  const slots = new Map<string, Slot>();
  const drop = (camera: string): void => {
    const slot = slots.get(camera);
    slots.delete(camera);
    slot?.newest?.frame.close();
    void slot?.stream.cancel().catch(() => undefined);
  };
  const pump = async (camera: string, slot: Slot): Promise<void> => {
    for (let sequence = 1; ; sequence++) {
      const { done, value } = await slot.stream.read().catch(() => ({ done: true, value: undefined }) as const);
      if (done || value === undefined || slots.get(camera) !== slot) {
        value?.close();
        if (slots.get(camera) === slot) drop(camera);
        return;
      }
      const atMs = clock.nowMs();
      const frame = await ownFrame(value).catch(() => null);
      value.close();
      // One that cannot be read is none: the recorder says when a camera has not sent a picture for too long.
      if (frame === null) continue;
      slot.lit ||= !(await isUnlit(frame));
      if (slots.get(camera) !== slot) {
        frame.close();
        return;
      }
      slot.newest?.frame.close();
      slot.newest = { frame, atMs, sequence };
    }
  };
  port.onmessage = (event: MessageEvent<CameraCommand>) => {
    const command = event.data;
    drop(command.camera);
    if (command.kind !== 'bind') return;
    const slot: Slot = { stream: command.stream.getReader(), lit: false, newest: null };
    slots.set(command.camera, slot);
    void pump(command.camera, slot);
  };
  return {
    bound: (camera) => slots.has(camera),
    newest(camera) {
      const slot = slots.get(camera);
      return slot?.lit === true ? slot.newest : null;
    },
    tellSilent: (camera) => port.postMessage({ kind: 'silent', camera } satisfies CameraSilent),
  };
}
