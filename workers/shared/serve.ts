/**
 * The worker's side of the wall. Knows how a worker is started (`contracts/worker.ts`), that calls arrive by comlink,
 * and that nothing but plain data may leave: a thrown error would lose its class and fields on the way (comlink 4.4.2
 * keeps name, message and stack), so every throw becomes an `Outcome`. Refuses to know any worker's work.
 *
 * This is the only file on this side that names comlink; the other one is the page's `start.ts`.
 */
import { expose, transfer } from 'comlink';
import type { WorkerBoot, WorkerBooted, WorkerNewPort } from '#contracts/worker.ts';
import { asFailure } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';

/** What `serveWorker` needs of a dedicated worker's global scope; tests hand in their own. */
export interface WorkerScope {
  readonly name: string;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  postMessage(message: WorkerBooted): void;
  /** Takes the Web Lock of that name and never lets go; resolves once it is held. */
  holdLock(name: string): Promise<void>;
}

/** How a running service hears that a neighbour was started again. */
export interface PortRenewals {
  /**
   * `take` gets each new port of that name; it closes the old one. A port that came before anyone asked is handed over
   * at once. One taker a name.
   */
  onRenewed(name: string, take: (port: MessagePort) => void): void;
}

export interface WorkerDefinition<Api extends object> {
  /** `control`, `world`, ...: for failures. */
  readonly name: string;
  /** Builds the service from its ports and memory. What it throws is answered as `boot-failed`. */
  start(boot: WorkerBoot, renewals: PortRenewals): Promise<Api>;
}

/**
 * Call once, while the entry's module is evaluated: waits for the `boot` message, starts the service, serves it on
 * `boot.api`, answers `booted` or `boot-failed`. Every method of the service resolves to an `Outcome`.
 *
 * Starts nothing when the thread's name begins with `em-pthread`: onnxruntime's threads load the worker's own entry
 * again under that name, and a second service would drive a second arm.
 */
export function serveWorker<Api extends object>(definition: WorkerDefinition<Api>, scope: WorkerScope = dedicatedScope()): void {
  if (scope.name.startsWith('em-pthread')) return;
  const renewals = portRenewals();
  let booting = false;
  scope.addEventListener('message', (event) => {
    const message = asMessage(event.data);
    if (message === null) return;
    switch (message.kind) {
      case 'boot':
        if (booting) return; // one service a thread
        booting = true;
        void boot(definition, message, renewals, scope);
        return;
      case 'new-port':
        renewals.arrived(message);
        return;
      default:
        unreachable(message);
    }
  });
}

/** Marks what inside `value` is moved, not copied, when it is returned from a service's method. */
export function moved<T>(value: T, transfers: Transferable[]): T {
  return transfer(value, transfers);
}

async function boot<Api extends object>(definition: WorkerDefinition<Api>, message: WorkerBoot, renewals: PortRenewals, scope: WorkerScope): Promise<void> {
  try {
    const service = await definition.start(message, renewals);
    await scope.holdLock(message.aliveLock);
    expose(outcomesOnly(service), message.api);
    scope.postMessage({ kind: 'booted' });
  } catch (thrown) {
    const failure = asFailure(thrown);
    scope.postMessage({ kind: 'boot-failed', failure: { code: failure.code, facts: { ...failure.facts, worker: definition.name } } });
  }
}

/** The same service with methods that never throw; properties that are not methods do not exist through it. */
function outcomesOnly<Api extends object>(service: Api): Api {
  return new Proxy(service, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return undefined;
      return async (...parameters: unknown[]): Promise<unknown> => {
        try {
          return await Reflect.apply(member, target, parameters);
        } catch (thrown) {
          return { ok: false, failure: asFailure(thrown) };
        }
      };
    },
    set: () => false,
  });
}

function portRenewals(): PortRenewals & { arrived(message: WorkerNewPort): void } {
  const takers = new Map<string, (port: MessagePort) => void>();
  const early = new Map<string, MessagePort>();
  return {
    onRenewed(name, take) {
      takers.set(name, take);
      const port = early.get(name);
      if (port === undefined) return;
      early.delete(name);
      take(port);
    },
    arrived({ name, port }) {
      const take = takers.get(name);
      if (take !== undefined) {
        take(port);
        return;
      }
      early.get(name)?.close();
      early.set(name, port);
    },
  };
}

/** Our own page sends these, so the kind is all that is checked. */
function asMessage(data: unknown): WorkerBoot | WorkerNewPort | null {
  if (typeof data !== 'object' || data === null || !('kind' in data)) return null;
  return data.kind === 'boot' || data.kind === 'new-port' ? (data as WorkerBoot | WorkerNewPort) : null;
}

/** The parts of a dedicated worker's global scope that this file touches, in words every type library here knows. */
interface DedicatedScope {
  readonly name: string;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  addEventListener(type: 'unhandledrejection', listener: (event: { readonly reason: unknown }) => void): void;
  postMessage(message: WorkerBooted): void;
  reportError(error: unknown): void;
}

/**
 * This thread, with one addition: a rejection that nobody handles fires only inside a worker, so it is reported as an
 * error, which the page does hear and treats as a dead worker.
 */
function dedicatedScope(): WorkerScope {
  const scope = globalThis as unknown as DedicatedScope;
  scope.addEventListener('unhandledrejection', (event) => scope.reportError(event.reason));
  return {
    name: scope.name,
    addEventListener: (type, listener) => scope.addEventListener(type, listener),
    postMessage: (message) => scope.postMessage(message),
    holdLock: (name) =>
      new Promise((held, failed) => {
        navigator.locks
          .request(name, () => {
            held();
            return new Promise(() => undefined);
          })
          .catch(failed);
      }),
  };
}
