import { afterEach, expect, it } from 'vitest';
import { recordKeys } from './record-keys.ts';

let undo: () => void = () => undefined;
afterEach(() => {
  undo();
  document.body.replaceChildren();
});

it('C, X and Z work by place on the keyboard, once a press, and never while somebody types', () => {
  document.body.innerHTML = '<input id="text"><input id="slider" type="range"><textarea id="area"></textarea><select id="select"></select><p id="plain" tabindex="0"></p>';
  const pressed: string[] = [];
  undo = recordKeys(window, { toggle: () => pressed.push('toggle'), discard: () => pressed.push('discard'), redo: () => pressed.push('redo') });
  const press = (id: string, code: string, more: KeyboardEventInit = {}): void => void document.getElementById(id)?.dispatchEvent(new KeyboardEvent('keydown', { code, bubbles: true, cancelable: true, ...more }));
  for (const id of ['plain', 'slider']) for (const code of ['KeyC', 'KeyX', 'KeyZ', 'KeyV']) press(id, code);
  expect(pressed).toEqual(['toggle', 'discard', 'redo', 'toggle', 'discard', 'redo']);
  for (const id of ['text', 'area', 'select']) press(id, 'KeyC');
  press('plain', 'KeyC', { ctrlKey: true });
  press('plain', 'KeyC', { repeat: true });
  expect(pressed).toHaveLength(6);
});
