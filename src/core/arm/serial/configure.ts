/**
 * The settings an arm needs before it moves: LeRobot's `configure()`, as a plan that can be shown, then as writes that are
 * read back. EEPROM wears out, so nothing is written that already stands there; it is written unlocked, locked again after,
 * and only while the servo is limp.
 */
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { ArmCalibration, BusScan, RegisterChange, ServoScan } from '#contracts/serial.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { Bus } from './feetech/bus.ts';
import { decodeRegister, encodeRegister, MULTI_TURN_BIT, REGISTERS, type RegisterName } from './feetech/registers.ts';

/** All motors. P below the factory's 32, because an arm at 32 shakes. */
const EVERY_MOTOR: readonly (readonly [RegisterName, number])[] = [
  ['returnDelayTime', 0],
  ['maxAcceleration', 254],
  ['acceleration', 254],
  ['operatingMode', 0],
  ['pCoefficient', 16],
  ['iCoefficient', 0],
  ['dCoefficient', 32],
];

/**
 * The gripper squeezes until something gives way. Half the torque, half the current (1.6 A), and 25 % load for two seconds counts as
 * overload. `maxTorqueLimit` works from the next power-on; `GRIPPER_TORQUE_LIMIT` is the live register.
 */
const GRIPPER: readonly (readonly [RegisterName, number])[] = [
  ['maxTorqueLimit', 500],
  ['protectionCurrent', 250],
  ['overloadTorque', 25],
];
export const GRIPPER_TORQUE_LIMIT = 500;

/** What `configure()` would change, from what the servos said. Registers that were not read are not planned for. */
export function configurationChanges(scan: BusScan, gripperId: number): RegisterChange[] {
  return answering(scan).flatMap((servo) => {
    const phase = servo.registers['phase'];
    const wanted: (readonly [RegisterName, number])[] = [...EVERY_MOTOR, ...(servo.id === gripperId ? GRIPPER : [])];
    if (phase !== undefined) wanted.push(['phase', phase & ~MULTI_TURN_BIT]);
    return changes(servo, wanted);
  });
}

/** What writing this calibration into the servos would change. */
export function calibrationChanges(scan: BusScan, calibration: ArmCalibration): RegisterChange[] {
  return answering(scan).flatMap((servo) => {
    const name = JOINT_NAMES.find((joint) => calibration[joint].id === servo.id);
    if (name === undefined) return [];
    const motor = calibration[name];
    return changes(servo, [
      ['homingOffset', motor.homingOffset],
      ['minPositionLimit', motor.rangeMin],
      ['maxPositionLimit', motor.rangeMax],
    ]);
  });
}

/**
 * Writes a plan and reads every EEPROM and SRAM register back. The factory area is written as LeRobot writes it and not
 * compared: firmware rounds there. Throws `arm/refused` (torque-on) when EEPROM of a servo that holds would change,
 * `arm/servo-lost`, `arm/not-kept`.
 */
export async function applyChanges(bus: Bus, plan: readonly RegisterChange[]): Promise<void> {
  for (const id of new Set(plan.map((change) => change.id))) {
    const mine = plan.filter((change) => change.id === id);
    const lasting = mine.some((change) => change.memory !== 'sram');
    if (lasting) {
      if ((await readRegister(bus, id, 'torqueEnable')) === 1) throw new FailureError('arm/refused', { finding: 'torque-on', id, joint: jointName(id) });
      await writeRegister(bus, id, 'lock', 0);
    }
    for (const change of mine) await writeRegister(bus, id, change.register as RegisterName, change.to);
    if (lasting) await writeRegister(bus, id, 'lock', 1);
    for (const change of mine) if (change.memory !== 'factory') await requireRegister(bus, id, change.register as RegisterName, change.to);
  }
}

/** Throws `arm/servo-lost`. */
export async function readRegister(bus: Bus, id: number, name: RegisterName): Promise<number> {
  const { address, width } = REGISTERS[name];
  const reply = await bus.read(id, address, width, { attempts: 3 });
  if (reply.kind === 'lost') throw new FailureError('arm/servo-lost', { id, joint: jointName(id), reason: reply.reasons.join(', ') });
  return decodeRegister(name, reply.data);
}

/** An acknowledged write of exactly the register's width. Throws `arm/servo-lost`. */
export async function writeRegister(bus: Bus, id: number, name: RegisterName, value: number): Promise<void> {
  const reply = await bus.write(id, REGISTERS[name].address, encodeRegister(name, value), { attempts: 3 });
  if (reply.kind === 'lost') throw new FailureError('arm/servo-lost', { id, joint: jointName(id), reason: reply.reasons.join(', ') });
}

/** Reads back. Throws `arm/not-kept`. */
export async function requireRegister(bus: Bus, id: number, name: RegisterName, wrote: number): Promise<void> {
  const found = await readRegister(bus, id, name);
  if (found !== wrote) throw new FailureError('arm/not-kept', { id, joint: jointName(id), register: name, wrote, found });
}

/** LeRobot's ids: 1 to 6 in the order of the joints. */
export function jointName(id: number): string {
  return JOINT_NAMES[id - 1] ?? String(id);
}

function answering(scan: BusScan): readonly ServoScan[] {
  return scan.servos.filter((servo) => servo.answer === 'ok' && scan.expectedIds.includes(servo.id));
}

function changes(servo: ServoScan, wanted: readonly (readonly [RegisterName, number])[]): RegisterChange[] {
  return wanted.flatMap(([register, to]) => {
    const from = servo.registers[register];
    return from === undefined || from === to ? [] : [{ id: servo.id, register, from, to, memory: REGISTERS[register].memory }];
  });
}
