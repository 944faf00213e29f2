/**
 * One at a time, in the order of asking. onnxruntime-web throws when two sessions are created at once and gives wrong
 * results when runs of different sessions overlap, so everything that enters it passes here.
 */
export interface TurnTaking {
  /** Runs `work` after all earlier work has settled; a failure of one does not stop the next. */
  take<T>(work: () => Promise<T>): Promise<T>;
}

export function turnTaking(): TurnTaking {
  let last: Promise<unknown> = Promise.resolve();
  return {
    take<T>(work: () => Promise<T>): Promise<T> {
      const mine = last.then(work);
      last = mine.then(
        () => undefined,
        () => undefined,
      );
      return mine;
    },
  };
}
