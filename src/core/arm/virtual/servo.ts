/**
 * One STS3215, byte for byte: registers, EEPROM and its lock, what the power switch forgets, torque, profile, protections,
 * temperature. Request bytes have been decoded before they come here; what goes out is a status packet or nothing. Knows
 * no wire, no clock and no other servo.
 *
 * Behaviour that owners have met and that is copied on purpose:
 *
 *   present position = encoder - homing offset, from 0 to 4095, unless phase bit 4 asks for multi-turn
 *   a goal outside the limits goes to the nearest limit, stays in the register as written, and switches torque on
 *   register 16 becomes register 48 at power-on and at no other time
 *   EEPROM written while register 55 is 1 works until the power goes
 *   128 written to register 40 makes the present position 2048
 *   overload cuts the output to register 34 after the time of register 35, until a new goal comes or torque goes off
 *   over-current and heat switch the output off; voltage is reported and switches nothing
 *
 * Not copied, because nothing in this project sends it: recovery (0x06), backup (0x09), the turn counter's reset (0x0A), and
 * modes other than position. They are not answered.
 */
import { INSTRUCTION, encodeFrame, BROADCAST_ID } from '../serial/feetech/packet.ts';
import type { Packet } from '../serial/feetech/decoder.ts';
import { decodeRegister, encodeRegister, MULTI_TURN_BIT, REGISTER_NAMES, REGISTERS, STS3215_MODEL, TICKS_PER_TURN, type RegisterName } from '../serial/feetech/registers.ts';
import { servoErrorBits } from '../serial/feetech/servo-errors.ts';
import type { ServoError } from '#contracts/serial.ts';
import type { JointDrive, JointSense } from './plant.ts';

export interface ServoOptions {
  readonly id: number;
  /** Encoder steps when the joint stands at angle 0. Where the horn happened to be screwed on. */
  readonly encoderAtZero: number;
  /** Registers that differ from a new servo's, written as if long ago. */
  readonly registers?: Readonly<Partial<Record<RegisterName, number>>>;
  readonly supplyVolts?: number;
  readonly ambientCelsius?: number;
}

export interface VirtualServo {
  readonly id: number;
  /** What this servo answers, or null. */
  handle(request: Packet): Uint8Array | null;
  /** Firmware time passes; what it wants of its joint. */
  step(seconds: number, sensed: JointSense): JointDrive;
  /** What happens at the power switch. */
  powerOff(): void;
  powerOn(): void;
  readonly powered: boolean;
  /** True when the motor pushes. */
  readonly holding: boolean;
  /** The joint was put elsewhere by hands stronger than the motor: what it holds from now on is where it is. */
  yieldTo(sensed: JointSense): void;
  setSupply(volts: number): void;
  setTemperature(celsius: number): void;
  /** `jammed`: as with a gear that is stuck, every goal overloads it at once, until it is `free`. */
  jam(state: 'jammed' | 'free'): void;
  /** Reads any register, as a debugger would. */
  peek(name: RegisterName): number;
  /** Everything from `address`, as a READ would bring. */
  peekBytes(address: number, count: number): Uint8Array;
}

const MEMORY_BYTES = 96;
const EEPROM_BYTES = 40;
/** Kt of the 12 V type is 8 kg cm/A; a stalled motor draws 2.7 A. */
const STALL_AMPERES = 2.7;
const IDLE_AMPERES = 0.15;
const AMPERES_A_STEP = 0.0065;
/** A gripper squeezing at half duty reaches 50 deg C from 25 in 30 to 60 s, as owners report: 2.2 x 0.25 = 0.55 deg C/s. */
const HEATING_CELSIUS_PER_S = 2.2;
const COOLING_PER_S = 1 / 200;
/** Steps a second: 45 rpm at 12 V. */
const MOST_SPEED = 3072;
const RADIANS_A_STEP = (2 * Math.PI) / TICKS_PER_TURN;
/** A servo below this resets. */
const BROWN_OUT_VOLTS = 3.5;

export function virtualServo(options: ServoOptions): VirtualServo {
  const eeprom = new Uint8Array(EEPROM_BYTES);
  const memory = new Uint8Array(MEMORY_BYTES);
  let supply = options.supplyVolts ?? 12.1;
  const ambient = options.ambientCelsius ?? 25;
  let temperature = ambient + 5;
  let powered = false;
  let encoder = options.encoderAtZero;
  /** Where the profile is on its way to the goal, encoder steps; null while limp. */
  let setpoint: number | null = null;
  let profileSpeed = 0;
  let overloadSeconds = 0;
  let currentSeconds = 0;
  const tripped = new Set<ServoError>();
  let jammed = false;
  let pendingWrite: Packet | null = null;

  const get = (name: RegisterName): number => decodeRegister(name, memory, 0);
  const set = (name: RegisterName, value: number): void => memory.set(encodeRegister(name, value), REGISTERS[name].address);

  const install = (): void => {
    for (const name of REGISTER_NAMES) {
      const { initial, memory: where } = REGISTERS[name];
      if (initial !== null && where === 'eeprom') set(name, initial);
    }
    set('firmwareMinor', 10);
    set('modelNumber', STS3215_MODEL);
    set('maxVoltageLimit', 140);
    for (const [name, value] of Object.entries(options.registers ?? {})) set(name as RegisterName, value);
    set('id', options.id);
    eeprom.set(memory.subarray(0, EEPROM_BYTES));
  };

  const powerOn = (): void => {
    if (powered) return;
    powered = true;
    memory.fill(0);
    memory.set(eeprom);
    set('torqueLimit', get('maxTorqueLimit'));
    set('maxAcceleration', 254);
    set('movingThreshold', 50);
    set('controlPeriod', 10);
    setpoint = null;
    profileSpeed = 0;
    overloadSeconds = 0;
    currentSeconds = 0;
    tripped.clear();
    pendingWrite = null;
  };

  const present = (): number => {
    const shifted = Math.round(encoder) - get('homingOffset');
    if ((get('phase') & MULTI_TURN_BIT) !== 0) return clamp(shifted, -32767, 32767);
    return ((shifted % TICKS_PER_TURN) + TICKS_PER_TURN) % TICKS_PER_TURN;
  };

  const errors = (): number => {
    const now = new Set(tripped);
    const volts = Math.round(supply * 10);
    if (volts > get('maxVoltageLimit') || volts < get('minVoltageLimit')) now.add('voltage');
    if (temperature > get('maxTemperatureLimit')) now.add('temperature');
    return servoErrorBits([...now]);
  };

  const torqueOn = (): boolean => get('torqueEnable') === 1;

  /** What a write of these registers sets off. Order matters: a goal and its torque may come in one write. */
  const afterWrite = (address: number, count: number): void => {
    const wrote = (name: RegisterName): boolean => address < REGISTERS[name].address + REGISTERS[name].width && address + count > REGISTERS[name].address;
    if (wrote('torqueEnable')) {
      if (get('torqueEnable') === 128) {
        calibrateTo(2048);
        set('torqueEnable', torqueBefore);
      } else if (!torqueOn()) {
        tripped.delete('overload');
        tripped.delete('current');
        setpoint = null;
      }
    }
    if (wrote('goalPosition')) {
      const goal = get('goalPosition');
      if (goal < get('minPositionLimit') || goal > get('maxPositionLimit')) set('torqueEnable', 1);
      tripped.delete('overload');
      tripped.delete('current');
      overloadSeconds = 0;
      currentSeconds = 0;
    }
    torqueBefore = get('torqueEnable');
  };
  let torqueBefore = 0;

  const calibrateTo = (target: number): void => {
    let offset = Math.round(encoder) - target;
    offset = ((((offset + 2048) % TICKS_PER_TURN) + TICKS_PER_TURN) % TICKS_PER_TURN) - 2048;
    // -2048 has no place in the field: the servo keeps the nearest that has.
    set('homingOffset', Math.max(-2047, offset));
    keep(REGISTERS.homingOffset.address, 2);
  };

  /** EEPROM that the power switch does not forget. */
  const keep = (address: number, count: number): void => {
    if (get('lock') === 1) return;
    for (let at = address; at < Math.min(address + count, EEPROM_BYTES); at++) eeprom[at] = memory[at] as number;
  };

  const write = (address: number, data: Uint8Array): void => {
    for (let i = 0; i < data.length; i++) {
      const at = address + i;
      if (at < MEMORY_BYTES && writable(at)) memory[at] = data[i] as number;
    }
    keep(address, data.length);
    afterWrite(address, data.length);
  };

  const refresh = (sensed: JointSense | null): void => {
    set('presentPosition', present());
    set('presentVoltage', clamp(Math.round(supply * 10), 0, 255));
    set('presentTemperature', clamp(Math.round(temperature), 0, 255));
    set('status', errors());
    set('asyncWritePending', pendingWrite === null ? 0 : 1);
    if (sensed === null) return;
    const speed = clamp(Math.round(sensed.speed / RADIANS_A_STEP), -32767, 32767);
    set('presentVelocity', speed);
    set('presentLoad', clamp(Math.round(sensed.load * 1000), -1000, 1000));
    set('presentCurrent', Math.round(amperes(sensed) / AMPERES_A_STEP));
    set('moving', Math.abs(speed) > get('movingThreshold') ? 1 : 0);
    if (setpoint !== null) set('presentTarget', clamp(Math.round(setpoint) - get('homingOffset'), -32767, 32767));
  };

  const amperes = (sensed: JointSense): number => (torqueOn() ? IDLE_AMPERES + Math.abs(sensed.load) * (STALL_AMPERES - IDLE_AMPERES) : 0);

  const protect = (seconds: number, sensed: JointSense): void => {
    const cut = get('unloadingCondition');
    temperature += (HEATING_CELSIUS_PER_S * sensed.load * sensed.load - (temperature - ambient) * COOLING_PER_S) * seconds;
    if (temperature > get('maxTemperatureLimit') && (cut & 4) !== 0 && torqueOn()) {
      set('torqueEnable', 0);
      torqueBefore = 0;
      setpoint = null;
    }
    overloadSeconds = Math.abs(sensed.load) * 100 > get('overloadTorque') ? overloadSeconds + seconds : 0;
    if ((jammed || overloadSeconds * 100 > get('protectionTime')) && (cut & 32) !== 0) tripped.add('overload');
    currentSeconds = amperes(sensed) / AMPERES_A_STEP > get('protectionCurrent') ? currentSeconds + seconds : 0;
    if (currentSeconds * 100 > get('overCurrentTime') && (cut & 8) !== 0) tripped.add('current');
  };

  /** Where the goal is on the encoder, limits kept, in the turn where the joint is. */
  const goalOnEncoder = (): number => {
    const least = get('minPositionLimit');
    const most = get('maxPositionLimit');
    const goal = get('goalPosition');
    const bounded = least === 0 && most === 0 ? goal : clamp(goal, least, most);
    const offset = get('homingOffset');
    // Which turn the encoder is in: never rounded, or a joint that sags by half a step would take its goal with it.
    const turn = (get('phase') & MULTI_TURN_BIT) !== 0 ? 0 : Math.floor((encoder - offset + 0.5) / TICKS_PER_TURN);
    return bounded + offset + turn * TICKS_PER_TURN;
  };

  const followProfile = (seconds: number): number => {
    const goal = goalOnEncoder();
    const from = setpoint ?? encoder;
    const limit = Math.min(MOST_SPEED, get('goalVelocity') === 0 ? MOST_SPEED : Math.abs(get('goalVelocity')));
    const acceleration = (get('acceleration') === 0 ? 254 : get('acceleration')) * 100;
    const gap = goal - from;
    // The speed from which it can still stop on the goal.
    const stopping = Math.sqrt(2 * acceleration * Math.abs(gap));
    const wanted = Math.sign(gap) * Math.min(limit, stopping, Math.abs(gap) / seconds);
    profileSpeed += clamp(wanted - profileSpeed, -acceleration * seconds, acceleration * seconds);
    const next = from + profileSpeed * seconds;
    const arrived = Math.abs(goal - next) < 0.5 || Math.sign(goal - next) !== Math.sign(gap);
    if (arrived) profileSpeed = 0;
    return arrived ? goal : next;
  };

  const reply = (body: ArrayLike<number>): Uint8Array => encodeFrame(get('id'), errors(), body);

  install();
  powerOn();
  refresh(null);

  return {
    get id() {
      return get('id');
    },
    get powered() {
      return powered;
    },
    get holding() {
      return powered && torqueOn();
    },
    handle(request) {
      if (!powered) return null;
      const { body } = request;
      const mine = request.id === get('id');
      const everybody = request.id === BROADCAST_ID;
      if (!mine && !everybody) return null;
      const acknowledged = (): Uint8Array | null => (mine && get('responseStatusLevel') !== 0 ? reply([]) : null);
      switch (request.third) {
        case INSTRUCTION.ping:
          return reply([]);
        case INSTRUCTION.read: {
          const [address = 0, count = 0] = body;
          return mine ? reply(readBytes(address, count)) : null;
        }
        case INSTRUCTION.write:
          write(body[0] ?? 0, body.slice(1));
          return acknowledged();
        case INSTRUCTION.regWrite:
          pendingWrite = request;
          return acknowledged();
        case INSTRUCTION.action:
          if (pendingWrite !== null) write(pendingWrite.body[0] ?? 0, pendingWrite.body.slice(1));
          pendingWrite = null;
          return acknowledged();
        case INSTRUCTION.restart:
          powered = false;
          powerOn();
          return null;
        case INSTRUCTION.calibrate:
          calibrateTo(body.length === 2 ? (body[0] as number) | ((body[1] as number) << 8) : 2048);
          return acknowledged();
        case INSTRUCTION.syncRead: {
          const [address = 0, count = 0, ...ids] = body;
          return ids.includes(get('id')) ? reply(readBytes(address, count)) : null;
        }
        case INSTRUCTION.syncWrite: {
          const [address = 0, width = 0] = body;
          for (let at = 2; at + width < body.length; at += width + 1) if (body[at] === get('id')) write(address, body.slice(at + 1, at + 1 + width));
          return null;
        }
        default:
          return null;
      }
    },
    step(seconds, sensed) {
      encoder = options.encoderAtZero + sensed.angle / RADIANS_A_STEP;
      if (!powered) return { goal: null, strength: 0 };
      protect(seconds, sensed);
      refresh(sensed);
      if (!torqueOn() || tripped.has('current')) {
        setpoint = null;
        profileSpeed = 0;
        return { goal: null, strength: 0 };
      }
      setpoint = seconds > 0 ? followProfile(seconds) : (setpoint ?? encoder);
      const share = tripped.has('overload') ? get('protectiveTorque') / 100 : get('torqueLimit') / 1000;
      return { goal: (setpoint - options.encoderAtZero) * RADIANS_A_STEP, strength: clamp(share, 0, 1) };
    },
    yieldTo(sensed) {
      encoder = options.encoderAtZero + sensed.angle / RADIANS_A_STEP;
      setpoint = null;
      profileSpeed = 0;
      set('goalPosition', present());
    },
    powerOff() {
      powered = false;
      setpoint = null;
    },
    powerOn,
    setSupply(volts) {
      supply = volts;
      if (volts < BROWN_OUT_VOLTS) powered = false;
      else powerOn();
    },
    setTemperature(celsius) {
      temperature = celsius;
    },
    jam(state) {
      jammed = state === 'jammed';
      if (!jammed) tripped.delete('overload');
    },
    peek: get,
    peekBytes: readBytes,
  };

  function readBytes(address: number, count: number): Uint8Array {
    refresh(null);
    const out = new Uint8Array(count);
    for (let i = 0; i < count; i++) out[i] = memory[address + i] ?? 0;
    return out;
  }
}

const READ_ONLY = new Set(REGISTER_NAMES.filter((name) => REGISTERS[name].access === 'read').flatMap((name) => Array.from({ length: REGISTERS[name].width }, (_, i) => REGISTERS[name].address + i)));

function writable(address: number): boolean {
  return !READ_ONLY.has(address);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
