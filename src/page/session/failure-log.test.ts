import { describe, expect, it } from 'vitest';
import { createStore } from 'zustand/vanilla';
import { failureLog, MAX_SHOWN_FAILURES } from './failure-log.ts';
import type { ShownFailure } from './stores.ts';

const newLog = () => {
  const store = createStore<readonly ShownFailure[]>()(() => []);
  let now = 0;
  return { store, log: failureLog(store, () => ++now) };
};

describe('the list of failures', () => {
  it('counts the same failure up instead of showing it twice, although its milliseconds differ', () => {
    const { store, log } = newLog();
    log.add({ code: 'observation/camera-stale', facts: { camera: 'front', ageMs: 501, limitMs: 500 } });
    log.add({ code: 'observation/camera-stale', facts: { camera: 'front', ageMs: 640, limitMs: 500 } });
    log.add({ code: 'observation/camera-stale', facts: { camera: 'wrist', ageMs: 640, limitMs: 500 } });
    expect(store.getState().map((entry) => [entry.failure.facts['camera'], entry.count])).toEqual([['front', 2], ['wrist', 1]]);
  });

  it('never grows without bound', () => {
    const { store, log } = newLog();
    for (let i = 0; i < 50; i++) log.add({ code: 'internal', facts: { message: `number ${i}` } });
    expect(store.getState().length).toBe(MAX_SHOWN_FAILURES);
    expect(store.getState().at(-1)?.failure.facts['message']).toBe('number 49');
  });

  it('forgets what is dismissed or over', () => {
    const { store, log } = newLog();
    log.add({ code: 'policy/none-loaded', facts: {} });
    log.add({ code: 'page/not-isolated', facts: {} });
    log.dismiss(store.getState()[0]?.id ?? -1);
    log.clear(['page/not-isolated']);
    expect(store.getState()).toEqual([]);
  });
});
