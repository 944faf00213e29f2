import { wrap, type Endpoint } from 'comlink';
import { describe, expect, it } from 'vitest';
import { MessageChannel, type MessagePort as NodePort } from 'node:worker_threads';
import type { Outcome } from '#contracts/failure.ts';
import type { WorkerBoot, WorkerBooted } from '#contracts/worker.ts';
import { FailureError } from '#core/lib/failure.ts';
import { moved, serveWorker, type WorkerScope } from './serve.ts';

class Scope implements WorkerScope {
  readonly name: string;
  readonly listeners = new Set<(event: MessageEvent) => void>();
  readonly locks: string[] = [];
  readonly answered: Promise<WorkerBooted>;
  #answer: (message: WorkerBooted) => void = () => undefined;

  constructor(threadName: string) {
    this.name = threadName;
    this.answered = new Promise((resolve) => (this.#answer = resolve));
  }
  addEventListener(_type: 'message', listener: (event: MessageEvent) => void): void {
    this.listeners.add(listener);
  }
  postMessage(message: WorkerBooted): void {
    this.#answer(message);
  }
  async holdLock(lock: string): Promise<void> {
    this.locks.push(lock);
  }
  receive(data: unknown): void {
    for (const listener of this.listeners) listener({ data } as MessageEvent);
  }
}

interface CountingApi {
  add(n: number): Promise<Outcome<number>>;
  refuse(): Promise<Outcome<null>>;
  break(): Promise<Outcome<null>>;
  bytes(): Promise<Outcome<Uint8Array>>;
}

class Counting implements CountingApi {
  total = 0;
  last: Uint8Array | null = null;
  async add(n: number): Promise<Outcome<number>> {
    this.total += n;
    return { ok: true, value: this.total };
  }
  async refuse(): Promise<Outcome<null>> {
    throw new FailureError('control/busy', { mode: 'policy' });
  }
  break(): Promise<Outcome<null>> {
    throw new TypeError('not a function');
  }
  async bytes(): Promise<Outcome<Uint8Array>> {
    this.last = new Uint8Array([1, 2, 3]);
    return moved({ ok: true, value: this.last }, [this.last.buffer]);
  }
}

function bootMessage(api: NodePort): WorkerBoot {
  const memory = new SharedArrayBuffer(8);
  return {
    kind: 'boot',
    memory: { targets: memory, joints: memory, poses: memory, arm: memory, stop: memory },
    api: api as unknown as MessagePort,
    ports: {},
    aliveLock: 'alive-test',
    baseUrl: '/',
  };
}

describe('serveWorker', () => {
  it('serves methods and turns every throw into plain data', async () => {
    const scope = new Scope('control');
    const service = new Counting();
    const { port1, port2 } = new MessageChannel();
    serveWorker({ name: 'control', start: async () => service }, scope);
    scope.receive({ kind: 'something else' });
    scope.receive(bootMessage(port1));
    expect(await scope.answered).toEqual({ kind: 'booted' });
    expect(scope.locks).toEqual(['alive-test']);

    const remote = wrap<CountingApi>(port2 as unknown as Endpoint);
    expect(await remote.add(2)).toEqual({ ok: true, value: 2 });
    expect(await remote.add(3)).toEqual({ ok: true, value: 5 });
    expect(await remote.refuse()).toEqual({ ok: false, failure: { code: 'control/busy', facts: { mode: 'policy' } } });
    expect(await remote.break()).toEqual({ ok: false, failure: { code: 'internal', facts: { message: 'TypeError: not a function' } } });
    expect(await remote.bytes()).toEqual({ ok: true, value: new Uint8Array([1, 2, 3]) });
    expect(service.last?.byteLength).toBe(0); // moved, not copied
    port1.close();
  });

  it('answers boot-failed with the code and the worker', async () => {
    const scope = new Scope('world');
    const { port1 } = new MessageChannel();
    serveWorker<object>({ name: 'world', start: () => Promise.reject(new FailureError('world/no-webgl', { reason: 'none' })) }, scope);
    scope.receive(bootMessage(port1));
    expect(await scope.answered).toEqual({ kind: 'boot-failed', failure: { code: 'world/no-webgl', facts: { reason: 'none', worker: 'world' } } });
    port1.close();
  });

  it('hands renewed ports to their taker, early ones too, and boots once', async () => {
    const scope = new Scope('control');
    const taken: string[] = [];
    let starts = 0;
    const early = new MessageChannel();
    const late = new MessageChannel();
    const api = new MessageChannel();
    serveWorker(
      {
        name: 'control',
        start: async (_boot, renewals) => {
          starts++;
          renewals.onRenewed('inference', (port) => taken.push((port as unknown) === early.port1 ? 'early' : 'late'));
          return {};
        },
      },
      scope,
    );
    scope.receive({ kind: 'new-port', name: 'inference', port: early.port1 });
    scope.receive(bootMessage(api.port1));
    scope.receive(bootMessage(api.port1));
    await scope.answered;
    scope.receive({ kind: 'new-port', name: 'inference', port: late.port1 });
    expect(taken).toEqual(['early', 'late']);
    expect(starts).toBe(1);
    for (const channel of [early, late, api]) channel.port1.close();
  });

  it('starts nothing in a thread of onnxruntime', () => {
    const scope = new Scope('em-pthread-3');
    let started = 0;
    serveWorker({ name: 'inference', start: async () => ({ started: started++ }) }, scope);
    scope.receive(bootMessage(new MessageChannel().port1));
    expect(scope.listeners.size).toBe(0);
    expect(started).toBe(0);
  });
});
