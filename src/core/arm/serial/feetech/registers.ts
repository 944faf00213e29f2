/**
 * The STS3215's control table: what lives at which address. Data only, and the two functions that turn a value into the
 * register's bytes and back. The start values are Feetech's memory map V3.7; `lerobot` is the name the same register has
 * in LeRobot's table, for people who compare.
 *
 * EEPROM (0 to 39) survives the power switch, if register 55 (lock) was 0 when it was written. SRAM does not.
 */
import { decodeSignMagnitude, encodeSignMagnitude } from './sign-magnitude.ts';

export interface Register {
  readonly address: number;
  readonly width: 1 | 2;
  /** The bit that says minus, or null for a number without a sign. */
  readonly signBit: number | null;
  readonly unit: RegisterUnit;
  readonly access: 'read' | 'read-write';
  readonly memory: 'eeprom' | 'sram' | 'factory';
  /** As delivered; null where it is measured or not documented. */
  readonly initial: number | null;
  /** In LeRobot's control table; null where it has none. */
  readonly lerobot: string | null;
}

export type RegisterUnit =
  | 'none'
  | 'code'
  | 'bits'
  | 'flag'
  | 'steps'
  | 'steps/s'
  | '100 steps/s^2'
  | '50 steps/s'
  | '0.1 V'
  | 'deg C'
  | '0.1 %'
  | '%'
  | '6.5 mA'
  | '2 us'
  | '1 ms'
  | '10 ms';

type Row = readonly [address: number, width: 1 | 2, signBit: number | null, unit: RegisterUnit, access: 'r' | 'rw', initial: number | null, lerobot: string | null];

const ROWS = {
  firmwareMajor: [0, 1, null, 'none', 'r', 3, 'Firmware_Major_Version'],
  firmwareMinor: [1, 1, null, 'none', 'r', 7, 'Firmware_Minor_Version'],
  /** 0: little-endian. */
  endian: [2, 1, null, 'code', 'r', 0, null],
  modelNumber: [3, 2, null, 'code', 'r', 777, 'Model_Number'],
  id: [5, 1, null, 'none', 'rw', 1, 'ID'],
  baudRate: [6, 1, null, 'code', 'rw', 0, 'Baud_Rate'],
  returnDelayTime: [7, 1, null, '2 us', 'rw', 0, 'Return_Delay_Time'],
  /** 0: only ping and read are answered. */
  responseStatusLevel: [8, 1, null, 'code', 'rw', 1, 'Response_Status_Level'],
  minPositionLimit: [9, 2, null, 'steps', 'rw', 0, 'Min_Position_Limit'],
  maxPositionLimit: [11, 2, null, 'steps', 'rw', 4095, 'Max_Position_Limit'],
  maxTemperatureLimit: [13, 1, null, 'deg C', 'rw', 70, 'Max_Temperature_Limit'],
  maxVoltageLimit: [14, 1, null, '0.1 V', 'rw', 80, 'Max_Voltage_Limit'],
  minVoltageLimit: [15, 1, null, '0.1 V', 'rw', 40, 'Min_Voltage_Limit'],
  /** Copied to `torqueLimit` at power-on and at no other time. */
  maxTorqueLimit: [16, 2, null, '0.1 %', 'rw', 1000, 'Max_Torque_Limit'],
  /** Bit 4: multi-turn feedback, which makes positions leave 0..4095. */
  phase: [18, 1, null, 'bits', 'rw', 12, 'Phase'],
  /** Which error bits cut the torque. */
  unloadingCondition: [19, 1, null, 'bits', 'rw', 44, 'Unloading_Condition'],
  ledAlarmCondition: [20, 1, null, 'bits', 'rw', 47, 'LED_Alarm_Condition'],
  pCoefficient: [21, 1, null, 'none', 'rw', 32, 'P_Coefficient'],
  dCoefficient: [22, 1, null, 'none', 'rw', 32, 'D_Coefficient'],
  iCoefficient: [23, 1, null, 'none', 'rw', 0, 'I_Coefficient'],
  minStartupForce: [24, 2, null, '0.1 %', 'rw', 16, 'Minimum_Startup_Force'],
  cwDeadZone: [26, 1, null, 'steps', 'rw', 1, 'CW_Dead_Zone'],
  ccwDeadZone: [27, 1, null, 'steps', 'rw', 1, 'CCW_Dead_Zone'],
  protectionCurrent: [28, 2, null, '6.5 mA', 'rw', 500, 'Protection_Current'],
  angularResolution: [30, 1, null, 'none', 'rw', 1, 'Angular_Resolution'],
  /** Present position = encoder - offset. */
  homingOffset: [31, 2, 11, 'steps', 'rw', 0, 'Homing_Offset'],
  /** 0 position, 1 velocity, 2 PWM, 3 step. */
  operatingMode: [33, 1, null, 'code', 'rw', 0, 'Operating_Mode'],
  /** Output kept after an overload. */
  protectiveTorque: [34, 1, null, '%', 'rw', 20, 'Protective_Torque'],
  protectionTime: [35, 1, null, '10 ms', 'rw', 200, 'Protection_Time'],
  /** Load above which the time of `protectionTime` starts to run. */
  overloadTorque: [36, 1, null, '%', 'rw', 80, 'Overload_Torque'],
  velocityP: [37, 1, null, 'none', 'rw', 10, 'Velocity_closed_loop_P_proportional_coefficient'],
  overCurrentTime: [38, 1, null, '10 ms', 'rw', 200, 'Over_Current_Protection_Time'],
  velocityI: [39, 1, null, 'none', 'rw', 10, 'Velocity_closed_loop_I_integral_coefficient'],
  /** 0 off, 1 on; 128 makes the present position 2048 and is no torque value. */
  torqueEnable: [40, 1, null, 'code', 'rw', 0, 'Torque_Enable'],
  /** 0: no limit. */
  acceleration: [41, 1, null, '100 steps/s^2', 'rw', 0, 'Acceleration'],
  goalPosition: [42, 2, 15, 'steps', 'rw', 0, 'Goal_Position'],
  /** A time in position mode; in PWM mode the duty, with sign bit 10. */
  goalTime: [44, 2, null, '1 ms', 'rw', 0, 'Goal_Time'],
  goalVelocity: [46, 2, 15, 'steps/s', 'rw', 0, 'Goal_Velocity'],
  torqueLimit: [48, 2, null, '0.1 %', 'rw', 1000, 'Torque_Limit'],
  /** 0: EEPROM writes last. 1: they are accepted and gone after the next power-off. */
  lock: [55, 1, null, 'flag', 'rw', 0, 'Lock'],
  presentPosition: [56, 2, 15, 'steps', 'r', null, 'Present_Position'],
  presentVelocity: [58, 2, 15, 'steps/s', 'r', null, 'Present_Velocity'],
  /** Duty of the bridge, not a torque. */
  presentLoad: [60, 2, 10, '0.1 %', 'r', null, 'Present_Load'],
  presentVoltage: [62, 1, null, '0.1 V', 'r', null, 'Present_Voltage'],
  presentTemperature: [63, 1, null, 'deg C', 'r', null, 'Present_Temperature'],
  asyncWritePending: [64, 1, null, 'flag', 'r', null, null],
  status: [65, 1, null, 'bits', 'r', null, 'Status'],
  moving: [66, 1, null, 'flag', 'r', null, 'Moving'],
  presentTarget: [67, 2, 15, 'steps', 'r', null, null],
  /** Some libraries read bit 15 as a sign; the size is right either way. */
  presentCurrent: [69, 2, 15, '6.5 mA', 'r', null, 'Present_Current'],
  goalPosition2: [71, 2, 15, 'steps', 'r', null, 'Goal_Position_2'],
  movingThreshold: [80, 1, null, 'steps', 'rw', null, 'Moving_Velocity_Threshold'],
  controlPeriod: [81, 1, null, '1 ms', 'rw', null, 'DTs'],
  velocityUnit: [82, 1, null, 'none', 'rw', null, 'Velocity_Unit_factor'],
  holdTime: [83, 1, null, 'none', 'rw', null, 'Hts'],
  maxVelocityLimit: [84, 1, null, '50 steps/s', 'rw', null, 'Maximum_Velocity_Limit'],
  maxAcceleration: [85, 1, null, '100 steps/s^2', 'rw', null, 'Maximum_Acceleration'],
  accelerationMultiplier: [86, 1, null, 'none', 'rw', null, 'Acceleration_Multiplier '],
} as const satisfies Readonly<Record<string, Row>>;

export type RegisterName = keyof typeof ROWS;

export const REGISTER_NAMES = Object.keys(ROWS) as readonly RegisterName[];

export const REGISTERS = Object.fromEntries(
  (Object.entries(ROWS) as [RegisterName, Row][]).map(([name, [address, width, signBit, unit, access, initial, lerobot]]) => [
    name,
    { address, width, signBit, unit, access: access === 'r' ? 'read' : 'read-write', memory: address < 40 ? 'eeprom' : address < 80 ? 'sram' : 'factory', initial, lerobot } satisfies Register,
  ]),
) as Readonly<Record<RegisterName, Register>>;

export const STS3215_MODEL = 777;
export const TICKS_PER_TURN = 4096;
/** Phase bit 4: positions count turns. */
export const MULTI_TURN_BIT = 0x10;
/** Baud rate by register value. Feetech's and LeRobot's tables disagree from 5 on, so nothing above 4 is ever written. */
export const BAUD_BY_CODE: readonly number[] = [1_000_000, 500_000, 250_000, 128_000, 115_200];

/** The register's bytes. Throws a RangeError for what does not fit: nothing wraps round. */
export function encodeRegister(name: RegisterName, value: number): Uint8Array {
  const { width, signBit } = REGISTERS[name];
  const most = width === 1 ? 0xff : 0xffff;
  if (signBit === null && (!Number.isInteger(value) || value < 0 || value > most)) throw new RangeError(`${name}: ${value} is no whole number from 0 to ${most}`);
  const raw = signBit === null ? value : encodeSignMagnitude(value, signBit);
  return width === 1 ? Uint8Array.of(raw) : Uint8Array.of(raw & 0xff, raw >> 8);
}

/** The value in `bytes`, which begin at address `from`. Throws a RangeError when the register is not among them. */
export function decodeRegister(name: RegisterName, bytes: ArrayLike<number>, from = REGISTERS[name].address): number {
  const { address, width, signBit } = REGISTERS[name];
  const at = address - from;
  if (at < 0 || at + width > bytes.length) throw new RangeError(`${name} at ${address} is not in ${bytes.length} bytes from ${from}`);
  const low = bytes[at] as number;
  const raw = width === 1 ? low : low | ((bytes[at + 1] as number) << 8);
  return signBit === null ? raw : decodeSignMagnitude(raw, signBit);
}
