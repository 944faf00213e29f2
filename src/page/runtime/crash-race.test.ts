import { describe, expect, it, vi } from 'vitest';
import type { Failure, Outcome } from '#contracts/failure.ts';
import { raceCall } from './crash-race.ts';

const never = new Promise<never>(() => {});
const limits = { worker: 'inference', call: 'load', deadlineMs: 1000 };

describe('a call into a worker', () => {
  it('hands back the answer when there is one', async () => {
    const answer: Outcome<number> = { ok: true, value: 7 };
    expect(await raceCall(Promise.resolve(answer), { ...limits, died: never })).toEqual(answer);
  });

  it('ends when the worker dies, although its promise never settles', async () => {
    const death: Failure = { code: 'worker/died', facts: { worker: 'inference', message: 'ended' } };
    const result = await raceCall(never, { ...limits, died: Promise.resolve(death) });
    expect(result).toEqual({ ok: false, failure: death });
  });

  it('ends at the deadline, and says which call waited how long', async () => {
    vi.useFakeTimers();
    try {
      const pending = raceCall(never, { ...limits, died: never });
      await vi.advanceTimersByTimeAsync(1000);
      expect(await pending).toEqual({ ok: false, failure: { code: 'worker/deadline', facts: { worker: 'inference', call: 'load', waitedMs: 1000 } } });
    } finally {
      vi.useRealTimers();
    }
  });

  it('turns a rejected call into a failure as plain data', async () => {
    const result = await raceCall(Promise.reject(new TypeError('cannot be cloned')), { ...limits, died: never });
    expect(result).toEqual({ ok: false, failure: { code: 'internal', facts: { message: 'TypeError: cannot be cloned' } } });
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers();
    try {
      await raceCall(Promise.resolve({ ok: true, value: null }), { ...limits, died: never });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
