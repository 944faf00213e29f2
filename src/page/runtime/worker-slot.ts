/**
 * A place where one worker stands: starting, alive, dead, and, where that is harmless, started again without a reload.
 * It offers the worker's API as long as the page lives: a call made while the worker starts waits for it, a call to a
 * dead one comes back as its failure. It refuses to know what the worker does.
 */
import type { Failure, Outcome } from '#contracts/failure.ts';
import type { Deadlines } from './deadlines.ts';
import type { WorkerHandle } from './start.ts';

export type WorkerState =
  | { readonly kind: 'starting'; readonly attempt: number }
  | { readonly kind: 'alive'; readonly attempt: number }
  | { readonly kind: 'dead'; readonly attempt: number; readonly failure: Failure };

export interface SlotPlan<Api> {
  readonly deadlines: Deadlines<Api>;
  /** Called for every attempt, counted from 1. */
  readonly start: (attempt: number) => Promise<Outcome<WorkerHandle<Api>>>;
  /** `automatic`: at most `RESTARTS` times; after that a person may ask by `restart()`. */
  readonly restart: 'automatic' | 'never';
}

/** A worker that dies again and again has a reason that another start will not mend. */
export const RESTARTS = 3;

export interface WorkerSlot<Api> {
  readonly api: Api;
  state(): WorkerState;
  onState(listener: (state: WorkerState) => void): () => void;
  /** The worker that stands here now, or the failure that keeps it from standing. */
  current(): Promise<Outcome<WorkerHandle<Api>>>;
  /** Ends what stands here and starts anew. */
  restart(): void;
  terminate(): void;
}

type Callable = (...args: readonly unknown[]) => Promise<Outcome<unknown>>;

export function workerSlot<Api extends object>(plan: SlotPlan<Api>): WorkerSlot<Api> {
  const listeners = new Set<(state: WorkerState) => void>();
  let attempt = 0;
  let restartsLeft = plan.restart === 'automatic' ? RESTARTS : 0;
  let state: WorkerState = { kind: 'starting', attempt: 1 };
  let standing: Promise<Outcome<WorkerHandle<Api>>>;

  const enter = (next: WorkerState): void => {
    state = next;
    for (const listener of listeners) listener(next);
  };
  const begin = (): void => {
    attempt++;
    const mine = attempt;
    enter({ kind: 'starting', attempt: mine });
    standing = plan.start(mine);
    void standing.then((started) => {
      if (mine !== attempt) {
        if (started.ok) started.value.terminate();
        return;
      }
      if (!started.ok) {
        enter({ kind: 'dead', attempt: mine, failure: started.failure });
        return;
      }
      enter({ kind: 'alive', attempt: mine });
      void started.value.died.then((failure) => mourn(mine, failure));
    });
  };
  const mourn = (whose: number, failure: Failure): void => {
    if (whose !== attempt) return;
    enter({ kind: 'dead', attempt: whose, failure });
    standing = Promise.resolve({ ok: false, failure });
    if (restartsLeft > 0) {
      restartsLeft--;
      begin();
    }
  };
  const endStanding = (): void => {
    void standing.then((started) => {
      if (started.ok) started.value.terminate();
    });
  };

  begin();
  return {
    api: delegatingApi(plan.deadlines, () => standing),
    state: () => state,
    onState: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    current: () => standing,
    restart: () => {
      endStanding();
      begin();
    },
    terminate: () => {
      restartsLeft = 0;
      endStanding();
    },
  };
}

function delegatingApi<Api extends object>(deadlines: Deadlines<Api>, standing: () => Promise<Outcome<WorkerHandle<Api>>>): Api {
  const api: Record<string, Callable> = {};
  for (const call of Object.keys(deadlines)) {
    api[call] = async (...args) => {
      const started = await standing();
      if (!started.ok) return started;
      return (started.value.api as unknown as Record<string, Callable>)[call]?.(...args) as Promise<Outcome<unknown>>;
    };
  }
  // As in start.ts: the keys of Deadlines<Api> are the methods of Api.
  return api as unknown as Api;
}
