/**
 * How much of a tick the servo bus takes: `npm run bench:bus [-- --seconds 600 --inference 1]`. Six servos read and written every tick at
 * 30 and 50 Hz, with the time that the bytes need at 1 Mbaud.
 *
 * Twice: on a manual clock, where only the wire takes time, and on the wall clock, each rate in a process of its own and beside it
 * a thread with an idle loop of that rate, so that what the machine itself is late can be taken off. Meanwhile the policy that ships with
 * the page is computed without pause in as many processes as `--inference` says.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { armRig, holdAt } from '#core/arm/serial/testing/rig.ts';
import { percentile } from '#core/telemetry/percentiles.ts';
import type { BusLoopTold } from './bus-loop-process.ts';

/** Question 14 bytes, six answers of 21, goals 26; ten bits each at 1 Mbaud. */
const READ_LIMIT_MS = ((14 + 6 * 21) * 10) / 1000;
const CYCLE_LIMIT_MS = ((14 + 6 * 21 + 26) * 10) / 1000;
const MANUAL_TICKS = 3000;
const RATES = [30, 50] as const;

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' }, inference: { type: 'string', default: '1' } } });
const seconds = Number(values.seconds);
const inference = Number(values.inference);
if (!(seconds > 0) || !Number.isInteger(inference) || inference < 0) {
  console.error('npm run bench:bus [-- --seconds 600 --inference 1]');
  process.exit(2);
}

console.info(`the wire needs ${READ_LIMIT_MS.toFixed(2)} ms to read six servos, ${CYCLE_LIMIT_MS.toFixed(2)} ms with the goals\n`);
console.info('| clock | Hz | ticks | read p50 ms | p99 ms | max ms | wire ms | old readings | lost |');
console.info('|---|---|---|---|---|---|---|---|---|');
for (const rateHz of RATES) await manual(rateHz);
const policies = await Promise.all(Array.from({ length: inference }, () => startInference()));
console.info(`\n${(await Promise.all(RATES.map((rateHz) => wall(rateHz)))).join('\n')}`);
for (const [i, policy] of policies.entries()) {
  const chunks = await policy.stop();
  console.info(`inference ${i + 1}: ${chunks} chunks meanwhile, ${((1000 * seconds) / chunks).toFixed(0)} ms each`);
}
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

/** Prints its row; what it resolves with says how late it was, beside the idle loop. */
async function wall(rateHz: number): Promise<string> {
  const idle = idleLoop(rateHz);
  const told = (await firstMessage(fork(join(import.meta.dirname, 'bus-loop-process.ts'), [String(rateHz), String(seconds)], { serialization: 'advanced' }))) as BusLoopTold;
  const control = await idle.stop();
  row('wall', rateHz, told.trips, told.old, told.lost);
  const figures = (all: readonly number[]): string => {
    const sorted = Float64Array.from(all).sort();
    return `p50 ${percentile(sorted, 0.5).toFixed(2)}, p99 ${percentile(sorted, 0.99).toFixed(2)}, max ${percentile(sorted, 1).toFixed(2)} ms late`;
  };
  return `${rateHz} Hz, ${seconds} s, ${inference} processes of inference: bus loop ${figures(told.late)}, ${told.skipped} ticks skipped; idle loop beside it ${figures(control.late)}, ${control.skipped} skipped`;
}

/** Rejects where the process ends without one. */
function firstMessage(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${child.spawnargs.at(-1) ?? 'a process'} ended with ${String(code)}`)));
  return Promise.race([once(child, 'message').then(([message]) => message as unknown), ended]);
}

async function startInference(): Promise<{ stop(): Promise<number> }> {
  const worker = fork(join(import.meta.dirname, 'inference-process.ts'));
  await firstMessage(worker);
  return {
    async stop() {
      worker.send('how many');
      const { chunks } = (await firstMessage(worker)) as { readonly chunks: number };
      worker.kill();
      return chunks;
    },
  };
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
