import { describe, expect, it } from 'vitest';
import { recordedFrames, replayArm, type FrameSource, type ReplayFrame } from './replay.ts';
import { SO100 } from '#core/robots/so100.ts';
import { holdAt } from './serial/testing/rig.ts';
import { describeArmContract } from './testing/contract-suite.ts';

const START = [0.1, -0.5, 0.4, 0.2, 0, 0.3];
const rest = Array(6).fill(0) as number[];

/** A recording of an arm that stood for 0.6 s and then went, in a second, where the contract's longest test will send it. */
function recording(): ReplayFrame[] {
  return Array.from({ length: 3000 }, (_, n) => {
    const share = Math.min(1, Math.max(0, (n - 600) / 1000));
    return { atMs: n, position: START.map((p, i) => p + share * (i % 2 === 0 ? 0.1 : -0.1) * (1 + i / 10)), velocity: rest, torque: rest };
  });
}

describeArmContract('replay', async () => {
  let now = 1_000_000;
  let blindFrom = Infinity;
  const frames = recordedFrames(recording(), now);
  const source: FrameSource = { newest: (nowMs) => frames.newest(Math.min(nowMs, blindFrom)) };
  const arm = replayArm(source, SO100);
  return {
    arm,
    nowMs: () => now,
    async advance(ms) {
      now += ms;
    },
    async goBlind(ms) {
      blindFrom = now;
      now += ms;
    },
    holding: () => arm.holding,
  };
});

describe('a replay', () => {
  it('says how far what it was told lies from what it did', async () => {
    const arm = replayArm(recordedFrames(recording(), 0), SO100);
    await arm.engage(holdAt(START), { tick: 0, atMs: 0 });
    expect(arm.deviationRad).toBe(0);
    arm.send(holdAt(START.map((p) => p + 0.25)), { tick: 1, atMs: 33 });
    expect(arm.deviationRad).toBeCloseTo(0.25, 12);
  });

  it('fails before it begins, ends stale, and refuses frames that go back', () => {
    const arm = replayArm(recordedFrames(recording(), 500), SO100);
    expect(arm.read(499)).toMatchObject({ kind: 'failed', failure: { code: 'arm/reading-failed' } });
    expect(arm.read(500).kind).toBe('fresh');
    expect(arm.read(3499 + 251)).toMatchObject({ kind: 'stale', atMs: 3499 });
    const [first, second] = recording() as [ReplayFrame, ReplayFrame];
    expect(() => recordedFrames([second, first], 0)).toThrow(RangeError);
    expect(() => recordedFrames([{ ...first, position: [1] }], 0)).toThrow(RangeError);
  });
});
