/** How punctual a schedule is on this machine, in this thread, with this work in each tick. */
import type { JitterSummary } from '#contracts/control.ts';
import type { Clock } from '#contracts/time.ts';
import { jitterMeter } from '#core/telemetry/jitter.ts';
import { startSchedule } from '../schedule.ts';

export interface JitterMeasurement {
  readonly clock: Clock;
  readonly rateHz: number;
  readonly seconds: number;
  readonly work: () => void;
}

export async function measureJitter({ clock, rateHz, seconds, work }: JitterMeasurement): Promise<JitterSummary> {
  const meter = jitterMeter();
  const schedule = startSchedule(clock, 1000 / rateHz, (time) => {
    meter.tick(time.lateMs, time.skipped);
    work();
  });
  await clock.sleepUntil(clock.nowMs() + seconds * 1000);
  schedule.stop();
  await schedule.done;
  return meter.summary();
}
