/**
 * Which camera stands in which place. A place is named as the policy names it; in it stands the simulated camera of that name
 * until a person puts a real one there. A real camera that goes away leaves its place taken and empty: nothing else is ever
 * shown or handed on as it. When the same device comes back, it is taken back.
 *
 * Frames never come here. The session moves their streams to the workers and hears how they are doing.
 */
import type { CameraHealth, CameraOccasion } from '#contracts/camera.ts';
import type { Failure } from '#contracts/failure.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import { tidyMemory } from '#page/runtime/tidy-memory.ts';
import { listCameras, onCamerasChanged, openCamera, type CameraControl, type CameraControlName, type CameraDevice, type CameraFlow, type OpenCamera } from '#page/runtime/real-cameras.ts';
import type { SessionContext } from './context.ts';
import { silentCameras, type Remedy } from './silent-camera.ts';

export type { CameraControl, CameraDevice };

export type CameraPlace =
  | { readonly kind: 'opening'; readonly device: CameraDevice | null }
  /** `rateHz` null: fewer than two reports of its frames so far. */
  | { readonly kind: 'live'; readonly device: CameraDevice; readonly width: number; readonly height: number; readonly newestAtMs: number | null; readonly rateHz: number | null; readonly controls: readonly CameraControl[] }
  | { readonly kind: 'gone'; readonly device: CameraDevice }
  | { readonly kind: 'failed'; readonly device: CameraDevice | null; readonly failure: Failure };

export interface CamerasState {
  readonly devices: readonly CameraDevice[];
  /** By place; a place that is absent is simulated. */
  readonly places: Readonly<Record<string, CameraPlace>>;
}

export interface CameraVerbs {
  /** A real camera into this place; null lets the browser pick. Rejects with `camera/...`. */
  useCamera(place: string, device: CameraDevice | null): Promise<void>;
  useSimulated(place: string): void;
  /** For a `<video>`; null while the place has no live camera. */
  cameraStream(place: string): MediaStream | null;
  /** Its frames once more, for a recorder. Null while there is none. */
  cameraFrames(place: string): CameraFlow | null;
  setCameraControl(place: string, name: CameraControlName, value: string | number): Promise<void>;
}

export function cameraVerbs(context: SessionContext): CameraVerbs {
  const { house, stores } = context;
  const open = new Map<string, OpenCamera>();
  /** What the inference worker takes of each. */
  const flows = new Map<string, CameraFlow>();
  const lastHealth = new Map<string, CameraHealth>();
  const silent = silentCameras();
  let requests = 0;
  const newest = new Map<string, number>();

  const set = (place: string, state: CameraPlace | null): void => {
    const { [place]: _old, ...others } = stores.cameras.getState().places;
    stores.cameras.setState({ places: state === null ? others : { ...others, [place]: state } });
  };
  const refresh = async (): Promise<void> => {
    const devices = await listCameras().catch(() => []);
    stores.cameras.setState({ devices });
    for (const [place, state] of Object.entries(stores.cameras.getState().places)) {
      // The device of the person's own choice is back: nothing new is decided here.
      if (state.kind === 'gone' && devices.some(({ id }) => id === state.device.id)) use(place, state.device, 'again').catch(() => undefined);
    }
  };
  const bind = (place: string, camera: OpenCamera, occasion: CameraOccasion): void => {
    flows.get(place)?.end();
    const flow = camera.frames();
    flows.set(place, flow);
    house.sendCamera({ kind: 'bind', camera: place, device: camera.device.label, occasion, stream: flow.stream }, [flow.stream]);
  };
  const shut = (place: string): void => {
    open.get(place)?.close();
    open.delete(place);
    flows.delete(place);
    lastHealth.delete(place);
    silent.forget(place);
  };

  const help = async (place: string, remedy: Remedy): Promise<void> => {
    if (remedy === 'none') return;
    const camera = open.get(place);
    await tidyMemory();
    if (remedy !== 'tidy' && camera !== undefined && open.get(place) === camera && silent.stillSilent(place)) bind(place, camera, 'again');
  };

  const use = async (place: string, device: CameraDevice | null, occasion: CameraOccasion): Promise<void> => {
    const request = ++requests;
    newest.set(place, request);
    shut(place);
    set(place, { kind: 'opening', device });
    // Until it is there the place is taken: a policy must not see the simulated table meanwhile.
    house.sendCamera({ kind: 'lost', camera: place, device: device?.label ?? 'a camera' }, []);
    try {
      const camera = await openCamera(device);
      if (newest.get(place) !== request) return camera.close();
      const elsewhere = [...open].find(([, other]) => other.device.id === camera.device.id);
      open.set(place, camera);
      camera.onGone(() => {
        if (open.get(place) !== camera) return;
        shut(place);
        house.sendCamera({ kind: 'lost', camera: place, device: camera.device.label }, []);
        set(place, { kind: 'gone', device: camera.device });
        context.report({ code: 'observation/camera-unplugged', facts: { camera: place, device: camera.device.label } });
      });
      bind(place, camera, occasion);
      set(place, { kind: 'live', device: camera.device, width: camera.width, height: camera.height, newestAtMs: null, rateHz: null, controls: camera.controls() });
      // One camera shows one view: where it was before, it is no longer.
      if (elsewhere !== undefined) useSimulated(elsewhere[0]);
      context.failures.clear(['observation/camera-unplugged', 'camera/busy', 'camera/not-found', 'camera/refused']);
      void refresh();
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (newest.get(place) === request) {
        set(place, { kind: 'failed', device, failure });
        context.report(failure);
      }
      throw new FailureError(failure.code, failure.facts);
    }
  };
  const useSimulated = (place: string): void => {
    newest.set(place, ++requests);
    shut(place);
    house.sendCamera({ kind: 'unbind', camera: place }, []);
    set(place, null);
    context.failures.clear(['observation/camera-unplugged']);
  };

  house.onCameraHealth((all) => {
    for (const health of all) {
      const state = stores.cameras.getState().places[health.camera];
      if (state?.kind !== 'live') continue;
      // That it is told of says that the worker has the stream.
      flows.get(health.camera)?.open();
      const before = lastHealth.get(health.camera);
      void help(health.camera, silent.told(health.camera, health.frames, health.toldAtMs));
      lastHealth.set(health.camera, health);
      const seconds = before === undefined ? 0 : (health.toldAtMs - before.toldAtMs) / 1000;
      const rate = before === undefined || seconds <= 0 || health.frames < before.frames ? null : (health.frames - before.frames) / seconds;
      const rateHz = rate === null ? state.rateHz : state.rateHz === null ? rate : 0.8 * state.rateHz + 0.2 * rate;
      set(health.camera, { ...state, newestAtMs: health.newestAtMs, rateHz, ...(health.width > 0 ? { width: health.width, height: health.height } : {}) });
    }
  });
  // An inference worker that was started again knows of no camera.
  house.inference.onState((worker) => {
    if (worker.kind !== 'alive' || worker.attempt === 1) return;
    for (const [place, camera] of open) bind(place, camera, 'again');
  });
  onCamerasChanged(() => void refresh());
  void refresh();

  return {
    useCamera: (place, device) => use(place, device, 'chosen'),
    useSimulated,
    cameraStream: (place) => open.get(place)?.stream ?? null,
    cameraFrames: (place) => open.get(place)?.frames() ?? null,
    async setCameraControl(place, name, value) {
      const camera = open.get(place);
      if (camera === undefined) return;
      await camera.set(name, value);
      const state = stores.cameras.getState().places[place];
      if (state?.kind === 'live') set(place, { ...state, controls: camera.controls() });
    },
  };
}
