import { describe, expect, it } from 'vitest';
import { TASK_KINDS } from '#contracts/task.ts';
import { drawEpisode } from './draw.ts';
import { parseSentence } from './grammar.ts';

const HOW = { cubes: 4, wording: 'train', instruction: 'as-asked' } as const;

describe('drawing an episode', () => {
  it('is the same for the same numbers, and says what it means', () => {
    for (const task of TASK_KINDS) {
      for (let seed = 0; seed < 50; seed++) {
        const drawn = drawEpisode(task, seed, HOW);
        expect(drawn).toEqual(drawEpisode(task, seed, HOW));
        expect(drawn.goal.kind).toBe(task);
        expect(parseSentence(drawn.sentence)).toEqual(drawn.goal);
      }
    }
  });

  it('asks only for cubes that are on the table', () => {
    for (let seed = 0; seed < 200; seed++) {
      const { goal, reset } = drawEpisode('stack', seed, { ...HOW, cubes: 2 });
      if (goal.kind !== 'stack') throw new Error('expected a stack');
      expect(reset.cubes).toContain(goal.colour);
      expect(reset.cubes).toContain(goal.onto);
      expect(goal.onto).not.toBe(goal.colour);
    }
  });

  it('names another cube that is there, in the same task', () => {
    for (let seed = 0; seed < 100; seed++) {
      const { goal, named, sentence, reset } = drawEpisode('pick-up', seed, { ...HOW, instruction: 'another-colour' });
      if (goal.kind === 'wave' || named === null || named.kind === 'wave') throw new Error('expected a swap');
      expect(named.colour).not.toBe(goal.colour);
      expect(reset.cubes).toContain(named.colour);
      expect(parseSentence(sentence)).toEqual(named);
    }
  });

  it('tells nothing, or nothing that has a meaning', () => {
    expect(drawEpisode('touch', 1, { ...HOW, instruction: 'empty' }).sentence).toBe('');
    for (let seed = 0; seed < 20; seed++) expect(parseSentence(drawEpisode('touch', seed, { ...HOW, instruction: 'nonsense' }).sentence)).toBeNull();
  });

  it('asks for each colour about as often as the others', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 2000; seed++) {
      const { goal } = drawEpisode('touch', seed, HOW);
      if (goal.kind === 'wave') throw new Error('expected a cube');
      counts.set(goal.colour, (counts.get(goal.colour) ?? 0) + 1);
    }
    for (const n of counts.values()) expect(Math.abs(n - 500)).toBeLessThan(100);
  });
});
