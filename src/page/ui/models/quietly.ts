/** For verbs whose failure is in a store, and shown there. */
export function quietly(work: Promise<unknown>): void {
  work.catch(() => undefined);
}
