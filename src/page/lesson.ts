/**
 * What a lesson brings along: a profile that the teacher's server put into the page, or the word `profile=classroom` in the
 * address. Both can only lock and tighten; control checks it. The lock asked for by the address is remembered on this
 * machine, so that taking the word out of the address does not open it; clearing the site's data does, and then the page
 * is back at `first-motion`.
 */

const META = 'safety-profile';
const REMEMBERED = 'vla-classroom';

export interface Lesson {
  /** Untrusted JSON; null where there is none. */
  readonly profile: unknown;
  readonly lock: 'asked' | 'not-asked';
}

export function readLesson(page: Document, search: string, storage: Storage): Lesson {
  const content = page.querySelector(`meta[name="${META}"]`)?.getAttribute('content') ?? null;
  const asked = new URLSearchParams(search).get('profile') === 'classroom';
  if (asked) storage.setItem(REMEMBERED, 'yes');
  return { profile: content === null ? null : parsed(content), lock: asked || storage.getItem(REMEMBERED) === 'yes' ? 'asked' : 'not-asked' };
}

/** Text that is no JSON is handed on as it is: control refuses it by name, and the page says so. */
function parsed(content: string): unknown {
  try {
    return JSON.parse(content) as unknown;
  } catch {
    return content;
  }
}
