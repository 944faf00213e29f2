/**
 * The page begins here: isolation first, then workers, session, panels and `window.playground`. It puts the rooms
 * together and knows nothing else.
 */
import type { Failure } from '#contracts/failure.ts';
import type { ResetRequest } from '#contracts/scene.ts';
import { timerClock } from '#core/lib/clock.ts';
import { readAddress } from './address.ts';
import { createPlayground } from '#page/api/playground.ts';
import { openBare } from './bare.ts';
import { readLesson } from './lesson.ts';
import { openHouse } from '#page/runtime/house.ts';
import { ensureIsolation } from '#page/runtime/isolation.ts';
import { startPageSigns } from '#page/runtime/page-signs.ts';
import { createSession } from '#page/session/session.ts';
import { mountApp, mountRefusal } from '#page/ui/mount.tsx';
import { operatingSystem } from '#page/ui/os.ts';
import { failureWords } from '#page/words/failures.ts';

declare const __APP_VERSION__: string;

/** Innermost calls that a report tells: enough to find the panel through the frames of the library that draws it. */
const FRAMES_TOLD = 12;

const place = document.getElementById('app') as HTMLElement;
const os = operatingSystem(navigator.userAgent);
const baseUrl = new URL('./', document.baseURI).href;

switch (await ensureIsolation(baseUrl)) {
  case 'reloading':
    break;
  case 'not-possible':
    mountRefusal(place, { code: 'page/not-isolated', facts: {} }, os);
    break;
  case 'isolated':
    open();
    break;
}

function open(): void {
  const address = readAddress(location.search);
  if (address.only === 'episodes') {
    window.episodes = openBare(baseUrl);
    return;
  }
  if (address.only === 'bench') {
    // Of its own, so that nobody who came for the arm downloads it.
    void import('./bench.tsx').then(({ openBench }) => openBench(place, { baseUrl, os, engine: address.engine, appVersion: __APP_VERSION__ }));
    return;
  }
  const reset: ResetRequest = { task: address.task, seed: address.seed, ...(address.robot === 'so100' ? {} : { robot: address.robot }) };
  const clock = timerClock();
  const isHidden = (): boolean => document.hidden;
  const house = openHouse({ clock, baseUrl, isHidden });
  const session = createSession({
    house,
    signs: startPageSigns(house.memory.stop, document),
    lesson: readLesson(document, location.search, localStorage),
    storage: localStorage,
    browser: navigator.userAgent,
    clock,
    isHidden,
    appVersion: __APP_VERSION__,
    engineChoice: address.engine,
    ladder: address.ladder,
    firstReset: reset,
  });
  window.addEventListener('error', (event) => session.reportFailure(defect(event.error ?? event.message)));
  window.addEventListener('unhandledrejection', (event) => session.reportFailure(defect(event.reason)));
  window.playground = createPlayground(session, (failure) => failureWords(failure, os));
  mountApp(place, { session, os, first: { ...address, reset } });
}

/** What escaped every other door is a defect of ours. */
function defect(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) return { code: 'internal', facts: { message: String(thrown) } };
  // Where it was thrown goes with the report that a person copies: some defects are seen once in many visits.
  const where = (thrown.stack ?? '').split('\n').filter((line) => /^\s*at /.test(line)).slice(0, FRAMES_TOLD);
  return { code: 'internal', facts: { message: `${thrown.name}: ${thrown.message}`, where: where.map((line) => line.trim()).join('; ') } };
}
