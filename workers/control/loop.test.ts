import { describe, expect, it } from 'vitest';
import { CONTROL_MODES, type ControlToInference, type RunStart, type TickReport } from '#contracts/control.ts';
import { ARM_SLOT } from '#contracts/slots.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { FailureError } from '#core/lib/failure.ts';
import { slotField } from '#core/lib/shared-slot.ts';
import { SO100 } from '#core/robots/so100.ts';
import { DEFAULT_ARM_LIMITS } from '#core/safety/limits.ts';
import { makeRig, type Rig } from './testing/rig.ts';

const RUN: RunStart = { runId: 7, askAtShare: 0.5, chunkExpiryMs: 2000 };
const DEGREES = Math.PI / 180;

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'nothing thrown';
  } catch (thrown) {
    return thrown instanceof FailureError ? thrown.failure.code : String(thrown);
  }
};
const targetsOf = (ticks: readonly TickReport[]): number[][] => ticks.map((tick) => [...tick.target]);
const lastRequest = (rig: Rig): ControlToInference => {
  const request = rig.asked.at(-1);
  if (request === undefined) throw new Error('nothing was asked');
  return request;
};
/** The pan joint swings by `degrees`, a cosine over `period` rows from `from`; the others stay at home. */
const swing = (rig: Rig, degrees: number, period: number, from = 0) => (row: number, joint: number): number =>
  (rig.homeUnits[joint] ?? 0) + (joint === 0 ? (degrees / 2) * (1 - Math.cos((2 * Math.PI * (row + from)) / period)) : 0);

describe('before anything is asked for', () => {
  it('moves nothing and refuses verbs without an arm, but hears Stop', async () => {
    const rig = await makeRig({ connect: 'later' });
    await rig.run(300);
    expect(rig.world.targets).toBeNull();
    expect(await codeOf(rig.service.setManualTargets(rig.homeUnits))).toBe('arm/not-connected');
    expect(await codeOf(rig.service.beginRun(RUN))).toBe('arm/not-connected');
    rig.pressStop();
    await rig.run(40);
    expect(rig.stopAcknowledged()).toBe(true);
    expect(rig.loop.lastStop()).toMatchObject({ settlingRad: null, driftRad: null });
    expect(rig.reports.at(-1)).toMatchObject({ mode: 'disconnected', rateHz: 30 });
  });

  it('connects to the pose it finds and holds it to the bit', async () => {
    const rig = await makeRig();
    await rig.run(1000);
    const targets = targetsOf(rig.ticks());
    expect(targets.length).toBeGreaterThan(30);
    for (const target of targets) expect(target).toEqual([...SO100.homePose]);
    expect(rig.loop.mode).toBe('idle');
    expect(rig.world.torque).toBe('on');
    expect(await codeOf(rig.service.connect('serial'))).toBe('arm/unsupported');
  });

  it('goes on reporting when its clock goes back', async () => {
    const rig = await makeRig();
    await rig.run(300);
    const before = rig.reports.length;
    const backMs = rig.clock.nowMs() - 3_600_000;
    for (let tick = 0; tick < 30; tick++) rig.loop.tick({ nowMs: backMs + tick * 33, lateMs: 0, skipped: 0 });
    expect(rig.reports.length - before).toBeGreaterThanOrEqual(8);
  });

  it('refuses an arm that is nowhere and one that is somewhere impossible', async () => {
    const rig = await makeRig({ connect: 'later' });
    rig.world.reset([5, 0, 0, 0, 0, 0], rig.clock.nowMs());
    expect(await codeOf(rig.settle(rig.service.connect('simulated')))).toBe('control/out-of-range');
    const blind = await makeRig({ connect: 'later' });
    const connecting = codeOf(blind.service.connect('simulated'));
    blind.clock.jumpTo(blind.clock.nowMs() + 500);
    await blind.runBlind(4000);
    expect(await connecting).toBe('nothing thrown'); // it was fresh at the first look
    const late = await makeRig({ connect: 'later' });
    late.clock.jumpTo(late.clock.nowMs() + 500);
    const stale = codeOf(late.service.connect('simulated'));
    await late.runBlind(4000);
    expect(await stale).toBe('control/state-stale');
  });
});

describe('moving by hand', () => {
  it('ramps to the sliders within the limits and lands on them', async () => {
    const rig = await makeRig();
    const goal = Float64Array.from(rig.homeUnits, (v, i) => v + [30, -20, 15, -25, 40, 30][i]!) as JointUnitsVector;
    await rig.service.setManualTargets(goal);
    await rig.run(2500);
    const ticks = rig.ticks();
    const targets = targetsOf(ticks);
    for (let k = 1; k < targets.length; k++) {
      for (let i = 0; i < 5; i++) expect(Math.abs(targets[k]![i]! - targets[k - 1]![i]!)).toBeLessThanOrEqual((DEFAULT_ARM_LIMITS.maxSpeedRadPerS / 30) * (1 + 1e-9));
    }
    targets.at(-1)?.slice(0, 5).forEach((p, i) => expect(p).toBeCloseTo(goal[i]! * DEGREES, 12));
    expect(ticks.some((tick) => tick.rules.includes('speed'))).toBe(true);
    expect(ticks.at(-1)?.rules).toEqual([]);
    expect(rig.loop.mode).toBe('manual');
    rig.world.positions.forEach((p, i) => expect(p).toBeCloseTo(targets.at(-1)![i]!, 6));
  });

  it('refuses what is not six finite numbers', async () => {
    const rig = await makeRig();
    expect(await codeOf(rig.service.setManualTargets(new Float64Array([1, 2, Number.NaN, 0, 0, 0]) as JointUnitsVector))).toBe('control/not-finite');
    expect(await codeOf(rig.service.setManualTargets(new Float64Array(5) as JointUnitsVector))).toBe('control/out-of-range');
    expect(rig.loop.mode).toBe('idle');
  });
});

describe('a policy', () => {
  it('asks at once, plays one row a tick exactly, asks again at the threshold, and is continuous over chunks', async () => {
    const rig = await makeRig();
    await rig.service.beginRun(RUN);
    await rig.run(100);
    expect(rig.asked.map((request) => request.tick)).toEqual([0]);
    const began = rig.ticks().length;
    rig.loop.receive(rig.answer(lastRequest(rig), 30, swing(rig, 20, 60)), rig.clock.nowMs());
    await rig.run(14 * (1000 / 30));
    expect(rig.asked.length).toBe(1);
    await rig.run(2 * (1000 / 30));
    expect(rig.asked.length).toBe(2);
    expect(lastRequest(rig)).toMatchObject({ kind: 'want-chunk', runId: 7 });
    // Six rows pass while the second chunk is computed; its first six rows are dropped.
    const second = lastRequest(rig);
    await rig.run(6 * (1000 / 30));
    rig.loop.receive(rig.answer(second, 30, swing(rig, 20, 60, second.tick), { observedAtMs: rig.clock.nowMs() - 200 }), rig.clock.nowMs());
    await rig.run(900);
    const unwrapped = await rig.service.endRun();
    if (!unwrapped.ok) throw new Error('endRun');
    const report = unwrapped.value;
    const played = report.trace.filter((tick) => tick.wanted !== null);
    expect(played.length).toBeGreaterThan(40);
    played.forEach((tick, k) => {
      expect(tick.wanted?.[0]).toBeCloseTo(10 * (1 - Math.cos((2 * Math.PI * k) / 60)) * DEGREES, 6);
      // Before the very last row the arm moves at 0.55 rad/s and nothing follows, so there it already brakes.
      if (k === played.length - 1) return;
      expect(tick.target).toEqual(tick.wanted);
      expect(tick.rules).toEqual([]);
    });
    expect(report).toMatchObject({ chunksPlayed: 2, chunksExpired: 0, clamps: { acceleration: 1 }, faults: [] });
    expect(report.ticks).toBe(report.trace.length);
    expect(began).toBeGreaterThan(0);
    expect(rig.loop.mode).toBe('idle');
  });

  it('tells the coming path, the chunk and the arm record', async () => {
    const rig = await makeRig();
    await rig.service.beginRun(RUN);
    await rig.run(50);
    rig.loop.receive(rig.answer(lastRequest(rig), 30, swing(rig, 20, 60)), rig.clock.nowMs());
    await rig.run(200);
    const report = rig.reports.findLast((each) => each.comingPath !== null);
    const at = rig.reports.indexOf(report!);
    expect(report).toMatchObject({ mode: 'policy', chunk: { index: 0, rows: 30 } });
    expect(report?.comingPath?.length).toBe(report?.chunk?.rowsLeft);
    await rig.run(300);
    // The ghost is what the arm then does.
    const after = targetsOf(rig.reports.slice(at + 1).flatMap((each) => [...each.ticks])).slice(0, 5);
    after.forEach((target, k) => target.forEach((p, i) => expect(report!.comingPath![k]![i]!).toBeCloseTo(p, 12)));
    const record = rig.armRecord();
    expect(CONTROL_MODES[record[ARM_SLOT.mode.at] ?? -1]).toBe('policy');
    expect(record[ARM_SLOT.readingKind.at]).toBe(1);
    expect([...slotField(record, ARM_SLOT.target)]).toEqual(targetsOf(rig.ticks()).at(-1));
  });

  it('brakes and holds when dry, and counts held ticks', async () => {
    const rig = await makeRig();
    await rig.service.beginRun(RUN);
    await rig.run(50);
    // Ten rows at a steady 1 rad/s, then nothing.
    rig.loop.receive(rig.answer(lastRequest(rig), 10, (row, joint) => (rig.homeUnits[joint] ?? 0) + (joint === 0 ? ((row + 1) / 30) * (180 / Math.PI) : 0)), rig.clock.nowMs());
    await rig.run(1500);
    const targets = targetsOf(rig.ticks());
    const last = targets.at(-1)!;
    for (const target of targets.slice(-20)) expect(target).toEqual(last);
    expect(Math.abs(last[0]!)).toBeGreaterThan(0.2);
    const report = await rig.service.endRun();
    if (!report.ok) throw new Error('endRun');
    expect(report.value.heldTicks).toBeGreaterThan(25);
  });

  it('refuses an expired chunk, holds, says so, and goes on with the next good one', async () => {
    const rig = await makeRig();
    await rig.service.beginRun(RUN);
    await rig.run(50);
    rig.loop.receive(rig.answer(lastRequest(rig), 30, swing(rig, 40, 60), { observedAtMs: rig.clock.nowMs() - 2001 }), rig.clock.nowMs());
    await rig.run(300);
    for (const target of targetsOf(rig.ticks())) expect(target).toEqual([...SO100.homePose]);
    expect(rig.reports.at(-1)?.failure).toMatchObject({ code: 'policy/timeout' });
    rig.loop.receive(rig.answer(lastRequest(rig), 30, swing(rig, 40, 60)), rig.clock.nowMs());
    await rig.run(300);
    expect(rig.reports.at(-1)?.failure).toBeNull();
    expect(targetsOf(rig.ticks()).at(-1)).not.toEqual([...SO100.homePose]);
    const report = await rig.service.endRun();
    expect(report).toMatchObject({ ok: true, value: { chunksExpired: 1, chunksPlayed: 1, faults: [{ code: 'policy/timeout' }] } });
  });

  it('holds at once on a failed chunk, a chunk of no numbers, silence and a dead inference', async () => {
    const rig = await makeRig();
    const playing = async (): Promise<void> => {
      await rig.run(600);
      rig.loop.receive(rig.answer(lastRequest(rig), 40, swing(rig, 30, 80)), rig.clock.nowMs());
      await rig.run(100);
      expect(rig.reports.at(-1)?.failure).toBeNull();
    };
    const heldWith = async (code: string): Promise<void> => {
      await rig.run(400);
      expect(rig.reports.at(-1)?.failure?.code).toBe(code);
      const held = targetsOf(rig.ticks()).slice(-4);
      for (const target of held) expect(target).toEqual(held[0]);
    };
    await rig.service.beginRun({ ...RUN, askAtShare: 1 });
    await playing();
    rig.loop.receive({ kind: 'chunk-failed', requestId: lastRequest(rig).requestId, runId: 7, failure: { code: 'observation/camera-missing', facts: { camera: 'front' } } }, rig.clock.nowMs());
    await heldWith('observation/camera-missing');
    await playing();
    const broken = rig.answer(lastRequest(rig), 40, swing(rig, 30, 80));
    if (broken.kind === 'chunk') broken.chunk.actions[7] = Number.NaN;
    rig.loop.receive(broken, rig.clock.nowMs());
    await heldWith('policy/output-not-finite');
    await playing();
    rig.loop.inferenceLost({ code: 'worker/died', facts: { worker: 'inference' } });
    await heldWith('worker/died');
    await playing();
    await rig.run(2200); // the request that is out is never answered
    await heldWith('policy/timeout');
    const report = await rig.service.endRun();
    if (!report.ok) throw new Error('endRun');
    expect(report.value.faults.map((fault) => fault.code)).toEqual(['observation/camera-missing', 'policy/output-not-finite', 'worker/died', 'policy/timeout']);
  });

  it('holds while the state is stale, by name, and plays on without losing a row', async () => {
    const rig = await makeRig();
    await rig.service.beginRun(RUN);
    await rig.run(50);
    rig.loop.receive(rig.answer(lastRequest(rig), 60, swing(rig, 20, 120)), rig.clock.nowMs());
    await rig.run(300);
    const before = rig.armRecord()[ARM_SLOT.rowsLeft.at];
    await rig.runBlind(700);
    const held = rig.ticks().slice(-8);
    for (const tick of held) {
      expect(tick.target).toEqual(held[0]?.target);
      expect(tick.rules).toEqual(['stale-state']);
    }
    expect(rig.reports.at(-1)?.failure?.code).toBe('control/state-stale');
    expect(rig.armRecord()[ARM_SLOT.readingKind.at]).toBe(2);
    // Seven ticks passed before the reading was stale.
    expect(before! - rig.armRecord()[ARM_SLOT.rowsLeft.at]!).toBeLessThanOrEqual(9);
    await rig.run(300);
    expect(rig.reports.at(-1)?.failure).toBeNull();
    expect(rig.armRecord()[ARM_SLOT.rowsLeft.at]).toBeLessThan(before!);
    const report = await rig.service.endRun();
    if (!report.ok) throw new Error('endRun');
    expect(report.value.clamps['stale-state']).toBeGreaterThan(10);
    expect(report.value.faults.map((fault) => fault.code)).toEqual(['control/state-stale']);
  });

  it('plays rows at their own rate when ticks are faster or slower', async () => {
    for (const rateHz of [60, 90, 10]) {
      const rig = await makeRig({ rateHz });
      await rig.service.beginRun({ ...RUN, fps: 30 });
      await rig.run(100);
      rig.loop.receive(rig.answer(lastRequest(rig), 60, swing(rig, 20, 120)), rig.clock.nowMs());
      const start = rig.clock.nowMs();
      await rig.run(1000);
      const wanted = rig.ticks().filter((tick) => tick.atMs >= start && tick.wanted !== null);
      expect(wanted.length).toBeGreaterThan(rateHz * 0.85); // the last report is up to 100 ms old
      // The first tick plays row 0 in both; slow ticks then take three rows each, fast ones a half or a third.
      const row = rateHz < 30 ? (wanted.length - 1) * (30 / rateHz) : (wanted.length * 30) / rateHz - 1;
      expect(wanted.at(-1)?.wanted?.[0]).toBeCloseTo(10 * (1 - Math.cos((2 * Math.PI * row) / 120)) * DEGREES, 4); // a chord of the cosine
      expect(wanted.flatMap((tick) => tick.rules)).toEqual([]);
    }
  });

  it('is not disturbed by hands, rates or a second run', async () => {
    const rig = await makeRig();
    await rig.service.beginRun(RUN);
    expect(await codeOf(rig.service.setManualTargets(rig.homeUnits))).toBe('control/busy');
    expect(await codeOf(rig.service.setRate(50))).toBe('control/busy');
    expect(await codeOf(rig.service.beginRun(RUN))).toBe('control/busy');
    expect(await codeOf(rig.service.connect('simulated'))).toBe('control/busy');
    expect(await codeOf(rig.service.setRate(5))).toBe('control/out-of-range');
    expect(await codeOf(rig.service.beginRun({ ...RUN, askAtShare: Number.NaN }))).toBe('control/out-of-range');
    await rig.service.endRun();
    expect(await codeOf(rig.service.endRun())).toBe('control/busy');
  });
});

describe('Stop', () => {
  const moving = async (): Promise<Rig> => {
    const rig = await makeRig();
    await rig.service.beginRun(RUN);
    await rig.run(50);
    rig.loop.receive(rig.answer(lastRequest(rig), 60, (row, joint) => (rig.homeUnits[joint] ?? 0) + (joint === 0 ? row * 3 : 0)), rig.clock.nowMs());
    await rig.run(500);
    return rig;
  };

  it('is acknowledged in the tick that sees it, brakes in the time the limits allow, then freezes to the bit', async () => {
    const rig = await moving();
    const before = rig.ticks().length;
    rig.pressStop();
    const tickBefore = rig.armRecord()[ARM_SLOT.tick.at]!;
    while (rig.armRecord()[ARM_SLOT.tick.at] === tickBefore) await rig.run(5);
    expect(rig.stopAcknowledged()).toBe(true);
    // 90 degrees a second is 1.57 rad/s; braking at 12 rad/s^2 takes 3.93 ticks of 1/30 s, so the fourth changes no target any more.
    await rig.run(1500);
    const report = rig.loop.lastStop();
    expect(report?.acknowledgedTick).toBe(tickBefore + 1);
    expect(report!.frozenTick - report!.acknowledgedTick).toBe(3);
    const ticks = rig.ticks();
    const frozenAt = ticks.findIndex((tick) => tick.tick === report?.frozenTick);
    const braking = ticks.slice(before, frozenAt).map((tick) => tick.target[0]!);
    for (let k = 1; k < braking.length; k++) expect(braking[k]!).toBeGreaterThanOrEqual(braking[k - 1]!);
    // The arm is shoved about and read as nonsense: nothing of that reaches a frozen target.
    rig.world.breakJoint(1);
    await rig.run(500);
    const frozen = rig.ticks().slice(frozenAt);
    expect(frozen.length).toBeGreaterThan(40);
    for (const tick of frozen) tick.target.forEach((p, i) => expect(Object.is(p, frozen[0]!.target[i])).toBe(true));
    expect(rig.loop.mode).toBe('stopped');
    expect(report!.settlingRad).toBeLessThan(0.2);
    expect(report!.driftRad).toBeLessThan(1e-9);
    // Late answers and new wishes change nothing until a person says go on.
    expect(await codeOf(rig.service.setManualTargets(rig.homeUnits))).toBe('control/busy');
    expect(await codeOf(rig.service.beginRun(RUN))).toBe('control/busy');
    const run = await rig.service.endRun();
    expect(run.ok && run.value.trace.some((tick) => tick.mode === 'stopped')).toBe(true);
  });

  it('drops the chunk: nothing of it is played after going on', async () => {
    const rig = await moving();
    const late = rig.answer(lastRequest(rig), 60, (_row, joint) => (rig.homeUnits[joint] ?? 0) + 20);
    rig.pressStop();
    await rig.run(300);
    const frozen = targetsOf(rig.ticks()).at(-1);
    rig.loop.receive(late, rig.clock.nowMs());
    await rig.settle(rig.service.resume());
    await rig.run(500);
    expect(rig.loop.mode).toBe('idle');
    expect(targetsOf(rig.ticks()).at(-1)).toEqual(frozen);
  });

  it('keeps the squeeze of a gripper that holds something', async () => {
    const rig = await makeRig();
    const squeeze = Float64Array.from(rig.homeUnits) as JointUnitsVector;
    squeeze[5] = 2;
    await rig.service.setManualTargets(squeeze);
    await rig.run(1000);
    const squeezing = targetsOf(rig.ticks()).at(-1)![5]!;
    rig.pressStop();
    await rig.run(200);
    expect(targetsOf(rig.ticks()).at(-1)![5]).toBe(squeezing);
  });

  it('twice is two reports, and from idle it freezes at once', async () => {
    const rig = await makeRig();
    rig.pressStop();
    await rig.run(1200);
    const first = rig.loop.lastStop();
    expect(first!.frozenTick).toBe(first!.acknowledgedTick);
    rig.pressStop();
    await rig.run(40);
    expect(rig.stopAcknowledged()).toBe(true);
    expect(rig.loop.lastStop()).toBeNull();
    await rig.run(1200);
    expect(rig.loop.lastStop()!.acknowledgedTick).toBeGreaterThan(first!.acknowledgedTick);
  });

  it('interrupts lowering', async () => {
    const rig = await makeRig();
    await rig.settle(rig.service.lowerAndRelease());
    await rig.run(700);
    expect(rig.loop.mode).toBe('lowering');
    rig.pressStop();
    await rig.run(400);
    expect(rig.loop.mode).toBe('stopped');
    expect(rig.world.torque).toBe('on');
  });
});

describe('lower and release', () => {
  it('goes down slowly, lets go at rest, and is taken hold of again where it lies', async () => {
    const rig = await makeRig();
    await rig.settle(rig.service.lowerAndRelease());
    expect(rig.loop.mode).toBe('lowering');
    await rig.run(8000);
    expect(rig.loop.mode).toBe('released');
    expect(rig.world.torque).toBe('off');
    expect(rig.reports.at(-1)?.failure).toBeNull(); // nothing was sent to a limp arm
    const targets = targetsOf(rig.ticks().filter((tick) => tick.mode === 'lowering'));
    for (let k = 1; k < targets.length; k++) for (let i = 0; i < 6; i++) expect(Math.abs(targets[k]![i]! - targets[k - 1]![i]!) * 30).toBeLessThanOrEqual(0.61);
    targets.at(-1)?.slice(0, 5).forEach((p, i) => expect(Math.abs(p - SO100.restPose[i]!)).toBeLessThan(0.02));
    expect(targets.at(-1)![5]).toBe(targets[0]![5]); // the gripper is left alone
    await rig.run(500); // limp, it sags
    rig.pressStop();
    await rig.run(40);
    expect(rig.stopAcknowledged()).toBe(true);
    expect(rig.loop.mode).toBe('released');
    expect(await codeOf(rig.service.setManualTargets(rig.homeUnits))).toBe('control/busy');
    await rig.settle(rig.service.resume());
    await rig.run(300);
    const held = rig.world.positions;
    await rig.run(500);
    expect(rig.world.torque).toBe('on');
    expect(rig.world.positions).toEqual(held);
    expect(rig.loop.mode).toBe('idle');
  });
});

describe('a world that is reset', () => {
  it('is held where it is then, not dragged back to old targets', async () => {
    const rig = await makeRig();
    const goal = Float64Array.from(rig.homeUnits, (v, i) => v + (i === 0 ? 40 : 0)) as JointUnitsVector;
    await rig.service.setManualTargets(goal);
    await rig.run(1500);
    rig.world.reset(SO100.homePose, rig.clock.nowMs());
    await rig.run(500);
    expect(rig.world.positions).toEqual([...SO100.homePose]);
    expect(rig.loop.mode).toBe('idle');
  });
});

describe('rate and lateness', () => {
  it('changes the rate at rest', async () => {
    const rig = await makeRig();
    await rig.settle(rig.service.setRate(100));
    await rig.run(50); // the sleep of the old rate ends first
    const before = rig.armRecord()[ARM_SLOT.tick.at]!;
    await rig.run(1000);
    expect(Math.abs(rig.armRecord()[ARM_SLOT.tick.at]! - before - 100)).toBeLessThanOrEqual(1);
    expect(rig.reports.at(-1)?.rateHz).toBe(100);
  });

  it('skips what it missed, moves one step, and counts', async () => {
    const rig = await makeRig();
    await rig.service.setManualTargets(Float64Array.from(rig.homeUnits, (v, i) => v + (i === 0 ? 60 : 0)) as JointUnitsVector);
    await rig.run(300);
    const before = rig.ticks().length;
    const tick = rig.armRecord()[ARM_SLOT.tick.at]!;
    rig.clock.jumpTo(rig.clock.nowMs() + 150);
    rig.world.advance(5, rig.clock.nowMs());
    await rig.runBlind(0);
    expect(rig.armRecord()[ARM_SLOT.tick.at]).toBe(tick + 1);
    await rig.run(200);
    const steps = targetsOf(rig.ticks()).slice(before - 2);
    for (let k = 1; k < steps.length; k++) expect(Math.abs(steps[k]![0]! - steps[k - 1]![0]!)).toBeLessThanOrEqual((2 / 30) * (1 + 1e-9));
    // 150 ms are four and a half periods: four ticks were due, one of them is this one.
    expect(rig.reports.at(-1)?.jitter.skipped).toBe(3);
    expect(rig.reports.at(-1)?.jitter.maxMs).toBeLessThan(1000 / 30);
  });
});
