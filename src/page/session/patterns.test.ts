import { describe, expect, it } from 'vitest';
import { taught } from './patterns.ts';

const TRAINED = { training: { kind: 'trained', summary: 'a little' }, patterns: ['wave hello', 'put the {red|blue} cube on the {red|blue} cube'] } as const;

describe('what a policy was taught', () => {
  it.each(['wave hello', 'Wave  hello.', 'put the red cube on the blue cube', ' Put the blue cube on the red cube!'])('knows "%s"', (sentence) => {
    expect(taught(TRAINED, sentence)).toBe('yes');
  });

  it.each(['wave', 'wave hello twice', 'put the green cube on the blue cube', 'put the red cube', '', 'put the red|blue cube on the red cube'])('does not know "%s"', (sentence) => {
    expect(taught(TRAINED, sentence)).toBe('no');
  });

  it('claims nothing for a policy without patterns or without training', () => {
    expect(taught({ training: TRAINED.training }, 'wave hello')).toBe('unknown');
    expect(taught({ training: { kind: 'untrained' }, patterns: TRAINED.patterns }, 'wave hello')).toBe('unknown');
  });
});
