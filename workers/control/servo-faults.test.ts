/**
 * Every fault of the wire and of the motors, injected while the arm moves: what the loop does, how soon, what it says, and that a person
 * gets the arm back. On a manual clock; `FAULT_TABLE=1` prints the table that evidence/servo-faults.md keeps.
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { VirtualFault } from '#contracts/robot-setup.ts';
import { asFailure, unwrap } from '#core/lib/failure.ts';
import { robotNamed } from '#core/robots/known.ts';
import { SO100 } from '#core/robots/so100.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';
import { servoRig, type ServoRig } from './testing/servo-rig.ts';

/** What the arm is to do: `goes-on`, or stand still within so many milliseconds, with this failure said. */
interface Row {
  readonly fault: VirtualFault;
  readonly still: number | 'goes-on';
  readonly says: string | null;
  /** How a person goes on. */
  readonly back: 'resume' | 'reconnect' | 'nothing';
}

/** A bad answer is noticed when the reading is 250 ms old, and braking from 0.8 rad/s takes a quarter of a second more. */
const ROWS: readonly Row[] = [
  { fault: 'unplug', still: 500, says: 'arm/port-lost', back: 'reconnect' },
  { fault: 'overload', still: 500, says: 'arm/servo-fault', back: 'resume' },
  { fault: 'hot', still: 500, says: 'arm/servo-fault', back: 'resume' },
  { fault: 'brown-out', still: 900, says: 'arm/servo-limp', back: 'resume' },
  { fault: 'chain', still: 800, says: 'safety/latched', back: 'resume' },
  { fault: 'drop', still: 800, says: 'safety/latched', back: 'resume' },
  { fault: 'corrupt', still: 800, says: 'safety/latched', back: 'resume' },
  { fault: 'delay', still: 800, says: 'safety/latched', back: 'resume' },
  { fault: 'wrong-id', still: 800, says: 'safety/latched', back: 'resume' },
  { fault: 'duplicate', still: 'goes-on', says: null, back: 'nothing' },
];
/** 0.8 rad/s at 30 Hz. */
const MOST_STEP_RAD = 0.8 / 30 + 1e-6;
const table: string[] = [];

async function moving(rig: ServoRig): Promise<void> {
  const goal = radiansVectorToUnits(SO100.homePose);
  goal[0] = 90;
  unwrap(await rig.service.setManualTargets(goal));
  await rig.run(1200);
  expect(Math.abs((rig.ticks.at(-1)?.target[0] ?? 0) - (rig.ticks.at(-2)?.target[0] ?? 0))).toBeGreaterThan(0.005);
}

describe('a fault while the arm moves', () => {
  it.each(ROWS)('$fault', async ({ fault, still, says, back }) => {
    const rig = servoRig();
    unwrap(await rig.settle(rig.service.connect('virtual')));
    await moving(rig);
    const from = rig.ticks.length;
    const injectedMs = rig.clock.nowMs();
    unwrap(await rig.service.virtualFault(fault));
    await rig.run(2500);
    const after = rig.ticks.slice(from);
    const changes = after.map((tick, i) => Math.max(...tick.target.map((p, joint) => Math.abs(p - ((i === 0 ? rig.ticks[from - 1] : after[i - 1])?.target[joint] ?? p)))));
    expect(Math.max(...changes)).toBeLessThan(MOST_STEP_RAD);
    const last = changes.findLastIndex((change) => change > 0);
    const stillAfterMs = last < 0 ? 0 : (after[last]?.atMs ?? 0) - injectedMs;
    const said = [...new Set(rig.failures.map((failure) => failure.split(' ')[0] ?? ''))];
    table.push(`| ${fault} | ${still === 'goes-on' ? 'goes on' : `brakes, holds, latched (${rig.loop.mode})`} | ${still === 'goes-on' ? '–' : Math.round(stillAfterMs)} | ${said.join(', ') || '–'} | ${back} |`);
    if (still === 'goes-on') {
      expect(rig.failures).toEqual([]);
      expect(rig.loop.mode).toBe('manual');
      return;
    }
    expect(rig.loop.mode).toBe('stopped');
    expect(stillAfterMs).toBeLessThan(still);
    expect(said).toContain(says);

    // A target meanwhile is refused, so nothing queues up behind the fault.
    expect(await rig.service.setManualTargets(radiansVectorToUnits(SO100.homePose)).then(() => '', (thrown: unknown) => asFailure(thrown).code)).toBe('control/busy');
    unwrap(await rig.service.virtualFault('none'));
    await rig.run(700);
    const stood = [...rig.world.positions];
    if (back === 'reconnect') unwrap(await rig.settle(rig.service.connect('virtual')));
    else unwrap(await rig.settle(rig.service.resume()));
    await rig.run(700);
    expect(rig.loop.mode).toBe('idle');
    // Taken hold of where it stands: recovery moves nothing.
    rig.world.positions.forEach((p, joint) => expect(Math.abs(p - (stood[joint] ?? 0))).toBeLessThan(0.03));
    expect(rig.reports.at(-1)).toMatchObject({ failure: null, safety: { faults: [] } });
    await moving(rig);
  });

  afterAll(() => {
    if (process.env['FAULT_TABLE'] !== undefined) console.info(['| fault | the arm | still after, ms | said | back by |', '|---|---|---|---|---|', ...table].join('\n'));
  });
});

it('Go on a moment after power is back takes hold of motors that had lost it', async () => {
  const rig = servoRig();
  unwrap(await rig.settle(rig.service.connect('virtual')));
  await moving(rig);
  unwrap(await rig.service.virtualFault('chain'));
  await rig.run(1500);
  unwrap(await rig.service.virtualFault('none'));
  await rig.run(60);
  unwrap(await rig.settle(rig.service.resume()));
  await rig.run(1500);
  expect(rig.loop.mode).toBe('idle');
  expect(rig.reports.at(-1)).toMatchObject({ failure: null, safety: { faults: [] } });
});

describe('the gripper', () => {
  const open = (rig: ServoRig): number => rig.world.positions[5] ?? 0;

  it('opens after Stop and with a fault latched, and nothing else moves', async () => {
    const rig = servoRig();
    unwrap(await rig.settle(rig.service.connect('virtual')));
    await moving(rig);
    unwrap(await rig.service.virtualFault('overload'));
    await rig.run(1500);
    expect(rig.reports.at(-1)?.safety.faults.map((fault) => fault.rule)).toEqual(['motor-fault']);
    const stood = rig.ticks.at(-1)?.target ?? [];
    unwrap(await rig.service.openGripper());
    await rig.run(3000);
    expect(open(rig)).toBeGreaterThan(1.5);
    expect(rig.ticks.at(-1)?.target.slice(0, 5)).toEqual(stood.slice(0, 5));
    expect(rig.loop.mode).toBe('stopped');
    // Still latched: opening forgives nothing.
    expect(rig.reports.at(-1)?.safety.faults.length).toBe(1);
  });

  it('asked for in the middle of a motion, the arm brakes first; Stop ends it', async () => {
    const rig = servoRig();
    unwrap(await rig.settle(rig.service.connect('virtual')));
    await moving(rig);
    unwrap(await rig.service.openGripper());
    await rig.run(900);
    expect(rig.loop.mode).toBe('opening');
    rig.pressStop();
    await rig.run(600);
    expect(rig.loop.mode).toBe('stopped');
    const stood = open(rig);
    await rig.run(500);
    expect(Math.abs(open(rig) - stood)).toBeLessThan(0.01);
    unwrap(await rig.service.openGripper());
    await rig.run(3000);
    expect(open(rig)).toBeGreaterThan(1.5);
    expect(rig.loop.mode).toBe('stopped');
  });
});

describe('setting up through the bench', () => {
  it('calibrates by a virtual hand, writes what was shown, and the arm stands where it stood', async () => {
    const rig = servoRig();
    const place = { kind: 'virtual' } as const;
    unwrap(await rig.settle(rig.service.calibrationBegin(place)));
    const hand = async (pose: readonly number[]): Promise<void> => {
      unwrap(await rig.service.virtualHand(pose));
      await rig.run(1900);
    };
    const middle = SO100.joints.map((joint) => (joint.least + joint.most) / 2);
    await hand(middle);
    unwrap(await rig.service.calibrationHome());
    expect(await rig.service.calibrationPropose().catch((thrown: unknown) => asFailure(thrown))).toMatchObject({ code: 'arm/calibration-doubtful', facts: { joint: 'shoulder_pan', doubt: 'not-moved' } });
    for (const joint of [0, 1, 2, 3, 5]) {
      for (const end of ['least', 'most'] as const) await hand(middle.map((angle, i) => (i === joint ? (SO100.joints[i]?.[end] ?? 0) : angle)));
      await hand(middle);
    }
    const { calibration, changes, trimRad } = unwrap(await rig.service.calibrationPropose());
    expect(changes.length).toBeGreaterThan(5);
    for (const [i, name] of (['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex'] as const).entries()) {
      const joint = SO100.joints[i];
      const span = ((calibration[name].rangeMax - calibration[name].rangeMin) * 2 * Math.PI) / 4095;
      expect(span).toBeCloseTo((joint?.most ?? 0) - (joint?.least ?? 0), 1);
    }
    const look = unwrap(await rig.settle(rig.service.writeCalibration(place, calibration)));
    expect(look.calibration).toEqual(calibration);
    expect(look.findings.filter((finding) => finding.weight !== 'note')).toEqual([]);
    const stood = [...rig.world.positions];
    const connected = unwrap(await rig.settle(rig.service.connectServos({ place, calibration: 'in-servos', trimRad })));
    expect(connected.calibration).toEqual(calibration);
    await rig.run(500);
    // The drawn angles are the world's again: the trim says where the middle of the stops lies.
    rig.ticks.at(-1)?.measured?.forEach((angle, i) => expect(Math.abs(angle - (rig.world.positions[i] ?? 0))).toBeLessThan(0.02));
    rig.world.positions.forEach((p, i) => expect(Math.abs(p - (stood[i] ?? 0))).toBeLessThan(0.02));
  });

  it('will not name a motor while several answer', async () => {
    const rig = servoRig();
    const place = { kind: 'virtual' } as const;
    const failed = await rig.settle(rig.service.findMotor(place).catch((thrown: unknown) => asFailure(thrown)));
    expect(failed).toMatchObject({ code: 'arm/not-one-motor', facts: { found: '1, 2, 3, 4, 5, 6' } });
  });

  it.each([['so100', 'so101'], ['so101', 'so100']] as const)('does not guard an %s with the body of the %s beside it', async (standing, said) => {
    const rig = servoRig(30, undefined, robotNamed(standing));
    const refused = { code: 'arm/other-body', facts: { wanted: said, found: standing } };
    const failed = (work: Promise<unknown>): Promise<unknown> => rig.settle(work.catch((thrown: unknown) => asFailure(thrown)));
    for (const kind of ['simulated', 'virtual'] as const) expect(await failed(rig.service.connect(kind, said))).toMatchObject(refused);
    expect(await failed(rig.service.connectServos({ place: { kind: 'virtual', body: said }, calibration: 'in-servos' }))).toMatchObject(refused);
    expect(rig.world.torque).toBe('off');
    for (const kind of ['simulated', 'virtual'] as const) unwrap(await rig.settle(rig.service.connect(kind, standing)));
    await rig.run(300);
    expect(rig.world.torque).toBe('on');
    expect(rig.failures).toEqual([]);
  });

  it.each([['so100', 'so101'], ['so101', 'so100']] as const)('an %s that is exchanged for an %s under a connected arm is sent nothing, and connected anew moves by its own limits', async (first, second) => {
    const rig = servoRig(30, undefined, robotNamed(first));
    unwrap(await rig.settle(rig.service.connect('virtual', first)));
    const goal = radiansVectorToUnits(robotNamed(first).homePose);
    goal[0] = 60;
    unwrap(await rig.service.setManualTargets(goal));
    await rig.run(100);
    const { homePose, joints } = robotNamed(second);
    rig.world.reset(homePose, rig.clock.nowMs(), second);
    await rig.run(1500);
    expect(rig.world.targets).toBeNull();
    expect(rig.world.positions).toEqual([...homePose]);
    unwrap(await rig.settle(rig.service.disconnect()));
    unwrap(await rig.settle(rig.service.connect('virtual', second)));
    expect(rig.loop.kind).toBe('virtual');
    unwrap(await rig.service.setManualTargets(radiansVectorToUnits(homePose.map((angle, i) => (i === 4 ? 3 : angle)))));
    await rig.run(12_000);
    // No further than this arm's own roll may turn, less the margin of a real arm.
    const most = joints[4]?.most ?? Number.NaN;
    expect(rig.world.positions[4]).toBeLessThanOrEqual(most);
    expect(rig.world.positions[4]).toBeGreaterThan(most - 0.2);
  });

  it('says that nothing is plugged in', async () => {
    const rig = servoRig();
    unwrap(await rig.settle(rig.service.connect('virtual')));
    unwrap(await rig.service.virtualFault('unplug'));
    await rig.run(200);
    unwrap(await rig.settle(rig.service.disconnect()));
    const again = await rig.settle(rig.service.connect('virtual').catch((thrown: unknown) => asFailure(thrown)));
    expect(again).toMatchObject({ code: 'serial/no-port' });
    expect(await rig.settle(rig.service.connect('serial').catch((thrown: unknown) => asFailure(thrown)))).toMatchObject({ code: 'serial/no-port' });
  });
});
