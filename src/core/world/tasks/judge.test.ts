import { describe, expect, it } from 'vitest';
import type { CubeColour } from '#contracts/scene.ts';
import type { CubeState, PhysicsView, TaskGoal, TaskVerdict } from '#contracts/task.ts';
import { createJudge, LIFT_M, PUSH_M, STACK_HEIGHT_M, STACK_OFF_CENTRE_M, TIME_LIMIT_S, WAVE_HEIGHT_M } from './judge.ts';

const TICK_S = 1 / 30;
const EPSILON = 1e-6;
const SIZE = 0.03;

const cubeAt = (colour: CubeColour, x: number, y: number, z = SIZE / 2, more: Partial<CubeState> = {}): CubeState => ({
  colour,
  sizeM: SIZE,
  position: [x, y, z],
  yawRad: 0,
  speedMPerS: 0,
  touchedByGripper: false,
  ...more,
});

const START: PhysicsView = {
  simSeconds: 0,
  cubes: [cubeAt('red', 0, -0.2), cubeAt('blue', 0.1, -0.2)],
  bowl: { position: [-0.1, -0.25, 0], radiusM: 0.05, heightM: 0.04 },
  gripPoint: [0, -0.1, 0.2],
  joints: [0, 0, 0, 0, 0, 0],
};

const view = (atSeconds: number, change: Partial<PhysicsView> = {}): PhysicsView => ({ ...START, simSeconds: atSeconds, ...change });
const withRed = (red: CubeState): Pick<PhysicsView, 'cubes'> => ({ cubes: [red, START.cubes[1]] });
const withBlue = (blue: CubeState): Pick<PhysicsView, 'cubes'> => ({ cubes: [START.cubes[0], blue] });

/** Shows the judge one state for `seconds`, tick by tick, from `from`. */
function hold(goal: TaskGoal, change: Partial<PhysicsView>, seconds: number): TaskVerdict {
  const judge = createJudge(goal, START);
  let verdict: TaskVerdict = { kind: 'running' };
  for (let tick = 0; tick * TICK_S <= seconds + 1e-9; tick++) verdict = judge.step(view(tick * TICK_S, change));
  return verdict;
}

describe('touch', () => {
  const goal: TaskGoal = { kind: 'touch', colour: 'red' };
  it('succeeds at the first contact with the right cube', () => {
    expect(hold(goal, withRed(cubeAt('red', 0, -0.2, SIZE / 2, { touchedByGripper: true })), 0).kind).toBe('success');
  });
  it('does not succeed beside the cube', () => {
    expect(hold(goal, {}, 1).kind).toBe('running');
  });
  it('fails on the wrong cube', () => {
    expect(hold(goal, withBlue(cubeAt('blue', 0.1, -0.2, SIZE / 2, { touchedByGripper: true })), 0)).toMatchObject({ reason: 'wrong-cube' });
  });
});

describe('pick up', () => {
  const goal: TaskGoal = { kind: 'pick-up', colour: 'red' };
  const lifted = (by: number): Partial<PhysicsView> => withRed(cubeAt('red', 0, -0.2, SIZE / 2 + by, { touchedByGripper: true }));
  it('needs 5 cm', () => {
    expect(hold(goal, lifted(LIFT_M + EPSILON), 1).kind).toBe('success');
    expect(hold(goal, lifted(LIFT_M - EPSILON), 2).kind).toBe('running');
  });
  it('needs a whole second', () => {
    expect(hold(goal, lifted(0.08), 1).kind).toBe('success');
    expect(hold(goal, lifted(0.08), 1 - TICK_S).kind).toBe('running');
  });
  it('starts the second again after a dip', () => {
    const judge = createJudge(goal, START);
    for (let t = 0; t < 0.9; t += TICK_S) judge.step(view(t, lifted(0.06)));
    judge.step(view(0.93, lifted(0.04)));
    expect(judge.step(view(1.1, lifted(0.06))).kind).toBe('running');
    expect(judge.step(view(2.1, lifted(0.06))).kind).toBe('success');
  });
  it('tells a dropped cube from one never lifted', () => {
    const judge = createJudge(goal, START);
    judge.step(view(0.1, lifted(0.06)));
    expect(judge.step(view(0.4, withRed(cubeAt('red', 0, -0.2))))).toMatchObject({ kind: 'failure', reason: 'dropped' });
  });
  it('fails when another cube is lifted, or this one leaves the table', () => {
    expect(hold(goal, withBlue(cubeAt('blue', 0.1, -0.2, SIZE / 2 + LIFT_M + EPSILON)), 0)).toMatchObject({ reason: 'wrong-cube' });
    expect(hold(goal, withRed(cubeAt('red', 0.9, -0.2, -0.1)), 0)).toMatchObject({ reason: 'knocked-off' });
  });
});

describe('put in the bowl', () => {
  const goal: TaskGoal = { kind: 'put-in-bowl', colour: 'red' };
  const at = (x: number, more: Partial<CubeState> = {}): Partial<PhysicsView> => withRed(cubeAt('red', -0.1 + x, -0.25, 0.02, more));
  it('needs the centre inside the rim', () => {
    expect(hold(goal, at(0.05 - EPSILON), 0.5).kind).toBe('success');
    expect(hold(goal, at(0.05 + EPSILON), 1).kind).toBe('running');
  });
  it('needs half a second, let go and still', () => {
    expect(hold(goal, at(0), 0.5 - TICK_S).kind).toBe('running');
    expect(hold(goal, at(0, { touchedByGripper: true }), 2).kind).toBe('running');
    expect(hold(goal, at(0, { speedMPerS: 0.05 }), 2).kind).toBe('running');
    expect(hold(goal, at(0, { speedMPerS: 0.05 - EPSILON }), 0.5).kind).toBe('success');
  });
  it('does not count a cube held above the bowl', () => {
    expect(hold(goal, withRed(cubeAt('red', -0.1, -0.25, 0.04 + SIZE / 2 + EPSILON)), 1).kind).toBe('running');
  });
  it('fails when another cube goes in', () => {
    expect(hold(goal, withBlue(cubeAt('blue', -0.1, -0.25, 0.02)), 0)).toMatchObject({ reason: 'wrong-cube' });
  });
});

describe('push', () => {
  it('needs 5 cm to the side asked for (left is -x in the world)', () => {
    const left: TaskGoal = { kind: 'push-left', colour: 'red' };
    expect(hold(left, withRed(cubeAt('red', -PUSH_M - EPSILON, -0.2)), 0).kind).toBe('success');
    expect(hold(left, withRed(cubeAt('red', -PUSH_M + EPSILON, -0.2)), 0).kind).toBe('running');
    expect(hold(left, withRed(cubeAt('red', PUSH_M + EPSILON, -0.2)), 0)).toMatchObject({ reason: 'wrong-way' });
    expect(hold({ kind: 'push-right', colour: 'red' }, withRed(cubeAt('red', PUSH_M + EPSILON, -0.2)), 0).kind).toBe('success');
  });
  it('does not count a cube carried through the air', () => {
    const carried = withRed(cubeAt('red', -0.08, -0.2, SIZE + EPSILON));
    expect(hold({ kind: 'push-left', colour: 'red' }, carried, 1).kind).toBe('running');
  });
  it('fails when another cube is pushed', () => {
    const other = withBlue(cubeAt('blue', 0.1 - 0.05 - EPSILON, -0.2));
    expect(hold({ kind: 'push-left', colour: 'red' }, other, 0)).toMatchObject({ reason: 'wrong-cube' });
  });
});

describe('stack', () => {
  const goal: TaskGoal = { kind: 'stack', colour: 'red', onto: 'blue' };
  const on = (aside: number, above: number, more: Partial<CubeState> = {}): Partial<PhysicsView> =>
    withRed(cubeAt('red', 0.1 + aside, -0.2, SIZE / 2 + SIZE + above, more));
  it('needs the centres within 12 mm and the height within 8 mm', () => {
    expect(hold(goal, on(STACK_OFF_CENTRE_M - EPSILON, 0), 0.5).kind).toBe('success');
    expect(hold(goal, on(STACK_OFF_CENTRE_M + EPSILON, 0), 1).kind).toBe('running');
    expect(hold(goal, on(0, STACK_HEIGHT_M - EPSILON), 0.5).kind).toBe('success');
    expect(hold(goal, on(0, STACK_HEIGHT_M + EPSILON), 1).kind).toBe('running');
  });
  it('needs letting go', () => {
    expect(hold(goal, on(0, 0, { touchedByGripper: true }), 2).kind).toBe('running');
  });
});

describe('wave', () => {
  const goal: TaskGoal = { kind: 'wave' };
  const wave = (amplitudeDegrees: number, height: number, swings: number): TaskVerdict => {
    const half = (amplitudeDegrees * Math.PI) / 180 / 2;
    const joints = (tick: number): number[] => [0, 0, 0, 0, -half * Math.cos((Math.PI * tick) / 15), 0];
    const judge = createJudge(goal, { ...START, joints: joints(0) });
    let verdict: TaskVerdict = { kind: 'running' };
    for (let tick = 0; tick <= swings * 15; tick++) {
      verdict = judge.step(view(tick * TICK_S, { gripPoint: [0, -0.1, height], joints: joints(tick) }));
    }
    return verdict;
  };
  it('needs four swings of 15 degrees with the hand 15 cm up', () => {
    expect(wave(30, WAVE_HEIGHT_M, 4).kind).toBe('success');
    expect(wave(30, WAVE_HEIGHT_M, 3).kind).toBe('running');
    expect(wave(30, WAVE_HEIGHT_M - EPSILON, 6).kind).toBe('running');
    expect(wave(14.9, WAVE_HEIGHT_M, 8).kind).toBe('running');
  });
});

describe('time', () => {
  it('runs out exactly at the limit, and says whether the cube was ever touched', () => {
    const goal: TaskGoal = { kind: 'pick-up', colour: 'red' };
    const judge = createJudge(goal, START);
    expect(judge.step(view(TIME_LIMIT_S['pick-up'] - EPSILON)).kind).toBe('running');
    expect(judge.step(view(TIME_LIMIT_S['pick-up']))).toMatchObject({ reason: 'never-touched', atSeconds: TIME_LIMIT_S['pick-up'] });
    const touched = createJudge(goal, START);
    touched.step(view(1, withRed(cubeAt('red', 0, -0.2, SIZE / 2, { touchedByGripper: true }))));
    expect(touched.step(view(TIME_LIMIT_S['pick-up']))).toMatchObject({ reason: 'time-out' });
  });
  it('never changes a verdict', () => {
    const judge = createJudge({ kind: 'touch', colour: 'red' }, START);
    judge.step(view(0, withRed(cubeAt('red', 0, -0.2, SIZE / 2, { touchedByGripper: true }))));
    expect(judge.step(view(99)).kind).toBe('success');
  });
});
