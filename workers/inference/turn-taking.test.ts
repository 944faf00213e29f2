import { expect, test } from 'vitest';
import { turnTaking } from './turn-taking.ts';

test('work never overlaps and keeps its order', async () => {
  const turns = turnTaking();
  const log: string[] = [];
  const job = (name: string, ms: number) => async (): Promise<string> => {
    log.push(`${name} starts`);
    await new Promise((resolve) => setTimeout(resolve, ms));
    log.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all([turns.take(job('slow', 20)), turns.take(job('quick', 1))]);
  expect(results).toEqual(['slow', 'quick']);
  expect(log).toEqual(['slow starts', 'slow ends', 'quick starts', 'quick ends']);
});

test('a failure reaches its own caller and nobody else', async () => {
  const turns = turnTaking();
  const failing = turns.take(() => Promise.reject(new Error('first')));
  const next = turns.take(() => Promise.resolve('second'));
  await expect(failing).rejects.toThrow('first');
  await expect(next).resolves.toBe('second');
});
