/** The control worker's parts with the virtual servos on a manual clock, and a small world behind them: loop, gate, port, bus, servos. */
import type { RobotDescription } from '#contracts/robot.ts';
import type { ControlReport, TickReport } from '#contracts/control.ts';
import type { Clock } from '#contracts/time.ts';
import { ARM_SLOT_LENGTH, STOP_FLAG, STOP_FLAG_LENGTH } from '#contracts/slots.ts';
import { simulatedWorld } from '#core/arm/testing/simulated-world.ts';
import { manualClock } from '#core/lib/manual-clock.ts';
import { createSlotMemory } from '#core/lib/shared-slot.ts';
import { SO100 } from '#core/robots/so100.ts';
import { silentLog } from '#core/telemetry/log.ts';
import { Bench } from '../bench.ts';
import { ControlLoop } from '../loop.ts';
import { openArm } from '../open-arm.ts';
import { startSchedule } from '../schedule.ts';
import type { PortHost } from '../serial-port.ts';
import { ControlService } from '../service.ts';
import { virtualBench } from '../virtual-bench.ts';
import { noPorts } from './rig.ts';

const STEP_MS = 5;

export function servoRig(rateHz = 30, plugged: (clock: Clock) => PortHost = () => noPorts, robot: RobotDescription = SO100) {
  const clock = manualClock(1_000_000);
  const world = simulatedWorld(robot.homePose, clock.nowMs(), robot.name);
  const stop = new SharedArrayBuffer(4 * STOP_FLAG_LENGTH);
  const failures: string[] = [];
  const reports: ControlReport[] = [];
  const ticks: TickReport[] = [];
  const loop = new ControlLoop({
    rateHz,
    armSlot: createSlotMemory(ARM_SLOT_LENGTH),
    stopFlag: stop,
    ask: () => undefined,
    report: (report) => {
      reports.push(structuredClone(report));
      const { failure } = report;
      if (failure !== null) failures.push(`${failure.code} ${JSON.stringify(failure.facts)}`);
    },
    log: silentLog,
  });
  const schedule = startSchedule(clock, 1000 / rateHz, (time) => {
    const tick = loop.tick(time);
    if (tick !== null) ticks.push(tick);
  });
  const bench = new Bench({ clock, serial: plugged(clock), virtual: virtualBench(world.memory, clock) });
  const service = new ControlService({ loop, schedule, clock, bench, openArm: (kind, body) => openArm(kind, body, { memory: world.memory, bench }) });
  const step = async (): Promise<void> => {
    await clock.advanceBy(STEP_MS);
    world.advance(STEP_MS, clock.nowMs());
  };
  return {
    loop,
    service,
    bench,
    clock,
    world,
    failures,
    reports,
    ticks,
    pressStop: () => void Atomics.add(new Int32Array(stop), STOP_FLAG.requested, 1),
    async run(ms: number) {
      for (let left = ms; left > 0; left -= STEP_MS) await step();
    },
    async settle<T>(verb: Promise<T>): Promise<T> {
      let settled = false;
      const done = (): void => {
        settled = true;
      };
      verb.then(done, done);
      while (!settled) await step();
      return verb;
    },
  };
}

export type ServoRig = ReturnType<typeof servoRig>;
