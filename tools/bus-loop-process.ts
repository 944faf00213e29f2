/** A process with a loop at one rate on the wall clock that reads and writes six virtual servos in every tick, for a time; then it tells what it saw. */
import { systemClock } from '#core/lib/clock.ts';
import { holdAt } from '#core/arm/serial/testing/rig.ts';
import { connectSerialArm } from '#core/arm/serial/connect.ts';
import { virtualArm } from '#core/arm/virtual/virtual-arm.ts';
import { SO100 } from '#core/robots/so100.ts';

export interface BusLoopTold {
  /** Of the bus, ms, one a tick: the last question and its six answers. */
  readonly trips: readonly number[];
  /** Of each tick, ms. */
  readonly late: readonly number[];
  readonly skipped: number;
  readonly old: number;
  readonly lost: number;
}

const [rateHz = 0, seconds = 0] = process.argv.slice(2).map(Number);
const told = await loop();
process.send?.(told, () => process.exit(0));

async function loop(): Promise<BusLoopTold> {
  const clock = systemClock();
  const servos = virtualArm({ clock, state: 'held' });
  servos.run(10);
  const { arm } = await connectSerialArm({ link: servos.link, clock, calibration: servos.calibration, robot: SO100, kind: 'virtual', configure: 'write' });
  let first = arm.read(clock.nowMs());
  // Three processes begin at once on few cores.
  for (const giveUpMs = clock.nowMs() + 5000; first.kind === 'failed'; first = arm.read(clock.nowMs())) {
    if (clock.nowMs() > giveUpMs) throw new Error('no first reading');
    await clock.sleepUntil(clock.nowMs() + 5);
  }
  const start = Array.from(first.value.position);
  await arm.engage(holdAt(start), { tick: 0, atMs: clock.nowMs() });
  const trips: number[] = [];
  const late: number[] = [];
  const before = arm.health().counts;
  const periodMs = 1000 / rateHz;
  const beganMs = clock.nowMs();
  let old = 0;
  let skipped = 0;
  for (let tick = 1; clock.nowMs() - beganMs < seconds * 1000; tick++) {
    await clock.sleepUntil(beganMs + tick * periodMs);
    const nowMs = clock.nowMs();
    const missed = Math.floor((nowMs - beganMs) / periodMs) - tick;
    if (missed > 0) {
      skipped += missed;
      tick += missed;
    }
    late.push(Math.max(0, nowMs - (beganMs + tick * periodMs)));
    const reading = arm.read(nowMs);
    if (reading.kind !== 'fresh') old++;
    arm.send(holdAt(start.map((p) => p + 0.05 * Math.sin(tick / 10))), { tick, atMs: nowMs });
    trips.push(arm.health().counts.lastRoundTripMs ?? Number.NaN);
  }
  const { lost } = arm.health().counts;
  await arm.close();
  return { trips, late, skipped, old, lost: lost - before.lost };
}
