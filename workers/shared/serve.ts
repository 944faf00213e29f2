/**
 * The worker's side of the wall. Knows how a worker is started (`contracts/worker.ts`), that calls arrive by comlink,
 * and that nothing but plain data may leave: a thrown error would lose its class and fields on the way (comlink 4.4.2
 * keeps name, message and stack), so every throw becomes an `Outcome`. Refuses to know any worker's work.
 *
 * This is the only file on this side that names comlink; the other one is the page's `start.ts`.
 */
import { expose, transfer } from 'comlink';
import type { WorkerBoot, WorkerBooted } from '#contracts/worker.ts';
import { asFailure } from '#core/lib/failure.ts';

/** What `serveWorker` needs of a dedicated worker's global scope; tests hand in their own. */
export interface WorkerScope {
  readonly name: string;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  removeEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  postMessage(message: WorkerBooted): void;
}

export interface WorkerDefinition<Api extends object> {
  /** `control`, `world`, ...: for failures. */
  readonly name: string;
  /** Builds the service from its ports and memory. What it throws is answered as `boot-failed`. */
  start(boot: WorkerBoot): Promise<Api>;
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
  const onMessage = (event: MessageEvent): void => {
    if (!isBoot(event.data)) return;
    scope.removeEventListener('message', onMessage);
    void boot(definition, event.data, scope);
  };
  scope.addEventListener('message', onMessage);
}

/** Marks what inside `value` is moved, not copied, when it is returned from a service's method. */
export function moved<T>(value: T, transfers: Transferable[]): T {
  return transfer(value, transfers);
}

async function boot<Api extends object>(definition: WorkerDefinition<Api>, message: WorkerBoot, scope: WorkerScope): Promise<void> {
  try {
    const service = await definition.start(message);
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

function isBoot(message: unknown): message is WorkerBoot {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'boot';
}

/**
 * This thread, with one addition: a rejection that nobody handles fires only inside a worker, so it is reported as an
 * error, which the page does hear and treats as a dead worker.
 */
function dedicatedScope(): WorkerScope {
  const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
  scope.addEventListener('unhandledrejection', (event) => scope.reportError(event.reason));
  return scope;
}
