/**
 * One worker, started: script, boot message, comlink, and a life line. This is the only file on the page that names
 * comlink. It knows how a worker says that it is ready and how its end is noticed; it refuses to know which worker it
 * is, what it is asked, and whether it should be started again.
 *
 *   page                                   worker
 *   new Worker ─────────────────────────►  script loads
 *   boot {memory, ports, api, aliveLock} ► takes the lock, starts its loop
 *                                       ◄─ booted | boot-failed
 *   asks for the same lock ............... granted only when the worker has ended
 *   calls over `api` ◄──────────────────►  comlink, answers are Outcome
 *
 * Copied: the boot message. Transferred: every port. Shared: the memory.
 */
import { wrap } from 'comlink';
import type { Failure, Outcome } from '#contracts/failure.ts';
import type { WorkerBoot, WorkerBooted, WorkerNewPort } from '#contracts/worker.ts';
import { raceCall, type CallLimits } from './crash-race.ts';
import { BOOT_DEADLINE_MS, type Deadlines } from './deadlines.ts';

/** Methods as the contracts write them: plain arguments in, a promised Outcome out. */
type Callable = (...args: readonly unknown[]) => Promise<Outcome<unknown>>;

export interface WorkerPlan<Api> {
  readonly name: string;
  /** Creates the Worker. A function, because bundlers must see `new Worker(new URL(...))` whole. */
  readonly spawn: () => Worker;
  readonly boot: Pick<WorkerBoot, 'memory' | 'ports' | 'baseUrl'>;
  readonly deadlines: Deadlines<Api>;
}

export interface WorkerHandle<Api> {
  /** Every call settles: answer, `worker/died` or `worker/deadline`. */
  readonly api: Api;
  /** Settles once, when the worker has ended or was ended; never rejects. */
  readonly died: Promise<Failure>;
  /** A neighbour was started again: here is the new port to it. */
  renewPort(name: string, port: MessagePort): void;
  terminate(): void;
}

/** Never rejects. Fails with `worker/died`, `worker/deadline` or what the worker itself said. */
export async function startWorker<Api extends object>(plan: WorkerPlan<Api>): Promise<Outcome<WorkerHandle<Api>>> {
  const worker = plan.spawn();
  const life = lifeLine(worker, plan.name);
  const aliveLock = `worker ${plan.name} ${crypto.randomUUID()}`;
  const channel = new MessageChannel();
  const answered = bootAnswer(worker);
  const boot: WorkerBoot = { kind: 'boot', ...plan.boot, api: channel.port2, aliveLock };
  worker.postMessage(boot, [channel.port2, ...Object.values(plan.boot.ports)]);

  const booted = await raceCall(answered, { worker: plan.name, call: 'boot', deadlineMs: BOOT_DEADLINE_MS, onDeath: life.onDeath });
  if (!booted.ok) {
    life.end(booted.failure);
    return booted;
  }
  void navigator.locks.request(aliveLock, { mode: 'shared' }, () => life.end(ended(plan.name, 'the worker ended')));

  const handle: WorkerHandle<Api> = {
    api: guardedApi<Api>(channel.port1, plan, life.onDeath),
    died: life.died,
    renewPort: (name, port) => {
      const message: WorkerNewPort = { kind: 'new-port', name, port };
      worker.postMessage(message, [port]);
    },
    terminate: () => life.end(ended(plan.name, 'ended by the page')),
  };
  return { ok: true, value: handle };
}

interface LifeLine {
  readonly died: Promise<Failure>;
  /** For listeners that come and go while it lives: see `crash-race.ts`. */
  readonly onDeath: CallLimits['onDeath'];
  /** Ends the worker, once; later calls change nothing. */
  end(failure: Failure): void;
}

/** A worker that let an error escape is not trusted any further: it is ended, whether or not it could go on. */
function lifeLine(worker: Worker, name: string): LifeLine {
  let tell: (failure: Failure) => void = () => {};
  const died = new Promise<Failure>((resolve) => {
    tell = resolve;
  });
  const listeners = new Set<(failure: Failure) => void>();
  let dead: Failure | null = null;
  void died.then((failure) => {
    dead = failure;
    for (const listener of listeners) listener(failure);
    listeners.clear();
  });
  const onDeath: LifeLine['onDeath'] = (listener) => {
    if (dead !== null) listener(dead);
    else listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const end = (failure: Failure): void => {
    worker.terminate();
    tell(failure);
  };
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    // A script that could not be loaded or parsed gives an event without a message.
    const where = event.filename ? ` (${event.filename}:${event.lineno})` : '';
    end(ended(name, event.message ? `${event.message}${where}` : 'its script could not be loaded'));
  });
  worker.addEventListener('messageerror', () => end(ended(name, 'a message from it could not be read')));
  return { died, onDeath, end };
}

function ended(worker: string, message: string): Failure {
  return { code: 'worker/died', facts: { worker, message } };
}

function bootAnswer(worker: Worker): Promise<Outcome<null>> {
  return new Promise((resolve) => {
    const listen = (event: MessageEvent<WorkerBooted>): void => {
      worker.removeEventListener('message', listen);
      resolve(event.data.kind === 'booted' ? { ok: true, value: null } : { ok: false, failure: event.data.failure });
    };
    worker.addEventListener('message', listen);
  });
}

/** The worker's API with the same methods, each of them raced. The list of methods is the list of deadlines. */
function guardedApi<Api extends object>(port: MessagePort, plan: WorkerPlan<Api>, onDeath: LifeLine['onDeath']): Api {
  const remote = wrap(port) as unknown as Record<string, Callable>;
  const guarded: Record<string, Callable> = {};
  for (const [call, deadlineMs] of Object.entries<number>(plan.deadlines)) {
    guarded[call] = (...args) => raceCall((remote[call] as Callable)(...args), { worker: plan.name, call, deadlineMs, onDeath });
  }
  // Built from the keys of Deadlines<Api>, which are the methods of Api; the compiler cannot follow that through a loop.
  return guarded as unknown as Api;
}
