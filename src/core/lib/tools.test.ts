import { describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';
import { withDeadline } from './deadline.ts';
import { mailbox } from './mailbox.ts';
import { manualClock } from './manual-clock.ts';
import { ring } from './ring.ts';
import { undoStack } from './undo-stack.ts';

describe('clocks', () => {
  it('the real one never wakes early and speaks Unix time', async () => {
    const clock = systemClock();
    expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(1000);
    for (const wait of [0, 0.3, 2, 7.5]) {
      const at = clock.nowMs() + wait;
      await clock.sleepUntil(at);
      expect(clock.nowMs()).toBeGreaterThanOrEqual(at);
    }
  });

  it('the manual one wakes sleepers in order, each finishing its work first', async () => {
    const clock = manualClock(100);
    const log: string[] = [];
    const loop = async (name: string, every: number): Promise<void> => {
      for (let at = 100 + every; at <= 130; at += every) {
        await clock.sleepUntil(at);
        await Promise.resolve();
        log.push(`${name}@${clock.nowMs()}`);
      }
    };
    void loop('a', 10);
    void loop('b', 15);
    await clock.advanceTo(119);
    expect(log).toEqual(['a@110', 'b@115']);
    expect(clock.nowMs()).toBe(119);
    await clock.advanceBy(11);
    expect(log).toEqual(['a@110', 'b@115', 'a@120', 'b@130', 'a@130']);
    expect(clock.sleeping).toBe(0);
    await expect(clock.advanceTo(0)).rejects.toThrow(RangeError);
  });

  it('a jump wakes nobody until the next advance, which keeps the late time', async () => {
    const clock = manualClock();
    let woke = -1;
    void clock.sleepUntil(10).then(() => (woke = clock.nowMs()));
    clock.jumpTo(50);
    await Promise.resolve();
    expect(woke).toBe(-1);
    await clock.advanceBy(0);
    expect(woke).toBe(50);
  });
});

describe('mailbox', () => {
  it('keeps the newest, disposes what it replaces and what comes after closing', () => {
    const disposed: number[] = [];
    const box = mailbox<number>((letter) => disposed.push(letter));
    box.put(1);
    box.put(2);
    expect(box.replaced).toBe(1);
    expect(box.take()).toBe(2);
    expect(box.take()).toBeNull();
    box.put(3);
    box.close();
    box.put(4);
    expect(box.full).toBe(false);
    expect(disposed).toEqual([1, 3, 4]);
  });
});

describe('ring', () => {
  it('keeps the last ones in order', () => {
    const last = ring<number>(3);
    for (let i = 0; i < 5; i++) last.push(i);
    expect(last.toArray()).toEqual([2, 3, 4]);
    expect(last.dropped).toBe(2);
    expect(last.drain()).toEqual([2, 3, 4]);
    last.push(9);
    expect(last.toArray()).toEqual([9]);
    expect(() => ring(0)).toThrow(RangeError);
  });
});

describe('deadline', () => {
  it('passes value and rejection on, and leaves no timer', async () => {
    vi.useFakeTimers();
    try {
      await expect(withDeadline(Promise.resolve(3), 1000, () => new Error('late'))).resolves.toBe(3);
      await expect(withDeadline(Promise.reject(new Error('own')), 1000, () => new Error('late'))).rejects.toThrow('own');
      expect(vi.getTimerCount()).toBe(0);
      const late = withDeadline(new Promise(() => undefined), 1000, () => new Error('late'));
      const seen = expect(late).rejects.toThrow('late');
      await vi.advanceTimersByTimeAsync(1000);
      await seen;
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('undo stack', () => {
  it('closes in reverse, all of it, once', async () => {
    const log: string[] = [];
    const stack = undoStack();
    stack.defer(() => void log.push('first'));
    stack.use('port', async (port) => {
      await Promise.resolve();
      log.push(`close ${port}`);
      throw new Error('stuck');
    });
    stack.defer(() => void log.push('last'));
    await expect(stack.close()).rejects.toThrow(AggregateError);
    await expect(stack.close()).rejects.toThrow(AggregateError);
    expect(log).toEqual(['last', 'close port', 'first']);
    expect(() => stack.defer(() => undefined)).toThrow('closed');
  });
});
