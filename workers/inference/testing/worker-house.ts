/**
 * The inference worker as the page starts it, with the test standing where its neighbours stand: the control worker (arm
 * slot and questions), the world (pictures) and the page (calls and progress). The worker and everything in it is real.
 */
import { wrap, type Remote } from 'comlink';
import type { ControlToInference, InferenceToControl } from '#contracts/control.ts';
import type { InferenceApi, LoadProgress } from '#contracts/inference.ts';
import { ARM_SLOT, ARM_SLOT_LENGTH } from '#contracts/slots.ts';
import type { WorkerBoot, WorkerBooted } from '#contracts/worker.ts';
import type { PictureReply, PictureRequest } from '#contracts/world.ts';
import { httpFiles } from '#core/conversion/http-files.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { opfsStore } from '#core/conversion/opfs-store.ts';
import { createSlotMemory, slotWriter } from '#core/lib/shared-slot.ts';
import { anyFamilyRecipe } from '#core/policy/family.ts';

export interface WorkerHouse {
  readonly booted: WorkerBooted;
  readonly api: Remote<InferenceApi>;
  readonly progress: LoadProgress[];
  readonly answers: InferenceToControl[];
  /** Everything the worker itself posted besides its answer to `boot`. */
  readonly strays: unknown[];
  ask(question: ControlToInference): void;
  /** Publishes a fresh reading of the joints, radians. */
  setJoints(radians: readonly number[]): void;
  /** Grey of every pixel from now on, or a world that does not answer. */
  setWorld(world: number | 'silent'): void;
  /** Waits for the answer number `count`, at most a minute. */
  answer(count: number): Promise<InferenceToControl>;
  terminate(): void;
}

/** Converts the shipped pocket policy into the store that the worker reads. */
export async function storePocket(storedName: string): Promise<void> {
  const files = httpFiles('policies/pocket', new URL('/policies/pocket/', location.href).href);
  await convertIntoStore({ files, recipe: anyFamilyRecipe, precision: 'f32', store: opfsStore(), name: storedName });
}

export async function startInference(): Promise<WorkerHouse> {
  const api = new MessageChannel();
  const control = new MessageChannel();
  const cameras = new MessageChannel();
  const told = new MessageChannel();
  const unused = new SharedArrayBuffer(8);
  const arm = createSlotMemory(ARM_SLOT_LENGTH);
  const writer = slotWriter(arm);
  const progress: LoadProgress[] = [];
  const answers: InferenceToControl[] = [];
  const strays: unknown[] = [];
  let world: number | 'silent' = 90;
  let sequence = 0;

  told.port1.onmessage = (event: MessageEvent<LoadProgress>) => progress.push(event.data);
  const real = new MessageChannel();
  control.port1.onmessage = (event: MessageEvent<InferenceToControl>) => answers.push(event.data);
  cameras.port1.onmessage = (event: MessageEvent<PictureRequest>) => {
    if (world === 'silent') return;
    const grey = world;
    sequence++;
    const capturedAtMs = performance.timeOrigin + performance.now();
    const reply: PictureReply = {
      id: event.data.id,
      kind: 'pictures',
      pictures: event.data.cameras.map(({ key, width, height }) => ({ camera: key, picture: { width, height, channels: 4, data: checkerboard(width, height, grey) }, capturedAtMs, sequence })),
    };
    cameras.port1.postMessage(reply);
  };

  const worker = new Worker(new URL('../entry.ts', import.meta.url), { type: 'module', name: 'inference' });
  const booted = await new Promise<WorkerBooted>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = (event: MessageEvent<WorkerBooted>) => resolve(event.data);
    const boot: WorkerBoot = {
      kind: 'boot',
      memory: { targets: unused, joints: unused, poses: unused, arm, stop: unused },
      api: api.port2,
      ports: { control: control.port2, cameras: cameras.port2, progress: told.port2, 'real-cameras': real.port2 },
      aliveLock: `inference-test-${crypto.randomUUID()}`,
      baseUrl: new URL('/', location.href).href,
    };
    worker.postMessage(boot, [api.port2, control.port2, cameras.port2, told.port2, real.port2]);
  });
  worker.onmessage = (event: MessageEvent<unknown>) => strays.push(event.data);

  return {
    booted,
    api: wrap<InferenceApi>(api.port1),
    progress,
    answers,
    strays,
    ask: (question) => control.port1.postMessage(question),
    setJoints(radians) {
      const record = new Float64Array(ARM_SLOT_LENGTH);
      record.set(radians, ARM_SLOT.measured.at);
      record[ARM_SLOT.readingAtMs.at] = performance.timeOrigin + performance.now();
      record[ARM_SLOT.readingKind.at] = 1;
      writer.write(record);
    },
    setWorld: (next) => {
      world = next;
    },
    async answer(count) {
      const started = performance.now();
      while (answers.length < count) {
        if (performance.now() - started > 60_000) throw new Error(`${answers.length} answers of ${count} after a minute`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return answers[count - 1] as InferenceToControl;
    },
    terminate: () => worker.terminate(),
  };
}

/** Squares of 8 pixels, so that a picture has edges for a vision tower to see. */
function checkerboard(width: number, height: number, grey: number): Uint8Array {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.fill(((x >> 3) + (y >> 3)) % 2 === 0 ? grey : 255 - grey, 4 * (y * width + x), 4 * (y * width + x) + 4);
  return data;
}
