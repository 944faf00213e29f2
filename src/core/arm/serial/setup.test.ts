/** Calibrating by hand and naming motors, on virtual servos. */
import { describe, expect, it } from 'vitest';
import { JOINT_NAMES } from '#contracts/joints.ts';
import { asFailure } from '#core/lib/failure.ts';
import { SO100 } from '#core/robots/so100.ts';
import { simplePlant } from '../virtual/simple-plant.ts';
import { virtualServo } from '../virtual/servo.ts';
import { virtualBus } from '../virtual/virtual-bus.ts';
import { beginCalibrating, calibrationInServos } from './calibrate.ts';
import { createBus, type Bus } from './feetech/bus.ts';
import { findMotor, nameMotor } from './find-motor.ts';
import { scanBus } from './scan.ts';
import { busRig, servoRig } from './testing/rig.ts';

const IDS = [1, 2, 3, 4, 5, 6];
const MIDDLE = SO100.joints.map((joint) => (joint.least + joint.most) / 2);

async function calibrating(state: 'new' | 'calibrated', prepare: (rig: ReturnType<typeof busRig>) => void = () => undefined) {
  const rig = busRig({ state, start: MIDDLE });
  prepare(rig);
  const scan = await rig.drive(scanBus(rig.bus, { clock: rig.clock, baud: 1_000_000, expectedIds: IDS }));
  const session = beginCalibrating(rig.bus, scan, SO100);
  await rig.drive(session.sample());
  const at = async (joint: number, angle: number): Promise<void> => {
    rig.plant.put(joint, angle);
    await rig.clock.advanceBy(20);
    await rig.drive(session.sample());
  };
  return {
    rig,
    session,
    at,
    async sweep(joint: number, share = 1): Promise<void> {
      const { least, most } = SO100.joints[joint] as { readonly least: number; readonly most: number };
      const middle = MIDDLE[joint] as number;
      for (let k = 0; k <= 20; k++) await at(joint, middle + share * ((k / 20) * (least - middle)));
      for (let k = 0; k <= 40; k++) await at(joint, middle + share * (least - middle + (k / 40) * (most - least)));
      await at(joint, middle);
    },
  };
}

describe('calibrating', () => {
  it.each(['new', 'calibrated'] as const)('%s servos come to the same calibration, and none was written to', async (state) => {
    const { rig, session, sweep } = await calibrating(state);
    session.home();
    for (const joint of [0, 1, 2, 3, 5]) await sweep(joint);
    const { calibration, changes } = session.propose();
    for (const [i, name] of JOINT_NAMES.entries()) {
      const { rangeMin, rangeMax, id, driveMode } = calibration[name];
      expect({ id, driveMode }).toEqual({ id: i + 1, driveMode: 0 });
      if (name === 'wrist_roll') expect([rangeMin, rangeMax]).toEqual([0, 4095]);
      else expect((rangeMin + rangeMax) / 2).toBeCloseTo(2047, -1);
    }
    expect(changes.length).toBeGreaterThan(0);
    expect(rig.servos.heard.every((request) => request.third === 1 || request.third === 2 || request.third === 0x82)).toBe(true);
  });

  it('asks for what is missing, by joint and reason', async () => {
    const { session, sweep } = await calibrating('new');
    const why = (): unknown => {
      try {
        return session.propose();
      } catch (thrown) {
        return asFailure(thrown).facts;
      }
    };
    expect(why()).toEqual({ joint: 'shoulder_pan', doubt: 'not-moved' });
    session.home();
    await sweep(0);
    await sweep(1, 0.4);
    expect(why()).toEqual({ joint: 'shoulder_lift', doubt: 'narrow' });
    await sweep(1);
    expect(why()).toEqual({ joint: 'elbow_flex', doubt: 'not-moved' });
  });

  it('a joint homed on the wrong side of the encoder is caught before anything is written', async () => {
    const { session, at, rig } = await calibrating('new');
    // Homed at its stop instead of in the middle, the sweep runs over the encoder's end.
    await at(4, 2.7);
    await at(3, 1.65);
    session.home();
    for (let angle = 1.65; angle > -1.65; angle -= 0.05) await at(3, angle);
    expect(session.view().joints[3]?.doubts.map((doubt) => doubt.kind)).toContain('crossed-the-seam');
    expect(rig.servos.heard.some((request) => request.third === 3)).toBe(false);
  });

  it('a servo that counts turns cannot be homed', async () => {
    const { session } = await calibrating('new', (rig) => void rig.servos.servo(2).handle({ id: 2, third: 3, body: Uint8Array.of(18, 12 | 16) }));
    expect(session.view().joints[1]?.doubts).toEqual([{ kind: 'multi-turn', outside: 1 }]);
    expect(() => session.home()).toThrow('arm/calibration-doubtful');
  });

  it('is read back out of the servos', async () => {
    const rig = busRig({ state: 'calibrated' });
    const scan = await rig.drive(scanBus(rig.bus, { clock: rig.clock, baud: 1_000_000, expectedIds: IDS }));
    expect(calibrationInServos(scan)).toEqual(rig.servos.calibration);
    expect(calibrationInServos({ ...scan, servos: scan.servos.slice(1) })).toBeNull();
  });
});

describe('naming a motor', () => {
  function alone(registers: Parameters<typeof virtualServo>[0]['registers'] = {}) {
    const { clock, drive } = servoRig();
    const servo = virtualServo({ id: 1, encoderAtZero: 2047, registers: registers ?? {} });
    const bus = virtualBus({ clock, servos: [{ servo, joint: 0 }], plant: simplePlant({ start: MIDDLE, least: MIDDLE, most: MIDDLE }) });
    let open: Bus | null = null;
    const openAt = async (baud: number): Promise<Bus> => {
      bus.listenAt(baud);
      open = createBus(bus.link, { clock, baud });
      return open;
    };
    return { servo, drive, openAt };
  }

  it('finds it at any speed, gives it its place, and it keeps that without power', async () => {
    const { servo, drive, openAt } = alone({ baudRate: 4 });
    expect(await drive(findMotor(openAt))).toEqual({ id: 1, baud: 115_200, model: 777 });
    expect(await drive(nameMotor(openAt, 4))).toEqual({ id: 4, baud: 1_000_000, model: 777 });
    servo.powerOff();
    servo.powerOn();
    expect([servo.id, servo.peek('baudRate')]).toEqual([4, 0]);
    await expect(drive(nameMotor(openAt, 9))).rejects.toThrow('control/out-of-range');
  });

  it('refuses an empty wire and a full one', async () => {
    const rig = servoRig();
    const openAt = async (baud: number): Promise<Bus> => createBus(rig.servos.link, { clock: rig.clock, baud });
    await expect(rig.drive(findMotor(openAt))).rejects.toThrow('arm/not-one-motor {"found":"1, 2, 3, 4, 5, 6"}');
    rig.servos.setSupply(0);
    await expect(rig.drive(findMotor(openAt))).rejects.toThrow('arm/not-one-motor {"found":""}');
  });
});
