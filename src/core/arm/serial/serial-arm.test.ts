import { describe, expect, it } from 'vitest';
import { FailureError } from '#core/lib/failure.ts';
import { SO100 } from '#core/robots/so100.ts';
import { SO101 } from '#core/robots/so101.ts';
import type { Arm } from '../arm.ts';
import { describeArmContract } from '../testing/contract-suite.ts';
import type { Packet } from './feetech/decoder.ts';
import { decodeRegister, encodeRegister } from './feetech/registers.ts';
import { goalRound } from './testing/goal-round.ts';
import { armRig, connectTo, holdAt, servoRig } from './testing/rig.ts';

type Rig = Awaited<ReturnType<typeof armRig>>;
const IDS = [1, 2, 3, 4, 5, 6];
const stamp = (rig: Rig, tick = 0) => ({ tick, atMs: rig.clock.nowMs() });

/** Ticks at 30 Hz, as the loop does: read, then send. */
async function ticks(rig: Rig, count: number, send: (tick: number) => void = () => undefined): Promise<void> {
  for (let tick = 1; tick <= count; tick++) {
    rig.arm.read(rig.clock.nowMs());
    send(tick);
    await rig.clock.advanceBy(1000 / 30);
  }
}
function positions(rig: Rig): number[] {
  const reading = rig.arm.read(rig.clock.nowMs());
  if (reading.kind === 'failed') throw new FailureError(reading.failure.code, reading.failure.facts);
  return Array.from(reading.value.position);
}
async function engaged(rig: Rig): Promise<Rig> {
  await rig.drive(rig.arm.engage(holdAt(positions(rig)), stamp(rig)));
  return rig;
}
/** Every goal that went over the wire: id and steps. */
function goals(heard: readonly Packet[]): { readonly id: number; readonly steps: number }[] {
  return heard.flatMap(({ id, third, body }) => {
    if (third === 3 && body[0] === 42) return [{ id, steps: decodeRegister('goalPosition', body.slice(1, 3)) }];
    if (third !== 0x83 || body[0] !== 42) return [];
    return Array.from({ length: (body.length - 2) / 3 }, (_, n) => ({ id: body[2 + 3 * n] as number, steps: decodeRegister('goalPosition', body.slice(3 + 3 * n, 5 + 3 * n)) }));
  });
}

describe.each([SO100, SO101])('$name', (robot) => describeArmContract('virtual servos', async () => {
  const rig = await armRig({ robot }, { robot });
  const { arm, clock, servos } = rig;
  const driven: Arm = { ...arm, engage: (at, one) => rig.drive(arm.engage(at, one)), release: (one) => rig.drive(arm.release(one)), close: () => rig.drive(arm.close()) };
  return {
    arm: driven,
    nowMs: () => clock.nowMs(),
    async advance(ms) {
      // The loop reads every tick; the suite's own reads are too few for a wire.
      for (let left = ms; left > 0; left -= 10) {
        arm.read(clock.nowMs());
        await clock.advanceBy(Math.min(10, left));
      }
    },
    async goBlind(ms) {
      servos.faults.add({ fault: { kind: 'drop' }, id: null, times: Number.POSITIVE_INFINITY });
      await clock.advanceBy(ms);
    },
    holding: () => servos.servos.some((servo) => servo.holding),
  };
}));

describe('connecting', () => {
  it('configures as LeRobot does, once, and leaves the arm limp', async () => {
    const rig = await armRig();
    expect(rig.changed.length).toBeGreaterThan(0);
    expect(IDS.map((id) => rig.servos.servo(id).peek('pCoefficient'))).toEqual(Array(6).fill(16));
    expect([rig.servos.servo(6).peek('maxTorqueLimit'), rig.servos.servo(6).peek('protectionCurrent'), rig.servos.servo(6).peek('overloadTorque')]).toEqual([500, 250, 25]);
    expect(IDS.map((id) => rig.servos.servo(id).peek('lock'))).toEqual(Array(6).fill(1));
    expect(rig.servos.servos.some((servo) => servo.holding)).toBe(false);
    expect(goals(rig.servos.heard)).toEqual([]);
    rig.servos.setSupply(0);
    rig.servos.setSupply(12);
    expect(rig.servos.servo(6).peek('overloadTorque')).toBe(25); // written unlocked: it lasts
    expect(rig.servos.servo(6).peek('torqueLimit')).toBe(500); // register 16 became 48 at power-on
  });

  it('does not write what stands there already', async () => {
    const rig = servoRig();
    const first = await rig.drive(connectTo(rig));
    const writes = (): number => rig.servos.heard.filter((request) => request.third === 3).length;
    const before = writes();
    const again = await rig.drive(connectTo(rig));
    expect(again.changed).toEqual([]);
    expect(writes()).toBe(before);
    expect(first.changed.length).toBeGreaterThan(0);
  });

  it.each<[string, (rig: ReturnType<typeof servoRig>) => void, object]>([
    ['a motor is missing', (rig) => rig.servos.servo(4).powerOff(), { finding: 'servo-missing', id: 4, after: 3 }],
    ['nobody answers', (rig) => rig.servos.setSupply(0), { finding: 'nothing-answers' }],
    ['the supply is too high', (rig) => rig.servos.setSupply(15), { finding: 'voltage-high' }],
    ['a motor is hot', (rig) => rig.servos.servo(6).setTemperature(66), { finding: 'hot', id: 6 }],
    ['the calibration is of another arm', (rig) => void rig.servos.servo(2).handle({ id: 2, third: 3, body: Uint8Array.of(31, 9, 0) }), { finding: 'calibration-differs', id: 2 }],
  ])('refuses when %s, and no motor was switched on', async (_what, prepare, facts) => {
    const rig = servoRig();
    prepare(rig);
    const refused = await rig.drive(connectTo(rig)).catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(FailureError);
    expect((refused as FailureError).failure).toMatchObject({ code: 'arm/refused', facts });
    expect(rig.servos.servos.some((servo) => servo.holding)).toBe(false);
    expect(goals(rig.servos.heard)).toEqual([]);
  });

  it('refuses to unlock the EEPROM of a servo that holds something', async () => {
    const rig = servoRig();
    rig.servos.servo(2).handle({ id: 2, third: 3, body: Uint8Array.of(40, 1) });
    const refused = await rig.drive(connectTo(rig)).catch((thrown: unknown) => thrown);
    expect((refused as FailureError).failure).toMatchObject({ code: 'arm/refused', facts: { finding: 'torque-on', id: 2 } });
    expect(rig.servos.servo(2).holding).toBe(true);
  });

  it('works on a line that echoes', async () => {
    const rig = await engaged(await armRig({ echo: 'yes' }));
    expect(rig.arm.health().echo).toBe(true);
    await ticks(rig, 5);
    expect(rig.arm.read(rig.clock.nowMs()).kind).toBe('fresh');
  });
});

describe('taking hold', () => {
  it('sets goal and low torque before torque, then raises it in steps, and reads each back', async () => {
    const rig = await armRig();
    const before = rig.servos.heard.length;
    await engaged(rig);
    const writes = rig.servos.heard.slice(before).filter((request) => request.third === 0x83);
    expect(writes.map((request) => request.body[0])).toEqual([48, 42, 40, 48, 48, 48, 48]);
    const limitsOf6 = writes.filter((request) => request.body[0] === 48).map(({ body }) => decodeRegister('torqueLimit', body.slice(body.length - 2)));
    expect(limitsOf6).toEqual([200, 275, 350, 425, 500]);
    const limitsOf1 = writes.filter((request) => request.body[0] === 48).map(({ body }) => decodeRegister('torqueLimit', body.slice(3, 5)));
    expect(limitsOf1).toEqual([200, 400, 600, 800, 1000]);
    const goal = goals(rig.servos.heard.slice(before));
    for (const { id, steps } of goal) expect(Math.abs(steps - rig.servos.servo(id).peek('presentPosition'))).toBeLessThanOrEqual(1);
  });

  it('does not jump to a goal from before', async () => {
    const rig = servoRig();
    // Stale goals, inside the limits: outside them the servos would switch themselves on.
    for (const { id, rangeMax } of Object.values(rig.servos.calibration)) rig.servos.servo(id).handle({ id, third: 3, body: Uint8Array.of(42, ...encodeRegister('goalPosition', rangeMax - 20)) });
    const connected = await rig.drive(connectTo(rig));
    const start = [...rig.plant.angles];
    await engaged({ ...rig, ...connected });
    await rig.clock.advanceBy(500);
    rig.plant.angles.forEach((angle, i) => expect(Math.abs(angle - (start[i] ?? 0))).toBeLessThan(0.01));
  });

  it('refuses a place the arm is not at', async () => {
    const rig = await armRig();
    const far = positions(rig).map((position, i) => position + (i === 3 ? 0.4 : 0));
    await expect(rig.drive(rig.arm.engage(holdAt(far), stamp(rig)))).rejects.toThrow('arm/moved-at-start');
    expect(rig.servos.servos.some((servo) => servo.holding)).toBe(false);
  });

  it('fails by name when a servo does not keep what it is told', async () => {
    const rig = await armRig();
    rig.servos.faults.add({ fault: { kind: 'drop' }, id: 3, times: 50 });
    await expect(rig.drive(rig.arm.engage(holdAt(positions(rig)), stamp(rig)))).rejects.toThrow(/arm\/servo-lost.*elbow_flex/);
  });
});

describe('while moving', () => {
  it('writes once and reads once a tick, the newest goal only', async () => {
    const rig = await engaged(await armRig());
    const start = positions(rig);
    const before = rig.servos.heard.length;
    await ticks(rig, 12, (tick) => {
      rig.arm.send(holdAt([0, 0, 0, 0, 0, 0]), stamp(rig, tick)); // replaced before it goes out
      rig.arm.send(holdAt(start.map((p) => p + 0.004 * tick)), stamp(rig, tick));
    });
    const kinds = rig.servos.heard.slice(before).map((request) => request.third);
    expect(kinds.filter((kind) => kind === 0x83).length).toBe(12);
    expect(kinds.filter((kind) => kind === 0x82).length).toBe(12);
    expect(kinds.length).toBe(24);
    expect(goals(rig.servos.heard.slice(before)).every(({ id, steps }) => Math.abs(steps - rig.servos.servo(id).peek('presentPosition')) < 45)).toBe(true);
  });

  it('reads before it writes, and says what has not changed three times, then again after three seconds', async () => {
    const rig = await engaged(await armRig());
    const hold = holdAt(positions(rig));
    const before = rig.servos.heard.length;
    await ticks(rig, 60, (tick) => rig.arm.send(hold, stamp(rig, tick)));
    const kinds = rig.servos.heard.slice(before).map((request) => request.third);
    expect(kinds.slice(0, 2)).toEqual([0x82, 0x83]);
    expect(kinds.filter((kind) => kind === 0x83).length).toBe(3);
    await ticks(rig, 60, (tick) => rig.arm.send(hold, stamp(rig, tick)));
    expect(rig.servos.heard.slice(before).filter((request) => request.third === 0x83).length).toBe(4);
  });

  it.each([30, 50])('at %i Hz needs the wire and no more, and no tick finds an old reading', async (rateHz) => {
    const rig = await engaged(await armRig({}));
    const start = positions(rig);
    const trips: number[] = [];
    let old = 0;
    const before = rig.arm.health().counts;
    const heardBefore = rig.servos.heard.length;
    for (let tick = 1; tick <= 100; tick++) {
      const reading = rig.arm.read(rig.clock.nowMs());
      if (tick > 1 && (reading.kind !== 'fresh' || rig.clock.nowMs() - reading.atMs > 1000 / rateHz + 0.01)) old++;
      rig.arm.send(holdAt(start.map((p) => p + 0.003 * tick)), stamp(rig, tick));
      await rig.clock.advanceBy(1000 / rateHz);
      trips.push(rig.arm.health().counts.lastRoundTripMs ?? Number.NaN);
    }
    const after = rig.arm.health().counts;
    trips.sort((a, b) => a - b);
    // 14 bytes of question, 126 of answers; ten bits each at 1 Mbaud. Twice a second 14 and 42 for the torque switches.
    const looks = rig.servos.heard.slice(heardBefore).filter((request) => request.third === 0x82 && request.body[0] === 40).length;
    expect(looks).toBe(Math.floor((100_000 / rateHz - 1) / 500));
    // Behind the 26 bytes of the goals.
    expect(trips[0]).toBeCloseTo(0.82, 6);
    expect(trips[50]).toBeCloseTo(1.4, 6);
    expect(trips[99]).toBeCloseTo(1.4, 6);
    expect({ old, lost: after.lost - before.lost, retries: after.retries - before.retries, bytesOut: after.bytesOut - before.bytesOut, bytesIn: after.bytesIn - before.bytesIn }).toEqual({ old: 0, lost: 0, retries: 0, bytesOut: 100 * 40 + looks * 14, bytesIn: 100 * 126 + looks * 42 });
    console.info(`${rateHz} Hz: sync read p50 ${trips[50]?.toFixed(2)} ms, p99 ${trips[98]?.toFixed(2)} ms; the wire needs 1.40 ms, and 0.26 ms for the write after it`);
  });

  it('tells voltage, current, load and temperature of every servo', async () => {
    const rig = await engaged(await armRig({}));
    rig.plant.block(5, 0.3);
    await ticks(rig, 20, (tick) => rig.arm.send(holdAt([0.1, -0.5, 0.4, 0.2, 0, 0.1]), stamp(rig, tick)));
    const { servos, counts } = rig.arm.health();
    expect(servos.map((servo) => servo.id)).toEqual(IDS);
    for (const servo of servos) {
      expect(servo.volts).toBeCloseTo(12.1, 5);
      expect(servo.celsius).toBeGreaterThan(24);
      expect(servo.amperes).toBeGreaterThan(0.1);
    }
    expect(Math.abs(servos[5]?.load ?? 0)).toBeGreaterThan(0.2);
    expect(counts.lost).toBe(0);
    const reading = rig.arm.read(rig.clock.nowMs());
    expect(reading.kind === 'fresh' && Math.sign(reading.value.torque[5] ?? 0)).toBe(-1);
  });

  it('is stale, not failed and not made up, when one servo falls silent; the others go on', async () => {
    const rig = await engaged(await armRig());
    const hold = holdAt(positions(rig));
    await ticks(rig, 3, (tick) => rig.arm.send(hold, stamp(rig, tick)));
    rig.servos.faults.add({ fault: { kind: 'drop' }, id: 4, times: Number.POSITIVE_INFINITY });
    const before = rig.servos.heard.length;
    await ticks(rig, 20, (tick) => rig.arm.send(holdAt([0.1, -0.5 + 0.004 * tick, 0.4, 0.2, 0, 0.3]), stamp(rig, tick)));
    const reading = rig.arm.read(rig.clock.nowMs());
    expect(reading.kind).toBe('stale');
    const { servos } = rig.arm.health();
    expect(rig.clock.nowMs() - (servos[0]?.atMs ?? 0)).toBeLessThan(150);
    expect(rig.clock.nowMs() - (servos[3]?.atMs ?? 0)).toBeGreaterThan(500);
    // Goals go out between the questions to the silent one: nothing queues up behind it.
    expect(rig.servos.heard.slice(before).filter((request) => request.third === 0x83).length).toBeGreaterThan(14);
    rig.servos.faults.clear();
    await ticks(rig, 4, (tick) => rig.arm.send(hold, stamp(rig, tick)));
    expect(rig.arm.read(rig.clock.nowMs()).kind).toBe('fresh');
  });

  it('fails, by name, when the cable is pulled', async () => {
    const rig = await engaged(await armRig());
    await ticks(rig, 2);
    rig.servos.unplug();
    expect(rig.arm.read(rig.clock.nowMs())).toMatchObject({ kind: 'failed', failure: { code: 'arm/port-lost' } });
    expect(() => rig.arm.send(holdAt([0, 0, 0, 0, 0, 0]), stamp(rig))).toThrow('arm/port-lost');
    await expect(rig.drive(rig.arm.release(stamp(rig)))).rejects.toThrow('arm/port-lost');
    // A servo has no watchdog: without the cable it holds until its power goes.
    expect(rig.servos.servos.every((servo) => servo.holding)).toBe(true);
  });

  it('latches an overload, says so once, and stops telling that servo anything until engaged again', async () => {
    const rig = await engaged(await armRig());
    rig.plant.block(5, 0.3);
    const squeeze = holdAt([0.1, -0.5, 0.4, 0.2, 0, -0.1]);
    const said: string[] = [];
    const push = (tick: number): void => {
      try {
        rig.arm.send(squeeze, stamp(rig, tick));
      } catch (thrown) {
        said.push((thrown as FailureError).message);
      }
    };
    // 25 % for two seconds is the protection that connecting wrote.
    await ticks(rig, 45, (tick) => (tick === 1 ? push(tick) : undefined));
    expect(rig.arm.faults()).toEqual([]);
    await ticks(rig, 45);
    expect(rig.arm.faults()).toEqual([{ code: 'arm/servo-fault', facts: { id: 6, joint: 'gripper', errors: 'overload' } }]);
    const before = rig.servos.heard.length;
    await ticks(rig, 30, push);
    expect(said).toEqual(['arm/servo-fault {"id":6,"joint":"gripper","errors":"overload"}']);
    expect([...new Set(goals(rig.servos.heard.slice(before)).map((goal) => goal.id))]).toEqual([1, 2, 3, 4, 5]);
    expect(rig.arm.read(rig.clock.nowMs()).kind).toBe('fresh');
    rig.plant.block(5, null);
    await engaged(rig);
    await ticks(rig, 5, push);
    expect(rig.arm.faults()).toEqual([]);
    expect(goals(rig.servos.heard.slice(-10)).some((goal) => goal.id === 6)).toBe(true);
  });

  it('a brown-out resets the servos: limp, and said', async () => {
    const rig = await engaged(await armRig());
    const hold = holdAt(positions(rig));
    await ticks(rig, 3, (tick) => rig.arm.send(hold, stamp(rig, tick)));
    rig.servos.setSupply(3);
    await ticks(rig, 12, (tick) => rig.arm.send(hold, stamp(rig, tick)));
    expect(rig.arm.read(rig.clock.nowMs()).kind).toBe('stale');
    expect(rig.servos.servos.some((servo) => servo.holding)).toBe(false);
    rig.servos.setSupply(12);
    const said: string[] = [];
    await ticks(rig, 20, (tick) => {
      try {
        rig.arm.send(hold, stamp(rig, tick));
      } catch (thrown) {
        said.push((thrown as FailureError).failure.code);
      }
    });
    expect(new Set(said)).toEqual(new Set(['arm/servo-limp']));
    // They answer again, without an error bit, and hold nothing.
    expect(rig.arm.read(rig.clock.nowMs()).kind).toBe('fresh');
    expect(rig.arm.faults()[0]).toEqual({ code: 'arm/servo-limp', facts: { id: 1, joint: 'shoulder_pan' } });
    expect(rig.servos.servos.some((servo) => servo.holding)).toBe(false);
    await engaged(rig);
    expect(rig.arm.faults()).toEqual([]);
    expect(rig.servos.servos.every((servo) => servo.holding)).toBe(true);
  });

  it('sees an overload though goals change thirty times a second, and lets only a relieved gripper go on', async () => {
    const rig = await engaged(await armRig());
    const start = positions(rig);
    const move = (tick: number): void => {
      try {
        rig.arm.send(holdAt(start.map((p, i) => (i === 5 ? p + 0.01 * (tick % 20) : p))), stamp(rig, tick));
      } catch {
        // said once; `faults` says it after that
      }
    };
    await ticks(rig, 5, move);
    rig.servos.servo(6).jam('jammed');
    await ticks(rig, 5, move);
    expect(rig.arm.faults()).toEqual([{ code: 'arm/servo-fault', facts: { id: 6, joint: 'gripper', errors: 'overload' } }]);
    let before = rig.servos.heard.length;
    await ticks(rig, 5, move);
    expect(goals(rig.servos.heard.slice(before)).some((goal) => goal.id === 6)).toBe(false);
    rig.arm.relieve(5);
    before = rig.servos.heard.length;
    await ticks(rig, 5, move);
    expect(goals(rig.servos.heard.slice(before)).some((goal) => goal.id === 6)).toBe(true);
    expect(rig.arm.faults().length).toBe(1);
  });

  it('says that the port is gone', async () => {
    const rig = await engaged(await armRig());
    rig.servos.unplug();
    expect(rig.arm.faults()).toEqual([{ code: 'arm/port-lost', facts: { reason: 'unplugged' } }]);
  });
});

describe('letting go', () => {
  it('broadcasts torque off, checks every servo, and no goal follows', async () => {
    const rig = await engaged(await armRig());
    const hold = holdAt(positions(rig));
    await ticks(rig, 3, (tick) => rig.arm.send(hold, stamp(rig, tick)));
    rig.arm.read(rig.clock.nowMs());
    rig.arm.send(hold, stamp(rig)); // waits while the release is asked for
    const before = rig.servos.heard.length;
    await rig.drive(rig.arm.release(stamp(rig)));
    expect(rig.servos.servos.some((servo) => servo.holding)).toBe(false);
    const after = rig.servos.heard.slice(before);
    const off = after.findIndex((request) => request.id === 254 && request.third === 3 && request.body[0] === 40);
    expect(off).toBeGreaterThanOrEqual(0);
    expect(goals(after.slice(off))).toEqual([]);
    await ticks(rig, 5);
    expect(goals(rig.servos.heard.slice(before + off))).toEqual([]);
  });

  it('cuts torque and looks at it before the line is closed, however soon that is asked for', async () => {
    const rig = await engaged(await armRig());
    const hold = holdAt(positions(rig));
    await ticks(rig, 3, (tick) => rig.arm.send(hold, stamp(rig, tick)));
    // As the page does: it reads that the arm is released, which is said when letting go begins, and disconnects.
    rig.arm.read(rig.clock.nowMs());
    const released = rig.arm.release(stamp(rig));
    const [told] = await Promise.allSettled([rig.drive(released), rig.drive(rig.arm.close())]);
    expect(told).toEqual({ status: 'fulfilled', value: undefined });
    expect(rig.servos.servos.some((servo) => servo.holding)).toBe(false);
  });

  it('lets the others go and names the one that did not say so', async () => {
    const rig = await engaged(await armRig());
    rig.servos.faults.add({ fault: { kind: 'drop' }, id: 2, times: Number.POSITIVE_INFINITY });
    await expect(rig.drive(rig.arm.release(stamp(rig)))).rejects.toThrow('arm/torque-still-on {"ids":"2"}');
    expect(rig.servos.servos.some((servo) => servo.holding)).toBe(false);
  });
});

describe('prove: targets', () => {
  it('of any kind, through gate and bus, stay in the calibrated range and the limits, and none follows a stop', async () => {
    const { targets, goals: written, mostStep } = await goalRound(1977, 600);
    expect(targets).toBe(600);
    expect(written).toBeGreaterThan(600);
    // It was not idle: 0.8 rad/s at 30 Hz is 17.4 steps.
    expect(mostStep).toBeGreaterThan(12);
  });
});
