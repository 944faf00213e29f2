import { describe, expect, it, vi } from 'vitest';
import type { Failure, Outcome } from '#contracts/failure.ts';
import { raceCall } from './crash-race.ts';

const never = new Promise<never>(() => {});
const lives = () => () => undefined;
const limits = { worker: 'inference', call: 'load', deadlineMs: 1000 };

describe('a call into a worker', () => {
  it('hands back the answer when there is one', async () => {
    const answer: Outcome<number> = { ok: true, value: 7 };
    expect(await raceCall(Promise.resolve(answer), { ...limits, onDeath: lives })).toEqual(answer);
  });

  it('ends when the worker dies, although its promise never settles', async () => {
    const death: Failure = { code: 'worker/died', facts: { worker: 'inference', message: 'ended' } };
    let die: (failure: Failure) => void = () => undefined;
    const pending = raceCall(never, { ...limits, onDeath: (listener) => ((die = listener), () => undefined) });
    die(death);
    const result = await pending;
    expect(result).toEqual({ ok: false, failure: death });
  });

  it('ends at the deadline, and says which call waited how long', async () => {
    vi.useFakeTimers();
    try {
      const pending = raceCall(never, { ...limits, onDeath: lives });
      await vi.advanceTimersByTimeAsync(1000);
      expect(await pending).toEqual({ ok: false, failure: { code: 'worker/deadline', facts: { worker: 'inference', call: 'load', waitedMs: 1000 } } });
    } finally {
      vi.useRealTimers();
    }
  });

  it('turns a rejected call into a failure as plain data', async () => {
    const result = await raceCall(Promise.reject(new TypeError('cannot be cloned')), { ...limits, onDeath: lives });
    expect(result).toEqual({ ok: false, failure: { code: 'internal', facts: { message: 'TypeError: cannot be cloned' } } });
  });

  it('ends at once where the worker is dead already', async () => {
    const death: Failure = { code: 'worker/died', facts: { worker: 'inference', message: 'ended' } };
    const result = await raceCall(never, { ...limits, onDeath: (listener) => (listener(death), () => undefined) });
    expect(result).toEqual({ ok: false, failure: death });
  });

  it('leaves no timer behind and no listener, however it ends', async () => {
    vi.useFakeTimers();
    try {
      const listeners = new Set<unknown>();
      const onDeath: typeof lives = (listener?: unknown) => (listeners.add(listener), () => void listeners.delete(listener));
      await raceCall(Promise.resolve({ ok: true, value: null }), { ...limits, onDeath });
      await raceCall(Promise.reject(new TypeError('cannot be cloned')), { ...limits, onDeath });
      const late = raceCall(never, { ...limits, onDeath });
      await vi.advanceTimersByTimeAsync(1000);
      await late;
      expect(listeners.size).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
