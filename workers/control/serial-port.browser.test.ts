/** In a real Chromium, which has Web Serial and no adapter plugged in. */
import { expect, test } from 'vitest';
import { browserPorts } from './serial-port.ts';

test('says that no port was allowed, and gives the lock back', async () => {
  for (let n = 0; n < 2; n++) await expect(browserPorts().open(null, 1_000_000)).rejects.toThrow('serial/no-port');
});

test('says that another tab drives the arm', async () => {
  let free = (): void => undefined;
  await new Promise<void>((held) => {
    void navigator.locks.request('vla-playground/serial-port', () => {
      held();
      return new Promise<void>((resolve) => {
        free = resolve;
      });
    });
  });
  await expect(browserPorts().open(null, 1_000_000)).rejects.toThrow('serial/another-tab');
  free();
  await expect.poll(() => browserPorts().open(null, 1_000_000).catch((thrown: unknown) => String(thrown))).toContain('serial/no-port');
});
