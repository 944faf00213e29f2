/**
 * Real cameras: the list of them, opening one, its controls, noticing that it went away. The only file that asks for a camera. It
 * hands out the camera's stream of frames whole, to be moved to a worker; no frame is ever taken out of it here.
 */
import { CAMERA_RATE, CAMERA_SIZE } from '#contracts/camera.ts';
import { FailureError } from '#core/lib/failure.ts';

export interface CameraDevice {
  readonly id: string;
  readonly label: string;
}

export const CAMERA_CONTROLS = ['exposureMode', 'exposureTime', 'focusMode', 'focusDistance'] as const;
export type CameraControlName = (typeof CAMERA_CONTROLS)[number];

export type CameraControl =
  | { readonly kind: 'choice'; readonly name: CameraControlName; readonly all: readonly string[]; readonly value: string }
  | { readonly kind: 'number'; readonly name: CameraControlName; readonly least: number; readonly most: number; readonly step: number; readonly value: number };

export interface OpenCamera {
  readonly device: CameraDevice;
  /** For a `<video>` to show: the browser draws it, no script sees a frame. */
  readonly stream: MediaStream;
  readonly width: number;
  readonly height: number;
  /** Its frames once more, for another taker. */
  frames(): CameraFlow;
  /** What the device lets itself be told; read anew each time. */
  controls(): readonly CameraControl[];
  set(name: CameraControlName, value: string | number): Promise<void>;
  /** Calls once, when the device ended by itself. */
  onGone(listener: () => void): void;
  close(): void;
}

/**
 * Frames for one taker, from a track of its own that shows nothing until it is told to. While a stream is moved a frame can be lost in it,
 * and counts as held until the page's memory is tidied (`tidy-memory.ts`); Chromium stops a camera at two that are held. So no frame of
 * the camera is in it meanwhile. That a black one of a track that is switched off comes is not to be relied on: in 8 of 40 moves on
 * a busy machine none came in two seconds.
 */
export interface CameraFlow {
  /** To be moved away. */
  readonly stream: ReadableStream<VideoFrame>;
  /** The taker has the stream: from here on its frames show what the camera sees. */
  open(): void;
  end(): void;
}

/** Chrome has it on the page only, the stream it gives can be moved to a worker. Not in TypeScript's list of the DOM yet. */
declare class MediaStreamTrackProcessor {
  constructor(options: { readonly track: MediaStreamTrack });
  readonly readable: ReadableStream<VideoFrame>;
}

interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly step?: number;
}

/** Labels are empty until a person has allowed a camera once. */
export async function listCameras(): Promise<readonly CameraDevice[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((device) => device.kind === 'videoinput').map((device, i) => ({ id: device.deviceId, label: device.label === '' ? `Camera ${i + 1}` : device.label }));
}

/** Calls after devices came or went. Returns how to stop listening. */
export function onCamerasChanged(listener: () => void): () => void {
  navigator.mediaDevices?.addEventListener('devicechange', listener);
  return () => navigator.mediaDevices?.removeEventListener('devicechange', listener);
}

/** `device` null: whichever the browser or the person picks. Rejects with `camera/...`. */
export async function openCamera(device: CameraDevice | null, size: { readonly width: number; readonly height: number } = CAMERA_SIZE): Promise<OpenCamera> {
  if (navigator.mediaDevices === undefined) throw new FailureError('camera/unsupported', { what: 'getUserMedia' });
  if (!('MediaStreamTrackProcessor' in globalThis)) throw new FailureError('camera/unsupported', { what: 'MediaStreamTrackProcessor' });
  const name = device?.label ?? 'a camera';
  const stream = await navigator.mediaDevices
    .getUserMedia({ video: { width: { ideal: size.width }, height: { ideal: size.height }, frameRate: { ideal: CAMERA_RATE }, ...(device === null || device.id === '' ? {} : { deviceId: { exact: device.id } }) }, audio: false })
    .catch((thrown: unknown): never => {
      throw failureOf(thrown, name);
    });
  const [track] = stream.getVideoTracks();
  if (track === undefined) throw new FailureError('camera/not-found', { device: name });
  const settings = track.getSettings();
  const flows = new Set<MediaStreamTrack>();
  const opened: CameraDevice = { id: settings.deviceId ?? '', label: track.label };
  return {
    device: opened,
    stream,
    width: settings.width ?? size.width,
    height: settings.height ?? size.height,
    frames() {
      const own = track.clone();
      own.enabled = false;
      flows.add(own);
      return {
        stream: new MediaStreamTrackProcessor({ track: own }).readable,
        open() {
          own.enabled = true;
        },
        end() {
          own.stop();
          flows.delete(own);
        },
      };
    },
    controls: () => controlsOf(track),
    async set(control, value) {
      // Exposure and focus values are ignored while their mode is automatic.
      const mode = control === 'exposureTime' ? { exposureMode: 'manual' } : control === 'focusDistance' ? { focusMode: 'manual' } : {};
      await track.applyConstraints({ advanced: [{ ...mode, [control]: value } as MediaTrackConstraintSet] });
    },
    onGone: (listener) => track.addEventListener('ended', listener, { once: true }),
    close: () => {
      for (const one of [...stream.getTracks(), ...flows]) one.stop();
    },
  };
}

function failureOf(thrown: unknown, device: string): FailureError {
  const name = thrown instanceof DOMException ? thrown.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return new FailureError('camera/refused');
    case 'NotReadableError':
    case 'AbortError':
      return new FailureError('camera/busy', { device });
    case 'NotFoundError':
    case 'OverconstrainedError':
      return new FailureError('camera/not-found', { device });
    default:
      return new FailureError('internal', { message: `getUserMedia: ${String(thrown)}` });
  }
}

function controlsOf(track: MediaStreamTrack): readonly CameraControl[] {
  const can = track.getCapabilities() as Readonly<Record<string, unknown>>;
  const is = track.getSettings() as Readonly<Record<string, unknown>>;
  return CAMERA_CONTROLS.flatMap((name): CameraControl[] => {
    const offered = can[name];
    const value = is[name];
    if (Array.isArray(offered) && offered.length > 1 && typeof value === 'string') return [{ kind: 'choice', name, all: offered.map(String), value }];
    if (isRange(offered) && offered.max > offered.min && typeof value === 'number') return [{ kind: 'number', name, least: offered.min, most: offered.max, step: offered.step ?? (offered.max - offered.min) / 100, value }];
    return [];
  });
}

function isRange(value: unknown): value is NumberRange {
  return typeof value === 'object' && value !== null && typeof (value as Partial<NumberRange>).min === 'number' && typeof (value as Partial<NumberRange>).max === 'number';
}
