/** Every finding of the list, one by one, from the smallest change that brings it about. */
import { describe, expect, it } from 'vitest';
import type { FeatureStatistics, PolicyInfo } from '#contracts/policy.ts';
import { preflight, type PreflightFacts, standsAgainst } from './preflight.ts';
import { guessUnits } from './units.ts';

const DEGREES: FeatureStatistics = { mean: [0, -20, 30, 45, 0, 30], std: [25, 35, 30, 20, 30, 25], least: [-80, -110, -70, -40, -90, 0], most: [80, 60, 95, 98, 90, 100] };
const NORMALISED: FeatureStatistics = { mean: [2, -40, 40, 50, 5, 12], std: [26, 40, 35, 30, 20, 15], least: [-93, -99, -60, -20, -60, 0], most: [88, 60, 99, 99, 70, 80] };
/** The action statistics of `so100` in smolvla_base's own files. */
const OLD: FeatureStatistics = { mean: [1.6, 119.94, 109.77, 56.71, -27.42, 12], std: [26.39, 52.41, 49.85, 37, 59.36, 19.04], least: null, most: null };

const POLICY: PolicyInfo = {
  name: 'user/mine',
  family: 'smolvla',
  precision: 'q4',
  parameterCount: 450_046_176,
  cameras: [
    { key: 'observation.images.camera1', robotKey: 'observation.images.front', width: 640, height: 480 },
    { key: 'observation.images.camera2', robotKey: 'observation.images.wrist', width: 640, height: 480 },
  ],
  stateSize: 6,
  actionSize: 6,
  chunkRows: 50,
  denoisingSteps: 10,
  fps: 30,
  missingStatistics: [],
  statistics: { state: DEGREES, action: DEGREES },
  stage: 'tuned',
  training: { kind: 'unknown' },
  sentences: [],
};
const ANY = null;
const FACTS: PreflightFacts = {
  policy: POLICY,
  tokenizer: 'present',
  packBytes: 335e6,
  stored: false,
  machine: { freeBytes: 5e9, memoryBytes: 8e9 },
  robot: { kind: 'simulated', name: 'so100', joints: 6, fps: 30, cameras: ['front', 'wrist'].map((name) => ({ name: `observation.images.${name}`, size: ANY })) },
  wiring: {},
  units: null,
};
const policy = (changes: Partial<PolicyInfo>): PreflightFacts => ({ ...FACTS, policy: { ...POLICY, ...changes } });
const robot = (changes: Partial<PreflightFacts['robot']>): PreflightFacts => ({ ...FACTS, robot: { ...FACTS.robot, ...changes } });
const away = { name: 'observation.images.top', size: ANY };

describe('preflight', () => {
  it('is green from top to bottom for a sound checkpoint', () => {
    const lines = preflight(FACTS);
    expect(lines.map(({ level }) => level)).toEqual(Array.from({ length: 13 }, () => 'ok'));
    expect(standsAgainst(lines)).toBeNull();
  });

  it.each<readonly [string, string, PreflightFacts]>([
    ['joints/other', 'stop', policy({ stateSize: 7 })],
    ['joints/other', 'stop', policy({ actionSize: 14 })],
    ['arm/other', 'stop', { ...robot({ name: 'so101' }), policy: { ...POLICY, robot: 'so100' } }],
    ['arm/other', 'stop', policy({ robot: 'so101' })],
    ['arm/fits', 'ok', policy({ robot: 'so100' })],
    ['arm/not-said', 'ok', FACTS],
    ['camera/unknown', 'stop', robot({ cameras: [away] })],
    ['camera/none', 'stop', robot({ cameras: [] })],
    ['camera/unknown', 'stop', { ...FACTS, wiring: { 'observation.images.camera1': 'observation.images.gone' } }],
    ['camera/shared', 'stop', { ...FACTS, wiring: { 'observation.images.camera2': 'observation.images.front' } }],
    ['camera/left-out', 'note', { ...FACTS, wiring: { 'observation.images.camera2': null } }],
    ['camera/shape', 'note', robot({ cameras: [{ name: 'observation.images.front', size: { width: 1280, height: 480 } }, { name: 'observation.images.wrist', size: ANY }] })],
    ['statistics/missing', 'stop', policy({ missingStatistics: ['action'] })],
    ['statistics/missing', 'note', policy({ missingStatistics: ['action', 'observation.state'], stage: 'base', statistics: { state: null, action: null } })],
    ['stage/base', 'note', policy({ stage: 'base' })],
    ['stage/base', 'stop', { ...robot({ kind: 'real' }), policy: { ...POLICY, stage: 'base' } }],
    ['stage/untrained', 'note', policy({ training: { kind: 'untrained' } })],
    ['values/flat', 'note', policy({ statistics: { state: { ...DEGREES, std: [0, 1, 1, 1, 1, 1] }, action: DEGREES } })],
    ['values/far', 'stop', policy({ statistics: { state: DEGREES, action: { ...DEGREES, most: [900, 60, 95, 98, 90, 100] } } })],
    ['units/unclear', 'stop', policy({ statistics: { state: NORMALISED, action: NORMALISED } })],
    ['units/old-degrees', 'stop', policy({ statistics: { state: OLD, action: OLD } })],
    ['units/converted', 'ok', { ...policy({ statistics: { state: OLD, action: OLD } }), units: 'old-degrees' }],
    ['units/confirmed', 'ok', { ...policy({ statistics: { state: NORMALISED, action: NORMALISED } }), units: 'degrees' }],
    ['units/approximate', 'note', { ...FACTS, units: 'normalised' }],
    ['units/normalised', 'stop', { ...robot({ kind: 'real' }), units: 'normalised' }],
    ['tokenizer/missing', 'stop', { ...FACTS, tokenizer: 'missing' }],
    ['pace/other', 'note', policy({ fps: 10 })],
    ['disk/full', 'stop', { ...FACTS, machine: { freeBytes: 1e6, memoryBytes: 8e9 } }],
    ['disk/enough', 'ok', { ...FACTS, stored: true, machine: { freeBytes: 1e6, memoryBytes: 8e9 } }],
    ['disk/unknown', 'note', { ...FACTS, machine: { freeBytes: null, memoryBytes: null } }],
    ['memory/tight', 'note', { ...FACTS, machine: { freeBytes: 5e9, memoryBytes: 1e9 } }],
  ])('%s is %s', (finding, level, facts) => {
    const line = preflight(facts).find((one) => one.finding === finding);
    expect(line?.level).toBe(level);
    expect(line?.check).toBe(finding.split('/')[0]);
    expect(standsAgainst(preflight(facts)) === null).toBe(level !== 'stop');
  });
});

describe('units', () => {
  it('tells the three conventions apart where they can be told', () => {
    expect(guessUnits(DEGREES)).toBe('degrees');
    expect(guessUnits(OLD)).toBe('old-degrees');
    expect(guessUnits(NORMALISED)).toBe('unclear');
  });
});
