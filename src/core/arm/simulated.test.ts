import { describe, expect, it } from 'vitest';
import { JOINTS_SLOT_LENGTH, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import { createSlotMemory } from '#core/lib/shared-slot.ts';
import { SO100 } from '#core/robots/so100.ts';
import { SO101 } from '#core/robots/so101.ts';
import { createGate } from '#core/safety/gate.ts';
import { jointLimits, PROFILES } from '#core/safety/profile.ts';
import { simulatedArm } from './simulated.ts';
import { describeArmContract } from './testing/contract-suite.ts';
import { simulatedWorld } from './testing/simulated-world.ts';

const ROBOTS = [SO100, SO101];
const START = [0.1, -0.5, 0.4, 0.2, 0, 0.3];

describe.each(ROBOTS)('$name', (robot) => describeArmContract('simulated', async () => {
  let now = 1_000_000;
  const world = simulatedWorld(START, now, robot.name);
  return {
    arm: simulatedArm(world.memory, robot),
    nowMs: () => now,
    async advance(ms) {
      now += ms;
      world.advance(ms, now);
    },
    async goBlind(ms) {
      now += ms;
    },
    holding: () => world.torque === 'on',
  };
}));

describe('simulated arm', () => {
  it('fails, and says so, before the world has measured and when a number is none', () => {
    const empty = { targets: createSlotMemory(TARGETS_SLOT_LENGTH), joints: createSlotMemory(JOINTS_SLOT_LENGTH) };
    expect(simulatedArm(empty, SO100).read(0)).toMatchObject({ kind: 'failed', failure: { code: 'arm/reading-failed' } });
    const world = simulatedWorld(START, 0);
    world.breakJoint(2);
    world.advance(5, 5);
    expect(simulatedArm(world.memory, SO100).read(5)).toMatchObject({ kind: 'failed', failure: { facts: { reason: 'joint 2 is not finite' } } });
  });

  it.each([[SO100, SO101], [SO101, SO100]] as const)('opened as %s, neither reads nor moves another arm, also when it takes the place of the own one', async (own, other) => {
    const away = { wanted: own.name, found: other.name };
    const gate = createGate({ limits: jointLimits(own, PROFILES['first-motion'].simulated), tickSeconds: 1 / 30, staleAfterMs: 250 }, own.homePose);
    const hold = gate.pass(null, { stateAgeMs: 0 }).command;
    const stranger = simulatedArm(simulatedWorld(other.homePose, 0, other.name).memory, own);
    expect(stranger.read(1)).toEqual({ kind: 'failed', failure: { code: 'arm/other-body', facts: away } });
    await expect(stranger.engage(hold, { tick: 0, atMs: 1 })).rejects.toMatchObject({ failure: { code: 'arm/other-body', facts: away } });

    const world = simulatedWorld(own.homePose, 0, own.name);
    const arm = simulatedArm(world.memory, own);
    await arm.engage(hold, { tick: 0, atMs: 1 });
    expect(world.torque).toBe('on');
    world.reset(other.homePose, 2, other.name);
    expect(arm.read(3)).toMatchObject({ kind: 'failed', failure: { code: 'arm/other-body' } });
    expect(() => arm.send(hold, { tick: 1, atMs: 3 })).toThrow('arm/other-body');
    await arm.release({ tick: 2, atMs: 3 });
    expect(world.targets).toBeNull();
  });

  it('tells a reset by the epoch', () => {
    const world = simulatedWorld(START, 0);
    const arm = simulatedArm(world.memory, SO100);
    const epoch = (): number => {
      const reading = arm.read(1);
      if (reading.kind !== 'fresh') throw new Error(reading.kind);
      return reading.value.epoch;
    };
    const before = epoch();
    world.advance(1, 1);
    expect(epoch()).toBe(before);
    world.reset(START, 1);
    expect(epoch()).not.toBe(before);
  });
});
