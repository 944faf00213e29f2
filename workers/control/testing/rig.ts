/** The whole control worker without a thread: loop, schedule and service on a manual clock, a small world, an inference that a test plays. */
import type { ControlReport, ControlToInference, InferenceToControl, TickReport } from '#contracts/control.ts';
import { ARM_SLOT_LENGTH, STOP_FLAG, STOP_FLAG_LENGTH } from '#contracts/slots.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { simulatedArm } from '#core/arm/simulated.ts';
import { simulatedWorld, type SimulatedWorld } from '#core/arm/testing/simulated-world.ts';
import { FailureError, unwrap } from '#core/lib/failure.ts';
import { manualClock, type ManualClock } from '#core/lib/manual-clock.ts';
import { createSlotMemory, slotReader } from '#core/lib/shared-slot.ts';
import { SO100 } from '#core/robots/so100.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';
import { silentLog } from '#core/telemetry/log.ts';
import { Bench } from '../bench.ts';
import { ControlLoop } from '../loop.ts';
import { startSchedule } from '../schedule.ts';
import type { PortHost } from '../serial-port.ts';
import { ControlService } from '../service.ts';
import { virtualBench } from '../virtual-bench.ts';

/** A computer with nothing plugged in. */
export const noPorts: PortHost = { open: () => Promise.reject(new FailureError('serial/no-port')), free: () => Promise.resolve([]) };

/** The world measures this often. */
const WORLD_MS = 5;

export interface Rig {
  readonly loop: ControlLoop;
  readonly service: ControlService;
  readonly clock: ManualClock;
  readonly world: SimulatedWorld;
  readonly asked: ControlToInference[];
  readonly reports: ControlReport[];
  /** Every tick of every report, in order. */
  ticks(): TickReport[];
  /** Lets world and loop run. */
  run(ms: number): Promise<void>;
  /** Lets the loop run while the world stands still. */
  runBlind(ms: number): Promise<void>;
  /** Runs until a verb that waits has answered. */
  settle<T>(verb: Promise<T>): Promise<T>;
  pressStop(): void;
  /** The page's sign of life, and what it says of itself (PAGE_BITS). */
  beat(): void;
  page(bits: number): void;
  readonly stopMemory: SharedArrayBuffer;
  stopAcknowledged(): boolean;
  /** A chunk as inference would send it: rows of one joint's path, the others at home. */
  answer(request: ControlToInference, rows: number, valueOf: (row: number, joint: number) => number, over?: { readonly observedAtMs?: number; readonly index?: number }): InferenceToControl;
  armRecord(): Float64Array;
  readonly homeUnits: JointUnitsVector;
}

export async function makeRig(options: { readonly rateHz?: number; readonly connect?: 'at once' | 'later' } = {}): Promise<Rig> {
  const rateHz = options.rateHz ?? 30;
  const clock = manualClock(1_000_000);
  const world = simulatedWorld(SO100.homePose, clock.nowMs());
  const armSlot = createSlotMemory(ARM_SLOT_LENGTH);
  const stop = new SharedArrayBuffer(4 * STOP_FLAG_LENGTH);
  const flag = new Int32Array(stop);
  const asked: ControlToInference[] = [];
  const reports: ControlReport[] = [];
  const loop = new ControlLoop({
    rateHz,
    armSlot,
    stopFlag: stop,
    ask: (request) => asked.push(request),
    report: (report) => reports.push(structuredClone(report)),
    log: silentLog,
  });
  const schedule = startSchedule(clock, 1000 / rateHz, (time) => loop.tick(time));
  const bench = new Bench({ clock, serial: noPorts, virtual: virtualBench(world.memory, clock) });
  const service = new ControlService({
    loop,
    schedule,
    clock,
    bench,
    openArm: (kind) => {
      if (kind === 'simulated') return simulatedArm(world.memory, SO100);
      throw new FailureError('arm/unsupported', { kind });
    },
  });
  let chunks = 0;
  const rig: Rig = {
    loop,
    service,
    clock,
    world,
    asked,
    reports,
    ticks: () => reports.flatMap((report) => [...report.ticks]),
    async run(ms) {
      const until = clock.nowMs() + ms;
      while (clock.nowMs() < until) {
        world.advance(WORLD_MS, clock.nowMs());
        await clock.advanceTo(Math.min(until, clock.nowMs() + WORLD_MS));
      }
    },
    runBlind: (ms) => clock.advanceBy(ms),
    async settle(verb) {
      const state = { done: false };
      const finished = verb.finally(() => (state.done = true));
      finished.catch(() => undefined);
      for (let i = 0; i < 2000 && !state.done; i++) await rig.run(WORLD_MS);
      return finished;
    },
    pressStop: () => void Atomics.add(flag, STOP_FLAG.requested, 1),
    beat: () => void Atomics.add(flag, STOP_FLAG.beat, 1),
    page: (bits) => void Atomics.store(flag, STOP_FLAG.page, bits),
    stopMemory: stop,
    stopAcknowledged: () => Atomics.load(flag, STOP_FLAG.requested) === Atomics.load(flag, STOP_FLAG.acknowledged),
    answer(request, rows, valueOf, over = {}) {
      const actions = new Float32Array(rows * 6);
      for (let row = 0; row < rows; row++) for (let joint = 0; joint < 6; joint++) actions[row * 6 + joint] = valueOf(row, joint);
      return {
        kind: 'chunk',
        requestId: request.requestId,
        chunk: {
          index: over.index ?? chunks++,
          runId: request.runId,
          observedTick: request.tick,
          rows,
          columns: 6,
          actions,
          observedAtMs: over.observedAtMs ?? clock.nowMs(),
          computedAtMs: clock.nowMs(),
        },
      };
    },
    armRecord() {
      const record = new Float64Array(ARM_SLOT_LENGTH);
      slotReader(armSlot).read(record);
      return record;
    },
    homeUnits: radiansVectorToUnits(SO100.homePose),
  };
  if (options.connect !== 'later') {
    unwrap(await rig.settle(service.connect('simulated')));
    await rig.run(200);
  }
  return rig;
}
