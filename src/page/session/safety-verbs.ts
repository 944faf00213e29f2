/**
 * The safety limits as a person handles them: which are in force, choosing others, saving and opening them as a file, the
 * key that lets a policy move. Control checks and decides; this file asks, remembers what a person chose on this machine,
 * and puts it back at the next visit. It refuses to know what the numbers mean.
 */
import { PROFILE_FORMAT, type ProfileName, type SafetyBox, type SafetyProfile } from '#contracts/safety.ts';
import { FailureError, unwrap } from '#core/lib/failure.ts';
import type { PageSigns } from '#page/runtime/page-signs.ts';
import type { SessionContext } from './context.ts';

export interface SafetyVerbs {
  profile(): Promise<SafetyProfile>;
  /** Only at rest. A `file` can only make limits stricter; a locked profile stays. Rejects with `safety/...`. */
  setProfile(profile: unknown, source: 'person' | 'file'): Promise<SafetyProfile>;
  /** One of the four by name, as a person chooses it. The workspace that is drawn stays. */
  choose(name: ProfileName): Promise<SafetyProfile>;
  /** Where the arm may be, world frame; null for everywhere. */
  setWorkspace(box: SafetyBox | null): Promise<SafetyProfile>;
  /** The key that lets a policy move an arm whose profile asks for it. */
  hold(key: 'down' | 'up'): void;
  /** The limits in force as text of JSON. */
  exportProfile(): string;
  /** A file's text, or the file: it can only make limits stricter. Rejects with `safety/profile-invalid`, `safety/would-loosen`. */
  importProfile(file: Blob | string): Promise<SafetyProfile>;
  showLimits(limits: 'shown' | 'hidden'): void;
}

/** A handful of numbers; a larger file is something else. */
const MOST_BYTES = 100_000;
export const SAVED_PROFILE = 'vla-safety-profile';

export interface SafetyVerbsParts {
  readonly signs: PageSigns;
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
}

export function safetyVerbs({ house, stores }: SessionContext, { signs, storage }: SafetyVerbsParts): SafetyVerbs {
  const inForce = (profile: SafetyProfile): SafetyProfile => {
    stores.safety.setState({ profile });
    return profile;
  };
  const profile = async (): Promise<SafetyProfile> => inForce(unwrap(await house.control.api.profile()));

  const setProfile = async (next: unknown, source: 'person' | 'file'): Promise<SafetyProfile> => {
    const now = inForce(unwrap(await house.control.api.setProfile(next, source)));
    // A lock is kept by the lesson that asked for it, not here: what is saved here must never be a way around one.
    if (now.lock === 'open') storage.setItem(SAVED_PROFILE, JSON.stringify(now));
    return now;
  };

  return {
    profile,
    setProfile,
    choose: async (name) => {
      const { workspace, keepOut } = await profile();
      const chosen = await setProfile(name, 'person');
      if (workspace === null && keepOut.length === 0) return chosen;
      return setProfile({ ...chosen, workspace, keepOut }, 'person');
    },
    setWorkspace: async (workspace) => setProfile({ ...(await profile()), workspace }, 'person'),
    hold: (key) => signs.hold(key),
    exportProfile: () => JSON.stringify(stores.safety.getState().profile, null, 2),
    importProfile: async (file) => {
      const found = typeof file === 'string' ? file.length : file.size;
      if (found > MOST_BYTES) throw new FailureError('safety/profile-invalid', { field: 'file', expected: `at most ${MOST_BYTES} bytes`, found });
      const text = typeof file === 'string' ? file : await file.text();
      let content: unknown;
      try {
        content = JSON.parse(text);
      } catch {
        throw new FailureError('safety/profile-invalid', { field: 'file', expected: `JSON of ${PROFILE_FORMAT}`, found: text.slice(0, 40) });
      }
      return setProfile(content, 'file');
    },
    showLimits: (limits) => stores.safety.setState({ limits }),
  };
}

/** What a person chose here last time; null where there is nothing, or it cannot be read any more. */
export function savedProfile(storage: Pick<Storage, 'getItem' | 'removeItem'>): unknown {
  const text = storage.getItem(SAVED_PROFILE);
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    storage.removeItem(SAVED_PROFILE);
    return null;
  }
}

/** A lesson's limits first and its lock last; what a person saved only where no lesson is. Nothing can move before this is through. */
export async function firstProfile({ house, stores, report }: SessionContext, lesson: { readonly profile: unknown; readonly lock: 'asked' | 'not-asked' }, storage: Pick<Storage, 'getItem' | 'removeItem'>): Promise<void> {
  const { api } = house.control;
  const saved = savedProfile(storage);
  if (saved !== null && lesson.profile === null && lesson.lock === 'not-asked') {
    const answer = await api.setProfile(saved, 'person');
    if (!answer.ok) {
      storage.removeItem(SAVED_PROFILE);
      report(answer.failure);
    }
  }
  if (lesson.profile !== null) unwrap(await api.setProfile(lesson.profile, 'server'));
  const current = unwrap(await api.profile());
  const now = lesson.lock === 'asked' && current.lock === 'open' ? unwrap(await api.setProfile({ ...current, name: 'classroom', lock: 'locked' }, 'server')) : current;
  stores.safety.setState({ profile: now });
}

