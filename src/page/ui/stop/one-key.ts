/** One key by its place on the keyboard, anywhere on the page but in a text field; and the question before the page is left. Knows nothing of what they are for. */
import { isTextField } from './stop-keys.ts';

export interface KeyActions {
  readonly down: () => void;
  readonly up: () => void;
}

/** Returns how to stop listening. A key held down is told once; one let go outside the window counts as let go. */
export function oneKey(target: Window, code: string, { down, up }: KeyActions): () => void {
  let held = false;
  const release = (): void => {
    if (held) up();
    held = false;
  };
  const onDown = (event: KeyboardEvent): void => {
    if (event.code !== code || event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTextField(event.target)) return;
    held = true;
    down();
  };
  const onUp = (event: KeyboardEvent): void => {
    if (event.code === code) release();
  };
  target.addEventListener('keydown', onDown);
  target.addEventListener('keyup', onUp);
  target.addEventListener('blur', release);
  return () => {
    release();
    target.removeEventListener('keydown', onDown);
    target.removeEventListener('keyup', onUp);
    target.removeEventListener('blur', release);
  };
}

/** The browser asks whether the page may be left: motors that hold go on holding, and nobody is left to let them go. Returns how to stop. */
export function askBeforeLeaving(target: Window): () => void {
  const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
  target.addEventListener('beforeunload', ask);
  return () => target.removeEventListener('beforeunload', ask);
}
