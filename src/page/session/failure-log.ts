/**
 * The failures a person has not dismissed yet. The same failure again (code and facts equal) counts up instead of
 * filling the page. Knows nothing of words.
 */
import type { StoreApi } from 'zustand/vanilla';
import type { Failure } from '#contracts/failure.ts';
import type { ShownFailure } from './stores.ts';

/** More cards than this say nothing more; the oldest go. */
export const MAX_SHOWN_FAILURES = 6;

export interface FailureLog {
  add(failure: Failure): void;
  dismiss(id: number): void;
  /** Drops every card of these codes: what they told is over. */
  clear(codes: readonly Failure['code'][]): void;
}

export function failureLog(store: StoreApi<readonly ShownFailure[]>, nowMs: () => number): FailureLog {
  let nextId = 1;
  return {
    add(failure) {
      const atMs = nowMs();
      const shown = store.getState();
      const same = shown.find((entry) => sameFailure(entry.failure, failure));
      if (same !== undefined) {
        store.setState(shown.map((entry) => (entry === same ? { ...entry, lastAtMs: atMs, count: entry.count + 1 } : entry)), true);
        return;
      }
      const entry: ShownFailure = { id: nextId++, failure, firstAtMs: atMs, lastAtMs: atMs, count: 1 };
      store.setState([...shown, entry].slice(-MAX_SHOWN_FAILURES), true);
    },
    dismiss(id) {
      store.setState(store.getState().filter((entry) => entry.id !== id), true);
    },
    clear(codes) {
      store.setState(store.getState().filter((entry) => !codes.includes(entry.failure.code)), true);
    },
  };
}

/** Facts that count or measure differ each time; the same code about the same thing is the same failure. */
function sameFailure(a: Failure, b: Failure): boolean {
  return a.code === b.code && textFacts(a) === textFacts(b);
}

function textFacts(failure: Failure): string {
  return JSON.stringify(Object.entries(failure.facts).filter(([, value]) => typeof value === 'string').sort(([a], [b]) => (a < b ? -1 : 1)));
}
