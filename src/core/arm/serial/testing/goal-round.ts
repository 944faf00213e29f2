/**
 * A round of the proof that nothing wanted by anybody becomes a goal that must not be: targets from nowhere go through the gate of the
 * first profile and over the bus, and every goal that the servos hear is judged in steps. Ends with a Stop, after which goals may only
 * brake and then stay.
 */
import { JOINT_NAMES } from '#contracts/joints.ts';
import { seededRandom } from '#core/lib/random.ts';
import { SO100 } from '#core/robots/so100.ts';
import { createGate } from '#core/safety/gate.ts';
import { jointLimits, PROFILES, shapeLimits } from '#core/safety/profile.ts';
import { createBody } from '#core/safety/shape/body.ts';
import type { Packet } from '../feetech/decoder.ts';
import { decodeRegister } from '../feetech/registers.ts';
import { armRig } from './rig.ts';

export interface GoalRound {
  readonly targets: number;
  /** Goals that went over the wire. */
  readonly goals: number;
  /** Largest change of a goal between two ticks, and of that change, servo steps. */
  readonly mostStep: number;
  readonly mostChange: number;
}

const RATE_HZ = 30;
const STEPS_PER_RAD = 4095 / (2 * Math.PI);
/** Both ends of a difference are rounded to whole steps. */
const ROUNDING = 1;
/** Braking from 0.8 rad/s at 6 rad/s^2 with a jerk limit takes 0.2 s. */
const BRAKING_TICKS = 15;

/** Throws an Error with seed and tick at the first goal that must not be. */
export async function goalRound(seed: number, targets: number): Promise<GoalRound> {
  const random = seededRandom(seed);
  const rig = await armRig();
  const profile = PROFILES['first-motion'];
  const motion = profile.real;
  const ranges = rig.arm.ranges();
  const joints = SO100.joints.map((joint, i) => ({ ...joint, least: Math.max(joint.least, ranges[i]?.least ?? 0) as typeof joint.least, most: Math.min(joint.most, ranges[i]?.most ?? 0) as typeof joint.most }));
  const limits = jointLimits({ ...SO100, joints }, motion);
  const first = rig.arm.read(rig.clock.nowMs());
  if (first.kind === 'failed') throw new Error('no first reading');
  const gate = createGate({ limits, tickSeconds: 1 / RATE_HZ, staleAfterMs: 250, rampSeconds: motion.rampSeconds, shape: shapeLimits(SO100, createBody(SO100), profile, 'real') }, first.value.position);
  await rig.drive(rig.arm.engage(gate.pass(null, { stateAgeMs: 0 }).command, { tick: 0, atMs: rig.clock.nowMs() }));

  const motors = JOINT_NAMES.map((name) => rig.servos.calibration[name]);
  const goals = motors.map((motor) => rig.servos.servo(motor.id).peek('goalPosition'));
  const changes = motors.map(() => 0);
  const result = { targets: 0, goals: 0, mostStep: 0, mostChange: 0 };
  let heardTotal = 0;
  let held: readonly number[] = [];

  const wild = (joint: number): number => {
    switch (random.index(8)) {
      case 0:
        return [Number.NaN, Infinity, -Infinity, 1e308, -1e308, -0, Number.MIN_VALUE][random.index(7)] as number;
      case 1:
        return random.between(-100, 100);
      case 2:
        // Just beyond either end.
        return ((random.index(2) === 0 ? joints[joint]?.least : joints[joint]?.most) ?? 0) + random.between(-0.01, 0.01);
      default:
        return random.between(-3.5, 3.5);
    }
  };
  const judge = (heard: readonly Packet[], tick: number): void => {
    const before = [...goals];
    for (const { third, body } of heard) {
      if (third !== 0x83 || body[0] !== 42) continue;
      for (let at = 2; at + 2 < body.length; at += 3) {
        const index = motors.findIndex((motor) => motor.id === body[at]);
        const motor = motors[index];
        const steps = decodeRegister('goalPosition', body.slice(at + 1, at + 3));
        if (motor === undefined || steps < motor.rangeMin || steps > motor.rangeMax) throw new Error(`seed ${seed}, tick ${tick}: goal ${steps} of motor ${String(body[at])} is outside its range`);
        goals[index] = steps;
        result.goals++;
      }
    }
    goals.forEach((goal, i) => {
      const limit = limits[i];
      if (limit === undefined) return;
      const step = goal - (before[i] as number);
      const change = step - (changes[i] as number);
      changes[i] = step;
      // The gripper's steps count percent of its own range.
      const scale = i === 5 ? ((motors[5]?.rangeMax ?? 0) - (motors[5]?.rangeMin ?? 0)) / ((SO100.joints[5]?.most ?? 1) - (SO100.joints[5]?.least ?? 0)) : STEPS_PER_RAD;
      const mostStep = (limit.maxSpeedRadPerS / RATE_HZ) * scale + ROUNDING;
      const mostChange = (limit.maxAccelerationRadPerS2 / RATE_HZ / RATE_HZ) * scale + 2 * ROUNDING;
      if (Math.abs(step) > mostStep) throw new Error(`seed ${seed}, tick ${tick}: motor ${i + 1} stepped ${step}, at most ${mostStep.toFixed(1)}`);
      if (Math.abs(change) > mostChange) throw new Error(`seed ${seed}, tick ${tick}: motor ${i + 1} changed its step by ${change}, at most ${mostChange.toFixed(1)}`);
      result.mostStep = Math.max(result.mostStep, Math.abs(step));
      result.mostChange = Math.max(result.mostChange, Math.abs(change));
    });
  };
  const pass = async (tick: number, target: readonly number[] | null, stateAgeMs: number | null): Promise<void> => {
    const marker = rig.servos.heard.at(-1);
    rig.arm.read(rig.clock.nowMs());
    rig.arm.send(gate.pass(target === null ? null : { positions: target, velocities: null }, { stateAgeMs }).command, { tick, atMs: rig.clock.nowMs() });
    await rig.clock.advanceBy(1000 / RATE_HZ);
    const { heard } = rig.servos;
    const fresh = marker === undefined ? heard : heard.slice(heard.lastIndexOf(marker) + 1);
    heardTotal += fresh.length;
    judge(fresh, tick);
  };

  for (let tick = 1; tick <= targets; tick++) {
    // Whims last a while: a target that changes every tick never lets the arm get fast.
    if (tick % 40 === 1) held = Array.from({ length: 6 }, (_, joint) => random.between(joints[joint]?.least ?? 0, joints[joint]?.most ?? 0));
    const target = random.index(3) === 0 ? Array.from({ length: 6 }, (_, joint) => wild(joint)) : held;
    await pass(tick, target, random.index(50) === 0 ? null : 0);
    result.targets++;
  }
  for (let tick = 1; tick <= BRAKING_TICKS; tick++) await pass(targets + tick, null, 0);
  const frozen = [...goals];
  for (let tick = 1; tick <= 30; tick++) {
    await pass(targets + BRAKING_TICKS + tick, null, 0);
    if (goals.some((goal, i) => goal !== frozen[i])) throw new Error(`seed ${seed}: a goal changed after Stop`);
  }
  if (heardTotal === 0) throw new Error('the servos heard nothing');
  return result;
}
