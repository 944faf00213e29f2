/**
 * Who acts in an episode. All of them move the arm through the same control loop: a policy by chunks, the others by manual
 * targets, one a tick, as a person at the sliders would.
 *
 *   hold-still        wants nothing: what happens by itself
 *   random            a new random pose now and then: what luck does
 *   mean-trajectory   the expert's average motion for this task, whatever is on the table: what motion without eyes does
 *   expert            knows where everything is
 */
import type { Baseline } from '#contracts/evaluation.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { PhysicsView, TaskGoal, TaskKind } from '#contracts/task.ts';
import type { JointRadians } from '#contracts/units.ts';
import { unreachable } from '#core/lib/never.ts';
import type { Random } from '#core/lib/random.ts';
import { createExpert } from '#core/world/tasks/expert.ts';
import { TICK_HZ } from './lockstep.ts';

/** Wants a pose each tick, radians; null wants nothing. */
export type Mover = (view: PhysicsView, current: ArrayLike<number>) => JointRadians | null;

/** The average of many demonstrations of one task, one pose a tick. */
export type MeanTrajectory = (task: TaskKind) => Promise<readonly JointRadians[]>;

export async function baselineMover(
  baseline: Baseline,
  episode: { readonly goal: TaskGoal; readonly robot: RobotDescription; readonly first: PhysicsView; readonly random: Random },
  meanTrajectory: MeanTrajectory,
): Promise<Mover> {
  const { goal, robot, first, random } = episode;
  switch (baseline) {
    case 'hold-still':
      return () => null;
    case 'random':
      return randomMover(robot, random);
    case 'mean-trajectory': {
      const path = await meanTrajectory(goal.kind);
      let tick = 0;
      return () => path[Math.min(tick++, path.length - 1)] ?? null;
    }
    case 'expert': {
      const expert = createExpert(goal, robot, first, 1 / TICK_HZ);
      return (view, current) => expert.next(view, current);
    }
    default:
      return unreachable(baseline);
  }
}

/** A pose drawn from the middle 80 % of every range, kept for half a second to two seconds. */
function randomMover(robot: RobotDescription, random: Random): Mover {
  let pose: JointRadians | null = null;
  let ticksLeft = 0;
  return () => {
    if (ticksLeft-- <= 0 || pose === null) {
      ticksLeft = Math.round(random.between(0.5, 2) * TICK_HZ);
      pose = Float64Array.from(robot.joints, ({ least, most }) => least + (most - least) * random.between(0.1, 0.9)) as JointRadians;
    }
    return pose;
  };
}

/**
 * Noise in bursts: a fifth to half a second of a wrong wish, then half a second to two seconds without. It pushes the arm
 * to places the expert would not go by itself, so that its way back is seen. `amount`: standard deviation in joint units
 * (degrees). The mover goes on from what it wished for itself, so that a burst moves the arm by that much and no further.
 */
export function disturbed(mover: Mover, amount: number, random: Random): { readonly move: Mover; readonly clean: () => JointRadians | null } {
  let clean: JointRadians | null = null;
  let offset: Float64Array | null = null;
  let ticksLeft = Math.round(random.between(0.2, 1.5) * TICK_HZ);
  const move: Mover = (view, current) => {
    clean = mover(view, clean ?? current);
    if (ticksLeft-- <= 0) {
      const begins = offset === null;
      offset = begins ? Float64Array.from({ length: JOINT_COUNT }, () => (amount * random.normal() * Math.PI) / 180) : null;
      ticksLeft = Math.round(random.between(begins ? 0.2 : 0.5, begins ? 0.5 : 2) * TICK_HZ);
    }
    if (clean === null || offset === null) return clean;
    const push = offset;
    return clean.map((value, i) => value + push[i]) as JointRadians;
  };
  return { move: amount > 0 ? move : (view, current) => (clean = mover(view, clean ?? current)), clean: () => clean };
}
