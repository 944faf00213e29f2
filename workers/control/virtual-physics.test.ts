/** The control worker's parts on the whole serial path with MuJoCo at its end: loop, gate, bus, virtual servos, slots, physics. */
import { expect, it } from 'vitest';
import { ARM_SLOT_LENGTH, JOINTS_SLOT_LENGTH, POSES_SLOT_LENGTH, STOP_FLAG, STOP_FLAG_LENGTH, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import { unwrap } from '#core/lib/failure.ts';
import { manualClock } from '#core/lib/manual-clock.ts';
import { createSlotMemory } from '#core/lib/shared-slot.ts';
import { SO100 } from '#core/robots/so100.ts';
import { radiansVectorToUnits, unitsVectorToRadians } from '#core/robots/units.ts';
import { silentLog } from '#core/telemetry/log.ts';
import { STEP_SECONDS, World } from '#core/world/world.ts';
import { createRoom } from '#workers/world/room.ts';
import { Bench } from './bench.ts';
import { ControlLoop } from './loop.ts';
import { openArm } from './open-arm.ts';
import { startSchedule } from './schedule.ts';
import { ControlService } from './service.ts';
import { noPorts } from './testing/rig.ts';
import { virtualBench } from './virtual-bench.ts';

const STEP_MS = STEP_SECONDS * 1000;

it('the virtual arm holds, follows and stops the simulated one under gravity', async () => {
  const world = await World.open();
  try {
    const clock = manualClock(1_700_000_000_000);
    const memory = { targets: createSlotMemory(TARGETS_SLOT_LENGTH), joints: createSlotMemory(JOINTS_SLOT_LENGTH), poses: createSlotMemory(POSES_SLOT_LENGTH) };
    const room = createRoom(world, memory, clock);
    room.reset({ task: '', seed: 7 });
    const stop = new SharedArrayBuffer(4 * STOP_FLAG_LENGTH);
    const loop = new ControlLoop({ rateHz: 30, armSlot: createSlotMemory(ARM_SLOT_LENGTH), stopFlag: stop, ask: () => undefined, report: () => undefined, log: silentLog });
    const schedule = startSchedule(clock, 1000 / 30, (time) => loop.tick(time));
    const bench = new Bench({ clock, serial: noPorts, virtual: virtualBench(memory, clock) });
    const service = new ControlService({ loop, schedule, clock, bench, openArm: (kind, body) => openArm(kind, body, { memory, bench }) });
    const step = async (): Promise<void> => {
      await clock.advanceBy(STEP_MS);
      room.advance(1);
    };
    const run = async (ms: number): Promise<void> => {
      for (let t = 0; t < ms; t += STEP_MS) await step();
    };
    const off = (goal: ArrayLike<number>): number => Math.max(...world.positions().map((p, i) => Math.abs(p - (goal[i] as number))));

    let connected = false;
    const connecting = service.connect('virtual').finally(() => {
      connected = true;
    });
    while (!connected) await step();
    unwrap(await connecting);
    await run(300);
    expect(off(SO100.homePose)).toBeLessThan(0.02);

    const goal = radiansVectorToUnits(SO100.homePose);
    goal.set([25, -45, 40, 70, -70, 60]);
    unwrap(await service.setManualTargets(goal));
    await run(2500);
    expect(off(unitsVectorToRadians(goal))).toBeLessThan(0.03);

    goal[0] = -40;
    unwrap(await service.setManualTargets(goal));
    await run(250);
    Atomics.add(new Int32Array(stop), STOP_FLAG.requested, 1);
    await run(600);
    expect(loop.mode).toBe('stopped');
    const stoodAt = Array.from(world.positions());
    await run(500);
    expect(off(stoodAt)).toBeLessThan(0.005);
    schedule.stop();
  } finally {
    world.dispose();
  }
});
