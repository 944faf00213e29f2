/**
 * A promise with a limit. Comlink calls into a worker that died never settle, so every call races a deadline. The timer
 * is always cleared, so that a finished call leaves nothing behind that keeps a process or a test alive.
 */

/** `work`, or a rejection with `late()` after `limitMs` milliseconds, whichever is first. The work itself is not stopped. */
export function withDeadline<T>(work: Promise<T>, limitMs: number, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), limitMs);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (thrown: unknown) => {
        clearTimeout(timer);
        reject(thrown);
      },
    );
  });
}
