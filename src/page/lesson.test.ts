import { expect, it } from 'vitest';
import { readLesson } from './lesson.ts';

const page = (content: string | null): Document => ({ querySelector: () => (content === null ? null : { getAttribute: () => content }) }) as unknown as Document;
const storage = (): Storage => {
  const kept = new Map<string, string>();
  return { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) } as unknown as Storage;
};

it('locks by the address, and stays locked when the word is gone from it', () => {
  const machine = storage();
  expect(readLesson(page(null), '?seed=3', machine)).toEqual({ profile: null, lock: 'not-asked' });
  expect(readLesson(page(null), '?profile=research', machine).lock).toBe('not-asked');
  expect(readLesson(page(null), '?profile=classroom', machine).lock).toBe('asked');
  expect(readLesson(page(null), '', machine).lock).toBe('asked');
  expect(readLesson(page(null), '', storage()).lock).toBe('not-asked');
});

it("hands on the server's profile, also when it is nonsense", () => {
  expect(readLesson(page('{"name":"classroom"}'), '', storage()).profile).toEqual({ name: 'classroom' });
  expect(readLesson(page('nonsense'), '', storage()).profile).toBe('nonsense');
});
