import { afterEach, describe, expect, it } from 'vitest';
import { stopKeys } from './stop-keys.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
  document.body.replaceChildren();
});

/** A page with every kind of element, and how often Stop and the button were pressed. */
function bench() {
  document.body.innerHTML = '<button id="button">Run</button><input id="text"><input id="slider" type="range"><textarea id="area"></textarea><input id="number" type="number"><div id="edit" contenteditable="true"></div><p id="plain" tabindex="0"></p>';
  const counts = { stops: 0, clicks: 0, heard: 0 };
  undo.push(stopKeys(window, () => counts.stops++));
  document.getElementById('button')?.addEventListener('click', () => counts.clicks++);
  document.body.addEventListener('keydown', () => counts.heard++);
  const press = (id: string, code: 'Space' | 'Escape', repeat: 'first' | 'repeat' = 'first'): boolean => {
    const init: KeyboardEventInit = { code, key: code === 'Space' ? ' ' : 'Escape', bubbles: true, cancelable: true, repeat: repeat === 'repeat' };
    return document.getElementById(id)?.dispatchEvent(new KeyboardEvent('keydown', init)) ?? true;
  };
  return { counts, press };
}

describe('the keys of Stop', () => {
  it.each(['button', 'text', 'slider', 'area', 'number', 'edit', 'plain'])('Escape stops with the focus in %s', (id) => {
    const { counts, press } = bench();
    press(id, 'Escape');
    expect(counts.stops).toBe(1);
  });

  it.each(['button', 'slider', 'plain'])('Space stops with the focus in %s, and nobody else hears it', (id) => {
    const { counts, press } = bench();
    expect(press(id, 'Space')).toBe(false);
    expect(counts).toEqual({ stops: 1, clicks: 0, heard: 0 });
  });

  it.each(['text', 'area', 'number', 'edit'])('Space is a letter in %s', (id) => {
    const { counts, press } = bench();
    expect(press(id, 'Space')).toBe(true);
    expect(counts.stops).toBe(0);
  });

  it('asks once while a key is held', () => {
    const { counts, press } = bench();
    press('plain', 'Escape');
    press('plain', 'Escape', 'repeat');
    press('plain', 'Space', 'repeat');
    expect(counts.stops).toBe(1);
  });
});
