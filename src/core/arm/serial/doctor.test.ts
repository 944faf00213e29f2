import { describe, expect, it } from 'vitest';
import type { BusScan, Finding } from '#contracts/serial.ts';
import { SO100 } from '#core/robots/so100.ts';
import { virtualCalibration } from '../virtual/virtual-arm.ts';
import { calibrationChanges, configurationChanges } from './configure.ts';
import { diagnose } from './doctor.ts';
import { createBus } from './feetech/bus.ts';
import { scanBus } from './scan.ts';
import { servoRig, type ServoRig } from './testing/rig.ts';

const IDS = [1, 2, 3, 4, 5, 6];
const calibration = virtualCalibration();
const context = { calibration, robot: SO100, expectedBaud: 1_000_000 };

async function scanOf(rig: ServoRig, otherIds: readonly number[] = []): Promise<BusScan> {
  const bus = createBus(rig.servos.link, { clock: rig.clock });
  return rig.drive(scanBus(bus, { clock: rig.clock, baud: 1_000_000, expectedIds: IDS, otherIds }));
}
const findings = async (prepare: (rig: ServoRig) => void, options: Parameters<typeof servoRig>[0] = {}): Promise<readonly Finding[]> => {
  const rig = servoRig({ registers: { lock: 1 }, ...options });
  prepare(rig);
  return diagnose(await scanOf(rig), context);
};
/** Writes past every rule, as somebody's other program once did. */
const poke = (rig: ServoRig, id: number, address: number, data: readonly number[]): void => void rig.servos.servo(id).handle({ id, third: 3, body: Uint8Array.of(address, ...data) });
const notes = ['eeprom-unlocked', 'torque-on', 'echo'];
const real = (all: readonly Finding[]): readonly Finding[] => all.filter((finding) => !notes.includes(finding.code));

describe('the arm doctor', () => {
  it('finds nothing wrong with an arm that is well', async () => {
    const all = await findings(() => undefined);
    expect(real(all)).toEqual([]);
    expect(all.every((finding) => finding.weight === 'note')).toBe(true);
  });

  it('tells no power from a loose cable from one missing servo', async () => {
    expect(real(await findings((rig) => rig.servos.setSupply(0)))).toEqual([{ code: 'nothing-answers', weight: 'refuse', facts: { baud: 1_000_000 } }]);
    expect(real(await findings((rig) => rig.servos.breakChainAfter(3)))).toEqual([
      { code: 'servo-missing', weight: 'refuse', facts: { id: 4, joint: 'wrist_flex', after: 3 } },
      { code: 'servo-missing', weight: 'refuse', facts: { id: 5, joint: 'wrist_roll', after: 3 } },
      { code: 'servo-missing', weight: 'refuse', facts: { id: 6, joint: 'gripper', after: 3 } },
    ]);
    expect(real(await findings((rig) => rig.servos.servo(2).powerOff()))).toEqual([{ code: 'servo-missing', weight: 'refuse', facts: { id: 2, joint: 'shoulder_lift', after: 1 } }]);
  });

  it('finds two servos with one id, and the id that is missing for it', async () => {
    const codes = real(await findings((rig) => poke(rig, 5, 5, [4])));
    expect(codes.map((finding) => [finding.code, finding.facts['id']])).toEqual([['id-conflict', 4], ['servo-missing', 5]]);
  });

  it('finds a servo with an id no arm has', async () => {
    const rig = servoRig();
    poke(rig, 5, 5, [9]);
    const codes = diagnose(await scanOf(rig, [7, 8, 9]), context).map((finding) => finding.code);
    expect(codes).toContain('unexpected-id');
    expect(codes).toContain('servo-missing');
  });

  it.each<[string, (rig: ServoRig) => void, Parameters<typeof servoRig>[0], Finding['code'], Finding['weight'], Finding['facts']]>([
    ['12 V on a servo for 7.4 V', () => undefined, { registers: { maxVoltageLimit: 80 } }, 'voltage-type', 'refuse', { volts: 12.1, most: 8 }],
    ['a 12 V servo on a 5 V brick', () => undefined, { supplyVolts: 5 }, 'voltage-type', 'warn', { volts: 5 }],
    ['too much voltage', (rig) => rig.servos.setSupply(14.8), {}, 'voltage-high', 'refuse', { volts: 14.8, most: 14 }],
    ['a sagging supply', (rig) => rig.servos.setSupply(3.9), { registers: { maxVoltageLimit: 80 } }, 'voltage-low', 'refuse', { volts: 3.9, least: 4 }],
    ['a supply near its limit', (rig) => rig.servos.setSupply(4.2), { registers: { maxVoltageLimit: 80 } }, 'voltage-low', 'warn', { volts: 4.2 }],
    ['a hot servo', (rig) => rig.servos.servo(6).setTemperature(61), {}, 'hot', 'refuse', { id: 6, joint: 'gripper', limit: 60 }],
    ['a warm servo', (rig) => rig.servos.servo(6).setTemperature(57), {}, 'warm', 'warn', { id: 6 }],
    ['a servo in velocity mode', (rig) => poke(rig, 3, 33, [1]), {}, 'wrong-mode', 'refuse', { id: 3, found: 1 }],
    ['multi-turn feedback', (rig) => poke(rig, 3, 18, [28]), {}, 'multi-turn', 'refuse', { id: 3, phase: 28 }],
    ['another calibration in the servo', (rig) => poke(rig, 2, 31, [5, 0]), {}, 'calibration-differs', 'refuse', { id: 2, what: 'homingOffset', found: 5, expected: calibration.shoulder_lift.homingOffset }],
    ['a speed of zero that means stop', (rig) => poke(rig, 2, 18, [4]), {}, 'slow-register', 'warn', { id: 2, found: 0 }],
    ['a speed register somebody left', (rig) => poke(rig, 2, 46, [50, 0]), {}, 'slow-register', 'warn', { found: 50 }],
  ])('%s', async (_what, prepare, options, code, weight, facts) => {
    expect(real(await findings(prepare, options))[0]).toMatchObject({ code, weight, facts });
  });

  it('names a fault the servo reports, where a ping of others calls the servo missing', async () => {
    const rig = servoRig();
    // Held in overload: 25 % for two seconds at the default 80 % threshold needs a wall and full torque.
    poke(rig, 1, 42, [0, 8]);
    poke(rig, 1, 40, [1]);
    rig.plant.block(0, 0.3);
    poke(rig, 1, 42, [0, 0x0c]);
    await rig.clock.advanceBy(3500);
    const all = diagnose(await scanOf(rig), context);
    expect(all[0]).toMatchObject({ code: 'servo-error', facts: { id: 1, errors: 'overload' } });
  });

  it('notices mixed firmware, a shared line and a noisy one', async () => {
    const clean = await scanOf(servoRig());
    const mixed = { ...clean, servos: clean.servos.map((servo) => (servo.id === 2 ? { ...servo, registers: { ...servo.registers, firmwareMinor: 9 } } : servo)) };
    expect(real(diagnose(mixed, context))).toEqual([{ code: 'firmware-mixed', weight: 'warn', facts: { versions: '3.10, 3.9' } }]);
    expect(diagnose({ ...clean, echo: true }, context).map((finding) => finding.code)).toContain('echo');
    expect(real(diagnose({ ...clean, requests: 400, troubled: 20 }, context))).toEqual([{ code: 'bus-errors', weight: 'warn', facts: { share: 0.05, requests: 400 } }]);
    expect(diagnose({ ...clean, servos: clean.servos.map((servo) => ({ ...servo, registers: { ...servo.registers, modelNumber: 2825 } })) }, context)[0]).toMatchObject({ code: 'wrong-model', facts: { found: 2825 } });
    expect(diagnose({ ...clean, servos: clean.servos.map((servo) => ({ ...servo, registers: { ...servo.registers, presentPosition: 3900 } })) }, context)[0]).toMatchObject({ code: 'outside-range', weight: 'refuse', facts: { id: 1, found: 3900 } });
    expect(diagnose({ ...clean, servos: clean.servos.map((servo) => ({ ...servo, baud: 115_200 })) }, context)[0]).toMatchObject({ code: 'wrong-baud' });
  });

  it('says nothing about a calibration there is not', async () => {
    const scan = await scanOf(servoRig({ state: 'new' }));
    expect(real(diagnose(scan, { ...context, calibration: null }))).toEqual([]);
    expect(diagnose(scan, context)[0]).toMatchObject({ code: 'calibration-differs' });
  });
});

describe('plans', () => {
  it('list what configuring would change, and nothing that stands there already', async () => {
    const rig = servoRig();
    const plan = configurationChanges(await scanOf(rig), 6);
    const of = (id: number): string[] => plan.filter((change) => change.id === id).map((change) => `${change.register} ${change.from}>${change.to} ${change.memory}`);
    expect(of(1)).toEqual(['acceleration 0>254 sram', 'pCoefficient 32>16 eeprom']);
    expect(of(6)).toEqual(['acceleration 0>254 sram', 'pCoefficient 32>16 eeprom', 'maxTorqueLimit 1000>500 eeprom', 'protectionCurrent 500>250 eeprom', 'overloadTorque 80>25 eeprom']);
    expect(calibrationChanges(await scanOf(servoRig()), calibration)).toEqual([]);
    expect(calibrationChanges(await scanOf(servoRig({ state: 'new' })), calibration).filter((change) => change.id === 3).map((change) => change.register)).toEqual(['homingOffset', 'minPositionLimit', 'maxPositionLimit']);
  });
});
