import { describe, expect, it } from 'vitest';
import { PROFILE_NAMES, type SafetyProfile } from '#contracts/safety.ts';
import { asFailure } from '#core/lib/failure.ts';
import { firstLooser, PROFILES, readProfile, replaceProfile } from './profile.ts';

const owner = PROFILES.owner;
const failureOf = (work: () => unknown) => {
  try {
    work();
    return null;
  } catch (thrown) {
    return asFailure(thrown);
  }
};

describe('the four profiles', () => {
  it('come through their own door unchanged, and back from a file', () => {
    for (const name of PROFILE_NAMES) expect(readProfile(JSON.parse(JSON.stringify(PROFILES[name])))).toEqual(PROFILES[name]);
  });

  it('get looser in the order of their names, and default to 250 mm/s or less', () => {
    expect(firstLooser(PROFILES.classroom, PROFILES['first-motion'])).toBe('lock');
    expect(firstLooser(PROFILES['first-motion'], PROFILES.classroom)).toBeNull();
    expect(firstLooser(PROFILES['first-motion'], owner)).toBe('real.armSpeedRadPerS');
    expect(firstLooser(owner, PROFILES['first-motion'])).toBeNull();
    expect(firstLooser(owner, PROFILES.research)).toBe('simulated.armSpeedRadPerS');
    for (const name of ['first-motion', 'classroom', 'owner'] as const) {
      expect(PROFILES[name].simulated.linkSpeedMPerS).toBeLessThanOrEqual(0.25);
      expect(PROFILES[name].real.linkSpeedMPerS).toBeLessThanOrEqual(PROFILES[name].simulated.linkSpeedMPerS);
      expect(PROFILES[name].real).toMatchObject({ holdToRun: 'on', surroundings: 'latch' });
    }
  });
});

describe('the door', () => {
  const broken: readonly (readonly [string, (profile: Record<string, unknown>) => void])[] = [
    ['format', (p) => (p['format'] = 'other')],
    ['version', (p) => (p['version'] = 2)],
    ['name', (p) => (p['name'] = 'fast')],
    ['lock', (p) => (p['lock'] = 'maybe')],
    ['revision', (p) => (p['revision'] = -1)],
    ['simulated', (p) => (p['simulated'] = null)],
    ['simulated.linkSpeedMPerS', (p) => (p['simulated'] = { ...owner.simulated, linkSpeedMPerS: 1.01 })],
    ['simulated.armSpeedRadPerS', (p) => (p['simulated'] = { ...owner.simulated, armSpeedRadPerS: Number.NaN })],
    ['real.marginRad', (p) => (p['real'] = { ...owner.real, marginRad: '0' })],
    ['real.holdToRun', (p) => (p['real'] = { ...owner.real, holdToRun: true })],
    ['real.surroundings', (p) => (p['real'] = { ...owner.real, surroundings: 'pass' })],
    ['torqueShare', (p) => (p['torqueShare'] = 1.5)],
    ['maxTemperatureC', (p) => (p['maxTemperatureC'] = 90)],
    ['workspace.most', (p) => (p['workspace'] = { least: [0, 0, 0], most: [0, 0, Number.POSITIVE_INFINITY] })],
    ['workspace', (p) => (p['workspace'] = { least: [0, 0, 0], most: [0, 1, 1] })],
    ['keepOut', (p) => (p['keepOut'] = Array.from({ length: 9 }, () => ({ least: [0, 0, 0], most: [1, 1, 1] })))],
    ['keepOut.0.least', (p) => (p['keepOut'] = [{ least: [0, 0], most: [1, 1, 1] }])],
  ];
  it.each(broken)('refuses a wrong %s, by name', (field, spoil) => {
    const profile = JSON.parse(JSON.stringify(owner)) as Record<string, unknown>;
    spoil(profile);
    expect(failureOf(() => readProfile(profile))).toMatchObject({ code: 'safety/profile-invalid', facts: { field } });
  });

  it('refuses what is no object, and drops what it does not know', () => {
    expect(readProfile('owner')).toBe(PROFILES.owner);
    for (const nothing of [null, 3, 'boss', [owner]]) expect(failureOf(() => readProfile(nothing))?.code).toBe('safety/profile-invalid');
    expect(readProfile({ ...owner, startsMotion: true })).toEqual(owner);
  });

  it('locks a classroom whatever its file says', () => {
    expect(readProfile({ ...PROFILES.classroom, lock: 'open' }).lock).toBe('locked');
  });
});

describe('who may change what', () => {
  const change = (over: Partial<SafetyProfile>): SafetyProfile => ({ ...owner, ...over });

  it('a person may loosen, a file and a server may not', () => {
    expect(replaceProfile(owner, PROFILES.research, 'person')).toBe(PROFILES.research);
    for (const source of ['file', 'server'] as const) {
      expect(failureOf(() => replaceProfile(owner, PROFILES.research, source))).toMatchObject({ code: 'safety/would-loosen', facts: { field: 'simulated.armSpeedRadPerS' } });
      expect(replaceProfile(owner, PROFILES['first-motion'], source)).toBe(PROFILES['first-motion']);
    }
  });

  it('knows looser in every field', () => {
    const box = { least: [0, 0, 0], most: [0.1, 0.1, 0.1] } as const;
    const wider = { least: [-0.1, 0, 0], most: [0.1, 0.1, 0.1] } as const;
    const looser: readonly (readonly [SafetyProfile, SafetyProfile, string])[] = [
      [owner, change({ tableClearanceM: 0 }), 'tableClearanceM'],
      [owner, change({ selfClearanceM: 0.011 }), 'selfClearanceM'],
      [owner, change({ torqueShare: 1 }), 'torqueShare'],
      [owner, change({ maxTemperatureC: 61 }), 'maxTemperatureC'],
      [owner, change({ real: { ...owner.real, rampSeconds: 1 } }), 'real.rampSeconds'],
      [owner, change({ real: { ...owner.real, marginRad: 0.01 } }), 'real.marginRad'],
      [owner, change({ real: { ...owner.real, holdToRun: 'off' } }), 'real.holdToRun'],
      [owner, change({ real: { ...owner.real, surroundings: 'hold' } }), 'real.surroundings'],
      [change({ workspace: box }), owner, 'workspace'],
      [change({ workspace: box }), change({ workspace: wider }), 'workspace'],
      [change({ keepOut: [box] }), owner, 'keepOut'],
      [change({ keepOut: [wider] }), change({ keepOut: [box] }), 'keepOut'],
    ];
    for (const [current, next, field] of looser) {
      expect(firstLooser(current, next), field).toBe(field);
      expect(firstLooser(next, current), field).toBeNull();
    }
  });

  it('nobody on the page unlocks a locked one', () => {
    for (const source of ['person', 'file'] as const) {
      for (const next of Object.values(PROFILES)) expect(failureOf(() => replaceProfile(PROFILES.classroom, next, source))).toMatchObject({ code: 'safety/locked' });
    }
    expect(failureOf(() => replaceProfile(PROFILES.classroom, owner, 'server'))?.code).toBe('safety/would-loosen');
  });
});
