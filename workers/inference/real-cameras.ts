/**
 * Frames of real cameras, moved here whole from the page: one stream a camera, its newest frame kept, every one it replaces
 * closed. Turns a frame into RGB when a chunk wants it, and only then. Knows streams and frames; refuses to pass off an old
 * frame as a new one, or another camera as this one.
 *
 * A frame's time is when it came out of the stream: browsers do not say when the light was caught.
 */
import type { CameraCommand, CameraHealth } from '#contracts/camera.ts';
import type { CameraPicture } from '#contracts/picture.ts';
import type { Clock } from '#contracts/time.ts';
import { planesToRgb, type FramePlanes } from '#core/camera/planes.ts';
import { isUnlit } from '#core/camera/unlit.ts';
import { FailureError } from '#core/lib/failure.ts';
import { OBSERVATION_LIMITS } from '#core/observation/gather.ts';

/** As much of a VideoFrame as is used, so that a test can bring its own. */
export interface Frame {
  readonly format: string | null;
  readonly displayWidth: number;
  readonly displayHeight: number;
  readonly colorSpace: { readonly matrix?: string | null; readonly fullRange?: boolean | null };
  allocationSize(options?: { readonly format: 'RGBA' }): number;
  copyTo(destination: Uint8Array, options?: { readonly format: 'RGBA' }): Promise<readonly { readonly offset: number; readonly stride: number }[]>;
  clone(): Frame;
  close(): void;
}

export interface FrameSource {
  read(): Promise<{ readonly done: boolean; readonly value?: Frame | undefined }>;
  cancel(): void;
}

export interface RealCameras {
  bind(camera: string, device: string, source: FrameSource): void;
  unbind(camera: string): void;
  lose(camera: string, device: string): void;
  has(camera: string): boolean;
  /** The newest frame. Rejects with `observation/camera-unplugged`, `camera-stale` or `camera-failed`. */
  picture(camera: string): Promise<CameraPicture>;
  health(): readonly CameraHealth[];
}

interface Slot {
  readonly device: string;
  readonly source: FrameSource | null;
  state: 'bound' | 'lost';
  newest: { readonly frame: Frame; readonly atMs: number; readonly sequence: number } | null;
  /** Whether anybody has looked at the newest. */
  seen: boolean;
  frames: number;
  replaced: number;
}

export function realCameras(clock: Clock, limitMs: number = OBSERVATION_LIMITS.pictureAgeMs): RealCameras {
  const slots = new Map<string, Slot>();

  const drop = (camera: string): void => {
    const slot = slots.get(camera);
    if (slot === undefined) return;
    slots.delete(camera);
    slot.newest?.frame.close();
    slot.newest = null;
    slot.source?.cancel();
  };
  const lose = (slot: Slot): void => {
    slot.state = 'lost';
    slot.newest?.frame.close();
    slot.newest = null;
  };
  const pump = async (camera: string, slot: Slot, source: FrameSource): Promise<void> => {
    let lit = false;
    for (;;) {
      const { done, value } = await source.read().catch(() => ({ done: true, value: undefined }));
      if (slots.get(camera) !== slot) {
        value?.close();
        return;
      }
      if (done || value === undefined) return lose(slot);
      // What comes before the camera is switched through shows nothing. A frame that cannot be read is not judged here.
      lit ||= !(await isUnlit(value).catch(() => false));
      if (!lit || slots.get(camera) !== slot || slot.state === 'lost') {
        value.close();
        continue;
      }
      slot.newest?.frame.close();
      if (slot.newest !== null && !slot.seen) slot.replaced++;
      slot.seen = false;
      slot.frames++;
      slot.newest = { frame: value, atMs: clock.nowMs(), sequence: slot.frames };
    }
  };
  return {
    bind(camera, device, source) {
      drop(camera);
      const slot: Slot = { device, source, state: 'bound', newest: null, seen: false, frames: 0, replaced: 0 };
      slots.set(camera, slot);
      void pump(camera, slot, source);
    },
    unbind: drop,
    lose(camera, device) {
      const slot = slots.get(camera);
      if (slot !== undefined) lose(slot);
      // Known to the page before any frame came: the slot is taken all the same.
      else slots.set(camera, { device, source: null, state: 'lost', newest: null, seen: false, frames: 0, replaced: 0 });
    },
    has: (camera) => slots.has(camera),
    async picture(camera) {
      const slot = slots.get(camera);
      if (slot === undefined) throw new FailureError('observation/camera-missing', { camera, present: [...slots.keys()].join(', ') || 'none' });
      if (slot.state === 'lost') throw new FailureError('observation/camera-unplugged', { camera, device: slot.device });
      const { newest } = slot;
      if (newest === null) throw new FailureError('observation/camera-failed', { camera, reason: 'it has not sent a picture of anything yet' });
      const ageMs = clock.nowMs() - newest.atMs;
      if (ageMs > limitMs) throw new FailureError('observation/camera-stale', { camera, ageMs: Math.round(ageMs), limitMs });
      slot.seen = true;
      // Its own handle: the next frame may close the other one while this one is read.
      const frame = newest.frame.clone();
      try {
        return { camera, picture: planesToRgb(await planesOf(frame)), capturedAtMs: newest.atMs, sequence: newest.sequence, source: 'real' };
      } catch (thrown) {
        throw new FailureError('observation/camera-failed', { camera, reason: thrown instanceof Error ? thrown.message : String(thrown) });
      } finally {
        frame.close();
      }
    },
    health: () =>
      [...slots]
        .filter(([, slot]) => slot.state === 'bound')
        .map(([camera, { newest, frames, replaced }]) => ({
          camera,
          width: newest?.frame.displayWidth ?? 0,
          height: newest?.frame.displayHeight ?? 0,
          frames,
          replaced,
          newestAtMs: newest?.atMs ?? null,
          toldAtMs: clock.nowMs(),
        })),
  };
}

/** The frame's own planes where we can read them; a format we cannot is converted by the browser. */
async function planesOf(frame: Frame): Promise<FramePlanes> {
  const { format, displayWidth: width, displayHeight: height, colorSpace } = frame;
  const matrix = colorSpace.matrix === 'bt709' ? 'bt709' : 'bt601';
  const range = colorSpace.fullRange === true ? 'full' : 'limited';
  const known = ({ I420: 'I420', NV12: 'NV12', RGBA: 'RGBA', RGBX: 'RGBA', BGRA: 'BGRA', BGRX: 'BGRA' } as const)[format ?? ''];
  const options = known === undefined ? ({ format: 'RGBA' } as const) : undefined;
  const data = new Uint8Array(frame.allocationSize(options));
  const layout = await frame.copyTo(data, options);
  return { format: known ?? 'RGBA', width, height, data, layout, matrix, range };
}

/** Commands from the page, and how the cameras are doing back to it. `onChosen`: a person has said anew what stands in this place. */
export function serveCameraPort(port: MessagePort, cameras: RealCameras, onChosen: (camera: string) => void, everyMs = 250): void {
  let timer: ReturnType<typeof setInterval> | null = null;
  port.onmessage = (event: MessageEvent<CameraCommand>) => {
    const command = event.data;
    if (command.kind === 'unbind' || (command.kind === 'bind' && command.occasion === 'chosen')) onChosen(command.camera);
    if (command.kind === 'bind') {
      const reader = command.stream.getReader();
      cameras.bind(command.camera, command.device, { read: () => reader.read() as ReturnType<FrameSource['read']>, cancel: () => void reader.cancel().catch(() => undefined) });
    } else if (command.kind === 'unbind') cameras.unbind(command.camera);
    else cameras.lose(command.camera, command.device);
    const tell = (): void => port.postMessage(cameras.health());
    timer ??= setInterval(tell, everyMs);
  };
}
