/** Targets that wait for an arm: one that is held, one that is free, one that squeezes, one that is stopped. */
import { describe, expect, it } from 'vitest';
import { linkPoses } from '#core/robots/kinematics.ts';
import { SO100 } from '#core/robots/so100.ts';
import { transform } from '#core/robots/transforms.ts';
import { createGate, type Gate } from '../gate.ts';
import { jointLimits, PROFILES, shapeLimits } from '../profile.ts';
import { createBody } from '../shape/body.ts';
import { cornersOf, judge, noWorst } from '../testing/judge.ts';
import { leadAllowed, METAL_SERVO, SIMULATED_SERVO } from './lead.ts';

const HZ = 30;
const body = createBody(SO100);
const corners = cornersOf(SO100);
const motion = PROFILES['first-motion'].simulated;
const limits = jointLimits(SO100, motion);
const gateAt = (start: ArrayLike<number> = SO100.homePose): Gate =>
  createGate({ limits, tickSeconds: 1 / HZ, staleAfterMs: 250, rampSeconds: 0.5, shape: shapeLimits(SO100, body, PROFILES['first-motion'], 'simulated') }, start);
const allowed = leadAllowed(motion.linkSpeedMPerS, SIMULATED_SERVO, 1 / HZ, 0);

/** The farthest corner between two poses, metres, the jaw left out; not by the gate's own kinematics. */
const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  const place = (q: ArrayLike<number>) => linkPoses(SO100, q).slice(1, -1).flatMap((pose, i) => (corners[i] ?? []).map((corner) => transform(pose, corner)));
  const to = place(b);
  return Math.max(...place(a).map((p, k) => Math.hypot(...p.map((x, i) => x - (to[k]?.[i] ?? Number.NaN)))));
};
const goalWith = (joint: number, angle: number): Float64Array => Float64Array.from(SO100.homePose, (p, i) => (i === joint ? angle : p));
const turned = goalWith(0, 1.5);

/** Wants `goal`; the arm follows a share of what it is behind in every tick, except for joints that are held. */
function drive(gate: Gate, goal: ArrayLike<number> | null, ticks: number, arm: { at: Float64Array; follows: number; held: readonly number[] }) {
  const seen = { most: 0, rules: new Set<string>(), targets: [] as (readonly number[])[] };
  for (let k = 0; k < ticks; k++) {
    const { command, rules } = gate.pass(goal === null ? null : { positions: goal, velocities: null }, { stateAgeMs: 0, measured: arm.at });
    seen.targets.push(command.positions);
    seen.most = Math.max(seen.most, apart(command.positions, arm.at));
    for (const rule of rules) seen.rules.add(rule);
    arm.at = arm.at.map((p, i) => (arm.held.includes(i) ? p : p + arm.follows * ((command.positions[i] as number) - p)));
  }
  return seen;
}
const armAt = (held: readonly number[] = []) => ({ at: Float64Array.from(SO100.homePose), follows: 0.45, held });

describe('a target', () => {
  it('waits for an arm that is held, within the limits of every joint, and goes on with it', () => {
    const gate = gateAt();
    const arm = armAt([0]);
    const held = drive(gate, turned, 60, arm);
    expect(held.rules.has('lead')).toBe(true);
    // Beyond the bound by the braking from its own speed and no more: 0.7 rad/s at 0.35 m.
    expect(held.most).toBeGreaterThan(allowed);
    expect(held.most).toBeLessThan(allowed + 0.012);
    expect(gate.still).toBe(true);
    const look = judge(SO100, { joints: limits, linkSpeedMPerS: motion.linkSpeedMPerS, floorM: 0, workspace: null, keepOut: [] }, 1 / HZ, noWorst(), 'held', 'looked-at');
    look([...SO100.homePose]);
    for (const target of held.targets) look(target);
    arm.held = [];
    const free = drive(gate, turned, 150, arm);
    expect(free.targets.at(-1)?.[0]).toBe(1.5);
  });

  it('goes back and to the side of what holds it as if nothing did', () => {
    const gate = gateAt();
    const arm = armAt([0]);
    drive(gate, turned, 60, arm);
    const back = drive(gate, goalWith(0, -1), 5, arm);
    expect(back.rules.has('lead')).toBe(false);
    expect(back.targets.at(-1)?.[0] as number).toBeLessThan(back.targets[0]?.[0] as number);
  });

  it('never waits for an arm that is only behind because it moves', () => {
    for (const goal of [turned, goalWith(1, -0.3), goalWith(3, -0.5), goalWith(4, 1.5), Float64Array.from(SO100.homePose, (p, i) => p + (i === 2 ? -0.6 : 0.5))]) {
      const [told, blind] = [gateAt(), gateAt()];
      const arm = armAt();
      const seen = drive(told, goal, 90, arm);
      expect(seen.rules.has('lead')).toBe(false);
      expect(seen.most).toBeGreaterThan(0.005);
      const alone = seen.targets.map(() => blind.pass({ positions: goal, velocities: null }, { stateAgeMs: 0 }).command.positions);
      expect(alone).toEqual(seen.targets);
    }
  });

  it('of the gripper squeezes as far as it likes', () => {
    const gate = gateAt(goalWith(5, 1.5));
    const arm = { ...armAt([5]), at: goalWith(5, 1.5) };
    const seen = drive(gate, goalWith(5, 0), 90, arm);
    expect(seen.rules.has('lead')).toBe(false);
    expect(seen.targets.at(-1)?.[5]).toBe(0);
  });

  it('stays where Stop froze it, wherever the arm goes', () => {
    const gate = gateAt();
    const arm = armAt([0]);
    drive(gate, turned, 20, arm);
    while (!gate.still) gate.pass(null, { stateAgeMs: 0, measured: arm.at });
    const frozen = [...gate.positions()];
    for (const at of [SO100.restPose, SO100.homePose, turned]) expect(gate.pass(null, { stateAgeMs: 0, measured: at }).command.positions).toEqual(frozen);
  });

  it('is not moved without a reading, and refused with one that is no pose', () => {
    const gate = gateAt();
    const before = [...gate.positions()];
    for (const measured of [new Float64Array(6).fill(Number.NaN), [0, 0]]) {
      expect(gate.pass({ positions: turned, velocities: null }, { stateAgeMs: 0, measured })).toMatchObject({ rules: ['stale-state'], command: { positions: before } });
    }
    expect(gate.pass({ positions: turned, velocities: null }, { stateAgeMs: 0, measured: null }).rules).not.toContain('lead');
  });

  it('may lead further where everything is faster, seen later or made of metal', () => {
    expect(allowed).toBeCloseTo(0.0265, 4);
    expect(leadAllowed(0.5, SIMULATED_SERVO, 1 / HZ, 0)).toBeGreaterThan(allowed);
    expect(leadAllowed(0.25, SIMULATED_SERVO, 1 / HZ, 0.1)).toBeCloseTo(allowed + 0.025, 6);
    expect(leadAllowed(0.25, METAL_SERVO, 1 / HZ, 0)).toBeGreaterThan(2 * allowed);
  });
});
