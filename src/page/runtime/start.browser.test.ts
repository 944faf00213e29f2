import { describe, expect, it } from 'vitest';
import type { SharedMemory } from '#contracts/worker.ts';
import { unwrap } from '#core/lib/failure.ts';
import { startWorker, type WorkerHandle } from './start.ts';
import type { MortalApi } from './testing/mortal-worker.ts';

function memory(): SharedMemory {
  const one = new SharedArrayBuffer(8);
  return { targets: one, joints: one, poses: one, arm: one, stop: one };
}

const deadlines = { add: 5000, close: 5000, throwLater: 5000, refuse: 5000, never: 200, hearFrom: 5000 };

function start(baseUrl = '/') {
  return startWorker<MortalApi>({
    name: 'mortal',
    spawn: () => new Worker(new URL('./testing/mortal-worker.ts', import.meta.url), { type: 'module', name: 'mortal' }),
    boot: { memory: memory(), ports: {}, baseUrl },
    deadlines,
  });
}

async function alive(): Promise<WorkerHandle<MortalApi>> {
  return unwrap(await start());
}

describe('a worker, started', () => {
  it('runs on a page that is isolated, or nothing here would be true of the real one', () => {
    expect(crossOriginIsolated).toBe(true);
  });

  it('answers calls, and its refusals arrive whole', async () => {
    const worker = await alive();
    expect(await worker.api.add(2, 3)).toEqual({ ok: true, value: 5 });
    expect(await worker.api.refuse()).toEqual({ ok: false, failure: { code: 'control/busy', facts: { mode: 'policy' } } });
    worker.terminate();
  });

  it('that closes itself without a word is noticed, and the call in flight ends', async () => {
    const worker = await alive();
    const inFlight = worker.api.close();
    const result = await inFlight;
    expect(result).toMatchObject({ ok: false, failure: { code: 'worker/died', facts: { worker: 'mortal' } } });
    expect((await worker.died).code).toBe('worker/died');
  });

  it('that lets an error escape is ended, and says which error', async () => {
    const worker = await alive();
    const result = await worker.api.throwLater();
    expect(result).toMatchObject({ ok: false, failure: { code: 'worker/died' } });
    expect(String((await worker.died).facts['message'])).toContain('escaped');
  });

  it('that is ended by the page ends its calls too', async () => {
    const worker = await alive();
    const inFlight = worker.api.never();
    worker.terminate();
    expect(await inFlight).toMatchObject({ ok: false, failure: { code: 'worker/died' } });
  });

  it('that stays silent runs into the deadline of the call', async () => {
    const worker = await alive();
    expect(await worker.api.never()).toEqual({ ok: false, failure: { code: 'worker/deadline', facts: { worker: 'mortal', call: 'never', waitedMs: 200 } } });
    worker.terminate();
  });

  it('that refuses to start says why', async () => {
    expect(await start('refuse')).toEqual({ ok: false, failure: { code: 'world/no-webgl', facts: { reason: 'test', worker: 'mortal' } } });
  });

  it('whose script is not there is a dead worker', async () => {
    const started = await startWorker<MortalApi>({
      name: 'mortal',
      spawn: () => new Worker('/no/such/script.js', { type: 'module' }),
      boot: { memory: memory(), ports: {}, baseUrl: '/' },
      deadlines,
    });
    expect(started).toMatchObject({ ok: false, failure: { code: 'worker/died' } });
  });

  it('takes a new port to a neighbour that was started again', async () => {
    const worker = await alive();
    const channel = new MessageChannel();
    worker.renewPort('neighbour', channel.port2);
    channel.port1.postMessage('hello');
    expect(await worker.api.hearFrom('neighbour')).toEqual({ ok: true, value: 'hello' });
    worker.terminate();
  });
});
