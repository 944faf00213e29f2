/**
 * How much of a tick the servo bus takes: `npm run bench:bus [-- --seconds 600 --busy 2]`. Six servos read and written every tick at 30
 * and 50 Hz, with the time that the bytes need at 1 Mbaud.
 *
 * Twice: on a manual clock, where only the wire takes time, and on the wall clock, beside an idle loop of the same rate in the same
 * process, so that what the machine itself is late can be taken off. `--busy` threads compute meanwhile without pause, as inference does.
 */
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { systemClock } from '#core/lib/clock.ts';
import { armRig, holdAt } from '#core/arm/serial/testing/rig.ts';
import { connectSerialArm } from '#core/arm/serial/connect.ts';
import { virtualArm } from '#core/arm/virtual/virtual-arm.ts';
import { SO100 } from '#core/robots/so100.ts';
import { percentile } from '#core/telemetry/percentiles.ts';

/** Question 14 bytes, six answers of 21, goals 26; ten bits each at 1 Mbaud. */
const READ_LIMIT_MS = ((14 + 6 * 21) * 10) / 1000;
const CYCLE_LIMIT_MS = ((14 + 6 * 21 + 26) * 10) / 1000;
const MANUAL_TICKS = 3000;
const RATES = [30, 50] as const;

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' }, busy: { type: 'string', default: '1' } } });
const seconds = Number(values.seconds);
const busy = Number(values.busy);
if (!(seconds > 0) || !Number.isInteger(busy) || busy < 0) {
  console.error('npm run bench:bus [-- --seconds 600 --busy 2]');
  process.exit(2);
}

console.info(`the wire needs ${READ_LIMIT_MS.toFixed(2)} ms to read six servos, ${CYCLE_LIMIT_MS.toFixed(2)} ms with the goals\n`);
console.info('| clock | Hz | ticks | read p50 ms | p99 ms | max ms | wire ms | old readings | lost |');
console.info('|---|---|---|---|---|---|---|---|---|');
for (const rateHz of RATES) await manual(rateHz);
const threads = Array.from({ length: busy }, () => new Worker('let x = 1; for (;;) x = Math.sin(x) + 1;', { eval: true }));
for (const rateHz of RATES) await wall(rateHz);
await Promise.all(threads.map((thread) => thread.terminate()));
process.exit(0);

function row(clock: string, rateHz: number, trips: readonly number[], old: number, lost: number): void {
  const sorted = Float64Array.from(trips).sort();
  const at = (share: number): string => percentile(sorted, share).toFixed(2);
  console.info(`| ${clock} | ${rateHz} | ${trips.length} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${READ_LIMIT_MS.toFixed(2)} | ${old} | ${lost} |`);
}

async function manual(rateHz: number): Promise<void> {
  const rig = await armRig();
  const first = rig.arm.read(rig.clock.nowMs());
  if (first.kind === 'failed') throw new Error('no first reading');
  const start = Array.from(first.value.position);
  await rig.drive(rig.arm.engage(holdAt(start), { tick: 0, atMs: rig.clock.nowMs() }));
  const trips: number[] = [];
  const before = rig.arm.health().counts;
  let old = 0;
  for (let tick = 1; tick <= MANUAL_TICKS; tick++) {
    const nowMs = rig.clock.nowMs();
    const reading = rig.arm.read(nowMs);
    if (tick > 1 && (reading.kind !== 'fresh' || nowMs - reading.atMs > 1000 / rateHz + 0.01)) old++;
    rig.arm.send(holdAt(start.map((p) => p + 0.05 * Math.sin(tick / 10))), { tick, atMs: nowMs });
    await rig.clock.advanceBy(2);
    trips.push(rig.arm.health().counts.lastRoundTripMs ?? Number.NaN);
    await rig.clock.advanceBy(1000 / rateHz - 2);
  }
  row('manual', rateHz, trips, old, rig.arm.health().counts.lost - before.lost);
}

async function wall(rateHz: number): Promise<void> {
  const clock = systemClock();
  const servos = virtualArm({ clock, state: 'held' });
  servos.run(10);
  const { arm } = await connectSerialArm({ link: servos.link, clock, calibration: servos.calibration, robot: SO100, kind: 'virtual', configure: 'write' });
  const first = arm.read(clock.nowMs());
  if (first.kind === 'failed') throw new Error('no first reading');
  const start = Array.from(first.value.position);
  await arm.engage(holdAt(start), { tick: 0, atMs: clock.nowMs() });
  const idle = idleLoop(rateHz);
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
  row('wall', rateHz, trips, old, arm.health().counts.lost - before.lost);
  const control = await idle.stop();
  const figures = (all: readonly number[]): string => {
    const sorted = Float64Array.from(all).sort();
    return `p50 ${percentile(sorted, 0.5).toFixed(2)}, p99 ${percentile(sorted, 0.99).toFixed(2)}, max ${percentile(sorted, 1).toFixed(2)} ms late`;
  };
  console.info(`<!-- ${rateHz} Hz, ${seconds} s, ${busy} busy threads: bus loop ${figures(late)}, ${skipped} ticks skipped; idle loop beside it ${figures(control.late)}, ${control.skipped} skipped -->`);
  await arm.close();
}

/** A thread that only looks at the clock, at the same rate: what this machine is late by itself. */
function idleLoop(rateHz: number): { stop(): Promise<{ readonly late: readonly number[]; readonly skipped: number }> } {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const late = []; let skipped = 0; const period = ${1000 / rateHz}; const began = performance.now(); let k = 1; let on = true;
     parentPort.on('message', () => { on = false; parentPort.postMessage({ late, skipped }); });
     const turn = () => { const now = performance.now(); const missed = Math.floor((now - began) / period) - k; if (missed > 0) { skipped += missed; k += missed; }
       late.push(Math.max(0, now - (began + k * period))); k++; if (on) setTimeout(turn, Math.max(0, began + k * period - performance.now())); };
     setTimeout(turn, period);`,
    { eval: true },
  );
  return {
    stop: () =>
      new Promise((resolve) => {
        worker.once('message', (told: { readonly late: readonly number[]; readonly skipped: number }) => {
          void worker.terminate();
          resolve(told);
        });
        worker.postMessage('stop');
      }),
  };
}
