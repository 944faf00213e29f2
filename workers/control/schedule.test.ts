import { expect, it } from 'vitest';
import { manualClock } from '#core/lib/manual-clock.ts';
import { startSchedule, type TickTime } from './schedule.ts';
import { measureJitter } from './testing/measure-jitter.ts';

const START = 1_764_000_000_000; // Unix milliseconds, where doubles are coarse

it('ticks on an absolute schedule: lateness does not add up', async () => {
  const clock = manualClock(START);
  const ticks: TickTime[] = [];
  const schedule = startSchedule(clock, 1000 / 30, (time) => ticks.push(time));
  await clock.advanceBy(10_000.5);
  expect(ticks.length).toBe(300);
  expect(ticks.at(-1)?.nowMs).toBeCloseTo(START + 10_000, 2);
  expect(ticks.every((time) => time.skipped === 0 && time.lateMs < 0.01)).toBe(true);
  schedule.stop();
  await clock.advanceBy(100);
  await schedule.done;
  expect(ticks.length).toBe(300);
});

it('plays one tick after an absence and goes on in step', async () => {
  const clock = manualClock(START);
  const ticks: TickTime[] = [];
  const schedule = startSchedule(clock, 10, (time) => ticks.push(time));
  await clock.advanceBy(20);
  clock.jumpTo(START + 57);
  await clock.advanceBy(0);
  await clock.advanceBy(23);
  expect(ticks.map((time) => time.nowMs - START)).toEqual([10, 20, 57, 60, 70, 80]);
  expect(ticks[2]).toMatchObject({ skipped: 2, lateMs: 7 });
  expect(ticks.reduce((sum, time) => sum + time.skipped, 0)).toBe(2);
  schedule.stop();
});

it('takes a new period from now', async () => {
  const clock = manualClock(START);
  const ticks: number[] = [];
  const schedule = startSchedule(clock, 100, ({ nowMs }) => ticks.push(nowMs - START));
  await clock.advanceBy(150);
  schedule.setPeriod(20);
  await clock.advanceBy(100);
  // The sleep that was under way ends at 200; what was due by then is skipped, not replayed.
  expect(ticks[0]).toBe(100);
  expect(ticks.slice(1)).toEqual([210, 230, 250]);
  schedule.stop();
});

it('rejects with what a tick threw', async () => {
  const clock = manualClock(START);
  const schedule = startSchedule(clock, 10, () => {
    throw new Error('a defect');
  });
  const ended = expect(schedule.done).rejects.toThrow('a defect');
  await clock.advanceBy(10);
  await ended;
});

it('measures jitter of a punctual clock as none', async () => {
  const clock = manualClock(START);
  const measuring = measureJitter({ clock, rateHz: 100, seconds: 1, work: () => undefined });
  await clock.advanceBy(1100);
  expect(await measuring).toMatchObject({ p50Ms: 0, skipped: 0 });
});

it('goes on ticking when the clock goes back by an hour', async () => {
  let now = 3_600_000;
  let ticks = 0;
  const clock = {
    nowMs: () => now,
    async sleepUntil(atMs: number) {
      if (atMs - now > 1000) throw new Error(`would sleep for ${atMs - now} ms`);
      now = Math.max(now, atMs);
      await Promise.resolve();
    },
  };
  const schedule = startSchedule(clock, 33, () => {
    ticks++;
    if (ticks === 3) now -= 3_600_000;
    if (ticks === 8) schedule.stop();
  });
  await schedule.done;
  expect(ticks).toBe(8);
  expect(now).toBeLessThan(1000);
});
