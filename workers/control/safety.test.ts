/** What the loop does with what the watch and the gate find: holds, latches, and goes on only when a person says so. */
import { describe, expect, it } from 'vitest';
import type { RunStart } from '#contracts/control.ts';
import { PAGE_BITS, STOP_FLAG } from '#contracts/slots.ts';
import { asFailure } from '#core/lib/failure.ts';
import { PROFILES } from '#core/safety/profile.ts';
import { makeRig, type Rig } from './testing/rig.ts';

const RUN: RunStart = { runId: 7, askAtShare: 0.5, chunkExpiryMs: 2000 };
const codeOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => null, (thrown: unknown) => asFailure(thrown));
const stepOf = (rig: Rig): number => {
  const [before, last] = rig.ticks().slice(-2);
  return Math.max(...(last?.target ?? []).map((p, i) => Math.abs(p - (before?.target[i] ?? 0))));
};

/** A run that pans slowly, with a page that beats. */
async function moving(): Promise<Rig> {
  const rig = await makeRig();
  rig.beat();
  await rig.service.beginRun(RUN);
  await rig.run(50);
  const request = rig.asked.at(-1);
  if (request === undefined) throw new Error('nothing was asked');
  rig.loop.receive(rig.answer(request, 400, (row, joint) => (rig.homeUnits[joint] ?? 0) + (joint === 0 ? row * 0.3 : 0)), rig.clock.nowMs());
  for (let k = 0; k < 5; k++) {
    rig.beat();
    await rig.run(100);
  }
  expect(stepOf(rig)).toBeGreaterThan(0.003);
  return rig;
}

describe('a run in the shadow', () => {
  it('computes and tells what is wanted and what would be allowed, and sends nothing', async () => {
    const rig = await makeRig();
    rig.beat();
    const before = rig.ticks().at(-1)?.target;
    await rig.service.beginRun({ ...RUN, drive: 'shadow' });
    await rig.run(50);
    const request = rig.asked.at(-1);
    if (request === undefined) throw new Error('nothing was asked');
    rig.loop.receive(rig.answer(request, 400, (row, joint) => (rig.homeUnits[joint] ?? 0) + (joint === 0 ? row * 8 : 0)), rig.clock.nowMs());
    await rig.run(300);
    const ticks = rig.ticks().slice(-8);
    for (const tick of ticks) expect(tick.target).toEqual(before);
    const wanted = ticks.map((tick) => tick.wanted?.[0] ?? Number.NaN);
    expect(wanted.at(-1)).toBeGreaterThan((wanted[0] as number) + 0.1);
    expect(rig.reports.at(-1)?.comingRules?.flat()).toContain('link-speed');
    // Nothing moves, so nothing is held: a hidden tab and a released key do not matter.
    rig.page(PAGE_BITS.hidden);
    await rig.run(200);
    expect(rig.reports.at(-1)?.safety.holding).toEqual([]);
  });
});

describe('a page that goes silent or away', () => {
  it('stops what a hand moves, and not an arm that has arrived', async () => {
    const rig = await makeRig();
    rig.beat();
    const goal = rig.homeUnits.slice() as typeof rig.homeUnits;
    goal[0] = 100;
    await rig.service.setManualTargets(goal);
    await rig.run(1500);
    expect(rig.ticks().some((tick) => tick.rules.includes('page-silent'))).toBe(true);
    for (let k = 0; k < 12; k++) {
      rig.beat();
      await rig.run(300);
    }
    expect(rig.ticks().at(-1)?.target[0]).toBeCloseTo((100 * Math.PI) / 180, 2);
    const from = rig.ticks().length;
    await rig.run(3000);
    expect(rig.ticks().slice(from).some((tick) => tick.rules.includes('page-silent'))).toBe(false);
  });

  it('holds the simulated arm by name, rows wait, and it goes on when the page is back', async () => {
    const rig = await moving();
    await rig.run(1600);
    expect(stepOf(rig)).toBe(0);
    expect(rig.ticks().at(-1)?.rules).toEqual(['page-silent']);
    expect(rig.reports.at(-1)?.safety).toMatchObject({ profile: 'first-motion', holding: ['page-silent'], faults: [] });
    rig.beat();
    await rig.run(600);
    expect(stepOf(rig)).toBeGreaterThan(0.003);
    expect(rig.reports.at(-1)?.safety.holding).toEqual([]);
  });

  it('holds while the tab is hidden', async () => {
    const rig = await moving();
    rig.page(PAGE_BITS.hidden);
    await rig.run(400);
    expect(rig.ticks().at(-1)?.rules).toEqual(['tab-hidden']);
    expect(stepOf(rig)).toBe(0);
    rig.page(0);
    await rig.run(400);
    expect(stepOf(rig)).toBeGreaterThan(0.003);
  });

  it('is not blamed for a thread that slept itself', async () => {
    const rig = await moving();
    rig.clock.jumpTo(rig.clock.nowMs() + 60_000);
    rig.world.advance(5, rig.clock.nowMs());
    await rig.run(100);
    expect(rig.ticks().slice(-2).flatMap((tick) => tick.rules)).not.toContain('page-silent');
  });
});

describe('the key that lets a policy move', () => {
  it('holds when it is let go, goes on when it is held again', async () => {
    const rig = await makeRig();
    await rig.settle(rig.service.setProfile({ ...PROFILES['first-motion'], simulated: { ...PROFILES['first-motion'].simulated, holdToRun: 'on' } }, 'file'));
    rig.beat();
    rig.page(PAGE_BITS.holding);
    await rig.service.beginRun(RUN);
    await rig.run(50);
    rig.loop.receive(rig.answer(rig.asked.at(-1)!, 400, (row, joint) => (rig.homeUnits[joint] ?? 0) + (joint === 0 ? row * 0.3 : 0)), rig.clock.nowMs());
    await rig.run(500);
    expect(stepOf(rig)).toBeGreaterThan(0.003);
    rig.page(0);
    await rig.run(300);
    expect(stepOf(rig)).toBe(0);
    expect(rig.ticks().at(-1)?.rules).toEqual(['hold-to-run']);
  });
});

describe('a fault that latches', () => {
  it('is a stop that nobody pressed, stays, and is cleared by a person when its cause is gone', async () => {
    const rig = await moving();
    rig.world.overload(1, 2.9);
    await rig.run(1500);
    expect(rig.loop.mode).toBe('stopped');
    expect(rig.reports.at(-1)?.safety.faults).toMatchObject([{ rule: 'torque', facts: { joint: 'shoulder_lift' } }]);
    expect(rig.reports.at(-1)?.failure).toMatchObject({ code: 'safety/latched', facts: { rule: 'torque' } });
    const frozen = rig.ticks().at(-1)?.target;
    expect(await codeOf(rig.settle(rig.service.resume()))).toMatchObject({ code: 'safety/latched', facts: { rule: 'torque' } });
    expect(await codeOf(rig.service.beginRun(RUN))).toMatchObject({ code: 'control/busy' });
    rig.world.overload(1, 0);
    await rig.run(200);
    expect(rig.loop.mode).toBe('stopped');
    expect(rig.ticks().at(-1)?.target).toEqual(frozen);
    await rig.settle(rig.service.resume());
    await rig.run(300);
    expect(rig.loop.mode).toBe('idle');
    expect(rig.reports.at(-1)?.safety.faults).toEqual([]);
    expect(rig.reports.at(-1)?.failure).toBeNull();
  });
});

describe('profiles', () => {
  it('change the limits at rest, not in motion; a file may not loosen; a lock stays', async () => {
    const rig = await makeRig();
    expect(await codeOf(rig.service.setProfile(PROFILES.research, 'file'))).toMatchObject({ code: 'safety/would-loosen' });
    expect(await codeOf(rig.service.setProfile({ name: 'fast' }, 'person'))).toMatchObject({ code: 'safety/profile-invalid' });
    await rig.service.beginRun(RUN);
    expect(await codeOf(rig.service.setProfile(PROFILES.owner, 'person'))).toMatchObject({ code: 'control/busy' });
    await rig.service.endRun();
    await rig.settle(rig.service.setProfile(PROFILES.research, 'person'));
    expect(await rig.service.profile()).toMatchObject({ ok: true, value: { name: 'research' } });
    await rig.settle(rig.service.setProfile(PROFILES['first-motion'], 'file'));
    await rig.settle(rig.service.setProfile(PROFILES.classroom, 'server'));
    await rig.run(200);
    expect(rig.reports.at(-1)?.safety).toMatchObject({ profile: 'classroom', locked: 'locked' });
    expect(await codeOf(rig.service.setProfile(PROFILES.owner, 'person'))).toMatchObject({ code: 'safety/locked' });
  });
});

describe('plans that disagree', () => {
  const twoPlans = async (reaction: 'slow' | 'ask', aggregate: 'latest_only' | 'average'): Promise<Rig> => {
    const rig = await makeRig();
    await rig.service.beginRun({ ...RUN, aggregate, askAtShare: 1, disagreement: { limit: 2, reaction } });
    await rig.run(50);
    rig.loop.receive(rig.answer(rig.asked.at(-1)!, 100, (row, joint) => (rig.homeUnits[joint] ?? 0) + (joint === 0 ? row * 0.2 : 0)), rig.clock.nowMs());
    await rig.run(200);
    rig.loop.receive(rig.answer(rig.asked.at(-1)!, 100, (row, joint) => (rig.homeUnits[joint] ?? 0) + (joint === 0 ? 10 + row * 0.2 : 0)), rig.clock.nowMs());
    await rig.run(300);
    return rig;
  };

  it('are measured before any blending, and slow the arm', async () => {
    const rig = await twoPlans('slow', 'average');
    expect(rig.reports.at(-1)?.chunk?.disagreement?.mean).toBeCloseTo(10, 0);
    expect(rig.reports.at(-1)?.chunk?.disagreement?.seamPlayed).toBeCloseTo((rig.reports.at(-1)?.chunk?.disagreement?.seam ?? 0) / 2, 4);
    expect(rig.ticks().at(-1)?.rules).toContain('disagreement');
    expect(rig.reports.at(-1)?.safety.slowShare).toBe(0.5);
    const report = await rig.service.endRun();
    expect(report.ok && report.value.disagreements.length).toBe(1);
  });

  it('stop it and ask', async () => {
    const rig = await twoPlans('ask', 'latest_only');
    expect(rig.loop.mode).toBe('stopped');
    expect(rig.reports.at(-1)?.safety.faults).toMatchObject([{ rule: 'disagreement' }]);
    await rig.settle(rig.service.resume());
    expect(rig.loop.mode).toBe('idle');
  });
});

describe('clocks that jump', () => {
  it('back: nothing is taken for fresh, and a chunk from the future is refused', async () => {
    const rig = await makeRig();
    await rig.service.beginRun(RUN);
    await rig.run(50);
    const request = rig.asked.at(-1)!;
    rig.loop.receive(rig.answer(request, 60, (_row, joint) => (rig.homeUnits[joint] ?? 0) + 10, { observedAtMs: rig.clock.nowMs() + 3.6e6 }), rig.clock.nowMs());
    await rig.run(200);
    expect(stepOf(rig)).toBe(0);
    expect(rig.reports.at(-1)?.failure?.code).toBe('policy/timeout');
    expect(Atomics.load(new Int32Array(rig.stopMemory), STOP_FLAG.requested)).toBe(0);
  });
});
