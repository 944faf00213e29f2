import { describe, expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { allGoals, parseSentence, patterns, phrase, withColour, wordings } from './grammar.ts';

describe('the sentence grammar', () => {
  it('reads every wording of every goal back as that goal', () => {
    for (const goal of allGoals()) {
      for (const split of ['train', 'held-out'] as const) {
        for (const sentence of wordings(goal, split)) expect(parseSentence(sentence), sentence).toEqual(goal);
      }
    }
  });

  it('keeps held-out wordings out of the demonstrations', () => {
    const shown = new Set(allGoals().flatMap((goal) => wordings(goal, 'train')));
    for (const goal of allGoals()) for (const sentence of wordings(goal, 'held-out')) expect(shown.has(sentence), sentence).toBe(false);
  });

  it('writes its wordings as patterns that mean the same', () => {
    expect(patterns('wave', 'train')).toEqual(wordings({ kind: 'wave' }, 'train'));
    const red = patterns('push-left', 'train').map((pattern) => pattern.replace('{red|green|blue|yellow}', 'red'));
    expect(red).toEqual(wordings({ kind: 'push-left', colour: 'red' }, 'train'));
    expect(patterns('stack', 'train')[0]).toBe('stack the {red|green|blue|yellow} cube on the {red|green|blue|yellow} cube');
  });

  it('gives each sentence one meaning', () => {
    const all = allGoals().flatMap((goal) => [...wordings(goal, 'train'), ...wordings(goal, 'held-out')]);
    expect(new Set(all).size).toBe(all.length);
  });

  it('does not mind case, spaces or a full stop', () => {
    expect(parseSentence('  Pick up   the RED cube. ')).toEqual({ kind: 'pick-up', colour: 'red' });
  });

  it('does not guess at what it does not know', () => {
    for (const sentence of ['', 'make me a coffee', 'pick up the purple cube', 'pick up the cube']) expect(parseSentence(sentence)).toBeNull();
  });

  it('draws the same wording from the same seed', () => {
    const goal = { kind: 'touch', colour: 'blue' } as const;
    expect(phrase(goal, 'train', seededRandom(4))).toBe(phrase(goal, 'train', seededRandom(4)));
  });

  it('swaps the colour and keeps a stack sensible', () => {
    expect(withColour({ kind: 'touch', colour: 'blue' }, 'red')).toEqual({ kind: 'touch', colour: 'red' });
    expect(withColour({ kind: 'stack', colour: 'blue', onto: 'red' }, 'red')).toEqual({ kind: 'stack', colour: 'red', onto: 'blue' });
    expect(withColour({ kind: 'wave' }, 'red')).toBeNull();
  });
});
