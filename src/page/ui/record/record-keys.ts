/** C records and keeps, X discards, Z once more: by place on the keyboard, not while typing, not with a modifier. */

export interface RecordKeys {
  readonly toggle: () => void;
  readonly discard: () => void;
  readonly redo: () => void;
}

/** Returns how to stop listening. */
export function recordKeys(target: EventTarget, { toggle, discard, redo }: RecordKeys): () => void {
  const actions: Readonly<Record<string, () => void>> = { KeyC: toggle, KeyX: discard, KeyZ: redo };
  const down = (event: Event): void => {
    if (!(event instanceof KeyboardEvent) || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target: at } = event;
    if (at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement || (at instanceof HTMLInputElement && at.type !== 'range' && at.type !== 'checkbox')) return;
    const action = actions[event.code];
    if (action === undefined) return;
    event.preventDefault();
    action();
  };
  target.addEventListener('keydown', down);
  return () => target.removeEventListener('keydown', down);
}
