/**
 * A mailbox: room for one letter, the newest wins. What it replaces is handed to `dispose`, so that a video frame is
 * closed and not left to the collector. Knows nothing of threads: put and take happen on one.
 */
export interface Mailbox<T> {
  /** Puts a letter in; disposes the one it replaces. After `close` it disposes the new one instead. */
  put(letter: T): void;
  /** The letter, which the taker now owns, or null. */
  take(): T | null;
  /** True when a letter waits. */
  readonly full: boolean;
  /** Letters that were disposed of because a newer one came. */
  readonly replaced: number;
  /** Disposes what waits and refuses what comes. */
  close(): void;
}

export function mailbox<T>(dispose: (letter: T) => void): Mailbox<T> {
  let waiting: { readonly letter: T } | null = null;
  let replaced = 0;
  let closed = false;
  return {
    put(letter) {
      if (closed) {
        dispose(letter);
        return;
      }
      const old = waiting;
      waiting = { letter };
      if (old !== null) {
        replaced++;
        dispose(old.letter);
      }
    },
    take() {
      const taken = waiting;
      waiting = null;
      return taken === null ? null : taken.letter;
    },
    get full() {
      return waiting !== null;
    },
    get replaced() {
      return replaced;
    },
    close() {
      closed = true;
      const old = waiting;
      waiting = null;
      if (old !== null) dispose(old.letter);
    },
  };
}
