/**
 * Escape stops always, also while typing. Space stops unless a text field has the focus, and is caught on its way down,
 * before any button, slider or link could take it for itself. Knows nothing of React or of what Stop does.
 */

/** Input types in which Space is a letter. A slider or a button is none of them. */
const TEXT_INPUTS: readonly string[] = ['text', 'search', 'url', 'email', 'password', 'tel', 'number'];

/** Returns how to stop listening. */
export function stopKeys(target: EventTarget, stop: () => void): () => void {
  const isStop = (event: KeyboardEvent): boolean => event.key === 'Escape' || (event.code === 'Space' && !isTextField(event.target));
  const down = (event: Event): void => {
    if (!(event instanceof KeyboardEvent) || !isStop(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // A key held down asks once.
    if (!event.repeat) stop();
  };
  // A button acts when Space comes up again.
  const up = (event: Event): void => {
    if (!(event instanceof KeyboardEvent) || event.code !== 'Space' || isTextField(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  target.addEventListener('keydown', down, { capture: true });
  target.addEventListener('keyup', up, { capture: true });
  return () => {
    target.removeEventListener('keydown', down, { capture: true });
    target.removeEventListener('keyup', up, { capture: true });
  };
}

export function isTextField(target: EventTarget | null): boolean {
  if (target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLInputElement) return TEXT_INPUTS.includes(target.type);
  return target instanceof HTMLElement && target.isContentEditable;
}
