import { describe, expect, it } from 'vitest';
import { JOINT_COUNT } from '#contracts/joints.ts';
import { seededRandom, type Random } from '#core/lib/random.ts';
import { createGate, type Gate, type Wanted } from './gate.ts';
import { TEST_LIMITS } from './testing/limits.ts';

const FRESH = { stateAgeMs: 0 };
const still = (positions: ArrayLike<number>): Wanted => ({ positions, velocities: null });
const testGate = (tickSeconds = 1 / 30, start: ArrayLike<number> = new Float64Array(JOINT_COUNT)): Gate =>
  createGate({ limits: TEST_LIMITS, tickSeconds, staleAfterMs: 200 }, start);

/** Every limit, checked from the commands alone. Returns how many joint-ticks were looked at. */
function checkTrace(trace: readonly (readonly number[])[], tickSeconds: number, seed: number): number {
  let looked = 0;
  for (let k = 0; k < trace.length; k++) {
    for (let i = 0; i < JOINT_COUNT; i++) {
      const limit = TEST_LIMITS[i];
      const p = trace[k]?.[i];
      if (limit === undefined || p === undefined) throw new Error('short trace');
      const where = `seed ${seed} tick ${k} joint ${i}`;
      if (!(p >= limit.least && p <= limit.most)) throw new Error(`${where}: ${p} out of range`);
      const p1 = trace[Math.max(0, k - 1)]?.[i] ?? 0;
      const p2 = trace[Math.max(0, k - 2)]?.[i] ?? 0;
      const v = (p - p1) / tickSeconds;
      const before = (p1 - p2) / tickSeconds;
      if (Math.abs(v) > limit.maxSpeedRadPerS * (1 + 1e-9)) throw new Error(`${where}: speed ${v}`);
      if (Math.abs(v - before) > limit.maxAccelerationRadPerS2 * tickSeconds * (1 + 1e-6)) throw new Error(`${where}: speed ${before} to ${v}`);
      looked++;
    }
  }
  return looked;
}

/** What a broken, hostile or merely excited policy might want next. */
function adversary(random: Random): (tick: number) => Wanted {
  const kind = random.index(7);
  const a = Float64Array.from({ length: JOINT_COUNT }, () => random.between(-4, 4));
  const b = Float64Array.from({ length: JOINT_COUNT }, () => random.between(-4, 4));
  const period = 1 + random.index(12);
  const wild = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e308, -1e308, 5e-324, -0];
  const anything = (): number => (random.uniform() < 0.3 ? (wild[random.index(wild.length)] ?? 0) : random.between(-4, 4));
  return (tick) => {
    switch (kind) {
      case 0: // steps, down to Nyquist
        return still(Math.floor(tick / period) % 2 === 0 ? a : b);
      case 1: // noise
        return still(Float64Array.from({ length: JOINT_COUNT }, () => random.between(-2, 2)));
      case 2: // numbers that are none
        return { positions: Float64Array.from({ length: JOINT_COUNT }, anything), velocities: random.uniform() < 0.5 ? null : Float64Array.from({ length: JOINT_COUNT }, anything) };
      case 3: // sine into the stops
        return still(a.map((amplitude) => amplitude * Math.sin((tick * Math.PI) / (2 + period))));
      case 4: // lies about where it goes next
        return { positions: a.map((p) => p * Math.sin(tick / period)), velocities: b.map((v) => v * 10) };
      case 5: // finite but absurd
        return { positions: a.map((p) => p * 1e300), velocities: b.map((v) => v * 1e300) };
      default: // too short
        return still(tick % period === 0 ? a.subarray(0, 3) : b);
    }
  };
}

describe('gate, whatever is wanted', () => {
  it('keeps range, speed and acceleration, and after a stop never changes a bit', () => {
    const masterSeed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
    console.log(`gate fuzz seed ${masterSeed} (repeat with FUZZ_SEED=${masterSeed})`);
    let looked = 0;
    let stops = 0;
    for (let round = 0; round < 400; round++) {
      const seed = masterSeed + round;
      const random = seededRandom(seed);
      const tickSeconds = 1 / (10 + random.index(91));
      const start = TEST_LIMITS.map((limit) => random.between(limit.least, limit.most));
      const gate = testGate(tickSeconds, start);
      let wants = adversary(random);
      const trace: (readonly number[])[] = [Array.from(gate.positions()), Array.from(gate.positions())];
      for (let tick = 0; tick < 300; tick++) {
        if (random.uniform() < 0.03) wants = adversary(random);
        const stateAgeMs = random.uniform() < 0.02 ? null : random.uniform() < 0.02 ? 1e4 : random.between(0, 150);
        trace.push(gate.pass(random.uniform() < 0.02 ? null : wants(tick), { stateAgeMs }).command.positions);
      }
      // Stop: still within the time the slowest joint needs, then frozen whatever the state reading does.
      const mostTicks = Math.max(...TEST_LIMITS.map((limit) => Math.ceil(limit.maxSpeedRadPerS / (limit.maxAccelerationRadPerS2 * tickSeconds) + 1e-6)));
      let ticks = 0;
      while (!gate.still) {
        trace.push(gate.pass(null, FRESH).command.positions);
        if (++ticks > mostTicks) throw new Error(`seed ${seed}: still moving ${ticks} ticks after the stop`);
      }
      const frozen = Array.from(gate.positions());
      for (let i = 0; i < 20; i++) {
        const { command } = gate.pass(null, { stateAgeMs: i % 3 === 0 ? null : 0 });
        if (!command.positions.every((p, j) => Object.is(p, frozen[j]))) throw new Error(`seed ${seed}: moved after the freeze`);
        trace.push(command.positions);
      }
      stops++;
      looked += checkTrace(trace, tickSeconds, seed);
    }
    console.log(`${looked} joint-ticks inside every limit, ${stops} stops frozen`);
    expect(looked).toBeGreaterThan(400 * 300 * JOINT_COUNT);
  });
});

describe('gate, ordinary targets', () => {
  it('follows a path that keeps the limits exactly, and says so', () => {
    const gate = testGate();
    const pose = (k: number): Float64Array => Float64Array.from(TEST_LIMITS, () => 0.05 * (1 - Math.cos(k / 15)));
    for (let k = 1; k < 200; k++) {
      const now = pose(k);
      const passed = gate.pass({ positions: now, velocities: pose(k + 1).map((p, i) => (p - (now[i] ?? 0)) * 30) }, FRESH);
      expect(passed.rules).toEqual([]);
      expect(passed.limitedJoints).toEqual([]);
      expect([...passed.command.positions]).toEqual([...now]);
    }
  });

  it('approaches a step without overshoot and lands on it exactly', () => {
    const gate = testGate();
    const goal = [1.2, -0.9, 0.25, -1, 0.7, 1.5];
    let before = Array.from(gate.positions());
    let ticks = 0;
    while (!Array.from(gate.positions()).every((p, i) => Object.is(p, goal[i]))) {
      const { command } = gate.pass(still(goal), FRESH);
      command.positions.forEach((p, i) => {
        const sign = Math.sign(goal[i] ?? 0);
        expect(p * sign).toBeLessThanOrEqual((goal[i] ?? 0) * sign);
        expect(p * sign).toBeGreaterThanOrEqual((before[i] ?? 0) * sign);
      });
      before = [...command.positions];
      expect(++ticks).toBeLessThan(150);
    }
    expect(gate.pass(still(goal), FRESH)).toMatchObject({ rules: [], limitedJoints: [] });
    expect(gate.still).toBe(true);
  });

  it('names the rule and the joint', () => {
    const zero = new Float64Array(JOINT_COUNT);
    const at = (i: number, value: number): Float64Array => Float64Array.from(zero, (_, j) => (i === j ? value : 0));
    expect(testGate().pass(still(at(3, Number.NaN)), FRESH)).toMatchObject({ rules: ['finite'], limitedJoints: [3] });
    expect(testGate().pass(still(at(0, 0.2)), { stateAgeMs: 201 })).toMatchObject({ rules: ['stale-state'], limitedJoints: [0] });
    expect(testGate().pass(still(at(0, 0.2)), { stateAgeMs: null }).rules).toEqual(['stale-state']);
    expect(testGate().pass(still(at(0, 0.012)), FRESH)).toMatchObject({ rules: [], limitedJoints: [] });
    expect(testGate().pass(still(at(0, 0.03)), FRESH)).toMatchObject({ rules: ['acceleration'], limitedJoints: [0] });
    expect(testGate().pass(still(at(0, 0.5)), FRESH).rules).toEqual(['speed', 'acceleration']);
    expect(testGate().pass(still(at(0, 3)), FRESH).rules).toEqual(['range', 'speed', 'acceleration']);
  });

  it('starts clamped into the range, and inside a margin only moves inward', () => {
    expect(testGate(1 / 30, [2.5, 0, 0, 0, 0, -0.3]).positions()).toEqual(new Float64Array([1.9, 0, 0, 0, 0, -0.17]));
    const gate = testGate(1 / 30, [1.895, 0, 0, 0, 0, 0]);
    expect(gate.pass(still([1.899, 0, 0, 0, 0, 0]), FRESH).command.positions[0]).toBe(1.895);
    const inward = gate.pass(still([1.892, 0, 0, 0, 0, 0]), FRESH).command.positions[0];
    expect(inward).toBe(1.892);
    expect(gate.pass(still([1.895, 0, 0, 0, 0, 0]), FRESH).command.positions[0]).toBe(1.892);
    expect(() => testGate(1 / 30, [Number.NaN, 0, 0, 0, 0, 0])).toThrow(RangeError);
  });

  it('previews what it would do, and does nothing', () => {
    const gate = testGate();
    const path = [0.1, 0.3, 0.6, 0.2].map((p) => still(new Float64Array(JOINT_COUNT).fill(p)));
    const seen = gate.preview(path);
    expect(Array.from(gate.positions())).toEqual([0, 0, 0, 0, 0, 0]);
    expect(path.map((wanted) => [...gate.pass(wanted, FRESH).command.positions])).toEqual(seen.map((pose) => pose.positions));
    expect(seen[1]?.rules).toContain('speed');
  });

  it('changes its tick only at rest', () => {
    const gate = testGate();
    gate.pass(still([1, 0, 0, 0, 0, 0]), FRESH);
    expect(() => gate.withTick(0.01)).toThrow('stands still');
    while (!gate.still) gate.pass(null, FRESH);
    expect(gate.withTick(0.01).positions()).toEqual(gate.positions());
  });
});
