import { describe, expect, it } from 'vitest';
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { SafeCommand } from '#core/safety/safe-command.ts';
import { SO100 } from '#core/robots/so100.ts';
import { SO101 } from '#core/robots/so101.ts';
import { manualClock } from '#core/lib/manual-clock.ts';
import type { Arm } from '../arm.ts';
import { connectSerialArm } from '../serial/connect.ts';
import { createDecoder } from '../serial/feetech/decoder.ts';
import { encodePing, encodeRead, encodeRegWrite, encodeSyncRead, encodeWrite, encodeFrame, encodeAction } from '../serial/feetech/packet.ts';
import { encodeRegister, REGISTERS, type RegisterName } from '../serial/feetech/registers.ts';
import { servoErrors } from '../serial/feetech/servo-errors.ts';
import { describeArmContract } from '../testing/contract-suite.ts';
import { simulatedWorld } from '../testing/simulated-world.ts';
import { virtualServo, type VirtualServo } from './servo.ts';
import { virtualArm } from './virtual-arm.ts';
import { worldPlant } from './world-plant.ts';

const START = [0.1, -0.5, 0.4, 0.2, 0, 0.3];

function ask(servo: VirtualServo, frame: Uint8Array): { readonly errors: readonly string[]; readonly data: readonly number[] } | null {
  const [request] = createDecoder('request').push(frame);
  const answer = request === undefined ? null : servo.handle(request);
  const [packet] = createDecoder('status').push(answer ?? []);
  return packet === undefined ? null : { errors: servoErrors(packet.third), data: [...packet.body] };
}
const write = (servo: VirtualServo, name: RegisterName, value: number): void => void ask(servo, encodeWrite(servo.id, REGISTERS[name].address, encodeRegister(name, value)));
const still = { angle: 0, speed: 0, load: 0 };
/** Firmware time with the joint held at one place and load. */
function pass(servo: VirtualServo, seconds: number, sensed = still): ReturnType<VirtualServo['step']> {
  let drive = servo.step(0, sensed);
  for (let t = 0; t < seconds; t += 0.01) drive = servo.step(0.01, sensed);
  return drive;
}
const powerCycle = (servo: VirtualServo): void => {
  servo.powerOff();
  servo.powerOn();
};

describe('a virtual servo', () => {
  const make = (registers: Partial<Record<RegisterName, number>> = {}): VirtualServo => {
    const servo = virtualServo({ id: 1, encoderAtZero: 2100, registers });
    servo.step(0, still);
    return servo;
  };

  it('answers for itself and for nobody else', () => {
    const servo = make();
    expect(ask(servo, encodePing(1))).toEqual({ errors: [], data: [] });
    expect(ask(servo, encodePing(2))).toBeNull();
    expect(ask(servo, encodeRead(1, 3, 2))).toEqual({ errors: [], data: [9, 3] });
    expect(ask(servo, encodeSyncRead([2, 3], 56, 2))).toBeNull();
    expect(ask(servo, encodeFrame(1, 0x06, []))).toBeNull(); // recovery: not copied
    servo.powerOff();
    expect(ask(servo, encodePing(1))).toBeNull();
  });

  it('reads encoder minus offset, from 0 to 4095, unless it counts turns', () => {
    const servo = make();
    expect(servo.peek('presentPosition')).toBe(2100);
    write(servo, 'homingOffset', 53);
    pass(servo, 0.02);
    expect(servo.peek('presentPosition')).toBe(2047);
    pass(servo, 0.02, { ...still, angle: Math.PI });
    expect(servo.peek('presentPosition')).toBe(2047 + 2048);
    pass(servo, 0.02, { ...still, angle: 1.01 * Math.PI });
    expect(servo.peek('presentPosition')).toBe(Math.round(2100 + 2048 * 1.01) - 53 - 4096);
    write(servo, 'phase', 12 | 16);
    pass(servo, 0.02, { ...still, angle: 1.01 * Math.PI });
    expect(servo.peek('presentPosition')).toBe(Math.round(2100 + 2048 * 1.01) - 53);
  });

  it('keeps EEPROM through a power cycle only when it was unlocked', () => {
    const servo = make();
    write(servo, 'lock', 1);
    write(servo, 'pCoefficient', 16);
    expect(servo.peek('pCoefficient')).toBe(16);
    powerCycle(servo);
    expect(servo.peek('pCoefficient')).toBe(32);
    write(servo, 'pCoefficient', 16); // after power-on the lock is 0 again
    powerCycle(servo);
    expect(servo.peek('pCoefficient')).toBe(16);
  });

  it('copies register 16 to 48 at power-on and at no other time', () => {
    const servo = make();
    write(servo, 'maxTorqueLimit', 500);
    expect(servo.peek('torqueLimit')).toBe(1000);
    write(servo, 'torqueLimit', 321);
    powerCycle(servo);
    expect(servo.peek('torqueLimit')).toBe(500);
    expect(servo.holding).toBe(false);
  });

  it('switches its torque on for a goal outside its limits, and for none inside', () => {
    const servo = make({ minPositionLimit: 1500, maxPositionLimit: 2500 });
    write(servo, 'goalPosition', 2200);
    expect(servo.holding).toBe(false);
    write(servo, 'goalPosition', 3000);
    expect(servo.holding).toBe(true);
    expect(servo.peek('goalPosition')).toBe(3000);
    const drive = pass(servo, 3);
    expect(((drive.goal ?? 0) * 4096) / (2 * Math.PI) + 2100).toBeCloseTo(2500, 6);
  });

  it('goes to what its goal register still holds when torque comes back', () => {
    const servo = make();
    write(servo, 'goalPosition', 2600);
    expect(pass(servo, 1).goal).toBeNull();
    write(servo, 'torqueEnable', 1);
    expect(((pass(servo, 2).goal ?? 0) * 4096) / (2 * Math.PI)).toBeCloseTo(500, 6);
  });

  it('makes the present position the middle for 128, and its torque stays as it was', () => {
    const servo = make();
    write(servo, 'torqueEnable', 128);
    pass(servo, 0.02);
    expect(servo.peek('presentPosition')).toBe(2048);
    expect(servo.peek('torqueEnable')).toBe(0);
    expect(servo.peek('homingOffset')).toBe(52);
  });

  it('cuts to the protective torque after an overload, until a new goal', () => {
    const servo = make({ overloadTorque: 25, protectionTime: 200 });
    write(servo, 'goalPosition', 2200);
    write(servo, 'torqueEnable', 1);
    const squeezing = { ...still, load: 0.5 };
    expect(pass(servo, 1.9, squeezing).strength).toBe(1);
    expect(ask(servo, encodePing(1))?.errors).toEqual([]);
    expect(pass(servo, 0.3, squeezing).strength).toBeCloseTo(0.2, 12);
    expect(ask(servo, encodePing(1))?.errors).toEqual(['overload']);
    write(servo, 'goalPosition', 2100);
    expect(pass(servo, 0.1).strength).toBe(1);
    expect(ask(servo, encodePing(1))?.errors).toEqual([]);
  });

  it('lets go when too much current flows for too long', () => {
    const servo = make({ protectionCurrent: 100, overloadTorque: 100 });
    write(servo, 'goalPosition', 2200);
    write(servo, 'torqueEnable', 1);
    expect(pass(servo, 2.2, { ...still, load: 0.5 })).toEqual({ goal: null, strength: 0 });
    expect(ask(servo, encodePing(1))?.errors).toContain('current');
  });

  it('heats as owners report, lets go above 70 degrees and says so', () => {
    const servo = make();
    write(servo, 'goalPosition', 2200);
    write(servo, 'torqueEnable', 1);
    pass(servo, 45, { ...still, load: 0.5 });
    // "50 degrees in 30 to 60 seconds of squeezing"
    expect(servo.peek('presentTemperature')).toBeGreaterThan(45);
    expect(servo.peek('presentTemperature')).toBeLessThan(60);
    pass(servo, 120, { ...still, load: 0.5 });
    expect(servo.holding).toBe(false);
    expect(ask(servo, encodePing(1))?.errors).toContain('temperature');
  });

  it('reports a wrong voltage and goes on; below 3.5 V it resets', () => {
    const servo = make();
    write(servo, 'torqueEnable', 1);
    servo.setSupply(14.5);
    expect(ask(servo, encodePing(1))?.errors).toEqual(['voltage']);
    expect(servo.holding).toBe(true);
    servo.setSupply(3.2);
    expect(ask(servo, encodePing(1))).toBeNull();
    servo.setSupply(12);
    expect(ask(servo, encodePing(1))?.errors).toEqual([]);
    expect(servo.holding).toBe(false);
  });

  it('holds a write back until the action', () => {
    const servo = make();
    ask(servo, encodeRegWrite(1, REGISTERS.torqueLimit.address, encodeRegister('torqueLimit', 300)));
    expect(servo.peek('torqueLimit')).toBe(1000);
    ask(servo, encodeAction());
    expect(servo.peek('torqueLimit')).toBe(300);
  });

  it('keeps what may only be read, and two bytes on 40 reach 41 as on a real one', () => {
    const servo = make();
    write(servo, 'presentTemperature', 99);
    write(servo, 'modelNumber', 1);
    pass(servo, 0.02);
    expect(servo.peek('presentTemperature')).toBe(30);
    expect(servo.peek('modelNumber')).toBe(777);
    write(servo, 'acceleration', 254);
    ask(servo, encodeWrite(1, 40, [1, 0]));
    expect(servo.peek('acceleration')).toBe(0);
  });

  it('keeps to its speed and acceleration on the way to a goal', () => {
    const servo = make({});
    write(servo, 'goalVelocity', 500);
    write(servo, 'acceleration', 20); // 2000 steps/s^2
    write(servo, 'goalPosition', 3100);
    write(servo, 'torqueEnable', 1);
    let angle = 0;
    let fastest = 0;
    let speed = 0;
    let hardest = 0;
    for (let n = 0; n < 400; n++) {
      const { goal } = servo.step(0.01, { angle, speed: 0, load: 0 });
      const now = (((goal ?? 0) - angle) * 4096) / (2 * Math.PI) / 0.01;
      // Speeding up; braking ends on the goal within one step of the firmware, which is harder.
      if (n < 100) hardest = Math.max(hardest, Math.abs(now - speed) / 0.01);
      speed = now;
      fastest = Math.max(fastest, Math.abs(now));
      angle = goal ?? 0;
    }
    expect((angle * 4096) / (2 * Math.PI)).toBeCloseTo(1000, 3);
    expect(fastest).toBeLessThanOrEqual(500.001);
    expect(fastest).toBeGreaterThan(499);
    expect(hardest).toBeCloseTo(2000, 3);
  });
});

/** The same servos in front of the simulated arm's slots: the world moves it, the servos only say where to. */
describe.each([SO100, SO101])('$name', (robot) => describeArmContract('virtual servos in front of the simulated arm', async () => {
  const clock = manualClock(1_000_000);
  const world = simulatedWorld(START, clock.nowMs(), robot.name);
  const servos = virtualArm({ clock, robot, plant: worldPlant(world.memory, clock, robot) });
  servos.run(5);
  let blind = false;
  const step = async (ms: number): Promise<void> => {
    await clock.advanceBy(ms);
    world.advance(ms, clock.nowMs());
  };
  const drive = async <T>(work: Promise<T>): Promise<T> => {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    work.then(done, done);
    while (!settled) await step(1);
    return work;
  };
  const { arm } = await drive(connectSerialArm({ link: servos.link, clock, calibration: servos.calibration, robot, kind: 'virtual', configure: 'write' }));
  const driven: Arm = { ...arm, engage: (at: SafeCommand, stamp) => drive(arm.engage(at, stamp)), release: (stamp) => drive(arm.release(stamp)), close: () => drive(arm.close()) };
  return {
    arm: driven,
    nowMs: () => clock.nowMs(),
    async advance(ms) {
      for (let left = ms; left > 0; left -= 5) {
        if (!blind) arm.read(clock.nowMs());
        await step(Math.min(5, left));
      }
    },
    async goBlind(ms) {
      blind = true;
      servos.faults.add({ fault: { kind: 'drop' }, id: null, times: Number.POSITIVE_INFINITY });
      await step(ms);
    },
    holding: () => world.torque === 'on',
  };
}));

describe('the world as a plant', () => {
  it.each([[SO100, SO101], [SO101, SO100]] as const)('the servos of one arm turn no joint of another: %s, %s', (own, other) => {
    const world = simulatedWorld(other.homePose, 0, other.name);
    worldPlant(world.memory, manualClock(0), own).drive(Array.from({ length: JOINT_COUNT }, () => ({ goal: 0.5, strength: 1 })), 0.01);
    expect(world.targets).toBeNull();
  });

  it('moves nothing before the world has measured, and sends a limp joint after itself', async () => {
    const clock = manualClock(0);
    const world = simulatedWorld(START, 0);
    const plant = worldPlant(world.memory, clock, SO100);
    plant.drive(Array.from({ length: JOINT_COUNT }, (_, i) => (i === 2 ? { goal: null, strength: 0 } : { goal: 0.5, strength: 1 })), 0.01);
    expect(world.torque).toBe('on');
    expect(world.targets).toEqual([0.5, 0.5, START[2], 0.5, 0.5, 0.5]);
    plant.drive(Array.from({ length: JOINT_COUNT }, () => ({ goal: null, strength: 0 })), 0.01);
    expect(world.torque).toBe('off');
  });
});
