/** The world worker as the page starts it: boots, runs in real time, answers both camera ports, steps in lockstep. */
import { afterEach, describe, expect, it } from 'vitest';
import { wrap, type Remote } from 'comlink';
import { ARM_SLOT_LENGTH, JOINTS_SLOT, JOINTS_SLOT_LENGTH, POSES_SLOT_LENGTH, STOP_FLAG_LENGTH, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import type { WorkerBoot, WorkerBooted } from '#contracts/worker.ts';
import type { PictureReply, PictureRequest, WorldApi } from '#contracts/world.ts';
import { unwrap } from '#core/lib/failure.ts';
import { createSlotMemory, slotReader } from '#core/lib/shared-slot.ts';
import { FRONT_CAMERA, WRIST_CAMERA } from '#core/scene/description.ts';

interface Started {
  readonly worker: Worker;
  readonly api: Remote<WorldApi>;
  readonly memory: WorkerBoot['memory'];
  readonly pages: MessagePort;
  readonly inference: MessagePort;
}

const workers: Worker[] = [];
afterEach(() => {
  for (const worker of workers.splice(0)) worker.terminate();
});

async function start(): Promise<Started> {
  const worker = new Worker(new URL('./entry.ts', import.meta.url), { type: 'module', name: 'world' });
  workers.push(worker);
  const memory = {
    targets: createSlotMemory(TARGETS_SLOT_LENGTH),
    joints: createSlotMemory(JOINTS_SLOT_LENGTH),
    poses: createSlotMemory(POSES_SLOT_LENGTH),
    arm: createSlotMemory(ARM_SLOT_LENGTH),
    stop: new SharedArrayBuffer(4 * STOP_FLAG_LENGTH),
  };
  const api = new MessageChannel();
  const pages = new MessageChannel();
  const inference = new MessageChannel();
  const ports = { 'cameras-page': pages.port2, 'cameras-inference': inference.port2 };
  const boot: WorkerBoot = { kind: 'boot', memory, api: api.port2, ports, baseUrl: '/', aliveLock: crypto.randomUUID() };
  const booted = new Promise<WorkerBooted>((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<WorkerBooted>) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage(boot, [api.port2, pages.port2, inference.port2]);
  expect(await booted).toEqual({ kind: 'booted' });
  return { worker, api: wrap<WorldApi>(api.port1), memory, pages: pages.port1, inference: inference.port1 };
}

function ask(port: MessagePort, request: PictureRequest): Promise<PictureReply> {
  return new Promise((resolve) => {
    port.onmessage = (event: MessageEvent<PictureReply>) => resolve(event.data);
    port.postMessage(request);
  });
}

async function pictures(port: MessagePort, size = { width: 128, height: 96 }): Promise<Extract<PictureReply, { kind: 'pictures' }>['pictures']> {
  const reply = await ask(port, { id: 7, cameras: [FRONT_CAMERA, WRIST_CAMERA].map((key) => ({ key, ...size })), want: 'always' });
  if (reply.kind !== 'pictures') throw new Error(JSON.stringify(reply));
  return reply.pictures;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('the world worker', () => {
  it('boots into real time with the arm standing still, and says how fast it is', async () => {
    const { api, memory } = await start();
    const record = new Float64Array(JOINTS_SLOT_LENGTH);
    const reader = slotReader(memory.joints);
    expect(reader.read(record)).toBe(true);
    const first = Array.from(record);
    await pause(2500);
    reader.read(record);
    expect(record[JOINTS_SLOT.simSeconds.at]).toBeGreaterThan((first[JOINTS_SLOT.simSeconds.at] ?? 0) + 0.5);
    for (let i = 0; i < 6; i++) expect(Math.abs((record[i] ?? NaN) - (first[i] ?? NaN))).toBeLessThan(0.01);
    const status = unwrap(await api.status());
    console.log(`real-time factor ${status.realTimeFactor?.toFixed(3)}`);
    expect(status.pace).toBe('real-time');
    expect(status.failure).toBeNull();
    expect(status.realTimeFactor).toBeGreaterThan(0.2);
  });

  it('answers both camera ports with moving, counted, dated pictures', async () => {
    const { api, pages, inference } = await start();
    const first = await pictures(pages);
    expect(first.map((p) => p.camera)).toEqual([FRONT_CAMERA, WRIST_CAMERA]);
    for (const { picture } of first) {
      expect(picture.data.length).toBe(128 * 96 * 4);
      // Not one flat colour: at least 20 different pixels among the first two channels.
      const seen = new Set<number>();
      for (let i = 0; i < picture.data.length; i += 4) seen.add((picture.data[i] ?? 0) * 256 + (picture.data[i + 1] ?? 0));
      expect(seen.size).toBeGreaterThan(20);
    }
    expect(first[0]?.capturedAtMs).toBe(first[1]?.capturedAtMs);
    expect(Math.abs((first[0]?.capturedAtMs ?? 0) - (performance.timeOrigin + performance.now()))).toBeLessThan(20_000);
    const second = await pictures(inference);
    expect(second[0]?.sequence).toBe((first[0]?.sequence ?? 0) + 1);
    const status = unwrap(await api.status());
    console.log(`camera milliseconds ${JSON.stringify(status.cameraMs)}`);
    expect(status.cameraMs[FRONT_CAMERA]).toBeGreaterThan(0);
  });

  it('draws nothing for people while nothing changes, and a policy gets its picture all the same', async () => {
    const { api, pages, inference } = await start();
    const look = async (port: MessagePort, { want = 'changed', width = 96 }: { readonly want?: PictureRequest['want']; readonly width?: number } = {}): Promise<PictureReply['kind']> =>
      (await ask(port, { id: 3, cameras: [{ key: FRONT_CAMERA, width, height: 96 }], want })).kind;
    // The arm sinks a little into its motors' grip at first; from then on it trembles by less than can be seen.
    await pause(1500);
    expect(await look(pages), 'nothing was sent yet').toBe('pictures');
    await pause(500);
    expect(await look(pages)).toBe('same');
    expect(await look(inference, { want: 'always' })).toBe('pictures');
    expect(await look(pages), "another port's picture is no business of this one").toBe('same');
    expect(await look(pages, { width: 128 }), 'another size').toBe('pictures');
    expect(await look(pages, { width: 128 })).toBe('same');
    unwrap(await api.setLightLevel(0.5));
    expect(await look(pages, { width: 128 }), 'another light').toBe('pictures');
    expect(await look(pages, { width: 128 })).toBe('same');
    unwrap(await api.reset({ task: '', seed: 9 }));
    expect(await look(pages, { width: 128 }), 'another table').toBe('pictures');
  });

  it('same seed, same pixels and joints in lockstep; lights off changes pixels and hash', async () => {
    const { api, pages } = await start();
    unwrap(await api.setPace('paused'));
    const run = async (): Promise<{ hash: string; positions: readonly number[]; pixels: readonly (readonly number[])[] }> => {
      const { hash } = unwrap(await api.reset({ task: '', seed: 3 }));
      const { positions } = unwrap(await api.step(500));
      return { hash, positions, pixels: (await pictures(pages)).map((p) => Array.from(p.picture.data)) };
    };
    const first = await run();
    expect(await run()).toEqual(first);
    const dark = unwrap(await api.setLightLevel(0));
    expect(dark.hash).not.toBe(first.hash);
    expect((await pictures(pages)).map((p) => Array.from(p.picture.data))).not.toEqual(first.pixels);
  });

  it('answers a camera that does not exist with its name, and the next request all the same', async () => {
    const { pages } = await start();
    const reply = await ask(pages, { id: 9, cameras: [{ key: 'observation.images.ceiling', width: 32, height: 32 }], want: 'always' });
    expect(reply).toMatchObject({ id: 9, kind: 'failed', failure: { code: 'observation/camera-missing' } });
    expect((await pictures(pages)).length).toBe(2);
  });
});
