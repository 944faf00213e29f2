/** A worker for tests that dies in every way a worker can. Served by the real `serveWorker`. */
import type { Outcome } from '#contracts/failure.ts';
import { FailureError } from '#core/lib/failure.ts';
import { serveWorker } from '#workers/shared/serve.ts';

export interface MortalApi {
  add(a: number, b: number): Promise<Outcome<number>>;
  /** Ends at once, tells nobody. */
  close(): Promise<Outcome<null>>;
  /** An error that escapes. */
  throwLater(): Promise<Outcome<null>>;
  refuse(): Promise<Outcome<null>>;
  never(): Promise<Outcome<null>>;
  hearFrom(name: string): Promise<Outcome<string>>;
}

const scope = globalThis as unknown as { close(): void };

serveWorker<MortalApi>({
  name: 'mortal',
  async start(boot, renewals) {
    if (boot.baseUrl === 'refuse') throw new FailureError('world/no-webgl', { reason: 'test' });
    const heard = new Promise<string>((resolve) => renewals.onRenewed('neighbour', (port) => (port.onmessage = (event: MessageEvent<string>) => resolve(event.data))));
    return {
      add: async (a, b) => ({ ok: true, value: a + b }),
      close: async () => {
        scope.close();
        return new Promise(() => undefined);
      },
      throwLater: async () => {
        setTimeout(() => {
          throw new TypeError('escaped');
        });
        return new Promise(() => undefined);
      },
      refuse: async () => {
        throw new FailureError('control/busy', { mode: 'policy' });
      },
      never: () => new Promise(() => undefined),
      hearFrom: async () => ({ ok: true, value: await heard }),
    };
  },
});
