import { expect, test } from 'vitest';
import type { ControlToInference, InferenceToControl } from '#contracts/control.ts';
import { FailureError } from '#core/lib/failure.ts';
import { chunkLoop } from './loop.ts';

const want = (requestId: number): ControlToInference => ({ kind: 'want-chunk', runId: 7, requestId, tick: requestId });
const failed = (requestId: number, code: 'internal'): InferenceToControl => ({ kind: 'chunk-failed', requestId, runId: 7, failure: { code, facts: {} } });

test('one at a time; the newest question waits, the one it replaces is never computed', async () => {
  const computed: number[] = [];
  const sent: InferenceToControl[] = [];
  let finish: (() => void) | null = null;
  const loop = chunkLoop(
    async ({ requestId }) => {
      computed.push(requestId);
      await new Promise<void>((resolve) => (finish = resolve));
      return failed(requestId, 'internal');
    },
    (message) => sent.push(message),
  );
  loop.request(want(1));
  loop.request(want(2));
  loop.request(want(3));
  await Promise.resolve();
  expect(computed).toEqual([1]);
  for (let i = 0; i < 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    (finish as (() => void) | null)?.();
  }
  await loop.idle();
  expect(computed).toEqual([1, 3]);
  expect(sent.map(({ requestId }) => requestId)).toEqual([1, 3]);
  expect(loop.replaced).toBe(1);
});

test('a failure is an answer, and the next question is computed', async () => {
  const sent: InferenceToControl[] = [];
  const loop = chunkLoop(
    async ({ requestId }) => {
      if (requestId === 1) throw new FailureError('engine/device-lost', { reason: 'unknown', message: '' });
      return null;
    },
    (message) => sent.push(message),
  );
  loop.request(want(1));
  await loop.idle();
  loop.request(want(2));
  await loop.idle();
  expect(sent).toEqual([{ kind: 'chunk-failed', requestId: 1, runId: 7, failure: { code: 'engine/device-lost', facts: { reason: 'unknown', message: '' } } }]);
});
