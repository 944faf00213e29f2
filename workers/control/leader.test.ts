/** A leader arm moves a follower: found by hand before anything is written, slowly to where it stands, then with it, all through the gate. */
import { describe, expect, it } from 'vitest';
import type { LeaderView } from '#contracts/leader.ts';
import { INSTRUCTION } from '#core/arm/serial/feetech/packet.ts';
import { virtualArm, virtualPlant, type VirtualArm } from '#core/arm/virtual/virtual-arm.ts';
import { virtualPorts } from '#core/arm/virtual/virtual-port.ts';
import type { SimplePlant } from '#core/arm/virtual/simple-plant.ts';
import { asFailure, unwrap } from '#core/lib/failure.ts';
import { SO100 } from '#core/robots/so100.ts';
import { ownPorts } from './serial-port.ts';
import { servoRig, type ServoRig } from './testing/servo-rig.ts';

const off = (positions: ArrayLike<number>, goal: ArrayLike<number>): number => Math.max(...Array.from(positions, (p, i) => Math.abs(p - (goal[i] as number))));
const view = async (rig: ServoRig): Promise<LeaderView> => unwrap(await rig.settle(rig.service.leaderView()));
const codeOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => null, (thrown: unknown) => asFailure(thrown).code);

/** Its elbow in somebody's hand, thirty degrees to and fro. */
async function wiggled(rig: ServoRig): Promise<void> {
  unwrap(await rig.settle(rig.service.leaderFind('virtual')));
  expect(await view(rig)).toMatchObject({ step: 'finding', candidates: [{ state: 'limp' }], leader: null });
  await rig.run(500);
  expect((await view(rig)).leader).toBeNull();
  const home = [...SO100.homePose];
  home[2] = (home[2] ?? 0) - 0.5;
  unwrap(await rig.service.virtualLeader(home));
  await rig.run(600);
  expect(await view(rig)).toMatchObject({ step: 'ready', leader: 0, joint: 2 });
}

describe.each(['simulated', 'virtual'] as const)('a leader and a %s follower', (kind) => {
  it('goes slowly to where the leader stands, then with it; Stop ends it', async () => {
    const rig = servoRig();
    unwrap(await rig.settle(rig.service.connect(kind)));
    await wiggled(rig);
    // Found, and leading nobody.
    expect(off(rig.world.positions, SO100.homePose)).toBeLessThan(0.01);
    const far = [0.7, -0.5, 0.4, 0.6, 0.5, 0.9];
    unwrap(await rig.service.virtualLeader(far));
    await rig.run(1500);
    const from = rig.ticks.length;
    unwrap(await rig.service.leaderFollow());
    await rig.run(800);
    expect((await view(rig)).step).toBe('approaching');
    await rig.run(7000);
    expect((await view(rig)).step).toBe('following');
    expect(off(rig.world.positions, far)).toBeLessThan(0.03);
    // 0.35 rad/s asked; the last three degrees are made up at once.
    const ticks = rig.ticks.slice(from);
    const steps = ticks.slice(1).map((tick, i) => off(tick.target, ticks[i]?.target ?? tick.target) * 30);
    expect(Math.max(...steps)).toBeLessThan(0.6);

    far[0] = -0.2;
    unwrap(await rig.service.virtualLeader(far));
    await rig.run(3000);
    expect(off(rig.world.positions, far)).toBeLessThan(0.03);
    far[0] = 1.2;
    unwrap(await rig.service.virtualLeader(far));
    await rig.run(300);
    rig.pressStop();
    await rig.run(700);
    expect(rig.loop.mode).toBe('stopped');
    const frozen = rig.ticks.at(-1)?.target;
    unwrap(await rig.service.virtualLeader([-1, -0.5, 0.4, 0.6, 0.5, 0.9]));
    await rig.run(1500);
    expect(rig.ticks.at(-1)?.target).toEqual(frozen);
    // Going on goes on holding, not following.
    unwrap(await rig.settle(rig.service.resume()));
    await rig.run(500);
    expect(rig.ticks.at(-1)?.target).toEqual(frozen);
    expect((await view(rig)).step).toBe('ready');
  });

  it('never goes faster or further than the limits, however wild the leader', async () => {
    const rig = servoRig();
    unwrap(await rig.settle(rig.service.connect(kind)));
    await wiggled(rig);
    unwrap(await rig.service.leaderFollow());
    await rig.run(4000);
    expect((await view(rig)).step).toBe('following');
    const from = rig.ticks.length;
    // Arm's length into the table and back, as fast as a hand goes.
    for (let n = 0; n < 6; n++) {
      unwrap(await rig.service.virtualLeader(n % 2 === 0 ? [1.9, 1.7, 1.5, 1.6, 2.7, 1.7] : [-1.9, -1.7, -1.7, -1.6, -2.7, -0.1]));
      await rig.run(900);
    }
    const ticks = rig.ticks.slice(from);
    const rules = new Set(ticks.flatMap((tick) => tick.rules));
    expect(rules.has('link-speed')).toBe(true);
    for (const { target } of ticks) target.forEach((p, i) => expect(p >= (SO100.joints[i]?.least ?? 0) - 1e-9 && p <= (SO100.joints[i]?.most ?? 0) + 1e-9).toBe(true));
    const fastest = Math.max(...ticks.slice(1).map((tick, i) => off(tick.target.slice(0, 5), ticks[i]?.target ?? tick.target) * 30));
    expect(fastest).toBeLessThan(rig.loop.profile.real.armSpeedRadPerS + rig.loop.profile.simulated.armSpeedRadPerS);
  });
});

describe('a leader that is not there', () => {
  it('is refused where there is none, and while a policy or nobody has the arm', async () => {
    const rig = servoRig();
    expect(await codeOf(rig.settle(rig.service.leaderFind('serial')))).toBe('arm/leader-missing');
    expect(await codeOf(rig.service.leaderFollow())).toBe('arm/leader-missing');
    await wiggled(rig);
    expect(await codeOf(rig.service.leaderFollow())).toBe('arm/not-connected');
    unwrap(await rig.settle(rig.service.connect('simulated')));
    await rig.service.beginRun({ runId: 1, askAtShare: 0.5, chunkExpiryMs: 1000 });
    expect(await codeOf(rig.service.leaderFollow())).toBe('control/busy');
  });

  it('lets the follower brake and hold when its port is given back in mid-motion', async () => {
    const rig = servoRig();
    unwrap(await rig.settle(rig.service.connect('simulated')));
    await wiggled(rig);
    unwrap(await rig.service.virtualLeader([1.5, -0.5, 0.4, 0.6, 0.5, 0.9]));
    await rig.run(1000);
    unwrap(await rig.service.leaderFollow());
    await rig.run(500);
    await rig.settle(rig.bench.leader.end());
    await rig.run(600);
    expect(rig.loop.mode).toBe('idle');
    expect(rig.loop.still).toBe(true);
    expect(rig.failures.some((failure) => failure.startsWith('arm/leader-lost'))).toBe(true);
  });
});

describe('two boards that look alike', () => {
  /** Follower first in the browser's list, leader second; `answers` are the bytes each arm heard. */
  function twoArms() {
    const arms: { readonly servos: VirtualArm; readonly plant: SimplePlant }[] = [];
    const rig = servoRig(30, (clock) => {
      for (const start of [[0.1, -0.5, 0.4, 0.2, 0, 0.3], [0, -0.6, 0.5, 0.3, 0, 0.2]]) {
        const plant = virtualPlant(start);
        const servos = virtualArm({ clock, plant, state: 'calibrated' });
        servos.run(5);
        arms.push({ servos, plant });
      }
      const ports = arms.map(({ servos }) => virtualPorts(servos));
      return ownPorts({ getPorts: async () => (await Promise.all(ports.map((one) => one.getPorts()))).flat() });
    });
    const [follower, leader] = arms;
    if (follower === undefined || leader === undefined) throw new Error('no arms');
    return { rig, follower, leader };
  }
  const written = ({ servos }: { readonly servos: VirtualArm }): number => servos.heard.filter(({ third }) => third === INSTRUCTION.write || third === INSTRUCTION.syncWrite || third === INSTRUCTION.regWrite).length;
  const torque = ({ servos }: { readonly servos: VirtualArm }): number[] => servos.servos.map((servo) => servo.peek('torqueEnable'));

  it('are not connected before the hand has said which is which, and nothing was written until then', async () => {
    const { rig, follower, leader } = twoArms();
    const connect = () => rig.settle(rig.service.connectServos({ place: { kind: 'serial', adapter: null }, calibration: 'in-servos' }));
    expect(await codeOf(connect())).toBe('serial/which-arm');
    unwrap(await rig.settle(rig.service.leaderFind('serial')));
    await rig.run(300);
    // Connecting meanwhile ends the looking, and guesses no more than before.
    expect(await codeOf(connect())).toBe('serial/which-arm');
    expect(await codeOf(rig.service.leaderView())).toBe('arm/leader-missing');
    unwrap(await rig.settle(rig.service.leaderFind('serial')));
    await rig.run(300);
    // Both lifted: nobody knows.
    follower.plant.put(1, -0.1);
    leader.plant.put(1, -0.1);
    await rig.run(200);
    expect(await view(rig)).toMatchObject({ step: 'finding', doubt: 'both-moved' });
    await rig.run(200);
    leader.plant.put(3, 0.9);
    await rig.run(800);
    expect(await view(rig)).toMatchObject({ step: 'ready', leader: 1, joint: 3 });
    expect([written(follower), written(leader)]).toEqual([0, 0]);

    unwrap(await connect());
    expect(torque(follower)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(torque(leader)).toEqual([0, 0, 0, 0, 0, 0]);
    await rig.settle(rig.service.leaderFollow());
    await rig.run(9000);
    expect((await view(rig)).step).toBe('following');
    expect(off(follower.plant.angles, leader.plant.angles)).toBeLessThan(0.05);
    leader.plant.put(0, 0.5);
    await rig.run(3000);
    expect(off(follower.plant.angles, leader.plant.angles)).toBeLessThan(0.05);
    expect(written(leader)).toBe(0);

    // It pauses: the follower holds, and comes after it slowly when it is back.
    leader.servos.faults.add({ fault: { kind: 'drop' }, id: null, times: Number.POSITIVE_INFINITY });
    leader.plant.put(0, 0.1);
    await rig.run(900);
    expect(rig.loop.still).toBe(true);
    expect(follower.plant.angles[0]).toBeGreaterThan(0.45);
    leader.servos.faults.clear();
    await rig.run(300);
    expect((await view(rig)).step).toBe('approaching');
    await rig.run(4000);
    expect(off(follower.plant.angles, leader.plant.angles)).toBeLessThan(0.05);

    // The leader's cable comes out while it leads.
    leader.plant.put(0, -0.8);
    await rig.run(200);
    leader.servos.unplug();
    await rig.run(800);
    expect(rig.loop.mode).toBe('idle');
    expect(rig.loop.still).toBe(true);
    expect(torque(follower)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await codeOf(rig.service.leaderView())).toBe('arm/leader-lost');
  });
});
