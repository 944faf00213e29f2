import { describe, expect, it } from 'vitest';
import { SO100 } from '#core/robots/so100.ts';
import { PROFILES } from './profile.ts';
import { BEAT_GRACE_MS, BEAT_LATCH_MS, STALE_LATCH_MS } from './rules/surroundings.ts';
import { createWatch, type Surroundings, type Watch } from './watch.ts';

const first = PROFILES['first-motion'];
const TICK = 1 / 30;
const readings = (over: Partial<NonNullable<Surroundings['readings']>> = {}) => ({ position: SO100.homePose, velocity: new Float64Array(6), torque: new Float64Array(6), ...over });
const calm = (over: Partial<Surroundings> = {}): Surroundings => ({
  nowMs: 1000,
  tick: 1,
  tickSeconds: TICK,
  pageSilentMs: 100,
  page: 'visible',
  holdKey: 'down',
  stateAgeMs: 10,
  readings: readings(),
  target: SO100.homePose,
  motion: 'policy',
  ...over,
});
const simulated = (): Watch => createWatch(SO100, first, first.simulated);
const real = (): Watch => createWatch(SO100, first, first.real);
/** Ticks with the same surroundings until something latches; the rule and the seconds it took. */
const latches = (watch: Watch, now: Surroundings): { rule: string; seconds: number } | null => {
  for (let k = 1; k <= 90; k++) {
    const { latched } = watch.look(now);
    if (latched !== null) return { rule: latched.rule, seconds: Math.round(k * TICK * 100) / 100 };
  }
  return null;
};
const at = (index: number, value: number): Float64Array => Float64Array.from({ length: 6 }, (_, i) => (i === index ? value : 0));

describe('surroundings', () => {
  it('pass when the page beats, is seen, and the key is held', () => {
    expect(real().look(calm())).toEqual({ refusedBy: [], latched: null, slow: null });
    expect(simulated().look(calm({ pageSilentMs: null, page: null, holdKey: 'up' })).refusedBy).toEqual([]);
  });

  it('hold a simulated arm for as long as they last', () => {
    const watch = simulated();
    for (const [over, rule] of [
      [{ pageSilentMs: BEAT_GRACE_MS + 1 }, 'page-silent'],
      [{ pageSilentMs: 1e6 }, 'page-silent'],
      [{ page: 'hidden' }, 'tab-hidden'],
    ] as const) {
      expect(watch.look(calm(over))).toMatchObject({ refusedBy: [rule], latched: null });
      expect(watch.look(calm()).refusedBy).toEqual([]);
    }
    expect(watch.look(calm({ stateAgeMs: null }))).toMatchObject({ refusedBy: [], latched: null });
  });

  it('latch a real arm, and go on only when a person says so and the cause is gone', () => {
    for (const [over, rule] of [
      [{ pageSilentMs: BEAT_LATCH_MS + 1 }, 'page-silent'],
      [{ page: 'hidden' }, 'tab-hidden'],
      [{ stateAgeMs: STALE_LATCH_MS + 1 }, 'stale-state'],
      [{ stateAgeMs: null }, 'stale-state'],
    ] as const) {
      const watch = real();
      expect(watch.look(calm(over))).toMatchObject({ refusedBy: [rule], latched: { rule, tick: 1 } });
      expect(watch.look(calm(over)).latched).toBeNull();
      expect(watch.reset()).toBe(rule);
      expect(watch.look(calm())).toMatchObject({ refusedBy: [rule] });
      expect(watch.reset()).toBeNull();
      expect(watch.look(calm()).refusedBy).toEqual([]);
    }
    expect(real().look(calm({ pageSilentMs: BEAT_GRACE_MS + 1 }))).toMatchObject({ refusedBy: ['page-silent'], latched: null });
  });

  it('want the key only where the profile says so and a policy moves the arm', () => {
    const watch = real();
    expect(watch.look(calm({ holdKey: 'up' }))).toMatchObject({ refusedBy: ['hold-to-run'], latched: null });
    expect(watch.look(calm({ holdKey: 'up', motion: 'manual' })).refusedBy).toEqual([]);
    expect(simulated().look(calm({ holdKey: 'up' })).refusedBy).toEqual([]);
    expect(watch.look(calm({ pageSilentMs: 1e6, page: 'hidden', motion: 'none' })).refusedBy).toEqual([]);
  });
});

describe('motors', () => {
  const target = Float64Array.from(SO100.homePose, (p, i) => p + (i === 2 ? 0.3 : 0));

  it('a joint that pushes half a second without getting anywhere is blocked', () => {
    expect(latches(simulated(), calm({ target, readings: readings({ torque: at(2, 2) }) }))).toEqual({ rule: 'stall', seconds: 0.5 });
    expect(latches(simulated(), calm({ target, readings: readings({ torque: at(2, 1) }) }))).toBeNull();
    expect(latches(simulated(), calm({ target, readings: readings({ torque: at(2, 2), velocity: at(2, 0.2) }) }))).toBeNull();
    expect(latches(simulated(), calm({ readings: readings({ torque: at(2, 2) }) }))).toBeNull();
  });

  it('a joint whose target waits for it is blocked when it is less far behind', () => {
    const near = Float64Array.from(SO100.homePose, (p, i) => p + (i === 2 ? 0.04 : 0));
    const pushing = { target: near, readings: readings({ torque: at(2, 2) }) };
    expect(latches(simulated(), calm({ ...pushing, waiting: 'yes' }))).toEqual({ rule: 'stall', seconds: 0.5 });
    expect(latches(simulated(), calm({ ...pushing, waiting: 'no' }))).toBeNull();
    expect(latches(simulated(), calm({ ...pushing, readings: readings({ torque: at(2, 1) }), waiting: 'yes' }))).toBeNull();
  });

  it('a break in it starts the count again, and a squeezing gripper is none', () => {
    const watch = simulated();
    const blocked = calm({ target, readings: readings({ torque: at(2, 2) }) });
    for (let k = 0; k < 14; k++) watch.look(blocked);
    watch.look(calm());
    for (let k = 0; k < 14; k++) expect(watch.look(blocked).latched).toBeNull();
    const squeeze = Float64Array.from(SO100.homePose, (p, i) => p - (i === 5 ? 0.4 : 0));
    expect(latches(simulated(), calm({ target: squeeze, readings: readings({ torque: at(5, 1.5) }) }))).toBeNull();
  });

  it('a motor over its share of torque for a second', () => {
    expect(latches(simulated(), calm({ readings: readings({ torque: at(1, -2.6) }) }))).toEqual({ rule: 'torque', seconds: 1 });
    expect(latches(simulated(), calm({ readings: readings({ torque: at(1, -2.3) }) }))).toBeNull();
  });

  it('heat slows, then latches; no thermometer is no fever', () => {
    expect(simulated().look(calm({ readings: readings({ temperatureC: at(3, 50) }) }))).toMatchObject({ refusedBy: [], slow: { share: 0.5, by: 'temperature' } });
    expect(simulated().look(calm({ readings: readings({ temperatureC: at(3, 49) }) })).slow).toBeNull();
    expect(latches(simulated(), calm({ readings: readings({ temperatureC: at(3, 55) }) }))?.rule).toBe('temperature');
  });

  it('a supply that stays low', () => {
    expect(latches(simulated(), calm({ readings: readings({ voltageV: 4.4 }) }))).toEqual({ rule: 'voltage', seconds: 0.5 });
    expect(latches(simulated(), calm({ readings: readings({ voltageV: 4.6 }) }))).toBeNull();
  });

  it('two faults are two, each told once', () => {
    const watch = real();
    watch.look(calm({ page: 'hidden', pageSilentMs: 1e4 }));
    watch.look(calm({ page: 'hidden', pageSilentMs: 1e4 }));
    expect(watch.faults.map((fault) => fault.rule)).toEqual(['page-silent', 'tab-hidden']);
  });
});
