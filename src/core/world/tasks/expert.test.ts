/** The teacher in the real world, through the real gate, with four cubes on the table: a few seeds of each task. */
import { beforeAll, describe, expect, it } from 'vitest';
import { CUBE_COLOURS } from '#contracts/scene.ts';
import type { TaskGoal, TaskVerdict } from '#contracts/task.ts';
import { createGate } from '#core/safety/gate.ts';
import { limitsOf } from '#core/safety/limits.ts';
import { physicsView } from '../view.ts';
import { STEP_SECONDS, World } from '../world.ts';
import { createExpert } from './expert.ts';
import { createJudge } from './judge.ts';

const TICK_S = 1 / 30;
const SEEDS = [1, 2];

const GOALS: readonly TaskGoal[] = [
  { kind: 'touch', colour: 'red' },
  { kind: 'pick-up', colour: 'blue' },
  { kind: 'put-in-bowl', colour: 'green' },
  { kind: 'push-left', colour: 'yellow' },
  { kind: 'push-right', colour: 'red' },
  { kind: 'wave' },
];

describe('the expert', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
  });

  const solve = (goal: TaskGoal, seed: number): TaskVerdict => {
    const scene = world.reset({ task: goal.kind, seed, cubes: CUBE_COLOURS });
    const first = physicsView(world);
    const judge = createJudge(goal, first);
    const expert = createExpert(goal, scene.robot, first, TICK_S);
    const gate = createGate({ limits: limitsOf(scene.robot), tickSeconds: TICK_S, staleAfterMs: 200 }, world.positions());
    for (let tick = 0; ; tick++) {
      const view = physicsView(world);
      const verdict = judge.step(view);
      if (verdict.kind !== 'running') return verdict;
      const wanted = expert.next(view, gate.positions());
      world.setTargets(gate.pass({ positions: wanted, velocities: null }, { stateAgeMs: 0 }).command.positions);
      world.step(Math.round(((tick + 1) * TICK_S) / STEP_SECONDS) - Math.round((tick * TICK_S) / STEP_SECONDS));
    }
  };

  it.each(GOALS)('solves $kind', (goal) => {
    for (const seed of SEEDS) expect(solve(goal, seed), `seed ${seed}`).toMatchObject({ kind: 'success' });
  }, 60_000);

  it('gives the same outcome twice', () => {
    expect(solve(GOALS[0], 7)).toEqual(solve(GOALS[0], 7));
  }, 30_000);

  it('refuses a cube that is not there', () => {
    const scene = world.reset({ task: 'touch', seed: 1, cubes: ['red'] });
    const expert = createExpert({ kind: 'touch', colour: 'blue' }, scene.robot, physicsView(world), TICK_S);
    expect(() => expert.next(physicsView(world), world.positions())).toThrow(RangeError);
  });
});
