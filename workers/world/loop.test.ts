/** The pacer on a manual clock: every due step once, late threads catch up within the cap, faults pause. */
import { describe, expect, it } from 'vitest';
import { manualClock } from '#core/lib/manual-clock.ts';
import { BATCH_STEPS, CATCH_UP_STEPS, createPacer } from './loop.ts';

function setUp(fail: { at: number } = { at: Infinity }): { clock: ReturnType<typeof manualClock>; steps: () => number; batches: number[]; failures: unknown[]; pacer: ReturnType<typeof createPacer> } {
  const clock = manualClock(1_700_000_000_000.3);
  const batches: number[] = [];
  const failures: unknown[] = [];
  const steps = (): number => batches.reduce((sum, n) => sum + n, 0);
  const pacer = createPacer(
    clock,
    2,
    (n) => {
      if (steps() + n > fail.at) throw new Error('blew up');
      batches.push(n);
    },
    (thrown) => failures.push(thrown),
  );
  return { clock, steps, batches, failures, pacer };
}

describe('createPacer', () => {
  it('takes no step before it is told to run', async () => {
    const { clock, steps } = setUp();
    await clock.advanceBy(500);
    expect(steps()).toBe(0);
  });

  it('takes 500 steps of 2 ms in a second, in batches, and reports a factor of one', async () => {
    const { clock, steps, batches, pacer } = setUp();
    pacer.run();
    await clock.advanceBy(1000);
    expect(steps()).toBe(500);
    expect(Math.max(...batches)).toBe(BATCH_STEPS);
    await clock.advanceBy(100);
    expect(pacer.realTimeFactor()).toBeCloseTo(1, 2);
  });

  it('catches up after a short delay, drops the rest after a long one, and says so', async () => {
    const { clock, steps, pacer } = setUp();
    pacer.run();
    await clock.advanceBy(200);
    const before = steps();
    clock.jumpTo(clock.nowMs() + 64);
    await clock.advanceBy(24);
    // 88 ms in all, a whole number of batches.
    expect(steps() - before).toBe(44);
    const long = steps();
    clock.jumpTo(clock.nowMs() + 700);
    await clock.advanceBy(24);
    expect(steps() - long).toBe(CATCH_UP_STEPS + 12);
    await clock.advanceBy(100);
    expect(pacer.realTimeFactor()).toBeLessThan(0.5);
  });

  it('pauses at once, runs on from now and not from then, and lives once', async () => {
    const { clock, steps, pacer } = setUp();
    pacer.run();
    await clock.advanceBy(100);
    pacer.pause();
    const paused = steps();
    await clock.advanceBy(5000);
    expect(steps()).toBe(paused);
    pacer.run();
    pacer.pause();
    pacer.run();
    pacer.run();
    await clock.advanceBy(1000);
    expect(steps() - paused).toBe(500);
  });

  it('tells a fault once, pauses, and runs again when asked', async () => {
    const fail = { at: 60 };
    const { clock, steps, failures, pacer } = setUp(fail);
    pacer.run();
    await clock.advanceBy(400);
    expect(failures.length).toBe(1);
    expect(pacer.running).toBe(false);
    expect(steps()).toBe(60);
    fail.at = Infinity;
    pacer.run();
    await clock.advanceBy(96);
    expect(steps()).toBe(108);
  });

  it('ends for good on close', async () => {
    const { clock, steps, pacer } = setUp();
    pacer.run();
    await clock.advanceBy(100);
    pacer.close();
    const closed = steps();
    pacer.run();
    await clock.advanceBy(100);
    expect(steps()).toBe(closed);
  });
});
