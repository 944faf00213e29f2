/**
 * Which episode a task and a seed mean: the goal, the cubes on the table, the words, all drawn from the seed alone, so
 * that the same numbers give the same episode anywhere. Knows no policy and runs nothing.
 *
 * Seeds are split once, for every set ever made: demonstrations come from TRAIN_SEEDS, results from HELD_OUT_SEEDS.
 */
import type { EvaluationPlan, Instruction } from '#contracts/evaluation.ts';
import { CUBE_COLOURS, type CubeColour, type ResetRequest } from '#contracts/scene.ts';
import type { TaskGoal, TaskKind } from '#contracts/task.ts';
import { seededRandom, type Random } from '#core/lib/random.ts';
import { unreachable } from '#core/lib/never.ts';
import { phrase, withColour } from './grammar.ts';

/** Results are counted on seeds from 0 up to this; demonstrations begin here. */
export const FIRST_TRAIN_SEED = 1_000_000;

export interface DrawnEpisode {
  readonly reset: ResetRequest;
  /** What the judge counts. */
  readonly goal: TaskGoal;
  /** What the policy is told. */
  readonly sentence: string;
  /** With `another-colour`: the task the sentence asks for. */
  readonly named: TaskGoal | null;
}

/** Sentences outside the grammar: what a policy does with them says whether it listens. */
const NONSENSE = ['the the of and', 'blue is a nice day', 'colourless green ideas sleep', 'qwerty uiop', 'please recite a poem'];

export function drawEpisode(task: TaskKind, seed: number, how: Pick<EvaluationPlan, 'cubes' | 'wording' | 'instruction'>): DrawnEpisode {
  const random = seededRandom(seed).fork(`episode ${task}`);
  const colours = someColours(how.cubes, random);
  const goal = drawGoal(task, colours, random);
  const sentence = phrase(goal, how.wording, random.fork('wording'));
  const told = instructed(goal, sentence, colours, how, random.fork('instruction'));
  return { reset: { task: sentence, seed, cubes: colours }, goal, ...told };
}

function instructed(
  goal: TaskGoal,
  sentence: string,
  colours: readonly CubeColour[],
  { instruction, wording }: { readonly instruction: Instruction; readonly wording: EvaluationPlan['wording'] },
  random: Random,
): { readonly sentence: string; readonly named: TaskGoal | null } {
  switch (instruction) {
    case 'as-asked':
      return { sentence, named: null };
    case 'empty':
      return { sentence: '', named: null };
    case 'nonsense':
      return { sentence: NONSENSE[random.index(NONSENSE.length)], named: null };
    case 'another-colour': {
      const others = goal.kind === 'wave' ? [] : colours.filter((colour) => colour !== goal.colour);
      const named = others.length === 0 ? null : withColour(goal, others[random.index(others.length)]);
      // A task without a second cube cannot be swapped and is told as it is.
      return named === null ? { sentence, named: null } : { sentence: phrase(named, wording, random), named };
    }
    default:
      return unreachable(instruction);
  }
}

/** `count` different colours in a drawn order. */
function someColours(count: number, random: Random): readonly CubeColour[] {
  if (!Number.isInteger(count) || count < 1 || count > CUBE_COLOURS.length) throw new RangeError(`expected 1 to ${CUBE_COLOURS.length} cubes, found ${count}`);
  const left = [...CUBE_COLOURS];
  return Array.from({ length: count }, () => left.splice(random.index(left.length), 1)[0]);
}

function drawGoal(task: TaskKind, colours: readonly CubeColour[], random: Random): TaskGoal {
  const colour = colours[random.index(colours.length)];
  switch (task) {
    case 'wave':
      return { kind: 'wave' };
    case 'stack': {
      const others = colours.filter((other) => other !== colour);
      if (others.length === 0) throw new RangeError('stacking takes two cubes');
      return { kind: 'stack', colour, onto: others[random.index(others.length)] };
    }
    case 'touch':
    case 'pick-up':
    case 'put-in-bowl':
    case 'push-left':
    case 'push-right':
      return { kind: task, colour };
    default:
      return unreachable(task);
  }
}
