/**
 * An exit stack: whoever opens something says at once how to close it, and closing runs in reverse order, all of it,
 * even when one step fails. Knows nothing of what it closes.
 */
export interface UndoStack {
  /** Remembers `undo`. On a closed stack it throws: what would be opened could never be closed. */
  defer(undo: () => void | Promise<void>): void;
  /** Remembers how to close `opened` and hands it back. */
  use<T>(opened: T, undo: (opened: T) => void | Promise<void>): T;
  /** Runs every undo once, newest first. Rejects with an AggregateError when some failed; all have run by then. */
  close(): Promise<void>;
}

export function undoStack(): UndoStack {
  const undos: (() => void | Promise<void>)[] = [];
  let closing: Promise<void> | null = null;
  const stack: UndoStack = {
    defer(undo) {
      if (closing !== null) throw new Error('the undo stack is closed');
      undos.push(undo);
    },
    use(opened, undo) {
      stack.defer(() => undo(opened));
      return opened;
    },
    close() {
      closing ??= runAll();
      return closing;
    },
  };
  const runAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
      try {
        await undo();
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} undo steps failed`);
  };
  return stack;
}
