/**
 * The page's signs of life, straight into control's memory beside Stop: a beat for as long as this thread runs, whether
 * the page is seen, whether the person holds the key that lets a policy move. Passes no store and no message queue.
 *
 * The beat is a timer of this thread on purpose: a thread that hangs must not beat.
 */
import { BEAT_EVERY_MS, PAGE_BITS, STOP_FLAG } from '#contracts/slots.ts';

export interface PageSigns {
  /** While `down` a policy may move an arm whose profile asks for the key. */
  hold(key: 'down' | 'up'): void;
}

export function startPageSigns(memory: SharedArrayBuffer, page: Document): PageSigns {
  const flag = new Int32Array(memory);
  const put = (bit: number, state: 'set' | 'clear'): void => {
    if (state === 'set') Atomics.or(flag, STOP_FLAG.page, bit);
    else Atomics.and(flag, STOP_FLAG.page, ~bit);
  };
  const see = (): void => {
    put(PAGE_BITS.hidden, page.hidden ? 'set' : 'clear');
    // Whoever left the page lets go of the key: its keyup goes elsewhere.
    if (page.hidden) put(PAGE_BITS.holding, 'clear');
  };
  const view = page.defaultView;
  page.addEventListener('visibilitychange', see);
  view?.addEventListener('pagehide', () => put(PAGE_BITS.hidden, 'set'));
  view?.addEventListener('pageshow', see);
  view?.addEventListener('blur', () => put(PAGE_BITS.holding, 'clear'));
  see();
  Atomics.add(flag, STOP_FLAG.beat, 1);
  setInterval(() => void Atomics.add(flag, STOP_FLAG.beat, 1), BEAT_EVERY_MS);
  return { hold: (key) => put(PAGE_BITS.holding, key === 'down' ? 'set' : 'clear') };
}
