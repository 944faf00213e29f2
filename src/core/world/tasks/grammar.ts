/**
 * Sentences and what they ask for. Every task has several wordings; some are kept out of the demonstrations, so that a
 * policy can be judged on words it was not shown in that order. Knows sentences and goals, nothing of physics.
 */
import { CUBE_COLOURS, type CubeColour } from '#contracts/scene.ts';
import type { TaskGoal, TaskKind, WordingSplit } from '#contracts/task.ts';
import type { Random } from '#core/lib/random.ts';
import { unreachable } from '#core/lib/never.ts';

/** `C` stands for the cube's colour, `D` for the colour it is stacked on. */
const WORDINGS: Readonly<Record<TaskKind, Readonly<Record<WordingSplit, readonly string[]>>>> = {
  touch: {
    train: ['touch the C cube', 'tap the C cube', 'go to the C cube', 'move to the C cube and touch it', 'reach for the C cube'],
    'held-out': ['tap on the C cube', 'reach for and touch the C cube'],
  },
  'pick-up': {
    train: ['pick up the C cube', 'lift the C cube', 'grab the C cube', 'pick the C cube up', 'take the C cube and lift it'],
    'held-out': ['grab and lift the C cube', 'lift up the C cube'],
  },
  'put-in-bowl': {
    train: [
      'put the C cube in the bowl',
      'place the C cube in the bowl',
      'drop the C cube into the bowl',
      'pick up the C cube and put it in the bowl',
      'move the C cube to the bowl',
    ],
    'held-out': ['place the C cube into the bowl', 'grab the C cube and drop it in the bowl'],
  },
  'push-left': {
    train: ['push the C cube to the left', 'push the C cube left', 'slide the C cube to the left', 'move the C cube to the left'],
    'held-out': ['slide the C cube left', 'push the C cube over to the left'],
  },
  'push-right': {
    train: ['push the C cube to the right', 'push the C cube right', 'slide the C cube to the right', 'move the C cube to the right'],
    'held-out': ['slide the C cube right', 'push the C cube over to the right'],
  },
  stack: {
    train: ['stack the C cube on the D cube', 'put the C cube on the D cube', 'place the C cube on top of the D cube'],
    'held-out': ['put the C cube on top of the D cube'],
  },
  wave: {
    train: ['wave hello', 'wave', 'say hello', 'wave at me'],
    'held-out': ['wave and say hello'],
  },
};

/** Every wording of a goal. */
export function wordings(goal: TaskGoal, split: WordingSplit): readonly string[] {
  return WORDINGS[goal.kind][split].map((pattern) => fill(pattern, goal));
}

/** One wording, drawn. */
export function phrase(goal: TaskGoal, split: WordingSplit, random: Random): string {
  const all = wordings(goal, split);
  return all[random.index(all.length)];
}

/** Every wording of a task as one line, colours as `{red|green|...}`: what a policy's card says it was taught. */
export function patterns(kind: TaskKind, split: WordingSplit): readonly string[] {
  const any = `{${CUBE_COLOURS.join('|')}}`;
  return WORDINGS[kind][split].map((wording) => (kind === 'wave' ? wording : wording.replace('C', any).replace('D', any)));
}

/** What a sentence asks for, or null where it is outside the grammar. Case, spaces and a final full stop do not matter. */
export function parseSentence(sentence: string): TaskGoal | null {
  return SENTENCES.get(tidy(sentence)) ?? null;
}

/** Every goal there is: 4 colours x 5 kinds, 12 stacks, and the wave. */
export function allGoals(): readonly TaskGoal[] {
  const goals: TaskGoal[] = [{ kind: 'wave' }];
  for (const colour of CUBE_COLOURS) {
    for (const kind of ['touch', 'pick-up', 'put-in-bowl', 'push-left', 'push-right'] as const) goals.push({ kind, colour });
    for (const onto of CUBE_COLOURS) if (onto !== colour) goals.push({ kind: 'stack', colour, onto });
  }
  return goals;
}

/** The same task asked of another cube: the instruction swap. Null for a task that names no cube. */
export function withColour(goal: TaskGoal, colour: CubeColour): TaskGoal | null {
  switch (goal.kind) {
    case 'wave':
      return null;
    case 'stack':
      return { ...goal, colour, onto: goal.onto === colour ? goal.colour : goal.onto };
    case 'touch':
    case 'pick-up':
    case 'put-in-bowl':
    case 'push-left':
    case 'push-right':
      return { ...goal, colour };
    default:
      return unreachable(goal);
  }
}

function fill(pattern: string, goal: TaskGoal): string {
  if (goal.kind === 'wave') return pattern;
  const named = pattern.replace('C', goal.colour);
  return goal.kind === 'stack' ? named.replace('D', goal.onto) : named;
}

function tidy(sentence: string): string {
  return sentence.trim().toLowerCase().replace(/\s+/g, ' ').replace(/[.!]+$/, '');
}

const SENTENCES: ReadonlyMap<string, TaskGoal> = new Map(
  allGoals().flatMap((goal) =>
    (['train', 'held-out'] as const).flatMap((split) => wordings(goal, split).map((sentence) => [tidy(sentence), goal] as const)),
  ),
);
