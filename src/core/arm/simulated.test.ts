import { describe, expect, it } from 'vitest';
import { JOINTS_SLOT_LENGTH, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import { createSlotMemory } from '#core/lib/shared-slot.ts';
import { simulatedArm } from './simulated.ts';
import { describeArmContract } from './testing/contract-suite.ts';
import { simulatedWorld } from './testing/simulated-world.ts';

const START = [0.1, -0.5, 0.4, 0.2, 0, 0.3];

describeArmContract('simulated', async () => {
  let now = 1_000_000;
  const world = simulatedWorld(START, now);
  return {
    arm: simulatedArm(world.memory),
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
});

describe('simulated arm', () => {
  it('fails, and says so, before the world has measured and when a number is none', () => {
    const empty = { targets: createSlotMemory(TARGETS_SLOT_LENGTH), joints: createSlotMemory(JOINTS_SLOT_LENGTH) };
    expect(simulatedArm(empty).read(0)).toMatchObject({ kind: 'failed', failure: { code: 'arm/reading-failed' } });
    const world = simulatedWorld(START, 0);
    world.breakJoint(2);
    world.advance(5, 5);
    expect(simulatedArm(world.memory).read(5)).toMatchObject({ kind: 'failed', failure: { facts: { reason: 'joint 2 is not finite' } } });
  });

  it('tells a reset by the epoch', () => {
    const world = simulatedWorld(START, 0);
    const arm = simulatedArm(world.memory);
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
