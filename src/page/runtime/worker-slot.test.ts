import { describe, expect, it } from 'vitest';
import type { Failure, Outcome } from '#contracts/failure.ts';
import type { WorkerHandle } from './start.ts';
import { RESTARTS, workerSlot, type WorkerState } from './worker-slot.ts';

interface EchoApi {
  say(word: string): Promise<Outcome<string>>;
}

const death: Failure = { code: 'worker/died', facts: { worker: 'echo', message: 'test' } };

/** A worker in this thread, with a switch that ends it. */
function echoWorker(mark: string): { readonly handle: WorkerHandle<EchoApi>; readonly kill: () => void } {
  let kill = (): void => {};
  const died = new Promise<Failure>((resolve) => {
    kill = () => resolve(death);
  });
  return { handle: { api: { say: async (word) => ({ ok: true, value: `${word} ${mark}` }) }, died, renewPort: () => {}, terminate: kill }, kill };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('a worker slot', () => {
  it('lets a call wait for a worker that is still starting', async () => {
    let finish: (value: Outcome<WorkerHandle<EchoApi>>) => void = () => {};
    const slot = workerSlot<EchoApi>({ deadlines: { say: 1000 }, restart: 'never', start: () => new Promise((resolve) => (finish = resolve)) });
    const answer = slot.api.say('hello');
    finish({ ok: true, value: echoWorker('first').handle });
    expect(await answer).toEqual({ ok: true, value: 'hello first' });
  });

  it('starts again by itself, and calls reach the new worker', async () => {
    const workers: ReturnType<typeof echoWorker>[] = [];
    const states: WorkerState['kind'][] = [];
    const slot = workerSlot<EchoApi>({
      deadlines: { say: 1000 },
      restart: 'automatic',
      start: async (attempt) => {
        const worker = echoWorker(`number ${attempt}`);
        workers.push(worker);
        return { ok: true, value: worker.handle };
      },
    });
    slot.onState((state) => states.push(state.kind));
    await settle();
    workers[0]?.kill();
    await settle();
    expect(states).toEqual(['alive', 'dead', 'starting', 'alive']);
    expect(await slot.api.say('hello')).toEqual({ ok: true, value: 'hello number 2' });
  });

  it('gives up after a few deaths and says why to every later call', async () => {
    const workers: ReturnType<typeof echoWorker>[] = [];
    const slot = workerSlot<EchoApi>({
      deadlines: { say: 1000 },
      restart: 'automatic',
      start: async () => {
        const worker = echoWorker('x');
        workers.push(worker);
        return { ok: true, value: worker.handle };
      },
    });
    for (let i = 0; i <= RESTARTS; i++) {
      await settle();
      workers.at(-1)?.kill();
    }
    await settle();
    expect(workers.length).toBe(RESTARTS + 1);
    expect(await slot.api.say('hello')).toEqual({ ok: false, failure: death });
  });

  it('never restarts a worker that must not be, until a person asks', async () => {
    const workers: ReturnType<typeof echoWorker>[] = [];
    const slot = workerSlot<EchoApi>({
      deadlines: { say: 1000 },
      restart: 'never',
      start: async (attempt) => {
        const worker = echoWorker(`number ${attempt}`);
        workers.push(worker);
        return { ok: true, value: worker.handle };
      },
    });
    await settle();
    workers[0]?.kill();
    await settle();
    expect(slot.state()).toEqual({ kind: 'dead', attempt: 1, failure: death });
    slot.restart();
    expect(await slot.api.say('hello')).toEqual({ ok: true, value: 'hello number 2' });
  });
});
