/** The control loop and the simulated arm on the real physics, in lockstep: what the small test world cannot show. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlReport, TickReport } from '#contracts/control.ts';
import { ARM_SLOT_LENGTH, JOINTS_SLOT_LENGTH, POSES_SLOT_LENGTH, STOP_FLAG, STOP_FLAG_LENGTH, TARGETS_SLOT, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import type { JointRadians } from '#contracts/units.ts';
import { simulatedArm } from '#core/arm/simulated.ts';
import { describeArmContract } from '#core/arm/testing/contract-suite.ts';
import { manualClock } from '#core/lib/manual-clock.ts';
import { seededRandom } from '#core/lib/random.ts';
import { createSlotMemory, slotReader } from '#core/lib/shared-slot.ts';
import { gripPose } from '#core/robots/kinematics.ts';
import { SO100 } from '#core/robots/so100.ts';
import { SO101 } from '#core/robots/so101.ts';
import { radiansVectorToUnits, unitsVectorToRadians } from '#core/robots/units.ts';
import { PROFILES } from '#core/safety/profile.ts';
import { silentLog } from '#core/telemetry/log.ts';
import { STEP_SECONDS, World } from '#core/world/world.ts';
import { createRoom } from '#workers/world/room.ts';
import { ControlLoop } from './loop.ts';

const RATE_HZ = 30;
let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.dispose());

describe.each([SO100, SO101])('the $name', (robot) => {
  function openRoom() {
    const clock = manualClock(1_700_000_000_000);
    const memory = { targets: createSlotMemory(TARGETS_SLOT_LENGTH), joints: createSlotMemory(JOINTS_SLOT_LENGTH), poses: createSlotMemory(POSES_SLOT_LENGTH) };
    const room = createRoom(world, memory, clock);
    room.reset({ task: '', seed: 7, robot: robot.name });
    const advance = (ms: number): void => {
      clock.jumpTo(clock.nowMs() + ms);
      room.advance(Math.max(1, Math.round(ms / 1000 / STEP_SECONDS)));
    };
    return { clock, memory, advance };
  }

  async function connected(profile = PROFILES['first-motion']) {
    const { clock, memory, advance } = openRoom();
    const stop = new SharedArrayBuffer(4 * STOP_FLAG_LENGTH);
    const reports: ControlReport[] = [];
    const loop = new ControlLoop({ rateHz: RATE_HZ, armSlot: createSlotMemory(ARM_SLOT_LENGTH), stopFlag: stop, profile, ask: () => undefined, report: (report) => void reports.push(report), log: silentLog });
    await loop.connect(simulatedArm(memory, robot), clock.nowMs());
    const ticks = (count: number): TickReport[] =>
      Array.from({ length: count }, () => {
        const report = loop.tick({ nowMs: clock.nowMs(), lateMs: 0, skipped: 0 });
        advance(1000 / RATE_HZ);
        if (report === null) throw new Error('no arm');
        return report;
      });
    return { loop, clock, ticks, last: () => reports.at(-1), pressStop: () => void Atomics.add(new Int32Array(stop), STOP_FLAG.requested, 1) };
  }

  /** Largest |measured - target| over the arm joints. */
  const off = (tick: TickReport | undefined): number => Math.max(...(tick?.measured ?? []).slice(0, 5).map((p, i) => Math.abs(p - (tick?.target[i] ?? Number.NaN))));
  const goal = (): JointRadians => {
    const units = radiansVectorToUnits(robot.homePose);
    units.set([60, 20, -20, 90, -90, 60]);
    return unitsVectorToRadians(units);
  };

  describeArmContract('simulated, real physics', async () => {
    const { clock, memory, advance } = openRoom();
    return {
      arm: simulatedArm(memory, robot),
      nowMs: () => clock.nowMs(),
      advance: async (ms) => advance(ms),
      goBlind: async (ms) => clock.jumpTo(clock.nowMs() + ms),
      holding: () => {
        const record = new Float64Array(TARGETS_SLOT_LENGTH);
        return slotTorque(memory.targets, record);
      },
    };
  });

  describe('the loop on real physics', () => {
    it('moves nothing by connecting', async () => {
      const { ticks } = await connected();
      const held = ticks(90);
      for (const tick of held) expect(tick.target).toEqual([...robot.homePose]);
      expect(Math.max(...held.map(off))).toBeLessThan(0.005);
    });

    it('stops from full speed within six ticks and settles within a degree', async () => {
      const { loop, ticks, pressStop } = await connected();
      loop.setManualTargets(goal());
      ticks(15);
      pressStop();
      const after = ticks(60);
      const report = loop.lastStop();
      if (report === null) throw new Error('no report');
      // 2 rad/s less 12/30 rad/s a tick.
      expect(report.frozenTick - report.acknowledgedTick).toBeLessThanOrEqual(5);
      const frozen = after.filter((tick) => tick.tick >= report.frozenTick);
      for (const tick of frozen) expect(tick.target).toEqual(frozen[0]?.target);
      expect(report.driftRad).toBeLessThan(0.0175);
      console.log(`stop: frozen after ${report.frozenTick - report.acknowledgedTick} ticks, settling ${report.settlingRad?.toFixed(4)} rad, drift ${report.driftRad?.toFixed(4)} rad`);
    });

    it('lowers itself, lies there without torque, and is taken hold of without a jerk', async () => {
      const { loop, clock, ticks } = await connected();
      loop.setManualTargets(goal());
      ticks(90);
      loop.lowerAndRelease();
      let lowered = 0;
      while (loop.mode === 'lowering' && lowered < 600) lowered += ticks(1).length;
      expect(loop.mode).toBe('released');
      const before = ticks(60).at(-1)?.measured ?? [];
      robot.restPose.slice(0, 5).forEach((rest, i) => expect(Math.abs((before[i] ?? Number.NaN) - rest)).toBeLessThan(0.1));
      await loop.resume(clock.nowMs());
      const after = ticks(60).at(-1)?.measured ?? [];
      before.forEach((p, i) => expect(Math.abs((after[i] ?? Number.NaN) - p)).toBeLessThan(0.01));
      console.log(`lowered in ${(lowered / RATE_HZ).toFixed(1)} s`);
    });

    it('comes down to rest from wherever it may be, and does not fall when it is let go', async () => {
      const random = seededRandom(3);
      for (let k = 0; k < 8; k++) {
        const { loop, ticks } = await connected();
        // Above the cubes and the bowl: an arm that is held stalls, and then it is right not to go on.
        let goal = robot.homePose;
        do goal = robot.joints.map(({ least, most }) => random.between(least, most));
        while (gripPose(robot, goal).position[2] < 0.15);
        loop.setManualTargets(Float64Array.from(goal) as unknown as JointRadians);
        ticks(150);
        loop.lowerAndRelease();
        for (let n = 0; n < 900 && loop.mode === 'lowering'; n++) ticks(1);
        expect(loop.mode).toBe('released');
        const [lying] = ticks(1);
        robot.restPose.slice(0, 5).forEach((rest, i) => expect(lying?.target[i]).toBeCloseTo(rest, 1));
        const sunk = off({ ...(ticks(60).at(-1) as TickReport), target: lying?.measured ?? [] });
        expect(sunk, 'radians that a joint moved after the motors were freed').toBeLessThan(0.1);
      }
    });

    it('holds where a limit keeps it above rest, and says so', async () => {
      const { loop, ticks, last } = await connected({ ...PROFILES['first-motion'], workspace: { least: [-1, -1, -1], most: [1, 0.03, 1] } });
      loop.lowerAndRelease();
      for (let n = 0; n < 900 && loop.mode === 'lowering'; n++) ticks(1);
      expect(loop.mode).toBe('idle');
      expect(last()?.failure).toMatchObject({ code: 'control/rest-not-reached' });
      const held = ticks(60);
      for (const tick of held) expect(tick.target).toEqual(held[0]?.target);
    });
  });
});

function slotTorque(memory: SharedArrayBuffer, record: Float64Array): boolean {
  return slotReader(memory).read(record) && record[TARGETS_SLOT.torque.at] === 1;
}
